import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { type Performer, parsePerformerSpec } from '../../src/api/v1alpha1/performer.ts';
import { useCluster } from '../support/cluster.ts';
import { ourCrd, PerformerClient, refusedFields } from '../support/performer-client.ts';
import { avsAddress, filledIn, smallestSpec } from '../support/spec-table.ts';

const cluster = useCluster({ profile: 'none' });
let client: PerformerClient;
beforeAll(() => {
  client = new PerformerClient(cluster.get());
});

const original = (name: string): string => join(projectRoot, 'test/fixtures/original-crds', `${name}.yaml`);

const longName = 'a'.repeat(60);
/** What the CRDs of earlier installations let in, of which ours would refuse each as new. */
const grown: readonly { readonly name: string; readonly spec?: object }[] = [
  { name: longName, spec: smallestSpec },
  { name: 'with.dots', spec: smallestSpec },
  { name: 'free-address', spec: { ...smallestSpec, avsAddress: 'my first avs' } },
  { name: 'no-tag', spec: { ...smallestSpec, image: 'registry.example/avs:' } },
  { name: 'tee-of-no-kind', spec: { ...smallestSpec, hardwareRequirements: { teeRequired: true } } },
  { name: 'gpu-without-count', spec: { ...smallestSpec, hardwareRequirements: { gpuType: 'nvidia-a100' } } },
  { name: 'long-account', spec: { ...smallestSpec, scheduling: { runtimeClass: 'r'.repeat(300) } } },
  { name: 'long-argument', spec: { ...smallestSpec, config: { args: ['x'.repeat(140_000)] } } },
  { name: 'odd-toleration', spec: { ...smallestSpec, scheduling: { tolerations: [{ key: 'a', operator: 'Like' }] } } },
  { name: 'no-spec' },
];

const edited = (performer: Performer): Performer => ({
  ...performer,
  metadata: { ...performer.metadata, labels: { edited: 'yes' } },
  ...(performer.spec === undefined ? {} : { spec: { ...performer.spec, version: '2.0.0' } }),
});

describe.each(['base', 'chart'])('our CRD over the original %s one, with live objects', (crd) => {
  beforeAll(async () => {
    await client.applyCrd(original(crd));
    for (const { name, spec } of grown)
      await client.store({ metadata: { name, finalizers: [legacyFinalizer] }, ...(spec === undefined ? {} : { spec }) });
    await client.patchStatus('free-address', { phase: 'Running', ready: true, podName: 'performer-free-address' });
    await client.applyCrd(ourCrd);
    // The new schema is served when it takes what the old one prunes.
    await vi.waitFor(
      async () =>
        expect(await refusedFields(client.dryCreate({ spec: { ...smallestSpec, drainSeconds: -1 } }))).toEqual(['spec.drainSeconds']),
      { timeout: 20_000 },
    );
  });

  it.each(grown.filter(({ name }) => name !== 'no-spec'))('would refuse $name as new', async ({ name, spec }) => {
    const isName = name === longName || name === 'with.dots';
    const metadata = { name: isName ? `${name}b` : 'another' };
    expect(await refusedFields(client.dryCreate({ metadata, spec }))).toHaveLength(1);
  });

  it('keeps what stands in them, status included', async () => {
    const { spec, status } = await client.read('free-address');
    expect(spec).toEqual({ ...filledIn, ...smallestSpec, avsAddress: 'my first avs' });
    expect(status).toEqual({ phase: 'Running', ready: true, podName: 'performer-free-address', observedGeneration: -1 });
  });

  it.each(grown)('leaves $name open to edits, status, and removal with its old finalizer', async ({ name, spec }) => {
    const changed = await client.replace(edited(await client.read(name)));
    expect(changed.metadata?.labels).toEqual({ edited: 'yes' });
    if (spec !== undefined) expect(changed.spec).toMatchObject({ version: '2.0.0' });
    const condition = { type: 'Ready', status: 'True', reason: 'Serving', message: '', lastTransitionTime: '2026-01-02T03:04:05Z' };
    const { status } = await client.patchStatus(name, { phase: 'Running', observedGeneration: 2, conditions: [condition] });
    expect(status).toMatchObject({ phase: 'Running', observedGeneration: 2 });
    await client.kubectl('annotate', 'performer', name, 'seen=yes');

    await client.delete(name);
    const deleting = await client.read(name);
    expect(deleting.metadata?.deletionTimestamp).toBeDefined();
    await client.patchStatus(name, { phase: 'Terminating', observedGeneration: 2 });
    await client.replace({ ...(await client.read(name)), metadata: { ...(await client.read(name)).metadata, finalizers: [] } });
    await expect(client.read(name)).rejects.toThrow('404');
  });

  it('lets an old address be put right, and then keeps it', async () => {
    const performer = await client.store({ metadata: { name: `late-${crd}` }, spec: smallestSpec });
    expect(await refusedFields(client.dryReplace({ ...performer, spec: { ...smallestSpec, avsAddress: `0x${'1'.repeat(40)}` } }))).toEqual([
      'spec.avsAddress',
    ]);
    expect(
      await refusedFields(
        client.dryReplace({ ...performer, spec: { ...smallestSpec, avsAddress: avsAddress.toUpperCase().replace('0X', '0x') } }),
      ),
    ).toEqual([]);
  });

  it('gives way to the original again, which leaves out what it does not know', async () => {
    const name = `back-${crd}`;
    const { metadata, spec } = await client.store({ metadata: { name }, spec: { ...smallestSpec, replicas: 2, paused: true } });
    await client.applyCrd(original(crd));
    await expect
      .poll(async () => (await client.read(name)).spec, { timeout: 20_000 })
      .toEqual({ ...smallestSpec, imagePullPolicy: 'IfNotPresent' });
    // Nothing was written: it is the same version, and shows all again with ours.
    expect((await client.read(name)).metadata?.resourceVersion).toBe(metadata?.resourceVersion);
    await client.applyCrd(ourCrd);
    await expect.poll(async () => (await client.read(name)).spec, { timeout: 20_000 }).toEqual(spec);
    expect((await client.read(name)).metadata?.resourceVersion).toBe(metadata?.resourceVersion);
    await client.kubectl('delete', 'performers', '--all');
  });
});

describe('what is stored under the original CRD', () => {
  it.each(grown.filter(({ name, spec }) => spec !== undefined && name !== 'odd-toleration'))('is read: $name', ({ spec }) => {
    expect(parsePerformerSpec(spec)).toMatchObject({ valid: true, spec });
  });
});

describe('a CustomResourceDefinition of executors that was left behind', () => {
  it('stands beside ours, its objects untouched', async () => {
    await client.kubectl('apply', '-f', join(projectRoot, 'test/fixtures/original-crds/executor.yaml'));
    await vi.waitFor(() => client.kubectl('apply', '-f', join(projectRoot, 'test/fixtures/original-crds/executor-object.yaml')), {
      timeout: 30_000,
      interval: 200,
    });
    await client.applyCrd(ourCrd);
    await client.store({ metadata: { name: 'beside' }, spec: smallestSpec });
    expect(await client.kubectl('get', 'hourglassexecutors', '-o', 'name')).toContain(
      'hourglassexecutor.hourglass.eigenlayer.io/left-behind',
    );
    expect(await client.kubectl('get', 'performers', 'beside', '-o', 'name')).toContain('performer.hourglass.eigenlayer.io/beside');
  });
});
