import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { type KeyPair, makeCertificates } from '../certificates.ts';
import { buildKubeconfig } from '../kubeconfig.ts';
import { Exchange } from './exchange.ts';
import { type Fault, type FaultName, lengthOf, type Rule, variantOf } from './faults.ts';
import { Front, type FrontConnection } from './front.ts';
import { describeRequest, type RequestInfo } from './request-info.ts';
import { RuleBook } from './rule-book.ts';
import { openUpstream, type ProxyTarget, passOn, type Upstream } from './upstream.ts';
import { collect, passEvents, passSpoilt, spoilsBody } from './watch-stream.ts';

export interface FaultProxyOptions {
  readonly target: ProxyTarget;
  /** Of every chance that is taken. */
  readonly seed: number;
  readonly rules?: readonly Rule[];
  /** Of the lengths of injected faults; default the machine's. */
  readonly clock?: Clock;
  /** Of 127.0.0.1; default: any that is free. */
  readonly port?: number;
  /** What clients are offered; default both. */
  readonly protocol?: 'h2' | 'http/1.1' | 'both';
  /** Told each fault that strikes: `delay/300ms`, and the request it strikes where there is one. */
  readonly onFault?: (fault: Fault, request: string | undefined) => void;
}

export interface Injection extends Omit<Rule, 'fault'> {
  /** How long the fault stays. Without it and without `times` it strikes once: what is open, or else the next to come; `refuse` stays until ended. */
  readonly durationMs?: number;
}

export interface FaultProxyStats {
  readonly connections: number;
  readonly openConnections: number;
  readonly requests: number;
  /** Watches among the requests. */
  readonly streams: number;
  readonly openStreams: number;
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
}

export interface FaultProxy {
  readonly url: string;
  /** The authority of its serving certificate. */
  readonly caPem: string;
  /** For clients; its certificate opens nothing: the proxy has the credentials of its target. */
  kubeconfig(): string;
  writeKubeconfig(path: string): Promise<void>;
  /** From now on, for what comes; injected faults stay. */
  setRules(rules: readonly Rule[]): void;
  /** Lets a fault strike what is open now and fits, and what comes while it lasts. The returned function ends it. */
  inject(fault: Fault, options?: Injection): () => void;
  stats(): FaultProxyStats;
  close(): Promise<void>;
}

/** Can befall what is open already. */
const strikesOpen: ReadonlySet<FaultName> = new Set(['reset', 'half-open', 'goaway', 'expired', 'silent-stream', 'close-stream-after']);

/**
 * Starts an HTTPS reverse proxy in front of an API server that does to its clients what networks, load balancers and API servers do at their worst.
 *
 * @throws TestbedError when it cannot listen
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { clock = systemClock } = options;
  const [ours, foreign] = await Promise.all([makeCertificates(clock.nowMs()), makeCertificates(clock.nowMs())]);
  const proxy = new RunningProxy(options, ours.authority, ours.clients.admin);
  await proxy.listen([ours.apiServer, foreign.apiServer]);
  return proxy;
}

class RunningProxy implements FaultProxy {
  readonly caPem: string;
  readonly #client: KeyPair;
  readonly #options: FaultProxyOptions;
  readonly #book: RuleBook;
  readonly #upstream: Upstream;
  readonly #front: Front;
  readonly #open = new Set<Exchange>();
  readonly #sockets = new Set<Socket>();
  #servers: readonly Http2SecureServer[] = [];
  #requests = 0;
  #streams = 0;
  #refusing = false;

  /** @param client a certificate for kubeconfigs; kubectl asks its user for a password where there is none, the proxy asks for nothing */
  constructor(options: FaultProxyOptions, caPem: string, client: KeyPair) {
    const { clock = systemClock, seed, target, port = 0 } = options;
    this.caPem = caPem;
    this.#client = client;
    this.#options = options;
    this.#book = new RuleBook(seed, clock);
    this.#upstream = openUpstream(target);
    this.#front = new Front(port, () => this.#admit());
  }

  /** @param identities the certificate that clients trust, and one that they do not */
  async listen(identities: readonly KeyPair[]): Promise<void> {
    this.#servers = await Promise.all(identities.map((identity) => this.#serveTls(identity)));
    await this.#front.setListening(true);
    this.setRules(this.#options.rules ?? []);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#front.port}`;
  }

  kubeconfig(): string {
    return buildKubeconfig('fault-proxy', this.url, this.caPem, this.#client);
  }

  writeKubeconfig(path: string): Promise<void> {
    return writeFile(path, this.kubeconfig(), { mode: 0o600 });
  }

  setRules(rules: readonly Rule[]): void {
    this.#book.set(rules);
    this.#syncListener();
  }

  inject(fault: Fault, { durationMs, ...limits }: Injection = {}): () => void {
    const rule: Rule = { ...(durationMs === undefined ? { times: 1 } : {}), ...limits, fault };
    const end = this.#book.inject(rule, durationMs, () => this.#syncListener());
    if (strikesOpen.has(fault.name)) this.#strikeOpen(rule);
    this.#syncListener();
    return end;
  }

  stats(): FaultProxyStats {
    return {
      connections: this.#front.accepted,
      openConnections: this.#front.connections.length,
      requests: this.#requests,
      streams: this.#streams,
      openStreams: [...this.#open].filter(({ info }) => info.watch).length,
      faults: this.#book.counts(),
    };
  }

  async close(): Promise<void> {
    await this.#front.close();
    this.#upstream.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  #admit(): number | undefined {
    const faults = this.#draw('accept');
    const server = this.#servers[faults.length === 0 ? 0 : 1];
    return server === undefined || faults.some(({ name }) => name === 'half-open') ? undefined : (server.address() as AddressInfo).port;
  }

  async #serveTls({ certificate, privateKey }: KeyPair): Promise<Http2SecureServer> {
    const { protocol = 'both' } = this.#options;
    const server = createSecureServer(
      {
        cert: certificate,
        key: privateKey,
        allowHTTP1: protocol !== 'h2',
        // Node sets `ALPNProtocols` itself, to HTTP/2 first.
        ...(protocol === 'http/1.1' ? { ALPNCallback: () => 'http/1.1' } : {}),
        settings: { maxConcurrentStreams: 100 },
        maxSessionMemory: 1_024,
      },
      (request, response) => void this.#handle(request, response),
    );
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session) => {
      const connection = this.#front.find(session.socket);
      if (connection !== undefined) connection.session = session;
      session.on('error', () => {});
    });
    // Clients that break off are daily bread here.
    for (const event of ['sessionError', 'tlsClientError']) server.on(event, () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  async #handle(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const info = describeRequest(request.method, request.url);
    const exchange = new Exchange(info, response, this.#front.find(request.socket));
    request.on('error', () => {});
    this.#requests += 1;
    if (info.watch) this.#streams += 1;
    this.#open.add(exchange);
    exchange.signal.addEventListener('abort', () => this.#open.delete(exchange), { once: true });
    try {
      await this.#serve(exchange, request);
    } catch {
      // The API server failed, if it is not the client who left.
      if (!exchange.signal.aborted) exchange.breakOff();
    }
  }

  async #serve(exchange: Exchange, request: Http2ServerRequest): Promise<void> {
    const { info, signal } = exchange;
    const faults = this.#draw('request', info);
    for (const fault of faults) if (fault.name === 'delay') await wait(lengthOf(fault), undefined, { signal });
    for (const fault of faults) if (exchange.strike(fault)) return;
    const answer = await this.#upstream.send(info.method, info.path, request.headers, await collect(request), signal);

    const after = faults.find(({ name }) => name === 'error-after');
    if (after !== undefined) {
      if (!info.watch) await collect(answer);
      answer.destroy();
      if (variantOf(after) === 'reset') exchange.reset();
      else exchange.fail(Number(variantOf(after)), variantOf(after) === '504' ? 'Timeout' : 'InternalError');
      return;
    }

    const status = answer.statusCode ?? 502;
    const { 'content-length': _length, ...headers } = passOn(answer.headers);
    if (info.watch && status === 200 && (answer.headers['content-type'] ?? '').startsWith('application/json')) {
      exchange.head(status, headers);
      return passEvents(exchange, answer, () => this.#draw('event', info));
    }
    const spoilt = faults.filter(({ name }) => spoilsBody.has(name));
    exchange.head(status, spoilt.length === 0 ? passOn(answer.headers) : headers);
    if (spoilt.length > 0) return passSpoilt(exchange, await collect(answer), spoilt);
    for await (const chunk of answer) await exchange.write(chunk as Buffer);
    exchange.end();
  }

  #strikeOpen(rule: Rule): void {
    const { fault } = rule;
    const ofConnection = fault.name === 'goaway' || variantOf(fault) === 'connection';
    const struck = new Set<FrontConnection | undefined>();
    for (const exchange of this.#open) {
      if ((ofConnection && struck.has(exchange.connection)) || !this.#book.strikes(rule, exchange.info)) continue;
      struck.add(exchange.connection);
      this.#options.onFault?.(fault, requestText(exchange.info));
      exchange.strike(fault);
    }
    if (!ofConnection || rule.match !== undefined) return;
    for (const connection of this.#front.connections) {
      if (struck.has(connection) || !this.#book.strikes(rule, undefined)) continue;
      this.#options.onFault?.(fault, undefined);
      if (fault.name === 'goaway') connection.goAway(variantOf(fault) !== 'abrupt');
      else if (fault.name === 'reset') connection.reset();
      else connection.freeze();
    }
  }

  #draw(occasion: 'accept' | 'request' | 'event', info?: RequestInfo): readonly Fault[] {
    const faults = this.#book.draw(occasion, info);
    for (const fault of faults) this.#options.onFault?.(fault, info === undefined ? undefined : requestText(info));
    return faults;
  }

  #syncListener(): void {
    const refusing = this.#book.refusing();
    if (refusing !== undefined && !this.#refusing) {
      this.#book.count('refuse');
      this.#options.onFault?.(refusing, undefined);
    }
    this.#refusing = refusing !== undefined;
    void this.#front.setListening(!this.#refusing);
  }
}

function requestText({ method, path }: RequestInfo): string {
  return `${method} ${path}`;
}
