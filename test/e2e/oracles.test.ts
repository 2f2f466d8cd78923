import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { notingDeletions } from '../../chaos/cluster/noting-deletions.ts';
import { userAgent } from '../../src/api/v1alpha1/naming.ts';
import { type Performer, performers } from '../../src/api/v1alpha1/performer.ts';
import { type KubeObject, keyOf, pods, type Resource, services } from '../../src/kube/objects.ts';
import { createKubeApi, type KubeClient } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Change, calmContext, createOracles, OracleBoard, observeCluster, type Write } from '../../src/oracle/kit.ts';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { mergeWrites, readAudit } from '../support/audit-writes.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ profile: 'node-like', audit: 'bodies' });
const real = new RealCluster(cluster);
const namespace = 'judged';
const silenceMs = 5_000;

/** Watches as they are: no order between kinds, and a machine that is busy. All that is wrong must be so for no longer than a settled cluster takes. */
const context = { ...calmContext, settleMs: 30_000 };
const changes: Change[] = [];
const gone = new Map<string, string>();
/** Told as the watches bring it, of objects only. */
const live = new OracleBoard(createOracles({ ...context, knowsWrites: false }));
/** Those that objects alone put to the test. */
const ofObjects = ['S1', 'L1', 'L2', 'L3', 'S3', 'L4'];
/** Nothing here tells of the containers on nodes (N2), calls (R3, R4) and Leases (E1, E2); no node is lost (N3, N4), no Performer handed over (S6m). */
const outOfSight = ['N2', 'R3', 'R4', 'N4', 'N3', 'S6m', 'E1', 'E2'];
/** Refusals, where a write is overtaken. */
const byChance = ['S7r'];
/** One that says it is the operator, and is not. */
let impostor: KubeClient;

beforeAll(async () => {
  await real.installCrd('ours');
  await real.namespace(namespace);
  const config = await loadClusterConfig({ kubeconfig: real.kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
  const watcher = createKubeApi(config, { clock: systemClock, userAgent: 'hourglass-oracles' });
  impostor = createKubeApi(config, { clock: systemClock, userAgent: `${userAgent}/impostor` });
  const stop = new AbortController();
  const onChange = (change: Change): void => {
    changes.push(change);
    live.change(change);
  };
  await observeCluster({ kube: notingDeletions(watcher, gone), clock: systemClock, signal: stop.signal, random: Math.random, onChange });
  return () => {
    stop.abort();
    for (const client of [watcher, impostor]) client.close();
  };
});

const isOurs = (write: Write): boolean => write.actor.startsWith('operator');

/** A board that is told all that happened, in order and with the writes of the audit log, up to a rest that began then. */
async function judge(restedFromMs: number): Promise<OracleBoard> {
  const board = new OracleBoard(createOracles(context));
  const told = mergeWrites(changes, gone, await readAudit(cluster.get().auditLog ?? ''));
  for (const one of told) {
    if ('change' in one) board.change(one.change);
    else board.write(one.write);
  }
  const silentWrites = told.flatMap((one) => ('write' in one && isOurs(one.write) && one.write.atMs >= restedFromMs ? [one.write] : []));
  board.rest({ atMs: Date.now(), silentWrites });
  return board;
}

const textOf = ({ violations }: OracleBoard): readonly string[] => violations.map((one) => `${one.oracle} ${one.key}: ${one.message}`);
const evaluatedOf = ({ oracles }: OracleBoard): readonly string[] => oracles.filter((one) => one.evaluated() > 0).map((one) => one.id);
const performer = (name: string): Promise<Performer> => real.kube.get(performers, { namespace, name });
const change = (name: string, spec: object): Promise<void> => real.change(namespace, name, spec);
const podsOf = async (name: string): Promise<readonly string[]> =>
  (await real.pods(namespace)).filter((pod) => pod.metadata?.ownerReferences?.[0]?.name === name).map((pod) => keyOf(pod).name);
/** Those that can be carried out serve, each from as many pods as it asks for and none beside them. */
const settled = (): Promise<void> =>
  until('all to settle', async () => {
    const all = (await real.performers(namespace)).filter((one) => !['broken', 'held'].includes(keyOf(one).name));
    const wanted = all.reduce((sum, { spec }) => sum + ((spec as { replicas?: number }).replicas ?? 1), 0);
    const isServed = all.every((one) => readyOf(one) === 'True Serving' && one.status?.observedGeneration === one.metadata?.generation);
    const names = all.map((one) => keyOf(one).name);
    const standing = await real.pods(namespace);
    return isServed && standing.filter((pod) => names.includes(pod.metadata?.ownerReferences?.[0]?.name ?? '')).length === wanted;
  });

describe('oracles beside a real cluster', () => {
  it('find nothing wrong with what the operator does', async () => {
    await real.whileWatching(namespace, async () => {
      await real.ask(namespace, 'rolled', { replicas: 2, drainSeconds: 1, config: { environment: { TOKEN: 'correct-horse' } } });
      await real.ask(namespace, 'recreated', { strategy: { type: 'Recreate' }, drainSeconds: 1 });
      await real.ask(namespace, 'strict', { nodeLossPolicy: 'Strict', drainSeconds: 1 });
      for (const name of ['deleted', 'held']) await real.ask(namespace, name, { drainSeconds: 1 });
      await real.kubectl('create', 'service', 'clusterip', 'performer-broken', '-n', namespace, '--tcp=80');
      await real.ask(namespace, 'broken');
      await settled();
      await change('rolled', { image: 'avs:2' });
      await change('recreated', { image: 'avs:2' });
      const [doomed = ''] = await podsOf('strict');
      await real.kubectl('delete', 'pod', doomed, '-n', namespace, '--force', '--grace-period=0');
      await settled();
      await change('rolled', { replicas: 3, config: { grpcPort: 9_100 } });
      const edit = { spec: { selector: { stranger: 'yes' } } };
      await real.kubectl('patch', 'service', 'performer-strict', '-n', namespace, '--type', 'merge', '-p', JSON.stringify(edit));
      await real.kubectl(
        'patch',
        'performer',
        'held',
        '-n',
        namespace,
        '--type',
        'merge',
        '-p',
        '{"metadata":{"finalizers":["example.com/held"]}}',
      );
      await real.kubectl('delete', 'performer', 'deleted', 'held', '-n', namespace, '--wait=false');
      await settled();
      await change('rolled', { replicas: 1 });
      await settled();
      await until('the deleted one to go', async () => (await podsOf('deleted')).length + (await podsOf('held')).length === 0);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const restedFromMs = Date.now();
      await new Promise((resolve) => setTimeout(resolve, silenceMs));
      live.rest({ atMs: Date.now(), silentWrites: [] });
      const board = await judge(restedFromMs);
      expect([...textOf(live), ...textOf(board)]).toEqual([]);
      expect(evaluatedOf(live)).toEqual(ofObjects);
      expect(evaluatedOf(board).filter((id) => !byChance.includes(id))).toEqual(
        board.oracles.map((one) => one.id).filter((id) => !outOfSight.includes(id) && !byChance.includes(id)),
      );
    });
  });

  it('are told each write of the operator with what it found and what it left', async () => {
    const writes = mergeWrites(changes, gone, await readAudit(cluster.get().auditLog ?? '')).flatMap((one) =>
      'write' in one ? [one.write] : [],
    );
    const ours = writes.filter((write) => isOurs(write) && write.result === 'ok' && write.plural !== 'events');
    expect(ours.length).toBeGreaterThan(40);
    expect(ours.filter((write) => write.verb !== 'create' && write.before === undefined)).toEqual([]);
    expect(ours.filter((write) => write.verb !== 'delete' && write.after === undefined)).toEqual([]);
  });
});

describe('with the operator gone, what is planted is reported', () => {
  const patchStatus = async (name: string, status: Performer['status']): Promise<unknown> =>
    impostor.patch(performers, { namespace, name }, { status } as Json, { subresource: 'status', ...(await versionOf(performers, name)) });
  const versionOf = async (resource: Resource<KubeObject>, name: string): Promise<{ uid: string; resourceVersion: string }> => {
    const { uid = '', resourceVersion = '' } = (await real.kube.get(resource, { namespace, name })).metadata ?? {};
    return { uid, resourceVersion };
  };
  const patchService = async (name: string, patch: Json): Promise<unknown> =>
    impostor.patch(services, { namespace, name }, patch, await versionOf(services, name));
  const saying = ({ status }: Performer, message: string): Performer['status'] =>
    ({ conditions: status?.conditions?.map((one) => (one.type === 'Ready' ? { ...one, message } : one)) }) as Performer['status'];

  it.each<{ name: string; by: readonly string[]; plant: () => Promise<unknown> }>([
    { name: 'a patch of nothing', by: ['L4', 'L5'], plant: () => patchService('performer-recreated', {}) },
    {
      name: 'a value of the environment in a status',
      by: ['S8'],
      plant: async () => patchStatus('rolled', saying(await performer('rolled'), 'TOKEN is correct-horse')),
    },
    {
      name: 'an annotation on a Service that is not ours to write',
      by: ['L4', 'W2'],
      plant: () => patchService('performer-recreated', { metadata: { annotations: { stranger: 'yes' } } }),
    },
    {
      name: 'a Service that selects something else',
      by: ['L1', 'L2', 'L4'],
      plant: () => patchService('performer-recreated', { spec: { selector: { stranger: 'yes' } } }),
    },
    {
      name: 'Ready on a Performer that no pod serves',
      by: ['L1', 'L4', 'S5'],
      plant: async () => {
        const conditions = (await performer('rolled')).status?.conditions ?? [];
        return patchStatus('broken', { conditions: conditions.map((one) => ({ ...one, observedGeneration: 1 })) } as Performer['status']);
      },
    },
    {
      name: 'the deletion of the only pod that serves',
      by: ['L1', 'L4', 'R1', 'R2', 'S6'],
      plant: async () => {
        const [name = ''] = await podsOf('strict');
        return impostor.delete(pods, { namespace, name }, await versionOf(pods, name));
      },
    },
  ])('$name by $by', async ({ by, plant }) => {
    const plantedMs = Date.now();
    // A status may follow a pod that changed lately: L4 says so of those alone that come later.
    const isMeant = (id: string): boolean => id !== 'L4' || by.includes(id);
    const before = new Set(textOf(await judge(plantedMs)));
    await plant();
    let found: readonly string[] = [];
    await until(
      `${by.join(' and ')} to report it`,
      async () => {
        const texts = textOf(await judge(plantedMs)).filter((text) => !before.has(text));
        found = [...new Set(texts.map((text) => text.split(' ')[0] ?? ''))].filter(isMeant).toSorted();
        return by.every((id) => found.includes(id));
      },
      15_000,
    ).catch(() => undefined);
    expect(found).toEqual(by);
  });

  it('to a board that is told of objects alone, by L1', () => {
    live.rest({ atMs: Date.now(), silentWrites: [] });
    const about = live.violations.filter((one) => one.oracle === 'L1').map((one) => one.key);
    expect(about.toSorted()).toEqual(['judged/broken', 'judged/recreated', 'judged/strict']);
  });
});
