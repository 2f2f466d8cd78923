import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Lab } from '../../chaos/cluster/lab.ts';
import { chaosNamespace, ours } from '../../chaos/experiment.ts';
import { renderChaosFiles } from '../../chaos/rendered-files.ts';
import { type ChaosReport, chaosReport } from '../../chaos/report.ts';
import { startOwnLab } from '../../chaos/runner/own-cluster.ts';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';
import { projectRoot } from '../../scripts/generate.ts';
import type { EmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { chaosAgent } from '../../src/testbed/nodes/chaos-mesh.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { until } from '../parity/support/real-cluster.ts';
import { readProgramRights, readRules } from '../support/audit-rights.ts';
import { buildTimeoutMs } from '../support/cluster.ts';
import { makeNodeImages } from './support/prepare.ts';

let cluster: EmbeddedCluster;
let lab: Lab;
let out: string;
let started: ChildProcess[] = [];

beforeAll(async () => {
  await makeNodeImages();
  ({ cluster, lab } = await startOwnLab(createProgress(process.stderr), new AbortController().signal, 'fast'));
  out = await mkdtemp(join(tmpdir(), 'hourglass-chaos-'));
}, buildTimeoutMs);
afterAll(async () => {
  lab?.kube.close();
  await cluster?.stop();
  await rm(out, { recursive: true, force: true });
}, 60_000);
// What a failed test leaves running would break the cluster under the next one, which takes back what it did.
afterEach(() => {
  for (const child of started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) child.kill('SIGKILL');
  started = [];
});

/** The command as a user has it, on this cluster; `says` resolves once its progress has a line that matches. */
function startChaos(...args: readonly string[]): {
  readonly child: ChildProcess;
  readonly result: Promise<Collected>;
  readonly says: (pattern: RegExp) => Promise<void>;
} {
  const child = spawn(process.execPath, ['src/cli/main.ts', 'chaos', '--kubeconfig', lab.kubeconfig, '--out', out, ...args], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let stderr = '';
  const result = collectOutput(child, (all) => {
    stderr = all;
  });
  return { child, result, says: (pattern) => until(String(pattern), async () => pattern.test(stderr), 240_000) };
}

const readReport = async (): Promise<ChaosReport> => chaosReport.parse(JSON.parse(await readFile(join(out, 'report.json'), 'utf8')));

/** Every rule of Chaos Mesh in any network of any node, as iptables tells it. */
function findRules(): readonly string[] {
  const script =
    'for pid in $(ls /proc | grep "^[0-9]*$"); do readlink /proc/$pid/ns/net | sed "s/$/ $pid/"; done | sort -u -k1,1 | while read -r net pid; do nsenter --net=/proc/$pid/ns/net iptables-save; done 2>/dev/null | grep -e "-A CHAOS" || true';
  const { nodes } = lab;
  return (nodes?.names ?? [])
    .flatMap((name) => (nodes === undefined ? [] : nodes.run(name, ['sh', '-c', script]).split('\n')))
    .filter((line) => line !== '');
}

/** Every process of every node by its name, and whether it was stopped; what reads them left out. */
function findProcesses(): readonly string[] {
  const script = 'cat /proc/[0-9]*/stat 2>/dev/null; true';
  const { nodes } = lab;
  const read = (name: string): readonly string[] =>
    [...(nodes?.run(name, ['sh', '-c', script]) ?? '').matchAll(/^\d+ \((.*)\) (\w)/gm)].map(
      ([, program = '', state = '']) => `${name} ${program}${/^t$/i.test(state) ? ', stopped' : ''}`,
    );
  return (nodes?.names ?? [])
    .flatMap(read)
    .filter((one) => !/ (?:sh|cat)$/.test(one))
    .toSorted();
}

/** Pods that the runner made take a moment to be gone with all their processes. */
async function expectProcesses(before: readonly string[]): Promise<void> {
  await expect.poll(findProcesses, { timeout: 60_000, interval: 500 }).toEqual(before);
}

/** Stops daemons and agent where they are, or lets them go on: their controller cannot tell. */
function signalInjectors(signal: 'STOP' | 'CONT'): void {
  process.kill(cluster.pids[chaosAgent.name] ?? 0, `SIG${signal}`);
  const script = `cd /proc; for one in [0-9]*; do [ "$(cat $one/comm)" = chaos-daemon ] && kill -${signal} $one; done; true`;
  const { nodes } = lab;
  for (const name of nodes?.names ?? []) if (nodes !== undefined) nodes.run(name, ['sh', '-c', script]);
}

/** One run whose fault the API server refuses is inconclusive, and it goes on with the next. */
async function expectEarlyEnd({ child, result, says }: ReturnType<typeof startChaos>): Promise<void> {
  const metadata = { name: 'refuse-first-kill' };
  const resourceRules = [{ apiGroups: ['chaos-mesh.org'], apiVersions: ['*'], operations: ['CREATE'], resources: ['podchaos'] }];
  const policy = { matchConstraints: { resourceRules }, validations: [{ expression: "object.metadata.name != 'c1-0-1'" }] };
  const kinds = {
    ValidatingAdmissionPolicy: policy,
    ValidatingAdmissionPolicyBinding: { policyName: metadata.name, validationActions: ['Deny'] },
  };
  for (const [kind, spec] of Object.entries(kinds))
    await kubectl(cluster, ['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata, spec }),
    });
  await says(/C1 inconclusive: it ended early: .*refuse-first-kill/);
  await says(/C1 ·[\s\S]*C1 ·/);
  child.kill('SIGINT');
  expect((await result).code).toBe(4);
  const { runs, partialBecause } = await readReport();
  expect(runs.map(({ id, attempt, verdict }) => [id, attempt, verdict])).toEqual([['C1', 1, 'inconclusive']]);
  expect(runs[0]?.findings.at(-1)).toMatchObject({ what: 'as asked again', says: 'holds' });
  expect(partialBecause).toBe('it was interrupted');
  for (const kind of Object.keys(kinds)) await kubectl(cluster, ['delete', kind, metadata.name]);
}

describe('what is rendered for Chaos Mesh', () => {
  it('is taken by its own CRDs', async () => {
    await kubectl(cluster, ['create', 'namespace', chaosNamespace]);
    await kubectl(cluster, ['label', 'namespace', chaosNamespace, Object.entries(ours).flat().join('=')]);
    for (const [path, text] of renderChaosFiles())
      expect(await kubectl(cluster, ['create', '--dry-run=server', '--validate=strict', '-f', '-'], { input: text }), path).toMatch(
        /created \(server dry run\)/,
      );
  });
});

describe('the runner', { timeout: 420_000 }, () => {
  it('takes a fault back when it is interrupted', async () => {
    const before = findProcesses();
    const { child, result, says } = startChaos('--experiment', 'C5');
    await says(/C5 ·/);
    await until('the cut', async () => findRules().length > 0);
    child.kill('SIGINT');
    expect((await result).code).toBe(4);
    expect(findRules()).toEqual([]);
    expect((await readReport()).partialBecause).toBe('it was interrupted');
    await expectProcesses(before);
  });

  it('takes back what a killed one left: a cut, a node without power, an operator that stands still, an API server that was stopped', async () => {
    const cuts = (): readonly string[] => findRules().filter((rule) => rule.includes('/c5-'));
    const isNodeOff = (): boolean => lab.nodes?.names.every((name) => lab.nodes?.isOn(name)) !== true;
    const isStopped = (): boolean => findProcesses().some((one) => one.endsWith(', stopped'));
    const isApiStopped = (): boolean => lab.componentFaults?.stop.isThere('kube-apiserver') === true;
    const killOnce = async ({ child, result }: ReturnType<typeof startChaos>, isThere: () => boolean): Promise<void> => {
      await until('the fault', async () => isThere(), 120_000);
      child.kill('SIGKILL');
      await result;
      expect(isThere()).toBe(true);
    };
    const before = findProcesses();
    const cutting = startChaos('--experiment', 'C5', '--suite', 'full');
    await cutting.says(/C5 ·/);
    await killOnce(cutting, () => cuts().length > 0);
    const switching = startChaos('--experiment', 'C7');
    await switching.says(/taking back NetworkChaos hourglass-chaos\/c5-0-1, which an earlier run left behind/);
    await switching.says(/Starting Performers/);
    expect(cuts()).toEqual([]);
    await switching.says(/Faults bite: .*; the agent of each node refuses what it does not know/);
    await killOnce(switching, isNodeOff);
    const hanging = startChaos('--experiment', 'C12g');
    await hanging.says(/taking back PhysicalMachineChaos hourglass-chaos\/c7-0-1, which an earlier run left behind/);
    await hanging.says(/Starting Performers/);
    expect(isNodeOff()).toBe(false);
    await killOnce(hanging, isStopped);
    const stopping = startChaos('--experiment', 'C12a');
    await stopping.says(/Starting Performers/);
    expect(isStopped()).toBe(false);
    await killOnce(stopping, isApiStopped);
    const last = startChaos('--experiment', 'C1');
    await last.says(/kube-apiserver was left without an answer by an earlier run: taking it back/);
    await last.says(/Starting Performers/);
    expect(isApiStopped()).toBe(false);
    await expectEarlyEnd(last);
    await expectProcesses(before);
  });

  it('passes nothing where injectors do nothing', async () => {
    signalInjectors('STOP');
    try {
      const { result, says } = startChaos('--experiment', 'C4b,C7');
      await says(/Making sure that faults bite/);
      // It waits for 15 s; what it takes back afterwards needs them again.
      await sleep(25_000);
      signalInjectors('CONT');
      const { stdout, stderr, code } = await result;
      expect(code, stderr).toBe(4);
      expect(stdout).toMatch(/faults cannot be believed here: a cut that must bite does not.*; the agent of nodes does not answer/);
      expect((await readReport()).runs).toEqual([]);
    } finally {
      signalInjectors('CONT');
    }
  });

  it.each([{ name: 'an experiment that there is none of', args: ['--experiment', 'C99'], code: 2, says: /experiment C99: there are C1/ }])(
    'refuses $name',
    async ({ args, code, says }) => {
      const { code: ended, stderr } = await startChaos(...args).result;
      expect([ended, stderr]).toEqual([code, expect.stringMatching(says)]);
    },
  );

  it("refuses a cluster with somebody else's experiment, and names it", async () => {
    const foreign = {
      apiVersion: 'chaos-mesh.org/v1alpha1',
      kind: 'PodChaos',
      metadata: { name: 'theirs', namespace: 'default' },
      spec: { action: 'pod-kill', mode: 'one', selector: { namespaces: ['default'], labelSelectors: { app: 'nobody' } } },
    };
    await kubectl(cluster, ['apply', '-f', '-'], { input: JSON.stringify(foreign) });
    const { code, stderr } = await startChaos('--experiment', 'C1').result;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/PodChaos default\/theirs: an experiment that is not of this program/)]);
    await kubectl(cluster, ['delete', 'podchaos', 'theirs', '-n', 'default', '--timeout=20s']);
  });
});

it('the account in manifests/chaos may do all that was asked for here', async () => {
  const role = parse(await readFile(join(projectRoot, 'manifests/chaos/cluster-role.yaml'), 'utf8')) as Parameters<typeof readRules>[0];
  const asked = await readProgramRights(lab.auditLog ?? '', 'hourglass-chaos');
  expect(asked.length).toBeGreaterThan(20);
  // Everybody may ask what they may.
  const mayNot = asked.filter((right) => !readRules(role).has(right) && !right.includes('selfsubjectaccessreviews'));
  expect(mayNot).toEqual([]);
});
