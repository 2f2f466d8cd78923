import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageFacts } from '../../scripts/images/make-image.ts';
import { architectures, readPins } from '../../scripts/images/pins.ts';
import type { TarFile } from '../../scripts/images/read-tar.ts';
import type { Sbom } from '../../scripts/images/sbom.ts';
import { readVersions } from '../../src/testbed/tools.ts';
import { userCacheDir } from '../../src/testbed/user-cache.mjs';
import { neededLibraries } from '../support/elf.ts';
import { imageFiles, type OpenedImage, openImage, sha256, unpackImage } from '../support/oci.ts';
import { projectRoot } from '../support/sources.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0;
const here = process.arch === 'x64' ? 'amd64' : 'arm64';
const scratch = mkdtempSync(join(tmpdir(), 'hourglass-images-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** `npm run image`; the variables win over ours. */
function make(out: string, args: readonly string[], env: Record<string, string> = {}, umask = '022') {
  const command = `umask ${umask}; exec "$0" scripts/bootstrap.mjs scripts/image.ts --json --out "$OUT" "$@"`;
  const options = { cwd: projectRoot, env: { ...process.env, ...env, OUT: join(scratch, out) }, encoding: 'utf8' as const, maxBuffer: 1e8 };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, ...args], options);
  return { status, stderr, facts: status === 0 ? (JSON.parse(stdout) as readonly ImageFacts[]) : [] };
}

const everything = ['--only', 'operator,test-performer,k6,base'];
const made = make('first', everything);
const opened = new Map<string, OpenedImage>();
const contents = new Map<string, readonly TarFile[]>();
const title = ({ name, architecture }: ImageFacts): string => `${name.replace(/^.*hourglass-(.*):.*$/, '$1')} ${architecture}`;
const find = (wanted: string): ImageFacts => {
  const facts = made.facts.find((one) => title(one) === wanted);
  if (facts === undefined) throw new Error(`${wanted} was not made: ${made.stderr}`);
  return facts;
};
const all = ['operator', 'test-performer', 'k6', 'base'].flatMap((name) => architectures.map((architecture) => `${name} ${architecture}`));
const filesOf = (image: string): readonly TarFile[] => contents.get(image) ?? [];
const fileOf = (image: string, path: string): Buffer => filesOf(image).find(({ name }) => name === path)?.content ?? Buffer.of();
const sbomOf = (image: string): Sbom =>
  JSON.parse(String(filesOf(image).find(({ name }) => name.endsWith('/sbom.spdx.json'))?.content)) as Sbom;

beforeAll(async () => {
  for (const image of all) {
    const one = await openImage(find(image).file);
    opened.set(image, one);
    contents.set(image, await imageFiles(one));
  }
});

describe('the images', () => {
  it('are the same bytes when another process makes them from what was fetched, in another time zone, locale, umask and folder', () => {
    const cache = join(scratch, 'cache', 'hourglass');
    mkdirSync(join(cache, 'images'), { recursive: true });
    symlinkSync(join(userCacheDir(), 'tools'), join(cache, 'tools'));
    const fetched = readdirSync(join(userCacheDir(), 'images')).filter((file) => /\.(?:deb|tgz)$/.test(file));
    for (const file of fetched) copyFileSync(join(userCacheDir(), 'images', file), join(cache, 'images', file));
    const env = { XDG_CACHE_HOME: join(scratch, 'cache'), TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' };
    const again = make('second', everything, env, '077');
    const hashes = (facts: readonly ImageFacts[]): readonly string[] => facts.map((one) => `${title(one)} ${one.sha256}`);
    expect(hashes(again.facts)).toEqual(hashes(made.facts));
    expect(hashes(again.facts)).toHaveLength(8);
  });

  it('are not made again while nothing has changed, and are when the archive is damaged', () => {
    expect(make('first', everything).stderr).not.toMatch(/Writing/);
    const { file, sha256: before } = find('k6 amd64');
    truncateSync(file, 1000);
    const again = make('first', ['--only', 'k6', '--arch', 'amd64']);
    expect(again.stderr).toMatch(/Writing .*hourglass-k6/);
    expect(again.facts[0]?.sha256).toBe(before);
  });

  it('carry the registry, the tag and the source asked for', async () => {
    const args = [
      '--only',
      'operator',
      '--arch',
      'amd64',
      '--registry',
      'example.org/a',
      '--tag',
      'v9',
      '--source',
      'https://example.org/s',
    ];
    const { described, docker, config } = await openImage(make('other', args).facts[0]?.file ?? '');
    expect(described.annotations['io.containerd.image.name']).toBe('example.org/a/hourglass-operator:v9');
    expect(docker.RepoTags).toEqual(['example.org/a/hourglass-operator:v9']);
    expect(config.config.Labels).toMatchObject({
      'org.opencontainers.image.version': 'v9',
      'org.opencontainers.image.source': 'https://example.org/s',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}(?:-dirty)?$/) as string,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });

  it('are pinned to the Node that the project runs on', () => {
    expect(readPins().node.version).toBe(readVersions().node);
  });
});

describe.each(all)('the image of %s', (image) => {
  const [program = '', architecture = ''] = image.split(' ');
  const get = (): OpenedImage => opened.get(image) as OpenedImage;

  it('is an OCI layout, for Docker too, and says what it is', () => {
    const { described, config, layers, docker, files } = get();
    expect(described.platform).toEqual({ os: 'linux', architecture });
    expect(config.rootfs.diff_ids).toEqual(layers.map(sha256));
    expect(find(image)).toMatchObject({ digest: described.digest, unpackedBytes: layers.reduce((sum, { length }) => sum + length, 0) });
    expect(docker.RepoTags).toEqual([described.annotations['io.containerd.image.name']]);
    for (const path of [docker.Config, ...docker.Layers]) expect(files).toContain(path);
    const entrypoint = { operator: '/manager', 'test-performer': '/performer', k6: '/usr/bin/k6', base: '/usr/bin/node' }[program];
    expect(config.config).toMatchObject({ User: '65532:65532', Entrypoint: [entrypoint] });
  });

  it('holds nothing that runs as somebody else, that others may change, or that is younger than 1970', () => {
    const odd = filesOf(image).filter(({ name, type, mode, uid, gid, mtimeMs }) => {
      const writable = type !== 'symlink' && (mode & 0o022) !== 0 && !(name === 'tmp' && mode === 0o1777);
      const owned = uid === 0 && gid === 0 ? name !== 'home/nonroot' : name === 'home/nonroot' && uid === 65532 && gid === 65532;
      return (mode & 0o6000) !== 0 || writable || !owned || mtimeMs !== 0 || !['file', 'directory', 'symlink'].includes(type);
    });
    expect(odd.map(({ name }) => name)).toEqual([]);
  });

  it('holds no program but its own: no shell, no package manager', () => {
    const programs = filesOf(image).filter(({ name, type, mode }) => type === 'file' && (mode & 0o111) !== 0 && !/\.so(\.|$)/.test(name));
    const own = {
      operator: ['usr/bin/node', 'app/hourglass.js'],
      'test-performer': ['usr/bin/node', 'app/caller.mjs', 'app/performer.mjs'],
      k6: ['usr/bin/k6'],
      base: ['usr/bin/node'],
    }[program];
    expect(programs.map(({ name }) => name)).toEqual(own);
  });

  it('has each library that its programs ask for, and its entry point', () => {
    const files = new Map(filesOf(image).map((one) => [one.name, one]));
    const asked = filesOf(image).flatMap(({ content }) => neededLibraries(content) ?? []);
    expect(asked.length > 0).toBe(program !== 'k6');
    const triplet = architecture === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
    expect([...new Set(asked)].filter((library) => !files.has(`usr/lib/${triplet}/${library}`))).toEqual([]);
    const entrypoint = get().config.config.Entrypoint[0]?.slice(1) ?? '';
    const { linkname } = files.get(entrypoint) ?? {};
    expect(files.get(posix.join(posix.dirname(entrypoint), linkname ?? '.', linkname ? '' : posix.basename(entrypoint)))?.type).toBe(
      'file',
    );
  });

  it('brings the text of a licence for all that it holds', () => {
    const paths = filesOf(image).map(({ name }) => name);
    const texts = String(
      fileOf(image, `usr/share/doc/${program === 'k6' ? 'k6/licenses' : `hourglass-${program}/third-party-licenses`}.txt`),
    );
    const missing = sbomOf(image).packages.filter(({ name, versionInfo, externalRefs }) => {
      const purl = JSON.stringify(externalRefs);
      if (purl.includes('pkg:oci/')) return false;
      if (purl.includes('pkg:npm/node-linux-')) return !paths.includes('usr/share/doc/node/LICENSE');
      // A link for those that share it.
      if (purl.includes('pkg:deb/'))
        return !paths.some((path) => [`usr/share/doc/${name}`, `usr/share/doc/${name}/copyright`].includes(path));
      return !texts.includes(`\n${name} ${versionInfo}\n`);
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe('the bill of materials', () => {
  const names = (image: string): readonly string[] => sbomOf(image).packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);

  it.each([
    { image: 'operator amd64', entries: ['src/cli/main.ts', 'src/api/crd/performer-crd-yaml.ts', 'src/cli/start.ts'] },
    { image: 'test-performer arm64', entries: ['test/performer/main.ts', 'test/performer/caller.ts'] },
  ])('of $image names every package that esbuild puts into the bundle', async ({ image, entries }) => {
    const metafiles = await Promise.all(entries.map(bundleApart));
    const bundled = new Set(metafiles.flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => packagesIn(inputs))));
    expect(bundled.size).toBeGreaterThan(3);
    expect([...bundled].filter((one) => !names(image).includes(one))).toEqual([]);
  });

  it.each(all.filter((image) => !image.startsWith('k6')))('of %s names Node and each Debian package, with its hash', (image) => {
    const { debian, node } = readPins();
    const [, architecture] = image.split(' ') as [string, (typeof architectures)[number]];
    const text = JSON.stringify(sbomOf(image));
    for (const { name, version, files } of debian.packages) {
      expect(names(image)).toContain(`${name}@${version}`);
      expect(text).toContain(files[architecture].sha256);
      expect(String(fileOf(image, `var/lib/dpkg/status.d/${name}`))).toContain(`\nVersion: ${version}\n`);
    }
    expect(names(image)).toContain(`node-linux-${architecture.replace('amd64', 'x64')}@${node.version}`);
  });

  it('of k6 names k6, Go and the modules linked in', () => {
    expect(names('k6 arm64')).toContain(`go.k6.io/k6/v2@v${readVersions().k6}`);
    expect(names('k6 arm64').filter((name) => name.startsWith('stdlib@1.'))).toHaveLength(1);
    expect(names('k6 arm64').length).toBeGreaterThan(50);
  });

  it.each(all)('of %s is SPDX 2.3 with a name of its own for each part', (image) => {
    const { spdxVersion, packages, relationships } = sbomOf(image);
    expect(spdxVersion).toBe('SPDX-2.3');
    const ids = packages.map(({ SPDXID }) => SPDXID);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^SPDXRef-[a-zA-Z0-9.-]+$/.test(id))).toEqual([]);
    expect(relationships.map(({ relatedSpdxElement }) => relatedSpdxElement).sort()).toEqual([...ids].sort());
    const beside = readFileSync(find(image).file.replace(/\.tar$/, '.spdx.json'), 'utf8');
    expect(JSON.parse(beside)).toEqual(sbomOf(image));
  });
});

describe.skipIf(!canRun)('in a read-only root, as 65532', () => {
  const roots = new Map<string, ReturnType<typeof unpackImage>>();
  afterAll(() => {
    for (const { rm } of roots.values()) rm();
  });
  /** Runs a program of an image of this processor, in a mount namespace in which the image cannot be written to. */
  const runIn = (program: string, ...command: readonly string[]) => runWith('', program, command);
  const runWith = (input: string, program: string, command: readonly string[]) => {
    const image = `${program} ${here}`;
    const root = roots.get(image) ?? unpackImage(opened.get(image) as OpenedImage);
    roots.set(image, root);
    const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec chroot --userspec=65532:65532 "$0" "$@"';
    const env = { PATH: '/usr/bin:/usr/sbin:/bin:/sbin' };
    return spawnSync('unshare', ['--mount', 'sh', '-c', script, root.dir, ...command], { env, input, encoding: 'utf8', timeout: 60_000 });
  };

  it('the operator starts, from kept code', () => {
    expect(runIn('operator', '/manager', 'version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^hourglass \d/) as string });
    expect(runIn('operator', '/manager', 'once', '--help').stdout).toMatch(/^Usage: hourglass once/);
    const takes = `const { Script } = require('node:vm'), { readFileSync } = require('node:fs');
      const cachedData = readFileSync('/app/core.cache'), source = require('node:module').wrap(readFileSync('/app/core.js', 'utf8'));
      console.log(new Script(source, { cachedData }).cachedDataRejected, process.getuid(), process.getgid());
      try { require('node:fs').writeFileSync('/tmp/a', ''); } catch ({ code }) { console.log(code); }`;
    expect(runIn('operator', '/usr/bin/node', '-e', takes).stdout).toBe('false 65532 65532\nEROFS\n');
  });

  it('the operator watches when it is told nothing, and loads what it needs for that', () => {
    const { status, stderr, stdout } = runIn('operator', '/manager', '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/watch/);
    expect(runIn('operator', '/manager', 'crd').stdout).toContain('kind: CustomResourceDefinition');
    // Without a cluster: whichever it is, it says what it looks for.
    const { stderr: said } = runIn('operator', '/manager', '--kubeconfig', '/nowhere');
    expect(said).toMatch(/\/nowhere/);
  });

  it('the test performer listens, and drains at SIGTERM', () => {
    const { stdout } = runIn(
      'test-performer',
      '/usr/bin/node',
      '-e',
      `
      const child = require('node:child_process').spawn('/performer', { env: { LAG_MS: '0', GRPC_PORT: '0' }, stdio: ['inherit', 'pipe', 'inherit'] });
      child.stdout.on('data', (text) => { process.stdout.write(text); if (/listening/.test(text)) child.kill('SIGTERM'); });
      child.on('exit', (code) => console.log('exit', code));`,
    );
    expect(stdout).toMatch(/"kind":"listening"/);
    expect(stdout).toMatch(/"phase":"ended"[\s\S]*exit 0\n$/);
  });

  it('k6 runs a script in TypeScript', () => {
    const script = `export default function (): void { const greeting: string = 'hello'; console.log(greeting); }`;
    const args = ['run', '--quiet', '--no-usage-report', '--summary-mode=disabled', '-'];
    expect(runIn('k6', '/usr/bin/k6', 'version').stdout).toContain(`k6 v${readVersions().k6}`);
    const run = runWith(script, 'k6', ['/usr/bin/k6', ...args]);
    expect({ status: run.status, said: run.stderr + run.stdout }).toMatchObject({
      status: 0,
      said: expect.stringContaining('hello') as string,
    });
  });

  it.each(readdirSync(join(projectRoot, 'k6/scenarios')))('k6 loads its scenario %s', (name) => {
    const env = ['--env=KUBE_SERVER=https://a:1', '--env=TARGET=a:1'];
    const { status, stdout, stderr } = runIn('k6', '/usr/bin/k6', 'inspect', ...env, `/hourglass/k6/scenarios/${name}`);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toContain('"scenarios"');
  });
});

/** Our own look at what an entry point is made of. */
async function bundleApart(entry: string): Promise<Metafile> {
  const options = { bundle: true, write: false, metafile: true, platform: 'node', format: 'esm', outdir: 'x', splitting: true } as const;
  const external = ['@kubernetes/client-node'];
  return (await build({ ...options, external, absWorkingDir: projectRoot, entryPoints: [entry], logLevel: 'silent' })).metafile;
}

function packagesIn(inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>): readonly string[] {
  const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const dirs = used.flatMap(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return dirs.map((dir) => {
    const { name, version } = JSON.parse(readFileSync(join(projectRoot, dir, 'package.json'), 'utf8')) as { name: string; version: string };
    return `${name}@${version}`;
  });
}
