import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { type Fault, lengthOf, variantOf } from './faults.ts';
import type { FrontConnection } from './front.ts';
import type { RequestInfo } from './request-info.ts';

const pieceBytes = 256;

/** One request and its answer, on its way through the proxy. */
export class Exchange {
  readonly info: RequestInfo;
  readonly connection: FrontConnection | undefined;
  /** Aborts when the client has left, or all was sent. */
  readonly signal: AbortSignal;
  readonly #response: Http2ServerResponse;
  readonly #h2: boolean;
  readonly #end = new AbortController();
  #silent = false;

  constructor(info: RequestInfo, response: Http2ServerResponse, connection: FrontConnection | undefined) {
    this.info = info;
    this.connection = connection;
    this.signal = this.#end.signal;
    this.#response = response;
    this.#h2 = connection?.session !== undefined;
    // A client that leaves half-way is part of the game.
    response.on('error', () => {});
    response.once('close', () => this.#end.abort());
  }

  head(status: number, headers: Readonly<Record<string, string | string[]>>): void {
    if (this.signal.aborted || this.#response.headersSent) return;
    this.#response.writeHead(status, headers);
    // HTTP/1.1 waits for a first byte otherwise.
    if (this.#response instanceof ServerResponse) this.#response.flushHeaders();
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#silent || this.signal.aborted || this.#response.write(chunk)) return;
    await once(this.#response, 'drain', { signal: this.signal }).catch(() => undefined);
  }

  /** In pieces, `ms` apart. */
  async writeSlowly(bytes: Buffer, ms: number): Promise<void> {
    for (let from = 0; from < bytes.length && !this.signal.aborted; from += pieceBytes) {
      await this.write(bytes.subarray(from, from + pieceBytes));
      await wait(ms);
    }
  }

  end(text = ''): void {
    if (this.#silent) return;
    // What would still come is dropped: an end is an end, not a broken stream.
    this.#silent = true;
    this.#response.end(text);
  }

  /** RST of the stream alone; HTTP/1.1 has only the connection. */
  reset(): void {
    if (this.#h2) this.#response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.connection?.reset();
  }

  /** Ends the answer half-way, with what was written so far; HTTP/1.1 ends the connection. */
  cut(): void {
    if (this.#h2) this.reset();
    else this.#response.destroy();
  }

  /** What a client sees when the API server behind the proxy fails. */
  breakOff(): void {
    if (this.#response.headersSent) this.cut();
    else this.fail(502, 'BadGateway');
  }

  /** Answers with a `Status` of the API server's shape. */
  fail(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): void {
    this.head(code, { 'content-type': 'application/json', ...headers });
    this.end(JSON.stringify(statusObject(code, reason)));
  }

  /** Plays a fault on the exchange as it stands. @returns whether it needs no answer any more */
  strike(fault: Fault): boolean {
    const variant = variantOf(fault);
    switch (fault.name) {
      case 'reset':
        if (variant === 'stream') this.reset();
        else this.connection?.reset();
        return true;
      case 'half-open':
        if (variant === 'connection') this.connection?.freeze();
        else this.#silent = true;
        return variant !== 'stream';
      case 'silent-stream':
        this.#silent = true;
        return false;
      case 'throttle': {
        const seconds = String(Math.ceil(lengthOf(fault) / 1_000));
        this.fail(429, 'TooManyRequests', variant === 'bare' ? {} : { 'retry-after': seconds });
        return true;
      }
      case 'error-before':
        this.fail(Number(variant), variant === '503' ? 'ServiceUnavailable' : 'InternalError');
        return true;
      case 'expired':
        if (variant === 'status' && !this.#response.headersSent) this.fail(410, 'Expired');
        else {
          this.head(200, { 'content-type': 'application/json' });
          this.end(`${JSON.stringify({ type: 'ERROR', object: statusObject(410, 'Expired') })}\n`);
        }
        return true;
      case 'goaway':
        return this.#goAway(variant);
      case 'close-stream-after': {
        const timer = setTimeout(() => this.end(), lengthOf(fault));
        this.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
        return false;
      }
      default:
        return false;
    }
  }

  #goAway(variant: string): boolean {
    const session = this.connection?.session;
    if (variant === 'graceful' && session === undefined && !this.#response.headersSent) {
      this.#response.setHeader('connection', 'close');
      return false;
    }
    this.connection?.goAway(variant !== 'abrupt');
    // Looked at by nobody: the client may send it again, whatever it is. After the GOAWAY, or it would be sent here again.
    if (variant === 'refusing' && session !== undefined && !this.#response.headersSent) {
      this.#response.stream.close(constants.NGHTTP2_REFUSED_STREAM);
    }
    return variant !== 'graceful';
  }
}

/** What an API server answers when it fails. Pure. */
function statusObject(code: number, reason: string): object {
  const message = code === 410 ? 'too old resource version: the fault proxy forgot it' : `the fault proxy answers ${code}`;
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}
