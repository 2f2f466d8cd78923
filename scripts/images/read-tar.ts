import { Readable } from 'node:stream';
import { extract } from 'tar-stream';

export interface TarFile {
  /** Without `./` before it. */
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  readonly linkname: string;
  readonly content: Buffer;
}

/** What a tar holds, in its order: all, or what `keep` names. */
export async function readTar(tar: Buffer | Readable, keep: (name: string) => boolean = () => true): Promise<readonly TarFile[]> {
  const files: TarFile[] = [];
  const reader = extract();
  const source = Buffer.isBuffer(tar) ? Readable.from([tar]) : tar;
  source.on('error', (error) => reader.destroy(error));
  source.pipe(reader as unknown as NodeJS.WritableStream);
  for await (const entry of reader) {
    const { name: path, type, mode, uid, gid, mtime, linkname } = entry.header;
    const name = path.replace(/^\.\//, '');
    const kept = keep(name);
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) if (kept) chunks.push(chunk as Uint8Array);
    if (kept) files.push({ name, type, mode, uid, gid, mtimeMs: mtime.getTime(), linkname, content: Buffer.concat(chunks) });
  }
  return files;
}
