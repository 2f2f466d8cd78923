import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { installDebianPackages } from '../debian-packages.ts';
import type { ProgressReporter } from '../progress.ts';
import { TestbedError } from '../testbed-error.ts';

/** Programs that real nodes run, with the Debian package that has each. */
const programs: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ipset: 'ipset',
  nsenter: 'util-linux',
};
/** What Chaos Mesh needs beside: its daemon has parts in C and shapes traffic, and kubelets have disks of their own. */
const chaosPrograms: Readonly<Record<string, string>> = { cc: 'build-essential', tc: 'iproute2', 'mkfs.ext4': 'e2fsprogs' };
const cniPlugins = ['bridge', 'host-local', 'portmap', 'loopback'].map((name) => `/usr/lib/cni/${name}`);
const elsewhere = 'without real nodes: bin/hourglass dev up (fake nodes, no root), on Linux and macOS';

/** What decides whether a machine can have real nodes at all. */
export interface MachineFacts {
  readonly platform: NodeJS.Platform;
  readonly uid: number | undefined;
  /** Texts of /proc/self/mounts and /proc/filesystems. */
  readonly mounts: string;
  readonly filesystems: string;
}

/** What stands in the way of real nodes on a machine, with what to do; undefined when nothing does. Pure. */
export function findObstacle({ platform, uid, mounts, filesystems }: MachineFacts): string | undefined {
  if (platform !== 'linux') return `real nodes are made of Linux namespaces, and this is ${platform}; use a Linux machine, or ${elsewhere}`;
  if (uid !== 0) return `real nodes need root (network namespaces, mounts, containers); run it as root, or ${elsewhere}`;
  if (!mounts.includes(' /sys/fs/cgroup'))
    return 'no cgroups are mounted at /sys/fs/cgroup, and pods live in them; a container rarely has them: use the machine itself';
  if (!/\boverlay$/m.test(filesystems))
    return 'the kernel has no overlayfs, on which containers live; load it (modprobe overlay), or use another kernel';
  return undefined;
}

/**
 * Makes sure that this machine can have real nodes, and installs the packages that are missing where it may.
 *
 * @throws TestbedError for what stands in the way, with what to do
 */
export function prepareMachine(report: ProgressReporter, mayInstall: boolean, forChaos = false): void {
  const obstacle = findObstacle(readFacts());
  if (obstacle !== undefined) throw new TestbedError(obstacle);
  const wanted = { ...programs, ...(forChaos ? chaosPrograms : {}) };
  const missing = findMissing(wanted);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  const byHand = `install them by hand, on Debian and Ubuntu: apt-get install ${names}`;
  if (!mayInstall) throw new TestbedError(`packages missing: ${names}; leave out --no-install, or ${byHand}`);
  report.step(`Installing packages: ${names}`);
  installDebianPackages(missing);
  const still = findMissing(wanted);
  if (still.length > 0) throw new TestbedError(`packages installed, and yet their programs are missing: ${still.join(' ')}; ${byHand}`);
  report.done(`Installed ${names}`);
}

/** Of the machine at hand. */
export function readFacts(): MachineFacts {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  return {
    platform: process.platform,
    uid: process.getuid?.(),
    mounts: read('/proc/self/mounts'),
    filesystems: read('/proc/filesystems'),
  };
}

/** Packages of which something is missing, each once. */
function findMissing(wanted: Readonly<Record<string, string>>): string[] {
  const missing = Object.entries(wanted).flatMap(([program, name]) => (isInstalled(program) ? [] : [name]));
  if (!cniPlugins.every((path) => existsSync(path))) missing.push('containernetworking-plugins');
  return [...new Set(missing)];
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
