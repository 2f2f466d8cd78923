import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isGoNewEnough, parseGoDirective } from '../../../src/testbed/go-build.ts';
import { silentProgress } from '../../../src/testbed/progress.ts';
import { ensureTool } from '../../../src/testbed/tools.ts';

/** What a stand-in for Go does: says its version, lists two packages, and "compiles" by writing the program. */
interface FakeGo {
  readonly version?: string;
  /** Shell that runs instead of a successful `go build`; `$out` is the program's path. */
  readonly build?: string;
}

let folder = '';
let toolsDir = '';
let env: Record<string, string> = {};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-tools-'));
  toolsDir = join(folder, 'tools');
  await mkdir(join(folder, 'bin'), { recursive: true });
  for (const module of ['control-plane', 'bin']) {
    await mkdir(join(toolsDir, module), { recursive: true });
    await writeFile(join(toolsDir, module, 'go.mod'), `module tools/${module}\n\ngo 1.26.0\n`);
    await writeFile(join(toolsDir, module, 'go.sum'), 'sum\n');
    await writeFile(join(toolsDir, module, 'main.go'), 'package main\n');
  }
  await writeFile(join(toolsDir, 'versions.json'), JSON.stringify({ kubernetes: '1.35.4', etcd: '3.6.5', kwok: '0.8.0', node: '24.21.0' }));
  env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fakeGo({ version = 'go1.26.8', build = 'echo program > "$out"' }: FakeGo = {}): Promise<void> {
  const script = `#!/bin/sh
echo "$*" >> ${JSON.stringify(join(folder, 'calls'))}
case "$1" in
  env) echo ${version} ;;
  list) echo 'go: downloading example.org/a v1' >&2; echo true; echo true; echo false ;;
  build) while [ "$1" != -o ]; do shift; done; out=$2
    echo example.org/a >&2; ${build} ;;
esac
`;
  await writeFile(join(folder, 'bin', 'go'), script);
  await chmod(join(folder, 'bin', 'go'), 0o755);
}

const calls = async (): Promise<readonly string[]> => (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).trim().split('\n');
const builds = async (): Promise<number> => (await calls()).filter((call) => call.startsWith('build')).length;
const cached = (): Promise<readonly string[]> => readdir(join(folder, 'cache', 'hourglass', 'tools')).catch(() => []);
const ensure = (name: 'control-plane' | 'kwok' = 'kwok'): Promise<string> => ensureTool(name, silentProgress, { toolsDir, env });

describe('ensureTool', () => {
  it('builds on first need, and needs no Go from then on', async () => {
    await fakeGo();
    const program = await ensure();
    expect(await readFile(program, 'utf8')).toBe('program\n');
    await rm(join(folder, 'bin', 'go'));
    expect(await ensure()).toBe(program);
    expect(await builds()).toBe(1);
    expect(await cached()).toHaveLength(1);
  });

  it('gives the control plane its version, and the same one every time', async () => {
    await fakeGo();
    await ensure('control-plane');
    const [build] = (await calls()).filter((call) => call.startsWith('build'));
    expect(build).toContain('-X k8s.io/component-base/version.gitVersion=v1.35.4 ');
    expect(build).toContain('version.gitMajor=1 ');
    expect(build).toContain('version.gitMinor=35 ');
    expect(build).toContain('version.buildDate=1970-01-01T00:00:00Z');
  });

  it.each(['go.mod', 'go.sum', 'main.go'])('builds anew when %s changes', async (file) => {
    await fakeGo();
    const before = await ensure();
    await writeFile(join(toolsDir, 'bin', file), `${await readFile(join(toolsDir, 'bin', file), 'utf8')}\n// changed\n`);
    expect(await ensure()).not.toBe(before);
    expect(await builds()).toBe(2);
  });

  it('builds once for two who need it at the same time', async () => {
    await fakeGo({ build: 'sleep 0.3; echo program > "$out"' });
    const [one, other] = await Promise.all([ensure(), ensure()]);
    expect(other).toBe(one);
    expect(await builds()).toBe(1);
  });

  it('never uses a build that failed half-way', async () => {
    await fakeGo({ build: 'echo half > "$out"; echo "undefined: thing" >&2; exit 1' });
    await expect(ensure()).rejects.toThrow(
      /building KWOK 0\.8\.0: go build ended with exit code 1\n[\s\S]*undefined: thing\nThe whole log: .*\.log$/,
    );
    await fakeGo();
    expect(await readFile(await ensure(), 'utf8')).toBe('program\n');
    expect(await cached()).toHaveLength(1);
  });

  it('clears away what a build left that was killed', async () => {
    await fakeGo();
    const program = await ensure();
    const cache = join(folder, 'cache', 'hourglass', 'tools');
    const [slot = ''] = await cached();
    await rm(join(cache, slot), { recursive: true });
    await mkdir(join(cache, `.${slot}-abc123`));
    expect(await ensure()).toBe(program);
    expect(await cached()).toEqual([slot]);
  });

  it('names the disk when it is full', async () => {
    await fakeGo({ build: 'echo "write out: no space left on device" >&2; exit 1' });
    await expect(ensure()).rejects.toThrow(/the disk is full; free about 6 GB.*no space left on device/s);
  });

  it('says what to install when Go is missing, and how to do without', async () => {
    env = { ...env, PATH: join(folder, 'bin') };
    await expect(ensure()).rejects.toThrow(
      /building KWOK 0\.8\.0: Go is missing on this machine; install Go 1\.26\.0 or newer \(.*apt-get install golang.*\), or use a cluster of your own: npm run demo -- --kubeconfig FILE --image REF$/,
    );
  });

  it('says so when Go is too old', async () => {
    await fakeGo({ version: 'go1.19.8' });
    await expect(ensure()).rejects.toThrow(/too old \(go1\.19\.8\); install Go 1\.26\.0 or newer/);
    expect(await builds()).toBe(0);
  });

  it('names the cache when it cannot be written', async () => {
    await fakeGo();
    await writeFile(join(folder, 'cache'), 'a file');
    await expect(ensure()).rejects.toThrow(/cache\/hourglass\/tools: .*set XDG_CACHE_HOME$/);
  });
});

it.each([
  { version: 'go1.26.8', needed: '1.26.0', enough: true },
  { version: 'go1.26', needed: '1.26.0', enough: true },
  { version: 'go1.25.9', needed: '1.26.0', enough: false },
  { version: 'go2.0', needed: '1.26.0', enough: true },
  { version: 'devel go1.27-a1b2c3', needed: '1.26.0', enough: true },
  { version: 'go1.9', needed: '1.26', enough: false },
  { version: '', needed: '1.26', enough: false },
])('$version is enough for $needed: $enough', ({ version, needed, enough }) => {
  expect(isGoNewEnough(version, needed)).toBe(enough);
});

it.each([
  { text: 'module a\n\ngo 1.26.0\n', version: '1.26.0' },
  { text: 'module a\ngo 1.21\ntoolchain go1.22.1\n', version: '1.21' },
  { text: 'module a\n', version: undefined },
])('the go line of $text is $version', ({ text, version }) => {
  expect(parseGoDirective(text)).toBe(version);
});
