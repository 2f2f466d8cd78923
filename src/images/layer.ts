import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';

/** A file, a folder or a symbolic link of a layer. Its time is 0 (1970); owner and group are root unless told. */
export type LayerEntry = {
  /** From the root of the image, without a leading slash: `usr/bin/node`. Folders above it need no entry: they get root and 0755. */
  readonly path: string;
  readonly uid?: number;
  readonly gid?: number;
} & (
  | { readonly content: string | Uint8Array /** 0644 unless told. */; readonly mode?: number }
  | { /** A file of this machine. */ readonly source: string; readonly mode?: number }
  | { readonly folder: true /** 0755 unless told. */; readonly mode?: number }
  | { readonly linkTo: string }
);

/** A layer that lies on the disk, compressed. */
export interface Layer {
  readonly file: string;
  /** `sha256:…` of the file. */
  readonly digest: string;
  /** `sha256:…` of the tar in it: the same whatever compressed it. */
  readonly diffId: string;
  /** Of the file. */
  readonly bytes: number;
  /** Of the tar in it. */
  readonly unpackedBytes: number;
}

/** Time of everything in an image: the same contents are to be the same bytes. */
export const imageTime = new Date(0);

/**
 * Writes a layer as a gzipped tar. The same entries, in whatever order, give the same tar; one zlib gives the same file of it.
 *
 * @throws RangeError for a path that is absolute, climbs, or comes twice, and for a mode with setuid or setgid: bugs of a caller
 */
export async function writeLayer(file: string, entries: readonly LayerEntry[]): Promise<Layer> {
  const tar = pack();
  const [diffId, digest] = [tally(), tally()];
  // The best zlib can do: made once, sent often.
  const gzip = createGzip({ level: 9 });
  await Promise.all([
    fill(
      tar,
      withFolders(entries).map((entry) => () => addEntry(tar, entry)),
    ),
    pipeline(tar as unknown as AsyncIterable<Uint8Array>, diffId.through, gzip, digest.through, createWriteStream(file)),
  ]);
  return { file, digest: digest.digest(), diffId: diffId.digest(), bytes: digest.bytes(), unpackedBytes: diffId.bytes() };
}

/** Puts one file into a tar, and waits until it is in. */
export async function addFile(
  tar: Pack,
  entry: { readonly path: string; readonly mode?: number; readonly uid?: number; readonly gid?: number },
  content: string | Uint8Array | { readonly source: string },
): Promise<void> {
  const { path: name, mode = 0o644, uid = 0, gid = 0 } = entry;
  const header = { name, mode, uid, gid, mtime: imageTime, type: 'file' as const };
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (typeof content === 'string' || content instanceof Uint8Array) tar.entry(header, Buffer.from(content), done);
    else
      stat(content.source).then(({ size }) => {
        const sink = tar.entry({ ...header, size }, done) as unknown as NodeJS.WritableStream;
        pipeline(createReadStream(content.source), sink).catch(reject);
      }, reject);
  });
}

/** Puts one thing after the other into a tar, and ends it; one that fails ends it for its reader as well. */
export async function fill(tar: Pack, steps: readonly (() => Promise<void> | void)[]): Promise<void> {
  try {
    for (const step of steps) await step();
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    throw error;
  }
}

function addEntry(tar: Pack, entry: LayerEntry): Promise<void> | void {
  if ('content' in entry) return addFile(tar, entry, entry.content);
  if ('source' in entry) return addFile(tar, entry, entry);
  const { path: name, uid = 0, gid = 0 } = entry;
  const kind =
    'linkTo' in entry
      ? { type: 'symlink' as const, linkname: entry.linkTo, mode: 0o777 }
      : { type: 'directory' as const, mode: entry.mode ?? 0o755 };
  tar.entry({ name, uid, gid, mtime: imageTime, ...kind });
}

/** The entries and the folders above them, a folder before what is in it. Pure. */
function withFolders(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const byPath = new Map<string, LayerEntry>();
  for (const entry of entries) {
    const { path } = entry;
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
      throw new RangeError(`a path in a layer is relative and plain, got "${path}"`);
    }
    if (byPath.has(path)) throw new RangeError(`two entries of a layer are "${path}"`);
    if ('mode' in entry && ((entry.mode ?? 0) & ~0o1777) !== 0)
      throw new RangeError(`"${path}" would run as somebody else: setuid or setgid`);
    byPath.set(path, entry);
  }
  for (const { path } of entries)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (!byPath.has(folder)) byPath.set(folder, { path: folder, folder: true });
    }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Counts and hashes what flows through. */
function tally(): {
  through: (chunks: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;
  digest: () => string;
  bytes: () => number;
} {
  const hash: Hash = createHash('sha256');
  let bytes = 0;
  const through = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  return { through, digest: () => `sha256:${hash.digest('hex')}`, bytes: () => bytes };
}
