import { BodyError } from './body.ts';

const newline = 0x0a;

/**
 * The lines of a byte stream, without their ends; empty ones are left out. Splits bytes, not text, so that a character may be cut anywhere.
 *
 * @throws BodyError when a line grows past `maxBytes`, or the stream ends inside one
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  const keep = (piece: Buffer): void => {
    begunBytes += piece.length;
    if (begunBytes > maxBytes) throw new BodyError(`one event is larger than ${Math.floor(maxBytes / 1024)} KiB`, { cut: false });
    if (piece.length > 0) begun.push(piece);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      keep(chunk.subarray(from, end));
      from = end + 1;
      const bytes = begun.length === 1 ? begun[0] : Buffer.concat(begun, begunBytes);
      const line = bytes?.toString('utf8').trim() ?? '';
      begun = [];
      begunBytes = 0;
      if (line !== '') yield line;
    }
    keep(chunk.subarray(from));
  }
  if (begunBytes > 0) throw new BodyError('the stream ended inside an event', { cut: true });
}
