import { Readable } from 'node:stream';
import { extract } from 'tar-stream';

export interface TarFile {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  readonly linkname: string;
  readonly content: Buffer;
}

/** All that a tar holds, in its order. */
export async function readTar(tar: Buffer): Promise<readonly TarFile[]> {
  const files: TarFile[] = [];
  const reader = extract();
  Readable.from([tar]).pipe(reader as unknown as NodeJS.WritableStream);
  for await (const entry of reader) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    const { name, type, mode, uid, gid, mtime, linkname } = entry.header;
    files.push({ name, type, mode, uid, gid, mtimeMs: mtime.getTime(), linkname, content: Buffer.concat(chunks) });
  }
  return files;
}
