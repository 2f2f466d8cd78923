import { once } from 'node:events';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { makeCertificates } from '../../src/testbed/certificates.ts';
import { describeRequest } from '../../src/testbed/fault-proxy/rule-book.ts';
import { buildKubeconfig } from '../../src/testbed/kubeconfig.ts';
import type { ObjectTexts } from './object-texts.ts';
import type { Plural } from './settled.ts';

const kinds: Readonly<Record<Plural, readonly [apiVersion: string, kind: string]>> = {
  performers: ['hourglass.eigenlayer.io/v1alpha1', 'Performer'],
  pods: ['v1', 'Pod'],
  services: ['v1', 'Service'],
};
const isKnown = (plural: string): plural is Plural => Object.hasOwn(kinds, plural);
type Fields = Readonly<Record<string, unknown>>;
type Stored = Fields & { readonly metadata: Fields; readonly spec?: Fields };
const chunkObjects = 128;
const bookmarkMs = 30_000;

/** Told of each write: which Performer it is about, and when it came. */
export type OnWrite = (what: string, index: number, atMs: number) => void;

/** An API server of nothing but the three kinds, over HTTP/2 and TLS, with as many settled Performers as one likes; it writes down who writes. */
export class ManyObjects {
  readonly #texts: ObjectTexts;
  readonly #onWrite: OnWrite;
  readonly #watches = new Map<string, Set<Http2ServerResponse>>();
  /** Performers that are not as they were recorded. */
  readonly #changed = new Map<number, Stored>();
  #version = 1_000_000;

  constructor(texts: ObjectTexts, onWrite: OnWrite) {
    this.#texts = texts;
    this.#onWrite = onWrite;
  }

  /** Listens on loopback. @returns a kubeconfig that reaches it, and how it ends */
  async listen(): Promise<{ readonly kubeconfig: string; close(): void }> {
    const { authority, apiServer, clients } = await makeCertificates(Date.now());
    const server = createSecureServer({ cert: apiServer.certificate, key: apiServer.privateKey }, (request, response) => {
      // A client that leaves is none of our business.
      response.on('error', () => undefined);
      this.#answer(request, response).catch(() => response.end());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const close = (): void => {
      for (const response of [...this.#watches.values()].flatMap((all) => [...all])) response.end();
      server.close();
    };
    return { kubeconfig: buildKubeconfig('scale', `https://127.0.0.1:${port}`, authority, clients.admin), close };
  }

  /** Gives a Performer a new image. */
  change(index: number, image: string): void {
    const { metadata, spec, ...rest } = this.#stored('performers', index);
    this.#version += 1;
    const next = { ...metadata, generation: Number(metadata.generation) + 1, resourceVersion: String(this.#version) };
    const object = { ...rest, metadata: next, spec: { ...spec, image } };
    this.#changed.set(index, object);
    const event = `${JSON.stringify({ type: 'MODIFIED', object })}\n`;
    for (const watch of this.#watches.get('performers') ?? []) watch.write(event);
  }

  #stored(resource: string, index: number): Stored {
    const changed = resource === 'performers' ? this.#changed.get(index) : undefined;
    if (changed !== undefined) return changed;
    return isKnown(resource) ? (JSON.parse(this.#texts.text(resource, index)) as Stored) : { metadata: {} };
  }

  async #answer(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const { verb, resource, path } = describeRequest(request.method, request.url);
    const [route = '', query = ''] = path.split('?', 2);
    const asked = new URLSearchParams(query);
    response.setHeader('content-type', 'application/json');
    if (verb === 'watch') return this.#watch(resource, asked, response);
    if (verb === 'list') return this.#list(resource, asked, response);
    const index = this.#texts.indexOf(route);
    if (verb === 'get') {
      const isThere = isKnown(resource) && index < this.#texts.count;
      if (isThere) response.end(JSON.stringify(this.#stored(resource, index)));
      else {
        response.statusCode = 404;
        const details = { kind: resource, name: route.slice(route.lastIndexOf('/') + 1) };
        response.end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'NotFound', message: 'not found', details, code: 404 }));
      }
      return;
    }
    const atMs = performance.now();
    const body = JSON.parse((await text(request)) || '{}') as Partial<Stored>;
    const about = Number.isNaN(index) ? this.#texts.indexOf(JSON.stringify(body)) : index;
    if (resource !== 'events') this.#onWrite(`${verb} ${resource}`, about, atMs);
    this.#version += 1;
    const now = { resourceVersion: String(this.#version) };
    const stored = this.#stored(resource, about);
    const object: Stored =
      verb === 'create'
        ? { ...body, metadata: { ...body.metadata, ...now, uid: crypto.randomUUID() } }
        : { ...stored, ...body, metadata: { ...stored.metadata, ...now } };
    if (resource === 'performers') this.#changed.set(about, object);
    response.statusCode = verb === 'create' ? 201 : 200;
    response.end(JSON.stringify(object));
  }

  async #watch(resource: string, asked: URLSearchParams, response: Http2ServerResponse): Promise<void> {
    const [apiVersion = 'v1', kind = 'Node'] = isKnown(resource) ? kinds[resource] : [];
    const bookmark = (annotations: object): void => {
      const object = { apiVersion, kind, metadata: { resourceVersion: String(this.#version), annotations } };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    };
    response.writeHead(200);
    if (asked.get('sendInitialEvents') === 'true') {
      await this.#sendAll(resource, 0, this.#texts.count, response, (object) => `{"type":"ADDED","object":${object}}\n`);
      bookmark({ 'k8s.io/initial-events-end': 'true' });
    }
    const watches = this.#watches.get(resource) ?? new Set();
    this.#watches.set(resource, watches.add(response));
    const timer = setInterval(bookmark, bookmarkMs, {});
    response.once('close', () => {
      clearInterval(timer);
      watches.delete(response);
    });
  }

  async #list(resource: string, asked: URLSearchParams, response: Http2ServerResponse): Promise<void> {
    const [apiVersion = 'v1', kind = 'Node'] = isKnown(resource) ? kinds[resource] : [];
    // Selectors that name a Performer, or one of its children, are the only ones that leave something out.
    const only = this.#texts.indexOf(`${asked.get('labelSelector') ?? ''} ${asked.get('fieldSelector') ?? ''}`);
    const isOne = !Number.isNaN(only);
    const count = !isKnown(resource) ? 0 : isOne ? only + 1 : this.#texts.count;
    const from = isOne ? only : Number(asked.get('continue') ?? 0);
    const to = Math.min(count, from + Number(asked.get('limit') ?? count));
    const metadata = { resourceVersion: String(this.#version), ...(to < count ? { continue: String(to) } : {}) };
    response.write(`{"apiVersion":"${apiVersion}","kind":"${kind}List","metadata":${JSON.stringify(metadata)},"items":[`);
    await this.#sendAll(resource, from, to, response, (object, index) => `${index === from ? '' : ','}${object}`);
    response.end(']}');
  }

  /** As fast as the client takes it. */
  async #sendAll(
    resource: string,
    from: number,
    to: number,
    response: Http2ServerResponse,
    frame: (object: string, index: number) => string,
  ): Promise<void> {
    if (!isKnown(resource)) return;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    for (let next = from; next < to && !gone.signal.aborted; next += chunkObjects) {
      const indexes = Array.from({ length: Math.min(chunkObjects, to - next) }, (_, at) => next + at);
      const chunk = indexes.map((index) => frame(this.#texts.text(resource, index), index)).join('');
      if (!response.write(chunk)) await once(response, 'drain', gone).catch(() => undefined);
    }
  }
}
