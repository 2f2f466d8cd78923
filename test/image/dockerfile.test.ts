import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ImageFacts } from '../../scripts/images/make-image.ts';
import { architectures } from '../../scripts/images/pins.ts';
import { installDebianPackages } from '../../src/testbed/debian-packages.ts';
import { projectRoot } from '../support/sources.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const findBuildah = (): boolean => spawnSync('buildah', ['--version']).status === 0;
if (isRoot && !findBuildah()) {
  process.stderr.write('hourglass: installing the Debian package buildah, which builds the Dockerfile in a test …\n');
  installDebianPackages(['buildah']);
}
const hasBuildah = isRoot && findBuildah();
const here = process.arch === 'x64' ? 'amd64' : 'arm64';

describe('the example of a release workflow', () => {
  const text = readFileSync(join(projectRoot, 'docs', 'examples', 'release.yaml'), 'utf8');
  const { jobs } = parse(text) as { jobs: { release: { steps: { run?: string }[] } } };
  const commands = jobs.release.steps.flatMap(({ run = [] }) => run);

  it('pushes a tag that did not exist, by a command that reports the digest, and never "latest"', () => {
    const look = commands.findIndex((run) => run.includes('skopeo inspect'));
    const push = commands.findIndex((run) => run.includes('buildah manifest push'));
    expect(look).toBeGreaterThan(-1);
    expect(push).toBeGreaterThan(look);
    expect(commands[push]).toContain('--digestfile');
    expect(text.replace(/#.*/g, '')).not.toMatch(/latest|continue-on-error|\|\| true/);
  });

  it('is shell that the shell can read', () => {
    for (const run of commands) execFileSync('bash', ['-n', '-c', run.replace(/\$\{\{.*?\}\}/g, 'x')]);
  });
});

describe('the Dockerfile', () => {
  it('pins its public base, and says that this base is not the one built here', () => {
    const text = readFileSync(join(projectRoot, 'Dockerfile'), 'utf8');
    expect(text).toMatch(/NOT what this project builds or tests/);
    const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      devDependencies: { node: string };
    };
    expect(text).toContain(`ARG BASE=docker.io/library/node:${devDependencies.node}-`);
    expect(text).not.toMatch(/:latest/);
  });

  describe.skipIf(!hasBuildah)('built by buildah on our own base', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'hourglass-buildah-'));
    // A store of its own: nothing of the machine's is read or left changed.
    const buildah = (...args: readonly string[]): string => {
      const store = ['--root', join(scratch, 'root'), '--runroot', join(scratch, 'run'), '--storage-driver', 'vfs'];
      return execFileSync('buildah', [...store, ...args], { cwd: projectRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
    };
    const npm = (...args: readonly string[]): string => execFileSync('npm', ['run', '-s', ...args], { cwd: projectRoot, encoding: 'utf8' });
    let root = '';
    beforeAll(() => {
      npm('build');
      npm('image', '--', '--only', 'base', '--out', scratch);
      const base = buildah('pull', '-q', `oci-archive:${join(scratch, `hourglass-base-${here}.tar`)}`);
      buildah('bud', '-q', '--isolation', 'chroot', '--build-arg', `BASE=${base}`, '-t', 'localhost/operator:test', '.');
      root = buildah('mount', buildah('from', 'localhost/operator:test'));
    });
    afterAll(() => {
      if (root !== '') buildah('umount', '--all');
      rmSync(scratch, { recursive: true, force: true });
    });

    it('runs the operator as 65532, under the name by which it watches', () => {
      const run = (...args: readonly string[]): string =>
        execFileSync('chroot', ['--userspec=65532:65532', root, '/manager', ...args], {
          env: { PATH: '/usr/sbin:/usr/bin' },
          encoding: 'utf8',
        });
      expect(run('version')).toMatch(/^hourglass \d/);
      expect(run('once', '--help')).toMatch(/^Usage: hourglass once/);
      const [user, entrypoint] = buildah(
        'inspect',
        '--format',
        '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}',
        'localhost/operator:test',
      ).split(' ');
      expect([user, entrypoint]).toEqual(['65532:65532', '[/manager]']);
    });

    it('puts both processors under one name, each with the digest that was reported', () => {
      const list = 'localhost/base:test';
      buildah('manifest', 'create', list);
      for (const architecture of architectures)
        buildah('manifest', 'add', list, `oci-archive:${join(scratch, `hourglass-base-${architecture}.tar`)}`);
      const pushed = join(scratch, 'pushed');
      buildah('manifest', 'push', '--all', '--digestfile', join(scratch, 'digest'), list, `oci:${pushed}:v1`);
      const index = readFileSync(join(pushed, 'blobs', readFileSync(join(scratch, 'digest'), 'utf8').trim().replace(':', '/')), 'utf8');
      const { manifests } = JSON.parse(index) as { manifests: { digest: string; platform: { architecture: string } }[] };
      const reported = architectures.map((architecture) => {
        const facts = JSON.parse(readFileSync(join(scratch, `hourglass-base-${architecture}.json`), 'utf8')) as ImageFacts;
        return `${architecture} ${facts.digest}`;
      });
      expect(manifests.map(({ digest, platform }) => `${platform.architecture} ${digest}`)).toEqual(reported);
    });
  });
});
