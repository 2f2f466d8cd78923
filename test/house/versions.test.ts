import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readVersions, type ToolVersions } from '../../src/testbed/tools.ts';
import { projectRoot, readSources, type Sources } from '../support/sources.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

interface Pinned {
  readonly controlPlaneMod: string;
  readonly binMod: string;
  readonly k6Mod: string;
  readonly corednsMod: string;
  readonly chaosMeshMod: string;
  readonly peersMod: string;
  readonly packageJson: string;
}

/** Where a pin says something else than versions.json. */
function findDifferent(versions: ToolVersions, pinned: Pinned): readonly string[] {
  const staging = versions.kubernetes.replace(/^1\./, '0.');
  const wrongStaging = [...pinned.controlPlaneMod.matchAll(/=> (k8s\.io\/\S+) v(\S+)/g)]
    .filter(([, , version]) => version !== staging)
    .map(([, module, version]) => `tools/control-plane/go.mod: ${module} is ${version}, not ${staging}`);
  const required = [
    ['tools/control-plane/go.mod', pinned.controlPlaneMod, 'k8s.io/kubernetes', versions.kubernetes],
    ['tools/control-plane/go.mod', pinned.controlPlaneMod, 'go.etcd.io/etcd/server/v3', versions.etcd],
    ['tools/bin/go.mod', pinned.binMod, 'sigs.k8s.io/kwok', versions.kwok],
    ['tools/k6/go.mod', pinned.k6Mod, 'go.k6.io/k6/v2', versions.k6],
    ['tools/coredns/go.mod', pinned.corednsMod, 'github.com/coredns/coredns', versions.coredns],
    ['tools/chaos-mesh/go.mod', pinned.chaosMeshMod, 'github.com/chaos-mesh/chaos-mesh', versions['chaos-mesh']],
    ['tools/peers/go.mod', pinned.peersMod, 'sigs.k8s.io/controller-runtime', versions['controller-runtime']],
    ['tools/peers/go.mod', pinned.peersMod, 'k8s.io/client-go', staging],
  ] as const;
  const wrong = required.flatMap(([file, text, module, wanted]) => {
    const version = new RegExp(`^\\s*(?:require )?${module.replaceAll('.', '\\.')} v(\\S+)`, 'm').exec(text)?.[1];
    return version === wanted ? [] : [`${file}: ${module} is ${version}, not ${wanted}`];
  });
  const { devDependencies } = JSON.parse(pinned.packageJson) as { readonly devDependencies: Readonly<Record<string, string>> };
  const node = devDependencies.node === versions.node ? [] : [`package.json: node is ${devDependencies.node}, not ${versions.node}`];
  return [...wrong, ...wrongStaging, ...node];
}

/** Full versions of Kubernetes of the tested minor that documents name and that are not the tested one. */
function findStaleDocs(versions: ToolVersions, documents: Sources): readonly string[] {
  const minor = versions.kubernetes.split('.').slice(0, 2).join('\\.');
  return [...documents].flatMap(([path, text]) =>
    [...text.matchAll(new RegExp(`\\b${minor}\\.\\d+\\b`, 'g'))]
      .filter(([said]) => said !== versions.kubernetes)
      .map(([said]) => `${path}: ${said}`),
  );
}

describe('tools/versions.json', () => {
  const pinned: Pinned = {
    controlPlaneMod: read('tools/control-plane/go.mod'),
    binMod: read('tools/bin/go.mod'),
    k6Mod: read('tools/k6/go.mod'),
    corednsMod: read('tools/coredns/go.mod'),
    chaosMeshMod: read('tools/chaos-mesh/go.mod'),
    peersMod: read('tools/peers/go.mod'),
    packageJson: read('package.json'),
  };
  const versions = readVersions(join(projectRoot, 'tools'));

  it('says what the Go modules and package.json pin', () => {
    expect(findDifferent(versions, pinned)).toEqual([]);
  });

  it('names the Node that runs this test', () => {
    expect(process.versions.node).toBe(versions.node);
  });

  it('says what the documents say', () => {
    expect(
      findStaleDocs(
        versions,
        readSources((path) => path.endsWith('.md')),
      ),
    ).toEqual([]);
  });

  it.each(Object.keys(versions) as (keyof ToolVersions)[])('is found out when its version of %s is another one', (tool) => {
    expect(findDifferent({ ...versions, [tool]: '1.2.3' }, pinned)).not.toEqual([]);
  });

  it('is found out when one staging module stayed behind', () => {
    const controlPlaneMod = `${pinned.controlPlaneMod}\nreplace k8s.io/api => k8s.io/api v0.1.0\n`;
    expect(findDifferent(versions, { ...pinned, controlPlaneMod })).toHaveLength(1);
  });

  it('is found out when a document stayed behind', () => {
    const documents = new Map([['docs/a.md', `runs ${versions.kubernetes}99`]]);
    expect(findStaleDocs(versions, documents)).toEqual([`docs/a.md: ${versions.kubernetes}99`]);
  });
});
