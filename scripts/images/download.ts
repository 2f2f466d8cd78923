import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { userCacheDir } from '../../src/testbed/user-cache.mjs';
import { ImageError } from './image-error.ts';
import { type Architecture, type DebianPackage, debianArchive, debianSnapshot, nodePackage, type Pins } from './pins.ts';

export const imageCache = join(userCacheDir(), 'images');

/** Path of a pinned Debian package, fetched on first need. @throws ImageError when nobody has it, or what they have is another file */
export async function ensureDebian(one: DebianPackage, architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<string> {
  const { path, sha256 } = one.files[architecture];
  return ensureFile(`${sha256.slice(0, 16)}-${basename(path)}`, { algorithm: 'sha256', digest: Buffer.from(sha256, 'hex') }, async () => {
    report.step(`Fetching ${basename(path)}`);
    const archive = path.startsWith('pool/updates/') ? 'debian-security' : 'debian';
    const urls = [`${debianArchive}/${archive}/${path}`, `${debianSnapshot}/${archive}/${pins.debian.snapshot}/${path}`];
    const said: string[] = [];
    for (const url of urls) {
      try {
        const answer = await fetch(url, { signal: AbortSignal.timeout(120_000) });
        if (answer.ok) return Buffer.from(await answer.arrayBuffer());
        said.push(`${url}: HTTP ${answer.status}`);
      } catch (error) {
        said.push(`${url}: ${reasonOf(error)}`);
      }
    }
    throw new ImageError(
      `fetching ${basename(path)}:\n  ${said.join('\n  ')}\nIs this version gone, take the newest: npm run image -- --update-base. ` +
        'Is there no way to Debian from here, name a mirror: DEBIAN_ARCHIVE=http://MIRROR (with NODE_USE_ENV_PROXY=1 a proxy is used); what it gives is checked.',
    );
  });
}

/** Path of the npm package with Node's binary, fetched by npm (so from wherever it is set up to) on first need. @throws ImageError as above */
export async function ensureNode(architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<string> {
  const { version, integrity } = pins.node;
  const name = `${nodePackage(architecture)}@${version}`;
  const [algorithm = '', digest = ''] = integrity[architecture].split(/-(.*)/);
  return ensureFile(`${name}.tgz`, { algorithm, digest: Buffer.from(digest, 'base64') }, async () => {
    report.step(`Fetching ${name} (50 MB)`);
    const dir = await mkdtemp(join(imageCache, '.npm-'));
    try {
      await promisify(execFile)('npm', ['pack', name, '--silent', '--pack-destination', dir], { cwd: dir });
      const [file = ''] = await readdir(dir);
      return await readFile(join(dir, file));
    } catch (error) {
      throw new ImageError(`npm pack ${name}: ${reasonOf(error)}\nnpm must reach its registry (npm ping); what it gives is checked.`);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
}

interface Expected {
  readonly algorithm: string;
  readonly digest: Buffer;
}

async function ensureFile(name: string, expected: Expected, fetchIt: () => Promise<Buffer>): Promise<string> {
  await mkdir(imageCache, { recursive: true });
  const file = join(imageCache, name);
  if (existsSync(file) && isExpected(await readFile(file), expected)) return file;
  const content = await fetchIt();
  if (!isExpected(content, expected))
    throw new ImageError(`${name}: what was fetched is not the file that pins.json names; nothing was made of it`);
  await writeWhole(file, content);
  return file;
}

function isExpected(content: Buffer, { algorithm, digest }: Expected): boolean {
  return createHash(algorithm).update(content).digest().equals(digest);
}

/** Writes a file that appears whole or not at all, also when several do it at once. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, content);
  await rename(draft, file);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message.trim();
}
