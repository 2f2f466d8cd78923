import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../../scripts/generate.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import type { MemoryCluster } from '../../support/memory-cluster.ts';
import type { CrdSchema } from '../../support/structural-rules.ts';

/** The CRDs a cluster may have: ours, and the two the Go operator came with, which prune what they do not know. */
export const crds = ['ours', 'base', 'chart'] as const;
export type CrdName = (typeof crds)[number];

export const crdPath = (name: CrdName): string =>
  join(projectRoot, name === 'ours' ? 'manifests/crd/hourglass.eigenlayer.io_performers.yaml' : `test/fixtures/original-crds/${name}.yaml`);

/** Serves Performers by a CRD: unknown fields are pruned, defaults filled in, what does not fit refused, as API servers do. */
export function installCrd(cluster: MemoryCluster, name: CrdName): void {
  cluster.registerKind(performers, { statusSubresource: true, schema: readSchema(name) });
}

const schemas = new Map<CrdName, CrdSchema>();

function readSchema(name: CrdName): CrdSchema {
  const known = schemas.get(name);
  if (known !== undefined) return known;
  const crd = parse(readFileSync(crdPath(name), 'utf8')) as {
    readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: CrdSchema } }] };
  };
  const schema = crd.spec.versions[0].schema.openAPIV3Schema;
  schemas.set(name, schema);
  return schema;
}
