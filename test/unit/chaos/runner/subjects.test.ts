import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readSubject, readSubjectFile } from '../../../../chaos/runner/subjects.ts';
import type { KubeObject } from '../../../../src/kube/objects.ts';
import { silentProgress } from '../../../../src/testbed/progress.ts';

const folder = mkdtempSync(join(tmpdir(), 'hourglass-subjects-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const operator = `
kind: Namespace
metadata: { name: acme }
---
kind: Deployment
metadata: { name: operator, namespace: acme }
spec:
  selector: { matchLabels: { app: acme } }
  template: { spec: { serviceAccountName: robot } }
`;
writeFileSync(join(folder, 'operator.yaml'), operator);

function adapter(text: string): string {
  const path = join(folder, 'adapter.yaml');
  writeFileSync(path, text);
  return path;
}

describe('the file of a subject', () => {
  it('says how it is installed; who its pods are and whose account they have stands in its manifest', () => {
    const path = adapter('manifests: [operator.yaml]\ndeployment: acme/operator\nlease: acme/lock\nimages: [acme.tar]\n');
    expect(readSubjectFile('acme', path)).toEqual({
      name: 'acme',
      asks: 'Performer',
      isJudged: false,
      operator: {
        deployment: { namespace: 'acme', name: 'operator' },
        labels: { app: 'acme' },
        account: 'system:serviceaccount:acme:robot',
        lease: { namespace: 'acme', name: 'lock' },
      },
      manifests: [operator],
      images: [join(folder, 'acme.tar')],
    });
  });

  it.each([
    { text: '', ignores: undefined },
    { text: 'scheduling: true', ignores: undefined },
    { text: 'scheduling: false', ignores: true },
  ])('says whether pods start where a Performer wants them: "$text"', ({ text, ignores }) => {
    const path = adapter(`manifests: [operator.yaml]\ndeployment: acme/operator\n${text}\n`);
    expect(readSubjectFile('acme', path).ignoresScheduling).toBe(ignores);
  });

  it.each([
    { name: 'is not there', text: undefined, says: /none\.yaml is not there/ },
    { name: 'is no YAML', text: '{', says: /neither YAML nor JSON/ },
    { name: 'names no manifest', text: 'deployment: acme/operator', says: /manifests: / },
    { name: 'has a key that is none', text: 'manifests: [operator.yaml]\ndeployment: operator', says: /must be NAMESPACE\/NAME/ },
    { name: 'names a manifest that is not there', text: 'manifests: [a.yaml]\ndeployment: acme/operator', says: /a\.yaml is not there/ },
    {
      name: 'names a Deployment that no manifest has',
      text: 'manifests: [operator.yaml]\ndeployment: acme/other',
      says: /no manifest has the Deployment acme\/other/,
    },
  ])('is refused, by its name, when it $name', ({ text, says }) => {
    const path = text === undefined ? join(folder, 'none.yaml') : adapter(text);
    expect(() => readSubjectFile('acme', path)).toThrow(says);
    expect(() => readSubjectFile('acme', path)).toThrow(path);
  });
});

describe('a subject by name', () => {
  it('is ours as users install it', async () => {
    const { isJudged, manifests } = await readSubject('ours', '', silentProgress);
    expect([isJudged, manifests.join().includes('kind: Deployment')]).toEqual([true, true]);
  });

  it('is ours in one pod that runs once again and again, with nothing that listens', async () => {
    const { isJudged, operator, manifests } = await readSubject('once', '', silentProgress);
    const objects = parseAllDocuments(manifests.join('\n---\n')).map((document) => document.toJS() as KubeObject);
    const { spec } = objects.find(({ kind }) => kind === 'Deployment') as KubeObject & {
      readonly spec: { readonly replicas: number; readonly template: { readonly spec: { readonly containers: readonly object[] } } };
    };
    expect([isJudged, operator?.lease !== undefined, spec.replicas]).toEqual([true, true, 1]);
    const [container] = spec.template.spec.containers as readonly Record<string, unknown>[];
    expect(Object.keys(container ?? {}).filter((member) => /Probe|ports/.test(member))).toEqual([]);
    expect(String(container?.command)).toContain('["once","--wait=20s","--waiting-ok"]');
  });

  it('is refused when nobody is called so', async () => {
    await expect(readSubject('theirs', '', silentProgress)).rejects.toThrow('--subject theirs: give ours, once, deployment');
  });
});
