import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiException, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { group, version } from '../../src/api/v1alpha1/naming.ts';
import { type Performer, parsePerformerSpec, performers } from '../../src/api/v1alpha1/performer.ts';
import { useCluster } from '../support/cluster.ts';
import { acceptedSpecs, everyFieldSpec, refusedSpecs, smallestSpec } from '../support/spec-table.ts';

const cluster = useCluster({ profile: 'none' });
const kind = { group, version, namespace: 'default', plural: performers.plural };
const run = promisify(execFile);

let client: CustomObjectsApi;

async function kubectl(...args: readonly string[]): Promise<string> {
  const [command = 'kubectl', ...prefix] = cluster.get().kubectl;
  const { stdout } = await run(command, [...prefix, '--kubeconfig', cluster.get().kubeconfig, ...args], { timeout: 60_000 });
  return stdout;
}

/** Stores an object under a name nobody has and reads it back. */
async function store(body: object): Promise<Performer> {
  const object = { apiVersion: `${group}/${version}`, kind: performers.kind, metadata: { generateName: 'row-' }, ...body };
  const { metadata } = (await client.createNamespacedCustomObject({ ...kind, body: object })) as Performer;
  return (await client.getNamespacedCustomObject({ ...kind, name: metadata?.name ?? '' })) as Performer;
}

async function dryRun(body: object): Promise<void> {
  const object = { apiVersion: `${group}/${version}`, kind: performers.kind, metadata: { name: 'dry-run' }, ...body };
  await client.createNamespacedCustomObject({ ...kind, body: object, dryRun: 'All' });
}

async function patchStatus(name: string, status: object): Promise<Performer> {
  const body = [{ op: 'add', path: '/status', value: status }];
  return (await client.patchNamespacedCustomObjectStatus({ ...kind, name, body })) as Performer;
}

/** The fields the server refuses, or an empty list when it accepts. */
async function refusedFields(attempt: Promise<unknown>): Promise<readonly string[]> {
  try {
    await attempt;
    return [];
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 422) throw error;
    const body: unknown = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    const { details } = body as { readonly details?: { readonly causes?: readonly { readonly field?: string }[] } };
    // `<nil>` only says that other rules were not tried.
    return [...new Set((details?.causes ?? []).map((cause) => cause.field ?? ''))].filter((field) => field !== '<nil>');
  }
}

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
  await kubectl('apply', '-f', join(projectRoot, 'manifests/crd'));
  await kubectl('wait', '--for=condition=Established', `crd/${performers.plural}.${group}`, '--timeout=30s');
  const config = new KubeConfig();
  config.loadFromFile(cluster.get().kubeconfig);
  client = config.makeApiClient(CustomObjectsApi);
}, 120_000);

describe('the CRD on an API server', () => {
  it('violates no rule of structural schemas', async () => {
    const conditions = await kubectl('get', 'crd', `${performers.plural}.${group}`, '-o', 'jsonpath={.status.conditions[*].type}');
    expect(conditions.split(' ')).not.toContain('NonStructuralSchema');
  });

  it('takes every sample, with no field unknown', async () => {
    const output = await kubectl(
      'create',
      '--validate=strict',
      '--dry-run=server',
      '-R',
      '-f',
      join(projectRoot, 'manifests/samples'),
      '-o',
      'name',
    );
    expect(output.trim().split('\n').length).toBe(6);
  });

  it('explains its fields', async () => {
    expect(await kubectl('explain', 'performer.spec.config.grpcPort')).toContain('Port the performer serves gRPC on');
  });
});

describe('the API server accepts and the parser agrees', () => {
  it.each(acceptedSpecs)('$name', async ({ spec, stored }) => {
    const wanted = stored ?? { imagePullPolicy: 'IfNotPresent', ...spec };
    const object = await store({ spec });
    expect(object.spec).toEqual(wanted);
    expect(parsePerformerSpec(object.spec)).toEqual({ valid: true, spec: wanted });
  });
});

describe('the API server refuses and the parser agrees', () => {
  it.each(refusedSpecs)('$name', async ({ spec, path }) => {
    const fields = await refusedFields(store({ spec }));
    expect(fields).toEqual([path]);
    const parsed = parsePerformerSpec(spec);
    expect(parsed.valid ? [] : parsed.issues.map((issue) => issue.path)).toEqual([path]);
  });
});

describe('whatever stands in the place of any field', () => {
  it('the API server and the parser come to the same verdict', async () => {
    const pointers = pointersInto(everyFieldSpec, '').filter((pointer) => pointer !== '');
    const value = fc.oneof(fc.constantFrom('', 'x', '1Gi', 0, 1, -1, 65_536, 0.5, true, {}, []), fc.jsonValue({ maxDepth: 1 }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...pointers), value, async (pointer, replacement) => {
        const steps = pointer
          .split('/')
          .slice(1)
          .map((step) => step.replaceAll('~1', '/'));
        const spec = replaceAt(everyFieldSpec, steps, replacement);
        const fields = await refusedFields(dryRun({ spec }));
        expect(parsePerformerSpec(spec).valid, `${pointer}: the server refuses ${JSON.stringify(fields)}`).toBe(fields.length === 0);
      }),
      { seed: 4, numRuns: 300 },
    );
  }, 60_000);
});

describe('a stored Performer', () => {
  it('has a status no operator has written, from creation', async () => {
    expect((await store({ spec: smallestSpec })).status).toEqual({ observedGeneration: -1 });
  });

  it('cannot bring a status along', async () => {
    expect((await store({ spec: smallestSpec, status: { ready: true } })).status).toEqual({ observedGeneration: -1 });
  });

  it('may lack a spec, which the parser then misses', async () => {
    expect(parsePerformerSpec((await store({})).spec)).toEqual({ valid: false, issues: [{ path: 'spec', message: 'is required' }] });
  });

  it('counts as not observed when a status leaves that out', async () => {
    const { metadata } = await store({ spec: smallestSpec });
    expect((await patchStatus(metadata?.name ?? '', { phase: 'Pending' })).status).toEqual({ phase: 'Pending', observedGeneration: -1 });
  });

  it('keeps every status field', async () => {
    const { metadata } = await store({ spec: smallestSpec });
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
    };
    expect((await patchStatus(metadata?.name ?? '', status)).status).toEqual(status);
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
    const { metadata } = await store({ spec: smallestSpec });
    expect(await refusedFields(patchStatus(metadata?.name ?? '', status))).toContain(field);
  });
});

describe('kubectl get', () => {
  it('shows Ready, Version, Reason and Age by the short name, the rest in the wide form', async () => {
    const { metadata } = await store({ spec: { ...smallestSpec, version: '1.2.3' } });
    const name = metadata?.name ?? '';
    await patchStatus(name, {
      phase: 'Running',
      grpcEndpoint: 'performer-x.default.svc.cluster.local',
      conditions: [{ type: 'Ready', status: 'True', reason: 'Serving', message: '', lastTransitionTime: '2026-01-02T03:04:05Z' }],
    });
    const cells = async (...args: readonly string[]): Promise<readonly string[][]> =>
      (await kubectl('get', ...args))
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/));

    const [header, row] = await cells('hgp', name, '-o', 'wide');
    expect(header).toEqual(['NAME', 'READY', 'VERSION', 'REASON', 'PHASE', 'ENDPOINT', 'AVS', 'IMAGE', 'AGE']);
    expect(row?.slice(1, -1)).toEqual([
      'True',
      '1.2.3',
      'Serving',
      'Running',
      'performer-x.default.svc.cluster.local',
      smallestSpec.avsAddress,
      smallestSpec.image,
    ]);
    const [narrow] = await cells('hourglass', '-l', '!none');
    expect(narrow).toEqual(['NAME', 'READY', 'VERSION', 'REASON', 'AGE']);
  });
});
