import { describe, expect, it } from 'vitest';
import { renderCrd } from '../../../../src/api/crd/performer-crd.ts';
import type { StructuralSchema } from '../../../../src/api/crd/structural-schema.ts';

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: object;
    readonly versions: readonly {
      readonly subresources: object;
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly priority?: number }[];
      readonly schema: { readonly openAPIV3Schema: StructuralSchema };
    }[];
  };
}
const crd = renderCrd() as unknown as Crd;
const served = crd.spec.versions[0];
const root = served?.schema.openAPIV3Schema;
const field = (...names: readonly string[]): StructuralSchema | undefined =>
  names.reduce<StructuralSchema | undefined>((schema, name) => schema?.properties?.[name], root);

describe('the CRD of Performer', () => {
  it('is found under its names', () => {
    expect(crd.metadata.name).toBe('performers.hourglass.eigenlayer.io');
    expect(crd.spec.names).toEqual({
      kind: 'Performer',
      listKind: 'PerformerList',
      plural: 'performers',
      singular: 'performer',
      shortNames: ['hgp'],
      categories: ['hourglass'],
    });
  });

  it('prints Ready, Version, Reason and Age, and the rest in the wide form', () => {
    const columns = served?.additionalPrinterColumns ?? [];
    expect(columns.filter((column) => column.priority === undefined).map((column) => column.name)).toEqual([
      'Ready',
      'Version',
      'Reason',
      'Age',
    ]);
    expect(columns.filter((column) => column.priority === 1).map((column) => column.name)).toEqual([
      'Phase',
      'Endpoint',
      'Replicas',
      'Serving',
      'AVS',
      'Image',
    ]);
  });

  it('has the status and the scale subresource', () => {
    expect(served?.subresources).toEqual({
      status: {},
      scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
    });
  });

  it('describes every field', () => {
    const silent: string[] = [];
    const visit = (schema: StructuralSchema, path: string): void => {
      for (const [name, child] of Object.entries(schema.properties ?? {})) {
        if ((child.description ?? '').length < 8 && `${path}.${name}` !== '.metadata') silent.push(`${path}.${name}`);
        visit(child, `${path}.${name}`);
      }
      if (schema.items !== undefined) visit(schema.items, `${path}[]`);
      if (schema.additionalProperties !== undefined) visit(schema.additionalProperties, `${path}.*`);
    };
    visit(root ?? {}, '');
    expect(silent).toEqual([]);
  });

  it('bounds every text, list and map', () => {
    const unbounded: string[] = [];
    const visit = (schema: StructuralSchema, path: string): void => {
      const isText = schema.type === 'string' && schema.enum === undefined;
      if (isText && schema.maxLength === undefined && !implicit.test(path)) unbounded.push(path);
      if (schema.type === 'array' && schema.maxItems === undefined) unbounded.push(path);
      if (schema.additionalProperties !== undefined && schema.maxProperties === undefined) unbounded.push(path);
      for (const [name, child] of Object.entries(schema.properties ?? {})) visit(child, `${path}.${name}`);
      if (schema.items !== undefined) visit(schema.items, `${path}[]`);
      if (schema.additionalProperties !== undefined) visit(schema.additionalProperties, `${path}.*`);
    };
    const implicit = /^\.(apiVersion|kind|metadata\.name)$/;
    visit(root ?? {}, '');
    expect(unbounded).toEqual([]);
  });

  it.each<{ name: string; path: string[]; holds: object }>([
    {
      name: 'a port with its default',
      path: ['spec', 'config', 'grpcPort'],
      holds: { default: 9090, format: 'int32', minimum: 1, maximum: 65_535 },
    },
    {
      name: 'a pull policy with its default',
      path: ['spec', 'imagePullPolicy'],
      holds: { default: 'IfNotPresent', enum: ['Always', 'Never', 'IfNotPresent'] },
    },
    {
      name: 'conditions by type',
      path: ['status', 'conditions'],
      holds: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
    },
    { name: 'a status from the first moment', path: ['status'], holds: { default: { observedGeneration: -1 } } },
    { name: 'an observed generation in every status', path: ['status', 'observedGeneration'], holds: { default: -1 } },
  ])('has $name', ({ path, holds }) => {
    expect(field(...path)).toMatchObject(holds);
  });

  it('has no default for config, so that its absence stays visible', () => {
    expect(field('spec', 'config')).not.toHaveProperty('default');
  });

  it('names in every rule the field it is about or what to do', () => {
    const messages: string[] = [];
    const visit = (schema: StructuralSchema): void => {
      messages.push(...((schema['x-kubernetes-validations'] ?? []) as { message: string }[]).map(({ message }) => message));
      for (const child of Object.values(schema.properties ?? {})) visit(child);
      if (schema.items !== undefined) visit(schema.items);
    };
    visit(root ?? {});
    expect(messages.length).toBeGreaterThanOrEqual(11);
    expect(messages.filter((message) => !/^(spec|metadata)\.|^valueFrom must have|^a variable must have/.test(message))).toEqual([]);
  });

  it('does not demand a spec, so that stored objects without one can be edited', () => {
    expect(root).not.toHaveProperty('required');
  });
});
