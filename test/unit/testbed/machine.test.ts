import { describe, expect, it } from 'vitest';
import { findObstacle, type MachineFacts } from '../../../src/testbed/nodes/machine.ts';

const fit: MachineFacts = {
  platform: 'linux',
  uid: 0,
  mounts: 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  filesystems: 'nodev\tproc\nnodev\toverlay\n',
};

describe('findObstacle', () => {
  it.each([
    { what: 'another system', facts: { platform: 'darwin' }, words: ['this is darwin', 'bin/hourglass dev up (fake nodes'] },
    { what: 'a user who is not root', facts: { uid: 1000 }, words: ['need root', 'run it as root'] },
    { what: 'a container without cgroups', facts: { mounts: 'proc /proc proc rw 0 0\n' }, words: ['no cgroups', 'use the machine itself'] },
    { what: 'a kernel without overlayfs', facts: { filesystems: 'nodev\tproc\n' }, words: ['no overlayfs', 'modprobe overlay'] },
  ] as const)('names $what and what to do', ({ facts, words }) => {
    const said = findObstacle({ ...fit, ...facts }) ?? '';
    for (const word of words) expect(said).toContain(word);
  });

  it('finds none on a machine that fits, with cgroups of either version', () => {
    expect(findObstacle(fit)).toBeUndefined();
    expect(findObstacle({ ...fit, mounts: 'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n' })).toBeUndefined();
  });
});
