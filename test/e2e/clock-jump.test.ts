import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaseName } from '../../src/api/v1alpha1/naming.ts';
import { type Lease, leases } from '../../src/kube/objects.ts';
import { parseTime } from '../../src/lib/time.ts';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { startHourglass } from '../support/cli.ts';
import { useCluster } from '../support/cluster.ts';
import { FakedClock, findFaketime } from '../support/faketime.ts';

type Watch = Awaited<ReturnType<typeof startHourglass>>;

const library = findFaketime();
const namespace = 'clock';
/** Three renewals of a holder, and four looks of a standby. */
const settleMs = 8_000;

// Where the library cannot be had (no root, no Debian) this is skipped, which CI=true counts as failed.
describe.skipIf(library === undefined)('a wall clock that jumps under a watch and its standby', () => {
  const real = new RealCluster(useCluster({ profile: 'instant' }));
  const clocks: FakedClock[] = [];
  const watches: Watch[] = [];
  const startedMs = Date.now();

  const start = async (identity: string, says: RegExp): Promise<void> => {
    const clock = await FakedClock.create(library ?? '');
    clocks.push(clock);
    const args = ['watch', '-n', namespace, '--kubeconfig', real.kubeconfig, '--lease-identity', identity, '--log-format', 'text'];
    const watch = await startHourglass(args, { env: clock.env });
    watches.push(watch);
    await watch.line(says);
  };
  const readLease = (): Promise<Lease> => real.kube.get(leases, { namespace: 'hourglass-system', name: leaseName });
  const renewedAtMs = async (): Promise<number> => parseTime((await readLease()).spec?.renewTime) ?? 0;
  const uids = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await real.pods(namespace)).map(({ metadata }) => [metadata?.name ?? '', metadata?.uid ?? '']));
  const isServing = (name: string) => async (): Promise<boolean> => {
    const one = (await real.performers(namespace)).find(({ metadata }) => metadata?.name === name);
    return readyOf(one) === 'True Serving' && one?.status?.observedGeneration === one?.metadata?.generation;
  };

  beforeAll(async () => {
    await real.installCrd('ours');
    for (const name of [namespace, 'hourglass-system']) await real.namespace(name);
    await start('first', /leading/);
    await start('second', /standing by/);
    for (const name of ['kept', 'rolled']) await real.ask(namespace, name, { drainSeconds: 2 });
    for (const name of ['kept', 'rolled']) await until(name, isServing(name));
  });
  afterAll(async () => {
    for (const { child, result } of watches) {
      child.kill('SIGTERM');
      await result;
    }
    for (const clock of clocks) await clock.remove();
  });

  it.each([
    { name: 'the leader 300 s ahead', offsets: [300, 0] },
    { name: 'the leader from there 300 s behind', offsets: [-300, 0] },
    { name: 'the standby 300 s ahead of a leader that is behind', offsets: [-300, 300] },
    { name: 'both 300 s behind', offsets: [-300, -300] },
  ])('changes neither who leads nor what is served: $name', async ({ offsets }) => {
    const [lease, before] = [await readLease(), await uids()];
    const fresh = `fresh${offsets.join('-').replaceAll('--', '-m')}`;
    for (const [index, offset] of offsets.entries()) await clocks[index]?.set(offset);
    await real.ask(namespace, fresh);
    // The steps of a rollout are told apart by times.
    await real.change(namespace, 'rolled', { image: `avs:${fresh}` });
    for (const name of [fresh, 'rolled']) await until(name, isServing(name), 20_000);

    const atMs = Date.now();
    await until(
      'the jump to show in the Lease',
      async () => Math.abs((await renewedAtMs()) - Date.now() - (offsets[0] ?? 0) * 1_000) < 10_000,
    );
    let renewals = 0;
    for (let last = await renewedAtMs(); Date.now() - atMs < settleMs; await new Promise((resolve) => setTimeout(resolve, 500))) {
      const { spec } = await readLease();
      const { holderIdentity, leaseTransitions, acquireTime } = lease.spec ?? {};
      expect(spec).toMatchObject({ holderIdentity, leaseTransitions, acquireTime });
      const now = parseTime(spec?.renewTime) ?? 0;
      if (now !== last) renewals += 1;
      last = now;
    }
    expect(renewals).toBeGreaterThanOrEqual(2);
    const after = await uids();
    for (const [name, uid] of before) if (!name.startsWith('performer-rolled')) expect([name, after.get(name)]).toEqual([name, uid]);
    expect([...after.keys()].filter((name) => name.startsWith('performer-rolled'))).toHaveLength(1);
    expect(after.size).toBe(before.size + 1);
  });

  it('leaves no time in status and Events that the cluster did not live through, and no warning', async () => {
    const all = await real.performers(namespace);
    const { items } = JSON.parse(await real.kubectl('get', 'events.events.k8s.io', '-n', namespace, '-o', 'json')) as {
      readonly items: readonly { readonly eventTime: string | null; readonly type: string; readonly reportingController?: string }[];
    };
    const ours = items.filter(({ reportingController }) => reportingController === 'hourglass-operator');
    const times = [
      ...all.flatMap(({ status }) => [
        status?.readyTime,
        status?.lastUpgrade,
        ...(status?.conditions ?? []).map((one) => one.lastTransitionTime),
      ]),
      ...ours.map(({ eventTime }) => eventTime ?? ''),
    ].filter((time) => time !== undefined);
    expect(times.length).toBeGreaterThan(2 * all.length);
    // Whole seconds, and the server's clock as its answers tell it.
    expect(times.filter((time) => Date.parse(time) < startedMs - 2_000 || Date.parse(time) > Date.now() + 2_000)).toEqual([]);
    expect(ours.filter(({ type }) => type !== 'Normal')).toEqual([]);
  });

  it('lets the standby take over at once, its clock and that of the leader far apart', async () => {
    await clocks[0]?.set(300);
    const [first, second] = watches;
    first?.child.kill('SIGTERM');
    await until('the other to hold the Lease', async () => (await readLease()).spec?.holderIdentity === 'second', 5_000);
    await real.ask(namespace, 'afterwards');
    await until('a Performer of the new leader', isServing('afterwards'), 20_000);
    second?.child.kill('SIGTERM');
    for (const { code, stderr } of await Promise.all(watches.map(({ result }) => result))) {
      expect(code).toBe(0);
      expect(stderr.match(/ leading/g)).toHaveLength(1);
      expect(stderr).not.toMatch(/lost the Lease|stall|fell behind|failed/i);
    }
  });
});
