import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { Agent } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/clock.ts';
import { type KeyPair, makeCertificates } from '../certificates.ts';
import { buildKubeconfig } from '../kubeconfig.ts';
import type { NetworkPlace } from '../listen-in-network.ts';
import { Exchange } from './exchange.ts';
import { type Fault, kindOf, lengthOf, type Rule, variantOf } from './faults.ts';
import { Front, type FrontConnection } from './front.ts';
import { describeRequest, type OnFault, RuleBook } from './rule-book.ts';
import { askTarget, type ProxyTarget, passOn } from './upstream.ts';

export interface FaultProxyOptions {
  readonly target: ProxyTarget;
  /** Of every chance that is taken. */
  readonly seed: number;
  readonly rules?: readonly Rule[];
  /** Default: any that is free. */
  readonly port?: number;
  /** Where it listens; on 127.0.0.1 unless told. */
  readonly place?: NetworkPlace;
  /** Its serving certificate, with the authority that signed it; one of its own unless told. */
  readonly identity?: KeyPair & { readonly authority: string };
  /** What clients are offered; default both. */
  readonly protocol?: 'h2' | 'http/1.1' | 'both';
  readonly onFault?: OnFault;
}

export interface Injection extends Omit<Rule, 'fault'> {
  /** How long the fault stays. Without it and without `times` it strikes once: what is open, or else the next to come; `refuse` stays until ended. */
  readonly durationMs?: number;
}

export type FaultProxyStats = ReturnType<FaultProxy['stats']>;

/**
 * Starts an HTTPS reverse proxy in front of an API server that does to its clients what networks, load balancers and API servers do at their worst.
 *
 * @throws TestbedError when it cannot listen
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const [ours, foreign] = await Promise.all([makeCertificates(systemClock.nowMs()), makeCertificates(systemClock.nowMs())]);
  const { authority, ...identity } = options.identity ?? { authority: ours.authority, ...ours.apiServer };
  const proxy = new FaultProxy(options, authority, ours.clients.admin);
  await proxy.listen([identity, foreign.apiServer]);
  return proxy;
}

export class FaultProxy {
  /** The authority of its serving certificate. */
  readonly caPem: string;
  readonly #client: KeyPair;
  readonly #options: FaultProxyOptions;
  readonly #book: RuleBook;
  /** As many connections as there are requests: none of them can hold up another. */
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 32 });
  readonly #front: Front;
  readonly #open = new Set<Exchange>();
  #servers: readonly Http2SecureServer[] = [];
  /** Of the servers, while they are open. */
  readonly #sockets = new Set<Socket>();
  #requests = 0;
  #streams = 0;

  /** @param client a certificate for kubeconfigs; kubectl asks its user for a password where there is none, the proxy asks for nothing */
  constructor(options: FaultProxyOptions, caPem: string, client: KeyPair) {
    this.caPem = caPem;
    this.#client = client;
    this.#options = options;
    this.#book = new RuleBook(options.seed, systemClock, options.onFault);
    this.#front = new Front(options.port ?? 0, () => this.#admit(), options.place);
  }

  /** @param identities the certificate that clients trust, and one that they do not */
  async listen(identities: readonly KeyPair[]): Promise<void> {
    this.#servers = await Promise.all(identities.map((identity) => this.#serveTls(identity)));
    await this.#front.setListening(true);
    this.setRules(this.#options.rules ?? []);
  }

  get url(): string {
    return `https://${this.#front.address}:${this.#front.port}`;
  }

  /** For clients; its certificate opens nothing: the proxy has the credentials of its target. */
  kubeconfig(): string {
    return buildKubeconfig('fault-proxy', this.url, this.caPem, this.#client);
  }

  writeKubeconfig(path: string): Promise<void> {
    return writeFile(path, this.kubeconfig(), { mode: 0o600 });
  }

  /** From now on, for what comes; injected faults stay. */
  setRules(rules: readonly Rule[]): void {
    this.#book.set(rules);
    this.#syncListener();
  }

  /** Lets a fault strike what is open now and fits, and what comes while it lasts. The returned function ends it. */
  inject(fault: Fault, { durationMs, ...limits }: Injection = {}): () => void {
    const rule: Rule = { ...(durationMs === undefined ? { times: 1 } : {}), ...limits, fault };
    const end = this.#book.inject(rule, durationMs, () => this.#syncListener());
    if (kindOf(fault.name).open === true) this.#strikeOpen(rule);
    this.#syncListener();
    return end;
  }

  /** What came and what is open; streams are the watches among the requests. */
  stats() {
    return {
      connections: this.#front.accepted,
      openConnections: this.#front.connections.size,
      requests: this.#requests,
      streams: this.#streams,
      openStreams: [...this.#open].filter(({ info }) => info.watch).length,
      faults: { ...this.#book.counts },
    };
  }

  async close(): Promise<void> {
    await this.#front.close();
    this.#agent.destroy();
    // A session that was told to go away may wait for ever for what its client left unfinished.
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }

  #admit(): number | undefined {
    const faults = this.#book.draw('accept');
    const server = this.#servers[faults.length === 0 ? 0 : 1];
    return server === undefined || faults.some(({ name }) => name === 'half-open') ? undefined : (server.address() as AddressInfo).port;
  }

  async #serveTls({ certificate, privateKey }: KeyPair): Promise<Http2SecureServer> {
    const { protocol } = this.#options;
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
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session) => {
      const connection = this.#front.find(session.socket);
      if (connection !== undefined) connection.session = session;
      session.on('error', () => {});
    });
    // Clients that break off are daily bread here.
    for (const event of ['sessionError', 'tlsClientError']) server.on(event, () => {});
    await once(server.listen(0, '127.0.0.1'), 'listening');
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
      if (!exchange.signal.aborted) exchange.cut();
    }
  }

  async #serve(exchange: Exchange, request: Http2ServerRequest): Promise<void> {
    const { info, signal } = exchange;
    const faults = this.#book.draw('request', info);
    for (const fault of faults) if (fault.name === 'delay') await wait(lengthOf(fault), undefined, { signal });
    for (const fault of faults) if (exchange.strike(fault)) return;
    const { method, path } = info;
    const asked = { method, path, headers: request.headers, body: await buffer(request), agent: this.#agent, signal };
    const answer = await askTarget(this.#options.target, asked);

    const after = faults.find(({ name }) => name === 'error-after');
    if (after !== undefined) {
      if (!info.watch) await buffer(answer);
      answer.destroy();
      if (variantOf(after) === 'reset') exchange.reset();
      else exchange.fail(Number(variantOf(after)));
      return;
    }

    const status = answer.statusCode ?? 502;
    const headers = passOn(answer.headers);
    const { 'content-length': _, ...unmeasured } = headers;
    if (info.watch && status === 200 && (answer.headers['content-type'] ?? '').startsWith('application/json')) {
      exchange.head(status, unmeasured);
      return exchange.passEvents(answer, () => this.#book.draw('event', info));
    }
    if (faults.some(({ name }) => kindOf(name).at === 'event')) {
      exchange.head(status, unmeasured);
      if (!(await exchange.passSpoilt(await buffer(answer), faults))) return;
    } else {
      exchange.head(status, headers);
      for await (const chunk of answer) await exchange.write(chunk as Buffer);
    }
    exchange.end();
  }

  #strikeOpen(rule: Rule): void {
    const { fault } = rule;
    const ofConnection = fault.name === 'goaway' || variantOf(fault) === 'connection';
    const struck = new Set<FrontConnection | undefined>();
    for (const exchange of this.#open) {
      if ((ofConnection && struck.has(exchange.connection)) || !this.#book.strikes(rule, exchange.info)) continue;
      struck.add(exchange.connection);
      exchange.strike(fault);
    }
    if (!ofConnection || rule.match !== undefined) return;
    for (const connection of this.#front.connections) {
      if (!struck.has(connection) && this.#book.strikes(rule, undefined)) connection.strike(fault);
    }
  }

  #syncListener(): void {
    void this.#front.setListening(this.#book.refusing() === undefined);
  }
}
