import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { TestbedError } from './testbed-error.ts';

const policyFile = '/usr/sbin/policy-rc.d';
const limitMs = 300_000;

/**
 * Installs packages as root on Debian or Ubuntu, without what they only recommend.
 * No daemon is started: the machine would have a service that nobody asked for.
 *
 * @throws TestbedError with the last words of apt-get, and how to do it by hand
 */
export function installDebianPackages(packages: readonly string[]): void {
  const names = packages.join(' ');
  const byHand = `install them by hand, on Debian and Ubuntu: apt-get install ${names}`;
  if (!existsSync('/usr/bin/apt-get')) throw new TestbedError(`packages missing, and there is no apt-get here: ${names}; ${byHand}`);
  const forbids = !existsSync(policyFile);
  if (forbids) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const run = (...args: readonly string[]) =>
      spawnSync('apt-get', args, { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: limitMs });
    const install = () => run('install', '-y', '--no-install-recommends', ...packages);
    let { status, stderr } = install();
    // A machine that was made from an image has no lists of packages yet, or old ones.
    if (status !== 0 && run('update').status === 0) ({ status, stderr } = install());
    if (status === 0) return;
    const said = stderr.trim().split('\n').slice(-3).join('\n');
    throw new TestbedError(`apt-get install ${names} failed:\n${said}\n${byHand}`);
  } finally {
    if (forbids) rmSync(policyFile, { force: true });
  }
}
