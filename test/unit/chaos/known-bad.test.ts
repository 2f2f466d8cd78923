import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chooseExperiments } from '../../../chaos/experiments/catalogue.ts';
import { caughtBy, findBad, fromFolder } from '../../../scripts/chaos/known-bad.ts';
import { projectRoot } from '../../../scripts/generate.ts';

describe('known-bad operators on real nodes', () => {
  it('are operators of the simulation, under faults of the catalogue', () => {
    for (const [name, ids] of Object.entries(caughtBy)) {
      expect(findBad(name).name).toBe(name);
      expect(chooseExperiments('smoke', ids).map(({ id }) => id)).toHaveLength(ids.length);
    }
  });

  it('run the program of their own folder, with all else as users install it', () => {
    const manifest = readFileSync(join(projectRoot, 'manifests/install-watch.yaml'), 'utf8');
    const read = (text: string) => parseAllDocuments(text).map((one) => one.toJS());
    const before = read(manifest).map((one) => JSON.stringify(one));
    const changed = read(fromFolder(manifest, '/bad/app')).filter((one, at) => JSON.stringify(one) !== before[at]);
    expect(changed.map(({ kind }) => kind)).toEqual(['Namespace', 'Deployment']);
    const [container] = changed[1].spec.template.spec.containers;
    expect([container.command, container.args[0], container.volumeMounts]).toEqual([
      ['/usr/bin/node', '/app/hourglass.js'],
      'watch',
      [{ name: 'program', mountPath: '/app', readOnly: true }],
    ]);
    expect(changed[1].spec.template.spec.volumes).toEqual([{ name: 'program', hostPath: { path: '/bad/app', type: 'Directory' } }]);
  });
});
