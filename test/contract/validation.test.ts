import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { checkNewPerformer } from '../../src/api/v1alpha1/check-new-performer.ts';
import type { Performer } from '../../src/api/v1alpha1/performer.ts';
import { useCluster } from '../support/cluster.ts';
import { ourCrd, PerformerClient, refusedFields } from '../support/performer-client.ts';
import { avsAddress, smallestSpec } from '../support/spec-table.ts';

/** Specs made of parts that are right, wrong and odd, so that about half of them are accepted. */
const seed = 20_260;
const runs = 400;
const storedCount = 40;

const letters = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters.split('')), maxLength });
/** Mostly one of the good values. */
const mostly = <Good, Odd>(good: readonly Good[], odd: fc.Arbitrary<Odd>): fc.Arbitrary<Good | Odd> =>
  fc.oneof({ arbitrary: fc.constantFrom(...good), weight: 40 }, { arbitrary: odd, weight: 1 });
const some = <Shape>(model: { readonly [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }): fc.Arbitrary<Partial<Shape>> =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<Shape>>;

const image = mostly(
  ['avs:1', 'team/avs', 'registry.example:5000/team/avs:1.0.0', `avs@sha256:${'ab'.repeat(32)}`],
  letters('aA0._-/:@[] ', 12),
);
const address = mostly(
  [avsAddress, avsAddress.replace('a001', 'A001')],
  fc.oneof(letters('0x1aFg', 44), fc.constant(`0x${'2'.repeat(40)}`)),
);
const secretKeyRef = { name: 'secret', key: 'key' };
const configMapKeyRef = { name: 'map', key: 'key' };
const source = some({
  secretKeyRef: fc.constant(secretKeyRef),
  configMapKeyRef: fc.constant(configMapKeyRef),
  fieldRef: fc.constant({ fieldPath: 'status.podIP' }),
  resourceFieldRef: fc.constant({ resource: 'limits.cpu', divisor: '1' }),
});
const names = mostly(['A', 'B', 'C.d', '_e-f'], letters('Aa0.=- ', 3));
const variables = fc.array(
  fc.oneof(
    fc.record({ name: names, value: fc.constantFrom('', 'x') }),
    fc.record({ name: names, valueFrom: mostly([{ secretKeyRef }, { configMapKeyRef }], source) }),
    { arbitrary: fc.record({ name: names, value: fc.constantFrom('', 'x'), valueFrom: fc.constant({ secretKeyRef }) }), weight: 1 },
  ),
  { maxLength: 3 },
);
const moves = mostly([0, 1, '0%', '25%', '100%'], fc.constantFrom(-1, 101, '1', '101%', '01%', '', 0.5));
const seconds = mostly([0, 1, 5, 3600], fc.constantFrom(-1, 3601, 86_401, 1.5));
const earlierFields = {
  imagePullPolicy: mostly(['Always', 'Never'], fc.constant('Often')),
  version: mostly(['1.0.0', ''], fc.constant('v'.repeat(4097))),
  config: some({
    grpcPort: mostly([1, 8080], fc.constantFrom(0, 65_536)),
    environment: fc.dictionary(letters('Aa_', 3), letters('ab', 3), { maxKeys: 3 }),
    args: fc.array(mostly(['--a', ''], fc.constant('x'.repeat(131_073))), { maxLength: 2 }),
  }),
  scheduling: some({
    runtimeClass: mostly(['kata'], fc.constant('k'.repeat(254))),
    tolerations: fc.array(some({ operator: mostly(['', 'Exists', 'Equal'], fc.constant('Like')), key: letters('ab', 2) }), {
      maxLength: 2,
    }),
  }),
  hardwareRequirements: some({
    gpuType: fc.constantFrom('', 'nvidia-a100'),
    gpuCount: mostly([0, 1, 2], fc.constant(-1)),
    teeRequired: fc.boolean(),
    teeType: mostly(['sgx', 'tdx', 'sev'], letters('sgxX', 3)),
  }),
};
const laterFields = {
  replicas: mostly([1, 2, 100], fc.constantFrom(0, 101)),
  strategy: some({
    type: mostly(['RollingUpdate', 'Recreate'], fc.constant('BlueGreen')),
    rollingUpdate: some({ maxSurge: moves, maxUnavailable: moves }),
  }),
  minReadySeconds: seconds,
  drainSeconds: seconds,
  terminationGracePeriodSeconds: mostly([0, 86_400], seconds),
  probes: some({ startup: some({ successThreshold: mostly([1], fc.constant(2)), periodSeconds: mostly([1], fc.constant(0)) }) }),
  security: some({ profile: mostly(['privileged', 'baseline', 'restricted'], fc.constant('')) }),
  managedBy: mostly(['hourglass.eigenlayer.io/operator'], fc.constantFrom('', 'example.com/other', 'm'.repeat(254))),
};
/** Most specs hold a field or two, or else few would be accepted. */
const part = fc.record({ first: fc.nat(16), count: fc.constantFrom(1, 2, 20) });
function partOf(fields: object, { first, count }: { readonly first: number; readonly count: number }): object {
  const entries = Object.entries(fields);
  const start = entries.length === 0 ? 0 : first % entries.length;
  return Object.fromEntries([...entries.slice(start), ...entries.slice(0, start)].slice(0, count));
}
const spec = fc
  .tuple(
    fc.record({ avsAddress: address, image }),
    some({ ...earlierFields, ...laterFields, config: some({ env: variables, environmentFrom: variables }) }),
    part,
  )
  .map(([base, fields, chosen]) => ({ ...base, ...partOf(fields, chosen) }));
const name = mostly(['x', 'a'.repeat(53)], fc.constantFrom('a'.repeat(54), 'a.b', 'a'.repeat(63)));

const cluster = useCluster({ profile: 'none' });
let client: PerformerClient;
let stored: readonly Performer[];

/** Stored under the CRD of earlier installations, then served under ours. */
beforeAll(async () => {
  client = new PerformerClient(cluster.get());
  await client.applyCrd(join(projectRoot, 'test/fixtures/original-crds/chart.yaml'));
  const oldSpec = fc
    .tuple(
      fc.record({ avsAddress: fc.oneof(address, fc.constant('my avs')), image: fc.oneof(image, fc.constant('registry:')) }),
      some(earlierFields),
    )
    .map(([base, fields]) => ({ ...base, ...fields }));
  const objects = [];
  for (const body of fc.sample(oldSpec, { numRuns: storedCount, seed })) {
    // What the earlier CRD refuses, too, cannot have been stored.
    if ((await refusedFields(client.dryCreate({ spec: body }))).length === 0)
      objects.push((await client.store({ spec: body })).metadata?.name ?? '');
  }
  await client.applyCrd(ourCrd);
  await vi.waitFor(
    async () =>
      expect(await refusedFields(client.dryCreate({ spec: { ...smallestSpec, drainSeconds: -1 } }))).toEqual(['spec.drainSeconds']),
    { timeout: 20_000 },
  );
  stored = await Promise.all(objects.map((object) => client.read(object)));
});

/** The same verdict; and where both refuse, a field both name. With a wrong type in the way, each leaves out other rules. */
function compare(server: readonly string[], ours: readonly string[]): boolean {
  expect(ours.length === 0, `the server refuses ${JSON.stringify(server)}, we ${JSON.stringify(ours)}`).toBe(server.length === 0);
  if (server.length > 0)
    expect(
      server.filter((field) => ours.includes(field)),
      `the server refuses ${server.join()}, we ${ours.join()}`,
    ).not.toEqual([]);
  return server.length === 0;
}

const paths = (...args: Parameters<typeof checkNewPerformer>): readonly string[] => checkNewPerformer(...args).map((issue) => issue.path);

describe('the API server and we come to the same verdict', () => {
  const verdicts = { accepted: 0, refused: 0 };
  const tally = (accepted: boolean): void => {
    verdicts[accepted ? 'accepted' : 'refused'] += 1;
  };

  it('for objects that are created', async () => {
    await fc.assert(
      fc.asyncProperty(name, spec, async (objectName, body) => {
        const metadata = { name: objectName };
        const server = await refusedFields(client.dryCreate({ metadata, spec: body }));
        tally(compare(server, paths({ metadata, spec: body })));
      }),
      { seed, numRuns: runs },
    );
    expect(Math.min(verdicts.accepted, verdicts.refused), JSON.stringify(verdicts)).toBeGreaterThan(runs / 6);
  });

  it('for changes of objects that an earlier CRD let in', async () => {
    expect(stored.length).toBeGreaterThan(storedCount / 2);
    const odd = stored.filter((object) => paths({ metadata: { name: 'x' }, spec: object.spec }).length > 0);
    expect(odd.length, 'stored objects that would be refused as new').toBeGreaterThan(storedCount / 5);
    Object.assign(verdicts, { accepted: 0, refused: 0 });
    const change = some({ avsAddress: address, image, ...earlierFields, ...laterFields });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...stored), change, part, async (old, fields, chosen) => {
        const changed = { ...old, spec: { ...(old.spec as object), ...partOf(fields, chosen) } };
        const server = await refusedFields(client.dryReplace(changed));
        const metadata = { name: old.metadata?.name ?? '' };
        tally(compare(server, paths({ metadata, spec: changed.spec }, { metadata, spec: old.spec })));
      }),
      { seed, numRuns: runs },
    );
    expect(Math.min(verdicts.accepted, verdicts.refused), JSON.stringify(verdicts)).toBeGreaterThan(runs / 6);
  });
});
