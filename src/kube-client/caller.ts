import { KubeFault, type KubeFaultCode } from '../kube/faults.ts';
import type { CallOptions } from '../kube/port.ts';
import { type Deadline, sleep, startDeadline } from '../lib/clock.ts';
import { BodyError, parseBody, readText } from './body.ts';
import type { KubeClientOptions } from './client.ts';
import type { ClusterConfig, RequestHeaders } from './cluster-config.ts';
import type { Connector } from './connect.ts';
import { connectionText } from './connection-text.ts';
import { type Doing, faultOfAnswer } from './error-map.ts';
import { RetryBudget, retryWaitMs } from './retry.ts';
import type { ServerClock } from './server-clock.ts';
import { type Lane, type Transport, type TransportAnswer, TransportError, type TransportRequest, unlessAborted } from './transport.ts';

const defaultTimeoutMs = 30_000;
/** An answer that is an error says so in far less. */
const maxErrorBytes = 1024 * 1024;
/** How often a call is sent at most; a watch less often, since its reader has a back-off of its own. */
const callTries = 4;
const watchTries = 2;
const unfitForHeader = /[^\t\x20-\x7e\x80-\xff]/;

export interface Request {
  readonly method: TransportRequest['method'];
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly lane?: Lane;
}

/** What ends a call: its deadline, its caller's signal, or the client being closed. */
export interface Scope extends Deadline {
  readonly doing: Doing;
}

export interface CallerParts
  extends Pick<KubeClientOptions, 'clock' | 'userAgent'>,
    Required<Pick<KubeClientOptions, 'warn' | 'random' | 'onRetry' | 'onAnswer'>> {
  readonly config: ClusterConfig;
  readonly transport: Transport;
  readonly connector: Connector;
  readonly serverClock: ServerClock;
}

/** Sends requests as somebody, within a deadline, again where that is safe and the budget allows it, and turns whatever goes wrong into a `KubeFault`. */
export class Caller {
  readonly #parts: CallerParts;
  readonly #prefix: string;
  readonly #open = new Set<Deadline>();
  readonly #warned = new Set<string>();
  readonly #budget = new RetryBudget();
  #closed = false;

  constructor(parts: CallerParts) {
    this.#parts = parts;
    this.#prefix = new URL(parts.config.server).pathname.replace(/\/+$/, '');
  }

  /** Runs `work` in a scope; every error of it becomes the fault that fits. */
  async run<T>(doing: Doing, options: CallOptions, work: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = this.openScope(doing, options);
    try {
      return await work(scope);
    } catch (error) {
      throw this.faultOf(error, scope);
    } finally {
      scope.clear();
    }
  }

  openScope(doing: Doing, options: CallOptions): Scope {
    const deadline = startDeadline(this.#parts.clock, options.timeoutMs ?? defaultTimeoutMs, options.signal);
    if (this.#closed) deadline.abort();
    this.#open.add(deadline);
    const clear = (): void => {
      deadline.clear();
      this.#open.delete(deadline);
    };
    return { ...deadline, clear, doing };
  }

  /** The JSON of a successful answer. */
  exchange(scope: Scope, request: Request, maxBytes: number): Promise<unknown> {
    return this.#repeat(scope, callTries, async () => parseBody(await readText(await this.#exchangeHeads(scope, request), maxBytes)));
  }

  /** A successful answer whose body is still to be read. */
  open(scope: Scope, request: Request): Promise<TransportAnswer> {
    return this.#repeat(scope, watchTries, () => this.#exchangeHeads(scope, request));
  }

  /** The fault that a caller of the port sees for what was thrown in `scope`. */
  faultOf(error: unknown, scope: Scope): KubeFault {
    if (error instanceof KubeFault) return error;
    const { text, write } = scope.doing;
    const fault = (code: KubeFaultCode, why: string): KubeFault => new KubeFault(code, `${text}: ${why}`, { cause: error });
    const mayHave = 'it may or may not have happened';
    const sent = error instanceof TransportError ? error.sent : error instanceof BodyError;
    if (scope.signal.aborted) {
      if (!scope.expired()) return fault('aborted', this.#closed ? 'the client was closed' : 'aborted by the caller');
      if (write && sent) return fault('unknownOutcome', `no answer before the deadline; ${mayHave}`);
      return fault('timeout', `${sent ? 'no answer' : `no connection to ${this.#parts.config.server}`} before the deadline`);
    }
    if (error instanceof TransportError) {
      if (sent && write) return fault('unknownOutcome', `the connection ended before an answer; ${mayHave}`);
      return fault('unreachable', `cannot reach ${connectionText(this.#parts.config, error.cause ?? error)}`);
    }
    if (error instanceof BodyError && error.cut && write) return fault('unknownOutcome', `the answer broke off; ${mayHave}`);
    return fault('unreadable', error instanceof Error ? error.message : 'failed');
  }

  /** Ends all that is under way and lets nothing new begin. */
  close(): void {
    this.#closed = true;
    for (const deadline of this.#open) deadline.abort();
    this.#parts.transport.close();
  }

  async #repeat<T>(scope: Scope, tries: number, work: () => Promise<T>): Promise<T> {
    const { clock, random, onRetry } = this.#parts;
    for (let failures = 1; ; failures += 1) {
      try {
        const result = await work();
        this.#budget.succeeded();
        return result;
      } catch (error) {
        if (failures === tries || scope.signal.aborted) throw error;
        const waitMs = retryWaitMs(error, scope.doing.write, failures, random());
        if (waitMs === undefined || waitMs >= scope.leftMs() || !this.#budget.take()) throw error;
        onRetry(this.faultOf(error, scope), waitMs);
        if (waitMs > 0) await sleep(clock, waitMs, scope.signal);
      }
    }
  }

  async #exchangeHeads(scope: Scope, request: Request): Promise<TransportAnswer> {
    const headers = await this.#identity(scope, false);
    const answer = await this.#send(scope, request, headers);
    if (answer.status !== 401) return this.#checked(scope, answer);
    // Tokens and certificates are replaced while we run. A refused request was not carried out, so a write may go again as well.
    try {
      const { connector, transport } = this.#parts;
      const renewed = await this.#identity(scope, true);
      const shown = await unlessAborted(
        connector.readShown().catch(() => answer.shown),
        scope.signal,
      );
      const same = answer.shown === '' || answer.shown === shown;
      if (same && JSON.stringify(renewed) === JSON.stringify(headers)) return await this.#checked(scope, answer);
      if (!same) transport.renew(shown);
      return await this.#checked(scope, await this.#send(scope, request, renewed));
    } finally {
      // Unread, it would hold its connection.
      answer.body.destroy();
    }
  }

  async #identity(scope: Scope, renew: boolean): Promise<RequestHeaders> {
    try {
      const headers = await unlessAborted(this.#parts.config.headers(renew), scope.signal);
      const unfit = Object.keys(headers).find((name) => unfitForHeader.test([headers[name]].flat().join('')));
      if (unfit !== undefined) throw new Error(`the ${unfit} header would hold a line end or another character that none may; mend it`);
      return headers;
    } catch (error) {
      if (error instanceof TransportError) throw error;
      const text = error instanceof Error ? error.message : 'failed';
      throw new KubeFault('unauthorized', `${scope.doing.text}: getting credentials of ${this.#parts.config.source}: ${text}`, {
        cause: error,
      });
    }
  }

  async #send(scope: Scope, request: Request, identity: RequestHeaders): Promise<TransportAnswer> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const outgoing: TransportRequest = {
      method: request.method,
      path: this.#prefix + request.path,
      headers: {
        ...identity,
        accept: 'application/json',
        'user-agent': this.#parts.userAgent,
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      body,
      lane: request.lane ?? 'call',
      signal: scope.signal,
    };
    const { transport, onAnswer } = this.#parts;
    const answer = await transport.send(outgoing).catch((error: unknown) => {
      onAnswer(request.method, '<error>');
      throw error;
    });
    onAnswer(request.method, String(answer.status));
    this.#parts.serverClock.observe(answer.headers.date);
    this.#passWarnings(answer.headers.warning);
    return answer;
  }

  async #checked(scope: Scope, answer: TransportAnswer): Promise<TransportAnswer> {
    if (answer.status >= 200 && answer.status < 300) return answer;
    let body = '';
    try {
      body = await readText(answer, maxErrorBytes);
    } catch (error) {
      // The status alone says enough, unless it is us who ended the call.
      if (scope.signal.aborted) throw error;
    }
    const failed = { status: answer.status, retryAfter: answer.headers['retry-after'], body };
    throw faultOfAnswer(scope.doing, failed, this.#parts.serverClock.nowMs());
  }

  /** Each text once: the API server repeats a warning with every request it is about. */
  #passWarnings(header: string | readonly string[] | undefined): void {
    if (header === undefined) return;
    const text = typeof header === 'string' ? header : header.join(', ');
    for (const [, quoted] of text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      const message = (quoted ?? '').replace(/\\(.)/g, '$1');
      if (this.#warned.has(message) || this.#warned.size >= 100) continue;
      this.#warned.add(message);
      this.#parts.warn(message);
    }
  }
}
