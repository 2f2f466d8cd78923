import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ClusterState,
  claimState,
  clustersHome,
  isClusterName,
  listClusters,
  makePrivateDir,
  parseState,
  readState,
  registryDirOf,
  writeState,
} from '../../../src/testbed/cluster-state.ts';

const state: ClusterState = {
  version: 1,
  name: 'dev',
  dir: '/somewhere/dev',
  dirMade: true,
  profile: 'instant',
  detach: true,
  phase: 'starting',
  createdAt: '2026-01-01T00:00:00.000Z',
  owner: { pid: 7, stamp: 'boot:1', stoppable: true },
  processes: { etcd: { pid: 8, stamp: 'boot:2' }, kwok: null },
};

describe('parseState', () => {
  it('reads what was written', () => {
    expect(parseState(JSON.stringify(state))).toEqual({ kind: 'state', state });
  });

  it.each([
    { name: 'an empty file', text: '' },
    { name: 'a file cut short', text: JSON.stringify(state).slice(0, 80) },
    { name: 'zero bytes', text: '\0\0\0\0' },
    { name: 'JSON of another form', text: '[]' },
    { name: 'a state of a later version', text: JSON.stringify({ ...state, version: 2 }) },
    {
      name: 'a process id that would mean a process group',
      text: JSON.stringify({ ...state, processes: { etcd: { pid: -1, stamp: 'x' } } }),
    },
    { name: 'process id 0', text: JSON.stringify({ ...state, processes: { etcd: { pid: 0, stamp: 'x' } } }) },
  ])('calls $name unreadable and says why', ({ text }) => {
    expect(parseState(text)).toEqual({ kind: 'unreadable', reason: expect.stringMatching(/.+/) });
  });
});

describe('the state of a cluster on disk', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hourglass-state-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('can be claimed once, by one starter', () => {
    const registryDir = join(home, 'dev');
    expect(claimState(registryDir, state)).toBe(true);
    expect(claimState(registryDir, { ...state, owner: { ...state.owner, pid: 9 } })).toBe(false);
    expect(readState(registryDir)).toEqual({ kind: 'state', state });
  });

  it('is readable by its owner alone', () => {
    claimState(join(home, 'dev'), state);
    expect(statSync(join(home, 'dev')).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'dev', 'state.json')).mode & 0o777).toBe(0o600);
  });

  it('is replaced as a whole', () => {
    const registryDir = join(home, 'dev');
    claimState(registryDir, state);
    writeState(registryDir, { ...state, phase: 'ready' });
    expect(readState(registryDir)).toEqual({ kind: 'state', state: { ...state, phase: 'ready' } });
  });

  it('is missing before it is claimed', () => {
    expect(readState(join(home, 'dev'))).toEqual({ kind: 'missing' });
  });

  it('is listed by name; a folder that does not exist lists nothing', () => {
    claimState(join(home, 'b'), state);
    claimState(join(home, 'a'), state);
    expect(listClusters(home)).toEqual(['a', 'b']);
    expect(listClusters(join(home, 'none'))).toEqual([]);
  });

  it('names the object when it cannot be written', () => {
    writeFileSync(join(home, 'file'), '');
    expect(() => claimState(join(home, 'file', 'dev'), state)).toThrow(/recording cluster dev in .*file.*XDG_STATE_HOME/);
  });
});

describe('clustersHome', () => {
  it.each([
    { name: 'follows XDG_STATE_HOME', env: { XDG_STATE_HOME: '/state' }, end: /^\/state\/hourglass\/clusters$/ },
    {
      name: 'ignores a relative XDG_STATE_HOME, as its specification asks',
      env: { XDG_STATE_HOME: 'state' },
      end: /\.local\/state\/hourglass\/clusters$/,
    },
    { name: 'is under the home directory by default', env: {}, end: /\.local\/state\/hourglass\/clusters$/ },
  ])('$name', ({ env, end }) => {
    expect(clustersHome(env)).toMatch(end);
  });
});

describe('the name of a cluster', () => {
  it.each(['dev', 'a-1', '0'])('may be %s', (name) => {
    expect(isClusterName(name)).toBe(true);
    expect(registryDirOf('/home', name)).toBe(`/home/${name}`);
  });
  it.each(['', '.', '..', '../x', 'a/b', '-a', 'A', 'a'.repeat(41)])('may not be %j, and leads to no folder', (name) => {
    expect(isClusterName(name)).toBe(false);
    expect(() => registryDirOf('/home', name)).toThrow(/cluster name ".*": use lower case letters/);
  });
});

describe('makePrivateDir', () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'hourglass-private-'));
  });
  afterEach(() => rmSync(base, { recursive: true }));

  it('makes what is missing for the owner alone, and is content with what is there', () => {
    makePrivateDir(join(base, 'a', 'b'));
    makePrivateDir(join(base, 'a', 'b'));
    expect([join(base, 'a'), join(base, 'a', 'b')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  it.runIf(process.platform === 'linux')('gives up where nothing can be made', () => {
    expect(() => makePrivateDir('/proc/hourglass')).toThrow(/ENOENT/);
  });
});
