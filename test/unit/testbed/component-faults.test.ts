import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimState } from '../../../src/testbed/cluster-state.ts';
import { openComponentFaults } from '../../../src/testbed/component-faults.ts';
import { clusterPaths } from '../../../src/testbed/components.ts';
import { ownRecord } from '../../../src/testbed/processes.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hourglass-components-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Starts a component of a cluster again that somebody stopped. @returns the process with which it is to end; '' for none */
async function startAgain(cluster: { readonly detach: boolean; readonly ownerPid: number }): Promise<string> {
  const told = join(dir, 'told');
  const program = join(dir, 'program');
  writeFileSync(program, `#!/bin/sh\necho "$HOURGLASS_DIE_WITH_PARENT" > ${told}.new\nmv ${told}.new ${told}\n`, { mode: 0o700 });
  mkdirSync(clusterPaths(dir).logs, { recursive: true });
  writeFileSync(join(dir, 'stopped-kube-apiserver.json'), '[]');
  claimState(dir, {
    version: 1,
    name: 'one',
    dir,
    dirMade: true,
    profile: 'nodes',
    detach: cluster.detach,
    phase: 'ready',
    createdAt: '2026-01-01T00:00:00Z',
    owner: { ...ownRecord(), pid: cluster.ownerPid, stoppable: false },
    processes: { 'kube-apiserver': null },
  });
  await openComponentFaults(dir, program).stop.undo('kube-apiserver');
  await expect.poll(() => existsSync(told), { timeout: 5_000 }).toBe(true);
  return readFileSync(told, 'utf8').trim();
}

it.each([
  { name: 'ends with the process that keeps its cluster', cluster: { detach: false, ownerPid: process.pid }, parent: String(process.pid) },
  { name: 'stays with a cluster that nobody keeps', cluster: { detach: true, ownerPid: process.pid }, parent: '' },
  {
    name: "stays with a cluster that another process keeps, and ends by that cluster's mark",
    cluster: { detach: false, ownerPid: 1 },
    parent: '',
  },
])('a component that is started again $name', async ({ cluster, parent }) => {
  expect(await startAgain(cluster)).toBe(parent);
});
