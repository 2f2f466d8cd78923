import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { splitLines } from '../../kube-client/body.ts';
import { type Fault, lengthOf, variantOf } from './faults.ts';
import type { FrontConnection } from './front.ts';
import type { RequestInfo } from './rule-book.ts';

/** As much as an event may have; larger ones end the stream. */
const maxEventBytes = 64 * 1024 * 1024;
/** How many events back a replayed one may lie. */
const remembered = 8;
const flushMs = 10;
const pieceBytes = 256;
const notJson = '{"type":"MODIFIED","object":{"metadata":]}\n';

/** What an API server that fails gives as the reason. */
const reasons: Readonly<Record<number, string>> = {
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** One request and its answer, on its way through the proxy. */
export class Exchange {
  readonly info: RequestInfo;
  readonly connection: FrontConnection | undefined;
  /** Aborts when the client has left, or all was sent. */
  readonly signal: AbortSignal;
  readonly #response: Http2ServerResponse;
  readonly #h1: ServerResponse | undefined;
  #silent = false;

  constructor(info: RequestInfo, response: Http2ServerResponse, connection: FrontConnection | undefined) {
    const end = new AbortController();
    this.info = info;
    this.connection = connection;
    this.signal = end.signal;
    this.#response = response;
    this.#h1 = response instanceof ServerResponse ? response : undefined;
    // A client that leaves half-way is part of the game.
    response.on('error', () => {});
    response.once('close', () => end.abort());
  }

  head(status: number, headers: Readonly<Record<string, string | string[]>>): void {
    if (this.signal.aborted || this.#response.headersSent) return;
    this.#response.writeHead(status, headers);
    // HTTP/1.1 waits for a first byte otherwise.
    this.#h1?.flushHeaders();
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#silent || this.signal.aborted || this.#response.write(chunk)) return;
    await once(this.#response, 'drain', { signal: this.signal }).catch(() => undefined);
  }

  /** What would still come is dropped: an end is an end, not a broken stream. */
  end(text = ''): void {
    if (!this.#silent) this.#response.end(text);
    this.#silent = true;
  }

  /** RST of the stream alone; HTTP/1.1 has only the connection. */
  reset(): void {
    if (this.#h1 === undefined) this.#response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.connection?.reset();
  }

  /** Ends an answer half-way, with what was written so far, as when the API server behind fails; 502 where none has begun. */
  cut(): void {
    if (!this.#response.headersSent) this.fail(502);
    // With its connection.
    else if (this.#h1 !== undefined) this.#h1.destroy();
    else this.reset();
  }

  /** Answers with a `Status` of the API server's shape. */
  fail(code: number, headers: Readonly<Record<string, string>> = {}): void {
    this.head(code, { 'content-type': 'application/json', ...headers });
    this.end(statusText(code));
  }

  /** Plays a fault on the exchange as it stands. @returns whether it needs no answer any more */
  strike(fault: Fault): boolean {
    const variant = variantOf(fault);
    switch (fault.name) {
      case 'reset':
        if (variant === 'stream') this.reset();
        else this.connection?.strike(fault);
        return true;
      case 'half-open':
        if (variant === 'connection') this.connection?.strike(fault);
        else this.#silent = true;
        return variant !== 'stream';
      case 'silent-stream':
        this.#silent = true;
        return false;
      case 'throttle':
        this.fail(429, variant === 'bare' ? {} : { 'retry-after': String(Math.ceil(lengthOf(fault) / 1_000)) });
        return true;
      case 'error-before':
        this.fail(Number(variant));
        return true;
      case 'expired':
        if (variant === 'event' || this.#response.headersSent) {
          this.head(200, { 'content-type': 'application/json' });
          this.end(`{"type":"ERROR","object":${statusText(410)}}\n`);
        } else this.fail(410);
        return true;
      case 'goaway': {
        const unanswered = !this.#response.headersSent;
        if (variant === 'graceful' && this.#h1 !== undefined && unanswered) this.#h1.setHeader('connection', 'close');
        else this.connection?.strike(fault);
        // Looked at by nobody: the client may send it again, whatever it is. After the GOAWAY, or it would be sent here again.
        if (variant === 'refusing' && this.#h1 === undefined && unanswered) this.#response.stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return variant !== 'graceful';
      }
      case 'close-stream-after':
        wait(lengthOf(fault), undefined, { signal: this.signal }).then(
          () => this.end(),
          () => undefined,
        );
        return false;
      default:
        return false;
    }
  }

  /**
   * Passes the events of a watch on, as `draw` says for each; bookmarks are left alone.
   *
   * @throws when the stream from the API server breaks off
   */
  async passEvents(body: AsyncIterable<Buffer>, draw: () => readonly Fault[]): Promise<void> {
    const past: Buffer[] = [];
    for await (const text of splitLines(body, maxEventBytes)) {
      const line = Buffer.from(`${text}\n`);
      const faults = text.startsWith('{"type":"BOOKMARK"') ? [] : draw();
      if (!(await this.passSpoilt(line, faults, past))) return;
      past.push(line);
      if (past.length > remembered) past.shift();
    }
    this.end();
  }

  /**
   * Passes an event, or the body of another answer, on as faults leave it.
   *
   * @param past the events before it: one of the same object comes again
   * @returns false when the answer has ended with it
   */
  async passSpoilt(whole: Buffer, faults: readonly Fault[], past: readonly Buffer[] = []): Promise<boolean> {
    const find = (name: Fault['name']): Fault | undefined => faults.find((fault) => fault.name === name);
    const late = find('late-event');
    if (late !== undefined && variantOf(late) === 'lag') await wait(lengthOf(late));
    const cut = find('truncated-body');
    if (cut !== undefined) {
      await this.write(whole.subarray(0, whole.length / 2));
      // Until it is out: RST overtakes what is still in a buffer.
      await wait(flushMs);
      if (variantOf(cut) === 'end') this.end();
      else this.cut();
      return false;
    }
    const slow = find('slow-bytes');
    const sent = find('bad-json') === undefined ? whole : Buffer.from(notJson);
    const step = slow === undefined ? sent.length : pieceBytes;
    for (let from = 0; from < sent.length && !this.signal.aborted; from += step) {
      await this.write(sent.subarray(from, from + step));
      if (slow !== undefined) await wait(lengthOf(slow));
    }
    if (find('duplicate-event') !== undefined) await this.write(sent);
    if (late !== undefined && variantOf(late) === 'replay')
      await this.write(past.find((old) => uidOf(old) === uidOf(whole)) ?? past[0] ?? whole);
    return true;
  }
}

/** The first uid in an event is its object's own. */
function uidOf(line: Buffer): string | undefined {
  return /"uid":"([^"]+)"/.exec(line.toString('latin1'))?.[1];
}

function statusText(code: number): string {
  const message = code === 410 ? 'too old resource version: the fault proxy forgot it' : `the fault proxy answers ${code}`;
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: reasons[code], code });
}
