import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { addFile, fill, imageTime, type Layer, type LayerEntry, writeLayer } from './layer.ts';

export interface Image {
  /** Under which it is known after the import: `registry.example.com/hourglass-operator:0.1.0`. */
  readonly name: string;
  readonly architecture: 'amd64' | 'arm64';
  /** From the bottom up; what is written already is taken as it is. */
  readonly layers: readonly (readonly LayerEntry[] | Layer)[];
  readonly entrypoint: readonly string[];
  readonly cmd?: readonly string[];
  /** `65532:65532`; root unless told. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ImageArchive {
  /** `sha256:…` of the manifest: what `NAME@DIGEST` names once it is pushed. */
  readonly digest: string;
  /** Of the archive. */
  readonly bytes: number;
  /** Of the layers, unpacked. */
  readonly unpackedBytes: number;
  /** From the bottom up. */
  readonly layers: readonly Omit<Layer, 'file'>[];
}

const ociTypes = 'application/vnd.oci.image';

/**
 * Writes a Linux image as one archive that is an OCI layout (`ctr -n k8s.io images import`, `skopeo copy oci-archive:`, `podman load`)
 * and what `docker load` takes. The same image gives the same bytes. The file appears whole or not at all.
 *
 * @throws RangeError for a name without a tag, and as `writeLayer` does
 */
export async function writeImageArchive(path: string, image: Image): Promise<ImageArchive> {
  const tag = /:([\w.-]+)$/.exec(image.name)?.[1];
  if (tag === undefined) throw new RangeError(`an image is named with its tag, got "${image.name}"`);
  await mkdir(dirname(path), { recursive: true });
  const draft = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  try {
    const layers: Layer[] = [];
    for (const [index, layer] of image.layers.entries()) {
      layers.push('digest' in layer ? layer : await writeLayer(join(draft, `layer-${index}`), layer));
    }
    const platform = { architecture: image.architecture, os: 'linux' };
    const config = blobOf({ ...platform, created: imageTime.toISOString(), config: runConfig(image), ...rootfs(layers) });
    const manifest = blobOf({
      schemaVersion: 2,
      mediaType: `${ociTypes}.manifest.v1+json`,
      config: { mediaType: `${ociTypes}.config.v1+json`, digest: config.digest, size: config.text.length },
      layers: layers.map(({ digest, bytes }) => ({ mediaType: `${ociTypes}.layer.v1.tar+gzip`, digest, size: bytes })),
    });
    const index = {
      schemaVersion: 2,
      mediaType: `${ociTypes}.index.v1+json`,
      manifests: [
        {
          mediaType: `${ociTypes}.manifest.v1+json`,
          digest: manifest.digest,
          size: manifest.text.length,
          platform,
          annotations: { 'io.containerd.image.name': image.name, 'org.opencontainers.image.ref.name': tag },
        },
      ],
    };
    const docker = [{ Config: blobPath(config.digest), RepoTags: [image.name], Layers: layers.map(({ digest }) => blobPath(digest)) }];
    const files = new Map<string, Uint8Array | { readonly source: string }>([
      ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
      ['index.json', json(index)],
      ['manifest.json', json(docker)],
      [blobPath(config.digest), config.text],
      [blobPath(manifest.digest), manifest.text],
      ...layers.map(({ digest, file }) => [blobPath(digest), { source: file }] as const),
    ]);
    const tar = pack();
    const written = pipeline(tar as unknown as AsyncIterable<Uint8Array>, createWriteStream(join(draft, 'archive')));
    await Promise.all([
      fill(
        tar,
        [...files].map(
          ([file, content]) =>
            () =>
              addFile(tar, { path: file }, content),
        ),
      ),
      written,
    ]);
    const { size: bytes } = await stat(join(draft, 'archive'));
    await rename(join(draft, 'archive'), path);
    const unpackedBytes = layers.reduce((sum, layer) => sum + layer.unpackedBytes, 0);
    const facts = layers.map(({ digest, diffId, ...layer }) => ({
      digest,
      diffId,
      bytes: layer.bytes,
      unpackedBytes: layer.unpackedBytes,
    }));
    return { digest: manifest.digest, bytes, unpackedBytes, layers: facts };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function runConfig({ entrypoint, cmd, user, env, workingDir, labels }: Image): object {
  return {
    Entrypoint: entrypoint,
    ...(cmd === undefined ? {} : { Cmd: cmd }),
    ...(user === undefined ? {} : { User: user }),
    ...(env === undefined ? {} : { Env: sorted(env).map(([name, value]) => `${name}=${value}`) }),
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    ...(labels === undefined ? {} : { Labels: Object.fromEntries(sorted(labels)) }),
  };
}

function rootfs(layers: readonly Layer[]): object {
  return {
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: imageTime.toISOString(), created_by: 'npm run image' })),
  };
}

const sorted = (record: Readonly<Record<string, string>>): readonly [string, string][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

function blobOf(value: unknown): { readonly text: Buffer; readonly digest: string } {
  const text = json(value);
  return { text, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}
