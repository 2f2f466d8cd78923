import { KubeFault } from '../kube/faults.ts';
import type { Clock } from '../lib/clock.ts';
import { BodyError, parseBody, readText } from './body.ts';
import type { ClusterConfig, RequestHeaders } from './cluster-config.ts';
import { connectionText } from './connection-text.ts';
import { type Doing, faultOfAnswer } from './error-map.ts';
import type { ServerClock } from './server-clock.ts';
import { type Lane, type Transport, type TransportAnswer, TransportError, type TransportRequest, unlessAborted } from './transport.ts';

const defaultTimeoutMs = 30_000;
/** An answer that is an error says so in far less. */
const maxErrorBytes = 1024 * 1024;

export interface Request {
  readonly method: TransportRequest['method'];
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly lane?: Lane;
}

/** What ends a call: its deadline, its caller's signal, or the client being closed. */
export interface Scope {
  readonly doing: Doing;
  readonly signal: AbortSignal;
  readonly expired: () => boolean;
  /** From here on only the caller's signal and closing the client end it: the answer has begun, and may last. */
  readonly withoutDeadline: () => void;
  readonly end: () => void;
}

export interface CallerParts {
  readonly config: ClusterConfig;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly userAgent: string;
  readonly warn: (message: string) => void;
}

/** Sends requests as somebody, within a deadline, and turns whatever goes wrong into a `KubeFault`. */
export class Caller {
  readonly #parts: CallerParts;
  readonly #open = new Set<AbortController>();
  readonly #warned = new Set<string>();
  #closed = false;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** Runs `work` in a scope; every error of it becomes the fault that fits. */
  async run<T>(
    doing: Doing,
    options: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
    work: (scope: Scope) => Promise<T>,
  ): Promise<T> {
    const scope = this.openScope(doing, options);
    try {
      return await work(scope);
    } catch (error) {
      throw this.faultOf(error, scope);
    } finally {
      scope.end();
    }
  }

  openScope(doing: Doing, options: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Scope {
    const controller = new AbortController();
    let expired = false;
    const cancel = this.#parts.clock.timer(options.timeoutMs ?? defaultTimeoutMs, () => {
      expired = true;
      controller.abort();
    });
    const onAbort = (): void => controller.abort();
    if (this.#closed || options.signal?.aborted === true) onAbort();
    else options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(controller);
    return {
      doing,
      signal: controller.signal,
      expired: () => expired,
      withoutDeadline: cancel,
      end: () => {
        cancel();
        options.signal?.removeEventListener('abort', onAbort);
        this.#open.delete(controller);
      },
    };
  }

  /** The JSON of a successful answer. */
  async exchange(scope: Scope, request: Request, maxBytes: number): Promise<unknown> {
    return parseBody(await readText(await this.open(scope, request), maxBytes));
  }

  /** A successful answer whose body is still to be read. */
  async open(scope: Scope, request: Request): Promise<TransportAnswer> {
    const headers = await this.#identity(scope, false);
    const answer = await this.#send(scope, request, headers);
    if (answer.status !== 401) return this.#checked(scope, answer);
    // Tokens are replaced while we run. A refused request was not carried out, so a write may go again as well.
    const renewed = await this.#identity(scope, true);
    if (JSON.stringify(renewed) === JSON.stringify(headers)) return this.#checked(scope, answer);
    answer.body.destroy();
    return this.#checked(scope, await this.#send(scope, request, renewed));
  }

  /** The fault that a caller of the port sees for what was thrown in `scope`. */
  faultOf(error: unknown, scope: Scope): KubeFault {
    if (error instanceof KubeFault) return error;
    const { doing } = scope;
    const sent = error instanceof TransportError ? error.sent : error instanceof BodyError;
    if (scope.signal.aborted) return this.#abortedFault(scope, sent, error);
    if (error instanceof TransportError) {
      if (error.sent && doing.write) {
        const text = `the connection ended before an answer; it may or may not have happened`;
        return new KubeFault('unknownOutcome', `${doing.text}: ${text}`, { cause: error });
      }
      return new KubeFault('unreachable', `${doing.text}: cannot reach ${connectionText(this.#parts.config, error.cause ?? error)}`, {
        cause: error,
      });
    }
    if (error instanceof BodyError) {
      if (error.cut && doing.write) {
        return new KubeFault('unknownOutcome', `${doing.text}: the answer broke off; it may or may not have happened`, { cause: error });
      }
      return new KubeFault('unreadable', `${doing.text}: ${error.message}`, { cause: error });
    }
    return new KubeFault('unreadable', `${doing.text}: ${error instanceof Error ? error.message : 'failed'}`, { cause: error });
  }

  /** Ends all that is under way and lets nothing new begin. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) controller.abort();
    this.#parts.transport.close();
  }

  #abortedFault(scope: Scope, sent: boolean, cause: unknown): KubeFault {
    const { text, write } = scope.doing;
    if (!scope.expired())
      return new KubeFault('aborted', `${text}: ${this.#closed ? 'the client was closed' : 'aborted by the caller'}`, { cause });
    if (write && sent)
      return new KubeFault('unknownOutcome', `${text}: no answer before the deadline; it may or may not have happened`, { cause });
    return new KubeFault(
      'timeout',
      `${text}: ${sent ? 'no answer' : `no connection to ${this.#parts.config.server}`} before the deadline`,
      { cause },
    );
  }

  async #identity(scope: Scope, renew: boolean): Promise<RequestHeaders> {
    try {
      return await unlessAborted(this.#parts.config.headers(renew), scope.signal);
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
      path: this.#prefix() + request.path,
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
    const answer = await this.#sendOnceOrTwice(outgoing);
    this.#parts.serverClock.observe(answer.headers.date);
    this.#passWarnings(answer.headers.warning);
    return answer;
  }

  /** A read whose connection turned out to be dead goes again on a new one, once; a write never, unless the server refused to look at it. */
  async #sendOnceOrTwice(request: TransportRequest): Promise<TransportAnswer> {
    try {
      return await this.#parts.transport.send(request);
    } catch (error) {
      const dead = error instanceof TransportError && error.stage === 'broken';
      if (request.method !== 'GET' || !dead || request.signal.aborted) throw error;
      return this.#parts.transport.send(request);
    }
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

  #prefix(): string {
    return new URL(this.#parts.config.server).pathname.replace(/\/+$/, '');
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
