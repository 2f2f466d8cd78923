import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { type StructuralSchema, structuralSchema } from '../../src/api/crd/structural-schema.ts';
import { checkNewPerformer } from '../../src/api/v1alpha1/check-new-performer.ts';
import { group, version } from '../../src/api/v1alpha1/naming.ts';
import { parsePerformerSpec, performers } from '../../src/api/v1alpha1/performer.ts';
import { performerSchema } from '../../src/api/v1alpha1/performer-schema.ts';
import { useCluster } from '../support/cluster.ts';
import { ourCrd, PerformerClient, refusalsOf, refusedFields } from '../support/performer-client.ts';
import { acceptedSpecs, everyFieldSpec, filledIn, refusedSpecs, smallestSpec } from '../support/spec-table.ts';

const cluster = useCluster({ profile: 'none' });
let client: PerformerClient;

/** Fields of a spec that hold other fields or values, as JSON pointers. */
function pointersInto(value: unknown, pointer: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [pointer];
  return [pointer, ...Object.entries(value).flatMap(([key, child]) => pointersInto(child, `${pointer}/${key.replaceAll('/', '~1')}`))];
}

function replaceAt(value: unknown, steps: readonly string[], replacement: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (String(index) === step ? replaceAt(item, rest, replacement) : item));
  const object = value as Readonly<Record<string, unknown>>;
  return { ...object, [step]: replaceAt(object[step], rest, replacement) };
}

beforeAll(async () => {
  client = new PerformerClient(cluster.get());
  await client.applyCrd(ourCrd);
}, 120_000);

const ruleMessages = new Set<string>();
const collect = (schema: StructuralSchema): void => {
  for (const { message } of (schema['x-kubernetes-validations'] ?? []) as readonly { message: string }[]) ruleMessages.add(message);
  for (const child of Object.values(schema.properties ?? {})) collect(child);
  if (schema.items !== undefined) collect(schema.items);
};
collect(structuralSchema(performerSchema));

describe('the CRD on an API server', () => {
  it('violates no rule of structural schemas', async () => {
    const conditions = await client.kubectl('get', 'crd', `${performers.plural}.${group}`, '-o', 'jsonpath={.status.conditions[*].type}');
    expect(conditions.split(' ')).not.toContain('NonStructuralSchema');
  });

  it('takes every sample, with no field unknown', async () => {
    const output = await client.kubectl(
      'create',
      '--validate=strict',
      '--dry-run=server',
      '-R',
      '-f',
      join(projectRoot, 'manifests/samples'),
      '-o',
      'name',
    );
    expect(output.trim().split('\n').length).toBe(7);
  });

  it('explains its fields', async () => {
    expect(await client.kubectl('explain', 'performer.spec.config.grpcPort')).toContain('Port the performer serves gRPC on');
  });

  it('has words for every field in what explanations are made of', async () => {
    const served = JSON.parse(await client.kubectl('get', '--raw', `/openapi/v3/apis/${group}/${version}`)) as {
      readonly components: { readonly schemas: Readonly<Record<string, StructuralSchema>> };
    };
    const [, schema] = Object.entries(served.components.schemas).find(([name]) => name.endsWith('.Performer')) ?? [];
    const silent: string[] = [];
    let fields = 0;
    const visit = ({ properties = {}, items }: StructuralSchema, path: string): void => {
      for (const [name, child] of Object.entries(properties)) {
        fields += 1;
        if ((child.description ?? '') === '') silent.push(`${path}.${name}`);
        visit(child, `${path}.${name}`);
      }
      if (items !== undefined) visit(items, `${path}[]`);
    };
    visit(schema ?? {}, '');
    expect(fields).toBeGreaterThan(200);
    expect(silent).toEqual([]);
  });
});

describe('the API server accepts and the parser agrees', () => {
  it.each(acceptedSpecs)('$name', async ({ spec, stored }) => {
    const wanted = { ...filledIn, ...(stored ?? spec) };
    const object = await client.store({ spec });
    expect(object.spec).toEqual(wanted);
    expect(parsePerformerSpec(object.spec)).toEqual({ valid: true, spec: wanted });
  });
});

describe('the API server refuses and so do we, for the same field and, by a rule, in the same words', () => {
  it.each(refusedSpecs)('$name', async ({ spec, path, tolerated }) => {
    const refusals = await refusalsOf(client.store({ spec }));
    expect([...new Set(refusals.map(({ field }) => field))]).toEqual([path]);
    const issues = checkNewPerformer({ metadata: { name: 'x' }, spec });
    expect(issues.map((issue) => issue.path)).toEqual([path]);
    for (const { message } of issues.filter((issue) => ruleMessages.has(issue.message)))
      expect(refusals.some((refusal) => refusal.message.endsWith(message))).toBe(true);
    expect(parsePerformerSpec(spec).valid).toBe(tolerated === true);
  });

  it.each(['a'.repeat(54), 'a.b'])('the name %s', async (name) => {
    const refusals = await refusalsOf(client.store({ metadata: { name }, spec: smallestSpec }));
    const [issue] = checkNewPerformer({ metadata: { name }, spec: smallestSpec });
    expect(refusals).toEqual([{ field: 'metadata.name', message: `Invalid value: ${issue?.message}` }]);
  });
});

describe('whatever stands in the place of any field', () => {
  it('the API server and we come to the same verdict', async () => {
    const pointers = pointersInto(everyFieldSpec, '').filter((pointer) => pointer !== '');
    const value = fc.oneof(fc.constantFrom('', 'x', '1Gi', 0, 1, -1, 65_536, 0.5, true, {}, []), fc.jsonValue({ maxDepth: 1 }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...pointers), value, async (pointer, replacement) => {
        const steps = pointer
          .split('/')
          .slice(1)
          .map((step) => step.replaceAll('~1', '/'));
        const spec = replaceAt(everyFieldSpec, steps, replacement);
        const fields = await refusedFields(client.dryCreate({ spec }));
        const issues = checkNewPerformer({ metadata: { name: 'x' }, spec });
        expect(issues.length === 0, `${pointer}: the server refuses ${JSON.stringify(fields)}, we ${JSON.stringify(issues)}`).toBe(
          fields.length === 0,
        );
      }),
      { seed: 4, numRuns: 300 },
    );
  }, 60_000);
});

describe('a stored Performer', () => {
  it('has a status no operator has written, from creation', async () => {
    expect((await client.store({ spec: smallestSpec })).status).toEqual({ observedGeneration: -1 });
  });

  it('cannot bring a status along', async () => {
    expect((await client.store({ spec: smallestSpec, status: { ready: true } })).status).toEqual({ observedGeneration: -1 });
  });

  it('may lack a spec, which the parser then misses', async () => {
    expect(parsePerformerSpec((await client.store({})).spec)).toEqual({ valid: false, issues: [{ path: 'spec', message: 'is required' }] });
  });

  it('counts as not observed when a status leaves that out', async () => {
    const { metadata } = await client.store({ spec: smallestSpec });
    expect((await client.patchStatus(metadata?.name ?? '', { phase: 'Pending' })).status).toEqual({
      phase: 'Pending',
      observedGeneration: -1,
    });
  });

  it('keeps every status field', async () => {
    const { metadata } = await client.store({ spec: smallestSpec });
    const time = '2026-01-02T03:04:05Z';
    const condition = (type: string): object => ({
      type,
      status: 'True',
      reason: 'Serving',
      message: '',
      observedGeneration: 1,
      lastTransitionTime: time,
    });
    const status = {
      phase: 'Running',
      ready: true,
      podName: 'performer-x',
      podIP: '10.0.0.1',
      serviceName: 'performer-x',
      grpcEndpoint: 'performer-x.default.svc.cluster.local',
      conditions: [condition('Available'), condition('Ready')],
      lastUpgrade: time,
      readyTime: time,
      observedGeneration: 1,
      revision: '0123456789abcdef',
      replicas: 2,
      readyReplicas: 1,
      updatedReplicas: 0,
      selector: 'hourglass.eigenlayer.io/performer=x',
    };
    expect((await client.patchStatus(metadata?.name ?? '', status)).status).toEqual(status);
  });

  it.each<{ name: string; status: object; field: string }>([
    { name: 'a phase outside the list', status: { phase: 'Succeeded' }, field: 'status.phase' },
    {
      name: 'two conditions of one type',
      status: {
        conditions: ['True', 'False'].map((status) => ({
          type: 'Ready',
          status,
          reason: 'R',
          message: '',
          lastTransitionTime: '2026-01-02T03:04:05Z',
        })),
      },
      field: 'status.conditions[1]',
    },
    {
      name: 'a condition without a reason',
      status: { conditions: [{ type: 'Ready', status: 'True', message: '', lastTransitionTime: '2026-01-02T03:04:05Z' }] },
      field: 'status.conditions[0].reason',
    },
    { name: 'a time that is none', status: { readyTime: 'yesterday' }, field: 'status.readyTime' },
  ])('refuses a status with $name', async ({ status, field }) => {
    const { metadata } = await client.store({ spec: smallestSpec });
    expect(await refusedFields(client.patchStatus(metadata?.name ?? '', status))).toContain(field);
  });
});

describe('kubectl get', () => {
  it('shows Ready, Version, Reason and Age by the short name, the rest in the wide form', async () => {
    const { metadata } = await client.store({ spec: { ...smallestSpec, version: '1.2.3' } });
    const name = metadata?.name ?? '';
    await client.patchStatus(name, {
      phase: 'Running',
      readyReplicas: 1,
      grpcEndpoint: 'performer-x.default.svc.cluster.local',
      conditions: [{ type: 'Ready', status: 'True', reason: 'Serving', message: '', lastTransitionTime: '2026-01-02T03:04:05Z' }],
    });
    const cells = async (...args: readonly string[]): Promise<readonly string[][]> =>
      (await client.kubectl('get', ...args))
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/));

    const [header, row] = await cells('hgp', name, '-o', 'wide');
    expect(header).toEqual(['NAME', 'READY', 'VERSION', 'REASON', 'PHASE', 'ENDPOINT', 'REPLICAS', 'SERVING', 'AVS', 'IMAGE', 'AGE']);
    expect(row?.slice(1, -1)).toEqual([
      'True',
      '1.2.3',
      'Serving',
      'Running',
      'performer-x.default.svc.cluster.local',
      '1',
      '1',
      smallestSpec.avsAddress,
      smallestSpec.image,
    ]);
    const [narrow] = await cells('hourglass', '-l', '!none');
    expect(narrow).toEqual(['NAME', 'READY', 'VERSION', 'REASON', 'AGE']);
  });
});

describe('kubectl scale', () => {
  it('changes the replicas asked for, and shows those that are there to autoscalers', async () => {
    const name = (await client.store({ spec: smallestSpec })).metadata?.name ?? '';
    await client.patchStatus(name, { replicas: 1, selector: `hourglass.eigenlayer.io/performer=${name}` });
    const readScale = async (): Promise<unknown> =>
      JSON.parse(await client.kubectl('get', '--raw', `/apis/${group}/${version}/namespaces/default/${performers.plural}/${name}/scale`));
    const status = { replicas: 1, selector: `hourglass.eigenlayer.io/performer=${name}` };
    expect(await readScale()).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status });
    await client.kubectl('scale', 'performer', name, '--current-replicas=1', '--replicas=3');
    expect(await readScale()).toMatchObject({ spec: { replicas: 3 }, status });
    expect((await client.read(name)).spec).toMatchObject({ replicas: 3 });
    await expect(client.kubectl('scale', 'performer', name, '--replicas=0')).rejects.toThrow('spec.replicas');
  });
});
