import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { until } from '../parity/support/real-cluster.ts';

let stateHome: string;
let before: Traces;

beforeEach(() => {
  stateHome = mkdtempSync(join(tmpdir(), 'hourglass-nodes-'));
  before = readTraces();
});
afterEach(() => {
  dev('down', '--all');
  rmSync(stateHome, { recursive: true });
}, 60_000);

/** What real nodes could leave behind on a machine. */
interface Traces {
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly loops: boolean;
  readonly interfaces: string;
  readonly namespaces: string;
  readonly rules: string;
  readonly processes: readonly string[];
}

function readTraces(): Traces {
  const say = (program: string, ...args: readonly string[]): string => spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '';
  return {
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\n').toSorted(),
    // Not deeper: another file may have a cluster at the same time, whose cgroups come and go.
    cgroups: say('find', '/sys/fs/cgroup', '-maxdepth', '2', '-name', 'hourglass-r-*').split('\n').toSorted(),
    loops: say('losetup', '--noheadings', '--output', 'BACK-FILE').includes('/clusters/r/'),
    interfaces: say('ip', '-brief', 'link'),
    namespaces: say('ip', 'netns'),
    rules: say('nft', 'list', 'tables'),
    processes: readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .filter((pid) => readEnvironment(pid).includes(`HOURGLASS_CLUSTER=${stateHome}`)),
  };
}

function readEnvironment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function dev(...args: readonly string[]): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'dev', ...args], {
    cwd: projectRoot,
    env: { ...process.env, XDG_STATE_HOME: stateHome },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

interface UpJson {
  readonly kubeconfig: string;
  readonly pids: Readonly<Record<string, number>>;
  readonly dir: string;
}

const up = (...args: readonly string[]): UpJson => {
  const { code, stdout, stderr } = dev('up', '--real', '--json', '--name', 'r', ...args);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as UpJson;
};
const readyOf = (name: string): string =>
  dev('kubectl', '--name', 'r', '--', 'get', 'node', name, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}').stdout;

describe('dev up --real', () => {
  it('has three nodes Ready, and is gone without a trace after dev down', () => {
    const { pids } = up('--nodes', '3');
    expect(Object.keys(pids)).toEqual(expect.arrayContaining(['network', 'n1', 'n2', 'n3', 'coredns']));
    expect(['n1', 'n2', 'n3'].map(readyOf)).toEqual(['True', 'True', 'True']);
    expect(dev('status').stdout).toMatch(/^n3 +True +0 /m);
    expect(dev('exec', '--name', 'r', 'n2', '--', 'hostname').stdout).toBe('n2\n');
    expect(dev('logs', '--name', 'r').stdout.split('\n')).toEqual(expect.arrayContaining(['kube-apiserver', 'n1-kubelet']));
    expect(dev('logs', '--name', 'r', 'n1-kubelet').stdout).toContain('kubelet');
    expect(dev('down', '--name', 'r').code).toBe(0);
    expect(readTraces()).toEqual(before);
  });

  it('leaves nothing when all that ran it was killed while a node was frozen, and its state is lost', () => {
    const { pids, dir } = up('--nodes', '1');
    expect(dev('node', 'freeze', '--name', 'r', 'n1').stdout).toContain('n1 stands still');
    expect(dev('status').stdout).toMatch(/^n1 +True \(freeze\)/m);
    for (const name of ['network', 'etcd', 'n1']) process.kill(pids[name] ?? 0, 'SIGKILL');
    rmSync(join(dir, 'state.json'));
    expect(dev('down', '--name', 'r').code).toBe(0);
    expect(readTraces()).toEqual(before);
  });

  it('leaves nothing though its folder was removed by hand', () => {
    const { dir } = up('--nodes', '1');
    // It still writes there.
    rmSync(dir, { recursive: true, maxRetries: 20 });
    expect(dev('down', '--name', 'r').code).toBe(0);
    expect(readTraces()).toEqual(before);
  });

  it('switches nodes off and on, cuts them off and heals them', async () => {
    const { pids } = up('--nodes', '2');
    const readBridge = (): string =>
      spawnSync('nsenter', [`--net=/proc/${pids.network}/ns/net`, 'ip', '-brief', 'link', 'show', 'br0'], { encoding: 'utf8' }).stdout;
    const bridge = readBridge();
    const becomes = (name: string, ready: string): Promise<void> => until(`${name} ${ready}`, async () => readyOf(name) === ready, 90_000);
    dev('node', 'stop', '--name', 'r', 'n2');
    await becomes('n2', 'Unknown');
    // Whoever is left finds the control plane where it was.
    expect([bridge, readBridge()]).toEqual([expect.stringContaining('02:00:0a:0a:00:01'), bridge]);
    expect(dev('status').stdout).toMatch(/^n2 +Unknown \(off\)/m);
    for (const args of [
      ['exec', '--name', 'r', 'n2', '--', 'true'],
      ['node', 'heal', '--name', 'r', 'n2'],
      ['node', 'cut', '--name', 'r', 'n2'],
    ])
      expect(dev(...args).stderr).toContain('node n2: it is off; switch it on with');
    expect(dev('node', 'start', '--name', 'r', 'n2').stderr).toBe('');
    expect(dev('node', 'start', '--name', 'r', 'n2').stderr).toContain('node n2: it is on already');
    await becomes('n2', 'True');
    for (const from of ['network', 'control-plane']) {
      dev('node', 'cut', '--name', 'r', '--from', from, 'n1');
      await becomes('n1', 'Unknown');
      dev('node', 'heal', '--name', 'r', 'n1');
      await becomes('n1', 'True');
    }
  });

  it('says why a node does not start, by the end of its log', () => {
    const { pids } = up('--nodes', '1');
    dev('node', 'stop', '--name', 'r', 'n1');
    // Its place on the bridge is taken.
    spawnSync('nsenter', [`--net=/proc/${pids.network}/ns/net`, 'ip', 'link', 'add', 'n1', 'type', 'bridge']);
    const { code, stderr } = dev('node', 'start', '--name', 'r', 'n1');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/node n1 ended \(exit code 1\)[\s\S]*log: .*n1\.log[\s\S]*File exists/);
    expect(dev('status').stdout).toMatch(/^n1 .*\(off\)/m);
  });

  it('says what is wrong with an image, a node and a cluster of fake nodes', () => {
    up('--nodes', '1');
    const file = join(stateHome, 'broken.tar');
    writeFileSync(file, 'no archive');
    expect(dev('load-image', '--name', 'r', file).stderr).toMatch(/image .*broken\.tar on node n1: /);
    expect(dev('load-image', '--name', 'r', 'absent.tar').stderr).toContain('image absent.tar: there is no such file');
    expect(dev('node', 'stop', '--name', 'r', 'n7').stderr).toContain('node n7: cluster r has n1');
    expect(dev('logs', '--name', 'r', 'kubelet').stderr).toContain('no log of kubelet in cluster r; there are: ');
    expect(dev('node', 'stop', '--name', 'absent', 'n1').stderr).toContain('dev up --real --name absent');
    expect(dev('up', '--real', '--nodes', '2', '--name', 'r').stderr).toContain('it runs with 1 nodes and fast timers, not 2 and fast');
    expect(dev('up', '--real', '--profile', 'none', '--name', 'both').stderr).toContain("cannot be used with option '--profile <profile>'");
    expect(dev('up', '--real', '--nodes', '99', '--name', 'many').stderr).toContain('number of real nodes: use 1 to 20');
  });

  it('reaches Services from every node', async () => {
    const { kubeconfig } = up('--nodes', '2');
    expect(readFileSync(kubeconfig, 'utf8')).toContain('https://127.0.0.1:');
    const resolve = (node: string): string =>
      execFileSync(
        process.execPath,
        ['--import', 'tsx', 'src/cli/main.ts', 'dev', 'exec', '--name', 'r', node, '--', 'bash', '-c', 'exec 3<>/dev/tcp/10.96.0.1/443'],
        { cwd: projectRoot, env: { ...process.env, XDG_STATE_HOME: stateHome }, encoding: 'utf8' },
      );
    await until('Services to be reached', async () => ['n1', 'n2'].every((node) => resolve(node) === ''), 30_000);
  });
});
