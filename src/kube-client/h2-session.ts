import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { pingEveryMs, startLiveness } from './liveness.ts';
import { type TransportAnswer, type TransportBody, TransportError, type TransportRequest } from './transport.ts';

/** More than this on one connection, and they start to wait for one another. */
const maxStreams = 100;
const streamWindowBytes = 4 * 1024 * 1024;
const sessionWindowBytes = 32 * 1024 * 1024;
/** Node refuses new streams above this; its default of 10 MB is less than one list of pods. */
const maxSessionMemoryMb = 1_024;

/** One HTTP/2 connection. Keeps the process alive, and is pinged, only while requests are under way. */
export class H2Session {
  /** Stands for the certificates it was made with. */
  readonly shown: string;
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  #streams = 0;
  #busyAtMs = Number.NEGATIVE_INFINITY;
  #usable = true;
  #death: Error | undefined;
  #stopLiveness: (() => void) | undefined;

  /** @param onUnusable called once, when no new request may go this way: closed, broken, or told to go away */
  constructor(server: string, socket: TLSSocket, shown: string, clock: Clock, onUnusable: () => void) {
    this.shown = shown;
    this.#socket = socket;
    this.#clock = clock;
    this.#session = connectHttp2(server, {
      createConnection: () => socket,
      maxSessionMemory: maxSessionMemoryMb,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    const retire = (): void => {
      if (!this.#usable) return;
      this.#usable = false;
      onUnusable();
    };
    this.#session.once('connect', () => {
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(sessionWindowBytes);
    });
    // After GOAWAY, Node lets the streams that were accepted finish and then closes the connection.
    this.#session.once('goaway', retire);
    this.#session.once('close', () => {
      this.#stopLiveness?.();
      retire();
    });
    this.#session.on('error', (error: Error) => {
      this.#death ??= error;
      retire();
    });
    this.#session.unref();
  }

  get usable(): boolean {
    return this.#usable && !this.#session.closed && !this.#session.destroyed;
  }

  /** How many requests may be under way at once. */
  get capacity(): number {
    const theirs = this.#session.remoteSettings?.maxConcurrentStreams ?? maxStreams;
    return Math.max(1, Math.min(maxStreams, theirs));
  }

  /** @param onDone called once when the request's stream has ended, in whatever way; also when it never opened */
  request(request: TransportRequest, onDone: () => void): Promise<TransportAnswer> {
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) {
        onDone();
        reject(new TransportError('aborted', 'aborted before it was sent'));
        return;
      }
      let stream: ClientHttp2Stream;
      try {
        stream = this.#session.request(
          // Node wants lists it may change, which it does not.
          { ...(request.headers as Record<string, string | string[]>), ':method': request.method, ':path': request.path },
          { endStream: request.body === undefined },
        );
      } catch (error) {
        onDone();
        reject(new TransportError('refused', 'the connection takes no more requests', { cause: error }));
        return;
      }
      this.#streamOpened();
      let failure: Error | undefined;
      let answered = false;
      let whole = false;
      const onAbort = (): void => {
        reject(new TransportError('aborted', 'aborted', { sent: true }));
        stream.close(constants.NGHTTP2_CANCEL);
        stream.destroy();
      };
      request.signal.addEventListener('abort', onAbort, { once: true });
      stream.on('error', (error: Error) => {
        failure ??= error;
      });
      // Decided once: what happens to the connection after the last byte does not matter to this answer.
      stream.once('end', () => {
        whole = failure === undefined && stream.rstCode === constants.NGHTTP2_NO_ERROR && this.#death === undefined;
      });
      stream.once('response', (headers) => {
        answered = true;
        const body = request.lane === 'call' ? readAhead(stream) : stream;
        resolve({ status: headers[':status'] ?? 0, headers, body, shown: this.shown, complete: () => whole });
      });
      stream.once('close', () => {
        request.signal.removeEventListener('abort', onAbort);
        this.#streamClosed();
        onDone();
        if (answered) return;
        const stage = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'refused' : 'broken';
        // Without effect when an abort came first.
        reject(new TransportError(stage, 'the connection ended before an answer', { cause: this.#death ?? failure }));
      });
      if (request.body !== undefined) stream.end(request.body);
    });
  }

  /** Ends the connection now, and every request on it. */
  destroy(reason: Error): void {
    this.#death ??= reason;
    this.#session.destroy(reason);
  }

  /** Ends the connection once nothing is under way. */
  close(): void {
    this.#session.close();
  }

  #streamOpened(): void {
    this.#streams += 1;
    if (this.#streams > 1) return;
    this.#session.ref();
    // One that was heard of just now need not be asked at once: calls one after the other cost no ping each.
    const firstPingMs = this.#clock.monotonicMs() - this.#busyAtMs < pingEveryMs ? pingEveryMs : 0;
    this.#stopLiveness = startLiveness(this.#clock, firstPingMs, {
      ping: (onAnswer) => this.#ping(onAnswer),
      bytesRead: () => this.#socket.bytesRead,
      onDead: () => this.destroy(new Error('the connection gives no sign of life')),
    });
  }

  #ping(onAnswer: () => void): boolean {
    if (this.#session.destroyed) return false;
    const onReply = (error: Error | null): void => {
      if (error === null) onAnswer();
    };
    // After GOAWAY Node sends no more pings, while accepted streams may go on for long; settings must be acknowledged just the same.
    if (this.#session.closed) this.#session.settings({}, onReply);
    else this.#session.ping(onReply);
    return true;
  }

  #streamClosed(): void {
    this.#streams -= 1;
    if (this.#streams > 0) return;
    this.#busyAtMs = this.#clock.monotonicMs();
    this.#stopLiveness?.();
    this.#stopLiveness = undefined;
    this.#session.unref();
  }
}

/**
 * The body, taken from the connection as it comes: a server that goes away closes the connection once it has sent all answers,
 * and Node drops what was received but not yet read. Nothing holds the server back: whoever makes a call reads its answer at once, and counts.
 */
function readAhead(stream: ClientHttp2Stream): TransportBody {
  const chunks: Buffer[] = [];
  let ended = false;
  let wake = (): void => {};
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    wake();
  });
  stream.once('end', () => {
    ended = true;
    wake();
  });
  stream.once('close', () => wake());
  const destroy = (): void => {
    if (!ended && !stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  };
  async function* read(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        while (chunks.length > 0) yield* chunks.splice(0);
        if (ended) return;
        if (stream.closed) throw new Error('the answer broke off');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      destroy();
    }
  }
  return { [Symbol.asyncIterator]: read, destroy };
}
