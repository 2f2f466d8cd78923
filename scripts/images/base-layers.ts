/** The layers under a program: users and folders; Debian's libraries; Node. They change with pins.json only. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Layer, type LayerEntry, writeLayer } from '../../src/images/layer.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { ensureDebian, ensureNode, imageCache, writeWhole } from './download.ts';
import { ImageError } from './image-error.ts';
import type { Architecture, DebianPackage, Pins } from './pins.ts';
import { readTar, type TarFile } from './read-tar.ts';

/** Whom programs run as; 65532 is what others call nonroot. */
export const user = '65532:65532';
const [uid, gid] = [65532, 65532];

/** What any program may look for, also a static one. */
export const rootEntries: readonly LayerEntry[] = [
  { path: 'etc/passwd', content: `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${uid}:${gid}:nonroot:/home/nonroot:/sbin/nologin\n` },
  { path: 'etc/group', content: `root:x:0:\nnonroot:x:${gid}:\n` },
  { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
  { path: 'home/nonroot', folder: true, mode: 0o700, uid, gid },
  { path: 'tmp', folder: true, mode: 0o1777 },
];

/** Users, folders and Debian's libraries, as a layer. */
export async function libraryLayer(architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<Layer> {
  return keptLayer({ what: 'libraries', architecture, ...pins.debian, rootEntries }, async () => {
    const files: LayerEntry[] = [];
    for (const one of pins.debian.packages) files.push(...(await unpackDebian(one, await ensureDebian(one, architecture, pins, report))));
    report.step(`Packing Debian's libraries for ${architecture}`);
    return [...rootEntries, ...files];
  });
}

/** Node as its makers published it, and its licences. */
export async function nodeLayer(architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<Layer> {
  return keptLayer({ what: 'node', architecture, ...pins.node }, async () => {
    const file = await ensureNode(architecture, pins, report);
    report.step(`Packing Node ${pins.node.version} for ${architecture} (once, about 15 s)`);
    const kept = ['package/bin/node', 'package/LICENSE'];
    const files = await readTar(createReadStream(file).pipe(createGunzip()), (name) => kept.includes(name));
    const [node, licence] = kept.map((name) => files.find((one) => one.name === name));
    if (node === undefined || licence === undefined) throw new ImageError(`${file} lacks ${kept.join(' or ')}`);
    return [
      { path: 'usr/bin/node', content: node.content, mode: 0o755 },
      { path: 'usr/share/doc/node/LICENSE', content: licence.content },
    ];
  });
}

/** Of a package: shared libraries, which system this is, licences, and its entry for whoever looks for known flaws; no programs, no scripts. */
const kept = [
  /^usr\/lib\/[^/]+-linux-gnu\/[^/]+\.so(?:\.[\d.]+)?$/,
  /^(?:usr\/)?lib(?:64)?(?:\/ld-linux[^/]+)?$/,
  /^(?:etc|usr\/lib)\/(?:os-release|debian_version)$/,
  /^usr\/share\/common-licenses\/[^/]+$/,
  /^usr\/share\/doc\/[^/]+(?:\/copyright)?$/,
];

async function unpackDebian({ name }: DebianPackage, file: string): Promise<readonly LayerEntry[]> {
  const tar = dpkgDeb(['--fsys-tarfile', file]);
  const entries = (await readTar(tar, (path) => kept.some((pattern) => pattern.test(path)))).flatMap(toEntry);
  const control: Buffer[] = [];
  for await (const chunk of dpkgDeb(['--field', file])) control.push(chunk as Buffer);
  return [...entries, { path: `var/lib/dpkg/status.d/${name}`, content: Buffer.concat(control) }];
}

function toEntry({ name: path, type, mode, content, linkname }: TarFile): readonly LayerEntry[] {
  if (type === 'symlink') return [{ path, linkTo: linkname }];
  return type === 'file' ? [{ path, content, mode }] : [];
}

function dpkgDeb(args: readonly string[]): Readable {
  const child: ChildProcessByStdio<null, Readable, null> = spawn('dpkg-deb', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.on('error', (error) => {
    const missing = 'dpkg-deb is missing, which unpacks Debian packages: install dpkg (macOS: brew install dpkg; Fedora: dnf install dpkg)';
    child.stdout.destroy(new ImageError('code' in error && error.code === 'ENOENT' ? missing : `dpkg-deb: ${error.message}`));
  });
  child.on('exit', (code) => {
    if (code !== 0) child.stdout.destroy(new ImageError(`dpkg-deb ${args.join(' ')} ended with exit code ${code}`));
  });
  return child.stdout;
}

/** A layer out of the cache, or made; what is in it must follow from `key`. */
export async function keptLayer(key: object, make: () => Promise<readonly LayerEntry[]>): Promise<Layer> {
  // Another zlib packs the same tar in another way.
  const hash = createHash('sha256').update(JSON.stringify([key, process.versions.zlib, process.arch, layerFormat]));
  const file = join(imageCache, `layer-${hash.digest('hex').slice(0, 24)}.tar.gz`);
  const facts = `${file}.json`;
  if (existsSync(facts) && existsSync(file)) {
    const layer = JSON.parse(await readFile(facts, 'utf8')) as Layer;
    if (
      layer.digest ===
      `sha256:${createHash('sha256')
        .update(await readFile(file))
        .digest('hex')}`
    )
      return { ...layer, file };
  }
  await mkdir(imageCache, { recursive: true });
  const draft = await mkdtemp(join(imageCache, '.layer-'));
  try {
    const layer = await writeLayer(join(draft, 'layer'), await make());
    await rename(layer.file, file);
    await writeWhole(facts, JSON.stringify({ ...layer, file: undefined }));
    return { ...layer, file };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Goes up whenever this code makes something else of the same pins. */
const layerFormat = 1;
