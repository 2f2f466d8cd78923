import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { leaseName } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { isInShard } from '../../src/controller/shard.ts';
import { leases, namespaces } from '../../src/kube/objects.ts';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import type { AuditEntry } from '../support/audit-writes.ts';
import { hourglass, startHourglass } from '../support/cli.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ profile: 'instant', audit: true });
const real = new RealCluster(cluster);
const namespace = 'default';
const leaseNamespace = 'hourglass-system';
const names = Array.from({ length: 8 }, (_, at) => `p${at}`);
const namesOf = (index: number, count: number): readonly string[] =>
  names.filter((name) => isInShard({ namespace, name }, { index, count }));

type Running = Awaited<ReturnType<typeof startHourglass>>;
const running = new Set<Running>();

/** An operator with an account of its own, by which the audit log tells who wrote. */
async function start(account: string, ...args: readonly string[]): Promise<Running> {
  const kubeconfig = await real.kubeconfigOf(namespace, account);
  const line = ['watch', '--kubeconfig', kubeconfig, '--log-format', 'text', '--lease-namespace', leaseNamespace, ...args];
  const process = await startHourglass(line);
  running.add(process);
  return process;
}

async function stop(process: Running, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  running.delete(process);
  process.child.kill(signal);
  await process.result;
}

const serving = async (image: string): Promise<readonly string[]> => {
  const ready = await Promise.all(names.map(async (name) => readyOf(await real.kube.get(performers, { namespace, name }))));
  const pods = await real.pods(namespace);
  const has = (name: string): boolean =>
    pods.some(({ metadata, spec }) => metadata?.ownerReferences?.[0]?.name === name && spec?.containers[0]?.image === image);
  return names.filter((name, at) => ready[at] === 'True Serving' && has(name));
};

/** The Performers an account wrote about, from the audit log. */
async function writtenBy(account: string): Promise<readonly string[]> {
  const lines = (await readFile(cluster.get().auditLog ?? '', 'utf8')).split('\n').filter((line) => line !== '');
  const writes = lines
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter(
      ({ user, verb }) => user.username === `system:serviceaccount:${namespace}:${account}` && ['create', 'patch', 'delete'].includes(verb),
    )
    .filter(({ objectRef }) => ['performers', 'pods', 'services'].includes(objectRef?.resource ?? ''));
  return [
    ...new Set(writes.map(({ objectRef }) => /(?:^|-)(p\d)(?:-|$)/.exec(objectRef?.name ?? '')?.[1] ?? `? ${objectRef?.name}`)),
  ].toSorted();
}

const change = async (image: string): Promise<void> => {
  for (const name of names) await real.change(namespace, name, { image });
};

beforeAll(async () => {
  await real.installCrd('ours');
  await real.kube.create(namespaces, { metadata: { name: leaseNamespace } });
  for (const account of ['one', 'two', 'all', 'three']) {
    await real.kubectl('create', 'serviceaccount', account, '-n', namespace);
    await real.kubectl('create', 'clusterrolebinding', account, '--clusterrole=cluster-admin', `--serviceaccount=${namespace}:${account}`);
  }
  for (const name of names) await real.ask(namespace, name, { drainSeconds: 1 });
});
afterEach(async () => {
  for (const process of running) await stop(process);
});

describe('two shards on one API server', () => {
  it('each keep their own Performers alone, and of one that is killed only these wait', async () => {
    const one = await start('one', '--shard', '1/2');
    const two = await start('two', '--shard=2/2');
    await until('all to serve', async () => (await serving('avs:1')).length === names.length);
    expect(await writtenBy('one')).toEqual(namesOf(1, 2));
    expect(await writtenBy('two')).toEqual(namesOf(2, 2));
    const { items } = await real.kube.list(leases, { namespace: leaseNamespace });
    const holders = Object.fromEntries(items.map(({ metadata, spec }) => [metadata?.name, spec?.holderIdentity]));
    expect(Object.keys(holders).toSorted()).toEqual(['', '.shard-1-of-2', '.shard-2-of-2'].map((end) => `${leaseName}${end}`));
    expect(holders[leaseName]).toBe('shards-of-2');

    await stop(one, 'SIGKILL');
    await change('avs:2');
    await until('the other shard to serve', async () => (await serving('avs:2')).length === namesOf(2, 2).length);
    expect(await serving('avs:2')).toEqual(namesOf(2, 2));
    await start('three', '--shard', '1/2');
    await until('all to serve', async () => (await serving('avs:2')).length === names.length);
    expect(await writtenBy('three')).toEqual(namesOf(1, 2));
    expect(await writtenBy('two')).toEqual(namesOf(2, 2));
    await stop(two);
  });

  it('keep an operator of all Performers, and runs of another count, from writing until they have stopped', async () => {
    const two = await start('two', '--shard', '2/2');
    await two.line(/leading/);
    const all = await start('all');
    await all.line(/standing by .*holder=shards-of-2/);
    const args = ['once', '--kubeconfig', real.kubeconfig, '--lease-namespace', leaseNamespace];
    await change('avs:3');
    const other = await hourglass([...args, '--shard', '1/3', '-o', 'json']);
    expect(JSON.parse(other.stdout)).toMatchObject({ writer: 'shards-of-2', performers: namesOf(1, 3).length });
    await until('its own to serve', async () => (await serving('avs:3')).length === namesOf(2, 2).length);
    expect(await writtenBy('all')).toEqual([]);
    await stop(two);
    await all.line(/leading/);
    await until('all to serve', async () => (await serving('avs:3')).length === names.length);
    // Beside these it may finish what the shard that stopped had begun.
    expect(await writtenBy('all')).toEqual(expect.arrayContaining([...namesOf(1, 2)]));
  });
});

describe('a shard that is none', () => {
  it.each(['0/4', '5/4', '1/0', 'a/b'].flatMap((shard) => ['watch', 'once'].map((command) => ({ shard, command }))))(
    '$command --shard $shard ends with 2 and says what to give',
    async ({ shard, command }) => {
      const { code, stderr } = await hourglass([command, '--shard', shard, '--kubeconfig', real.kubeconfig]);
      expect(code).toBe(2);
      expect(stderr).toContain('give which shard of how many');
    },
  );
});
