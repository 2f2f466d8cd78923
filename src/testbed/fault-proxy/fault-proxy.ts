import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { type KeyPair, makeCertificates } from '../certificates.ts';
import { Exchange } from './exchange.ts';
import { type Fault, type FaultName, lengthOf, type Rule, variantOf } from './faults.ts';
import { type Admission, Front, type FrontConnection } from './front.ts';
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
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: any that is free. */
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
  /** For clients; it holds no credentials: the proxy has those of its target. */
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
  const proxy = new RunningProxy(options, ours.authority);
  await proxy.listen([ours.apiServer, foreign.apiServer]);
  return proxy;
}

class RunningProxy implements FaultProxy {
  readonly caPem: string;
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

  constructor(options: FaultProxyOptions, caPem: string) {
    const { clock = systemClock, seed, target, host = '127.0.0.1', port = 0 } = options;
    this.caPem = caPem;
    this.#options = options;
    this.#book = new RuleBook(seed, clock);
    this.#upstream = openUpstream(target);
    this.#front = new Front(host, port, () => this.#admit());
  }

  /** @param identities the certificate that clients trust, and one that they do not */
  async listen(identities: readonly KeyPair[]): Promise<void> {
    this.#servers = await Promise.all(identities.map((identity) => this.#serveTls(identity)));
    await this.#front.setListening(true);
    this.setRules(this.#options.rules ?? []);
  }

  get url(): string {
    return `https://${this.#options.host ?? '127.0.0.1'}:${this.#front.port}`;
  }

  kubeconfig(): string {
    const name = 'fault-proxy';
    // The certificate is for loopback, wherever the proxy listens.
    const named = ['127.0.0.1', 'localhost'].includes(new URL(this.url).hostname) ? {} : { 'tls-server-name': 'localhost' };
    const authority = Buffer.from(this.caPem).toString('base64');
    return stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server: this.url, 'certificate-authority-data': authority, ...named } }],
      users: [{ name, user: {} }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    });
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

  #admit(): Admission {
    const faults = this.#draw('accept');
    if (faults.some(({ name }) => name === 'half-open')) return { kind: 'silent' };
    const server = this.#servers[faults.length === 0 ? 0 : 1];
    return { kind: 'pass', port: server === undefined ? 0 : portOf(server) };
  }

  async #serveTls({ certificate, privateKey }: KeyPair): Promise<Http2SecureServer> {
    const { protocol = 'both' } = this.#options;
    const server = createSecureServer(
      {
        cert: certificate,
        key: privateKey,
        allowHTTP1: protocol !== 'h2',
        ...(protocol === 'http/1.1' ? { ALPNProtocols: ['http/1.1'] } : {}),
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

function portOf(server: Http2SecureServer): number {
  return (server.address() as AddressInfo).port;
}

function requestText({ method, path }: RequestInfo): string {
  return `${method} ${path}`;
}
