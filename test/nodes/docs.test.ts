import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tagImage } from '../../chaos/cluster/lab.ts';
import { buildCli } from '../../scripts/build.ts';
import { collectOutput } from '../../scripts/collect-output.ts';
import { projectRoot } from '../../scripts/generate.ts';
import { buildTimeoutMs } from '../support/cluster.ts';
import { type DocBlock, joinBlocks, readBlocks } from '../support/doc-blocks.ts';
import { NodesCluster } from './support/nodes-cluster.ts';

const cluster = new NodesCluster({ images: ['operator', 'test-performer', 'k6'] });
let home: string;
// Through links a script does not know that it is the one that was started: the pages would have nothing built.
beforeAll(() => buildCli(join(projectRoot, 'dist')), buildTimeoutMs);

/** A checkout in which pages may write files. */
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hourglass-docs-'));
  for (const name of await readdir(projectRoot)) {
    if (name !== 'manifests' && name !== '.git') await symlink(join(projectRoot, name), join(home, name));
  }
  await cp(join(projectRoot, 'manifests'), join(home, 'manifests'), { recursive: true });
  await mkdir(join(home, '.bin'));
  const [kubectl = ''] = cluster.cluster.kubectl;
  await writeFile(join(home, '.bin', 'kubectl'), `#!/bin/sh\nexec '${kubectl}' kubectl "$@"\n`);
  await chmod(join(home, '.bin', 'kubectl'), 0o755);
});
afterEach(() => rm(home, { recursive: true }));

async function run(blocks: readonly DocBlock[], env: Readonly<Record<string, string>>): Promise<void> {
  expect(blocks.length).toBeGreaterThan(1);
  const child = spawn('bash', ['-c', joinBlocks(blocks)], {
    cwd: home,
    env: { ...process.env, PATH: `${join(home, '.bin')}:${process.env.PATH}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, stderr, stdout } = await collectOutput(child);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
}

describe('the commands of', () => {
  it.each(['docs/quickstart.md', 'docs/deploy.md', 'docs/benchmarks.md'])(
    '%s work, one after the other, on nodes',
    async (page) => {
      const mirror = 'registry.example.com/mirror/hourglass-operator:0.1.0';
      tagImage(cluster.nodes, 'registry.example.com/hourglass-operator:0.1.0', mirror);
      await run(
        readBlocks(page).filter(({ mark }) => mark === 'cluster' || mark === 'nodes'),
        { KUBECONFIG: cluster.kubeconfig },
      );
      const left = await cluster.kubectl('get', 'crds,clusterroles,clusterrolebindings,namespaces', '-o', 'name');
      expect(left.split('\n').filter((name) => name.includes('hourglass'))).toEqual([]);
    },
    480_000,
  );

  it.each(['docs/quickstart.md', 'docs/testbed.md', 'docs/benchmarks.md'])(
    '%s work, one after the other, where they make their cluster',
    async (page) => {
      await run(
        readBlocks(page).filter(({ mark }) => mark === 'testbed'),
        { XDG_STATE_HOME: join(home, 'state') },
      );
    },
    480_000,
  );
});
