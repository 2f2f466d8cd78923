import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectOutput } from '../../scripts/collect-output.ts';
import { projectRoot } from '../../scripts/generate.ts';
import { RealCluster } from '../parity/support/real-cluster.ts';
import { useCluster } from '../support/cluster.ts';
import { joinBlocks, readBlocks, runPages } from '../support/doc-blocks.ts';
import { StandIns } from '../support/stand-ins.ts';

const cluster = useCluster({ profile: 'instant' });
const real = new RealCluster(cluster);
let home: string;
let operators: StandIns;

/** A checkout as far as the pages use it, and a kubectl. */
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hourglass-docs-'));
  await cp(join(projectRoot, 'manifests'), join(home, 'manifests'), { recursive: true });
  await mkdir(join(home, '.bin'));
  const quoted = cluster.get().kubectl.map((word) => `'${word}'`);
  await writeFile(join(home, '.bin', 'kubectl'), `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`);
  await chmod(join(home, '.bin', 'kubectl'), 0o755);
  operators = new StandIns(real);
});
afterEach(async () => {
  await operators.stop();
  await rm(home, { recursive: true });
});

/** Runs a script as a user's shell would, in that checkout. */
function runScript(script: string): ReturnType<typeof collectOutput> {
  const env = { PATH: `${join(home, '.bin')}:${process.env.PATH}`, HOME: home, KUBECONFIG: cluster.get().kubeconfig };
  return collectOutput(spawn('bash', ['-c', script], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('the commands of', () => {
  it.each([...runPages, 'docs/chaos.md'])(
    '%s work, one after the other, where pods only pretend to run',
    async (page) => {
      const blocks = readBlocks(page).filter(({ mark }) => mark === 'cluster');
      const { code, stderr, stdout } = await runScript(joinBlocks(blocks));
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      // What a run is started on it removes in the end.
      await real.kubectl('delete', 'namespace', 'hourglass-chaos', '--ignore-not-found');
      const left = await real.kubectl('get', 'crds,clusterroles,clusterrolebindings,namespaces', '-o', 'name');
      expect(left.split('\n').filter((name) => name.includes('hourglass'))).toEqual([]);
    },
    240_000,
  );
});
