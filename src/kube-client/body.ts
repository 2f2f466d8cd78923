import type { TransportAnswer } from './transport.ts';

/** A body that cannot be used. `cut`: it broke off, so that less came than was sent. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly cut: boolean;

  constructor(message: string, options: { readonly cut: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
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

/** @throws BodyError; its message holds nothing of the text, which may be secret */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyError('the answer is not JSON', { cut: false });
  }
}
