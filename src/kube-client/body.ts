import type { TransportAnswer } from './transport.ts';

const newline = 0x0a;

/** A body that cannot be used. `cut`: it broke off, so that less came than was sent. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly cut: boolean;

  constructor(message: string, options: { readonly cut: boolean; readonly cause?: unknown }) {
    super(message, options);
    this.cut = options.cut;
  }
}

/** The pieces of a body as they arrive; reading pauses while the consumer is busy. @throws BodyError when it broke off */
export async function* bodyChunks(answer: TransportAnswer): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of answer.body) {
      if (chunk instanceof Buffer) yield chunk;
    }
  } catch (error) {
    throw new BodyError('the answer broke off', { cut: true, cause: error });
  }
  if (!answer.complete()) throw new BodyError('the answer broke off', { cut: true });
}

/** The whole body as text. @throws BodyError when it broke off or is larger than `maxBytes` */
export async function readText(answer: TransportAnswer, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyChunks(answer)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new BodyError(`the answer is larger than ${Math.floor(maxBytes / 1024)} KiB`, { cut: false });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}

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

/** @throws BodyError; its message holds nothing of the text, which may be secret */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyError('the answer is not JSON', { cut: false });
  }
}
