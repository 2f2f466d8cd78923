import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeImageArchive } from '../../src/images/archive.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { user } from './base-layers.ts';
import { writeWhole } from './download.ts';
import type { Architecture, Pins } from './pins.ts';
import { type ProgramName, programs, root } from './programs.ts';
import { buildSbom } from './sbom.ts';

export interface ImageOptions {
  readonly out: string;
  readonly registry: string;
  /** The version of package.json unless told. */
  readonly tag?: string;
  /** Where the sources are published, for a label; none unless told. */
  readonly source?: string;
}

/** What `--json` prints of an image, and what lies beside its archive. */
export interface ImageFacts {
  readonly name: string;
  readonly architecture: Architecture;
  readonly file: string;
  /** Of the manifest. */
  readonly digest: string;
  /** Of the archive. */
  readonly sha256: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
  readonly layers: readonly { readonly what: string; readonly digest: string; readonly bytes: number; readonly unpackedBytes: number }[];
  /** Hash of all it was made from. */
  readonly from: string;
}

/**
 * Makes one image, unless what lies there was made from the same sources, pins and options.
 *
 * @returns its facts, and whether it was made now
 * @throws ImageError, TestbedError with what to do
 */
export async function makeImage(
  program: ProgramName,
  architecture: Architecture,
  options: ImageOptions,
  pins: Pins,
  report: ProgressReporter,
): Promise<{ readonly facts: ImageFacts; readonly made: boolean }> {
  const { version, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string; description: string };
  const tag = options.tag ?? (program === 'base' ? pins.node.version : version);
  const repository = `hourglass-${program}`;
  const name = `${options.registry}/${repository}:${tag}`;
  const revision = findRevision();
  const file = join(options.out, `${repository}-${architecture}.tar`);
  const from = hashOf([name, architecture, options.source, revision, pins, process.versions, process.arch, hashSources()]);
  const known = await readFacts(file);
  if (known?.from === from) return { facts: known, made: false };

  const { layers, entrypoint, software, licence, title, labels } = await programs[program](architecture, pins, report);
  report.step(`Writing ${name} for ${architecture}`);
  const self = { name: repository, version: tag, purl: `pkg:oci/${repository}?arch=${architecture}&tag=${tag}`, licence };
  const sbom = `${JSON.stringify(buildSbom(self, software), null, 1)}\n`;
  const paper = { path: `usr/share/doc/${repository}/sbom.spdx.json`, content: sbom };
  const filled = layers.map(({ entries }, index) => ('digest' in entries || index < layers.length - 1 ? entries : [...entries, paper]));
  const image = {
    name,
    architecture,
    layers: filled,
    entrypoint,
    user,
    env: { PATH: '/usr/bin' },
    labels: {
      ...labels,
      'org.opencontainers.image.title': title,
      'org.opencontainers.image.description': program === 'operator' ? description : title,
      'org.opencontainers.image.version': tag,
      'org.opencontainers.image.licenses': licence,
      ...(revision === undefined ? {} : { 'org.opencontainers.image.revision': revision }),
      ...(options.source === undefined ? {} : { 'org.opencontainers.image.source': options.source }),
    },
  };
  const archive = await writeImageArchive(file, image);
  const facts: ImageFacts = {
    name,
    architecture,
    file,
    ...archive,
    sha256: await sha256Of(file),
    layers: archive.layers.map(({ digest, bytes, unpackedBytes }, index) => ({
      what: layers[index]?.what ?? '',
      digest,
      bytes,
      unpackedBytes,
    })),
    from,
  };
  await writeWhole(`${file.replace(/\.tar$/, '')}.spdx.json`, sbom);
  await writeWhole(factsFile(file), `${JSON.stringify(facts, null, 2)}\n`);
  report.done(`${name} for ${architecture}`);
  return { facts, made: true };
}

const factsFile = (file: string): string => file.replace(/\.tar$/, '.json');

/** The facts of an archive that is still what it was. */
async function readFacts(file: string): Promise<ImageFacts | undefined> {
  if (!existsSync(file) || !existsSync(factsFile(file))) return undefined;
  const facts = JSON.parse(readFileSync(factsFile(file), 'utf8')) as ImageFacts;
  return facts.sha256 === (await sha256Of(file)) ? { ...facts, file } : undefined;
}

/** All that decides what an image holds. */
const sources = [
  'src',
  'test/performer',
  'k6',
  'proto',
  'tools/k6',
  'tools/versions.json',
  'scripts/build.ts',
  'scripts/images',
  'package.json',
  'package-lock.json',
  'LICENSE',
];

function hashSources(): string {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    const below = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
      : [];
    const files = below.length === 0 ? [path] : below.map(({ parentPath, name }) => join(parentPath, name));
    for (const file of files.sort()) hash.update(`\n${relative(root, file)}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** The commit this is, `-dirty` when files differ from it; undefined outside a repository. */
function findRevision(): string | undefined {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '-dirty'}`;
  } catch {
    return undefined;
  }
}
