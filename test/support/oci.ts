import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readTar, type TarFile } from '../../scripts/images/read-tar.ts';

export interface Descriptor {
  readonly digest: string;
  readonly size: number;
}
export interface OpenedImage {
  readonly described: Descriptor & { readonly platform: object; readonly annotations: Readonly<Record<string, string>> };
  readonly config: {
    readonly architecture: string;
    readonly config: { readonly Entrypoint: readonly string[]; readonly User?: string; readonly Labels?: Readonly<Record<string, string>> };
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  /** As tars, from the bottom up. */
  readonly layers: readonly Buffer[];
  /** What `docker load` reads. */
  readonly docker: { readonly Config: string; readonly RepoTags: readonly string[]; readonly Layers: readonly string[] };
  /** What is in the archive. */
  readonly files: ReadonlySet<string>;
}

/** Opens an archive the way an OCI client does. @throws Error for a digest or a size that is not true, or a blob that is missing */
export async function openImage(file: string): Promise<OpenedImage> {
  const files = new Map((await readTar(readFileSync(file))).map(({ name, content }) => [name, content]));
  const blob = ({ digest, size }: Descriptor): Buffer => {
    const content = files.get(`blobs/${digest.replace(':', '/')}`);
    if (content === undefined) throw new Error(`there is no blob ${digest}`);
    if (sha256(content) !== digest || content.length !== size) throw new Error(`the blob ${digest} (${size} bytes) is something else`);
    return content;
  };
  const parse = (content: Buffer | undefined): never => JSON.parse(String(content)) as never;
  const layout: object = parse(files.get('oci-layout'));
  if (JSON.stringify(layout) !== '{"imageLayoutVersion":"1.0.0"}') throw new Error(`the layout is ${JSON.stringify(layout)}`);
  const { manifests }: { manifests: [OpenedImage['described']] } = parse(files.get('index.json'));
  const manifest: { config: Descriptor; layers: readonly Descriptor[] } = parse(blob(manifests[0]));
  const [docker]: [OpenedImage['docker']] = parse(files.get('manifest.json'));
  const layers = manifest.layers.map((layer) => gunzipSync(blob(layer)));
  return { described: manifests[0], config: parse(blob(manifest.config)), layers, docker, files: new Set(files.keys()) };
}

export const sha256 = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** All that is in an image. */
export async function imageFiles({ layers }: OpenedImage): Promise<readonly TarFile[]> {
  return (await Promise.all(layers.map((layer) => readTar(layer)))).flat();
}

/** Unpacks an image to run it by chroot: root only. Removed by `rm`. */
export function unpackImage({ layers }: OpenedImage): { readonly dir: string; readonly rm: () => void } {
  const scratch = mkdtempSync(join(tmpdir(), 'hourglass-rootfs-'));
  const dir = join(scratch, 'root');
  mkdirSync(dir, { mode: 0o755 });
  for (const [index, layer] of layers.entries()) {
    const tar = join(scratch, `${index}.tar`);
    writeFileSync(tar, layer);
    execFileSync('tar', ['-xpf', tar, '--same-owner', '-C', dir]);
    rmSync(tar);
  }
  return { dir, rm: () => rmSync(scratch, { recursive: true, force: true }) };
}
