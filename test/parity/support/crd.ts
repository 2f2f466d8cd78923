import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../../scripts/generate.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import type { MemoryCluster } from '../../../src/sim/memory-cluster.ts';

/** The CRDs a cluster may have: ours, and the two the Go operator came with, which prune what they do not know. */
export const crds = ['ours', 'base', 'chart'] as const;
export type CrdName = (typeof crds)[number];

export const crdPath = (name: CrdName): string =>
  join(projectRoot, name === 'ours' ? 'manifests/crd/hourglass.eigenlayer.io_performers.yaml' : `test/fixtures/original-crds/${name}.yaml`);

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** Serves Performers by a CRD: unknown fields are pruned, defaults filled in, words outside an enum refused, as API servers do. */
export function installCrd(cluster: MemoryCluster, name: CrdName): void {
  const crd = parse(readFileSync(crdPath(name), 'utf8')) as {
    readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }] };
  };
  const { spec = {}, status = {} } = crd.spec.versions[0].schema.openAPIV3Schema.properties ?? {};
  cluster.registerKind(performers, {
    statusSubresource: true,
    withDefaults: (object) => {
      const known = {
        ...object,
        ...(object.spec === undefined ? {} : { spec: shaped(object.spec, spec) as object }),
        ...(object.status === undefined && status.default === undefined
          ? {}
          : { status: shaped(object.status ?? status.default, status) as object }),
      };
      return known as typeof object;
    },
    validate: (object) => findOutsideEnum('spec', object.spec, spec) ?? findOutsideEnum('status', object.status, status),
  });
}

function shaped(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return schema.items === undefined ? value : value.map((item) => shaped(item, schema.items ?? {}));
  if (typeof value !== 'object' || value === null) return value;
  const { properties, additionalProperties } = schema;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return value;
  if (typeof additionalProperties === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shaped(one, additionalProperties)]));
  }
  if (properties === undefined) return {};
  const filled = Object.entries(properties).flatMap(([key, one]) => {
    const given = (value as Readonly<Record<string, unknown>>)[key];
    if (given === undefined || given === null) return one.default === undefined ? [] : [[key, one.default] as const];
    return [[key, shaped(given, one)] as const];
  });
  return Object.fromEntries(filled);
}

function findOutsideEnum(path: string, value: unknown, schema: Schema): string | undefined {
  if (schema.enum !== undefined && value !== undefined && !schema.enum.includes(value)) return `${path}: Unsupported value`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  for (const [key, one] of Object.entries(schema.properties ?? {})) {
    const found = findOutsideEnum(`${path}.${key}`, (value as Readonly<Record<string, unknown>>)[key], one);
    if (found !== undefined) return found;
  }
  return undefined;
}
