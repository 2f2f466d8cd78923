import http, { type RefinedResponse } from 'k6/http';
import { WebSocket } from 'k6/websockets';
import type { SeenEvent } from '../../src/bench/observer.ts';
import { settings } from './settings.ts';

const { server, token, namespaces } = settings;
const authorization: Record<string, string> = token === '' ? {} : { Authorization: `Bearer ${token}` };
const group = '/apis/hourglass.eigenlayer.io/v1alpha1';

export const performersPath = (namespace: string): string => `${group}/namespaces/${namespace}/performers`;

/** The path of one Performer, by `namespace/name`. */
export const performerPath = (key: string): string => key.replace(/^(.*)\/(.*)$/, `${group}/namespaces/$1/performers/$2`);

/** Sends one request and waits for its answer. */
export function call(method: string, path: string, body?: object): Promise<RefinedResponse<'text'>> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return http.asyncRequest(method, `${server}${path}`, body === undefined ? null : JSON.stringify(body), {
    headers: { ...authorization, 'Content-Type': type, Accept: 'application/json' },
    // One name for all objects of a kind, or k6 keeps metrics of each.
    tags: { name: path.replace(/\/namespaces\/.*/, '') },
    responseType: 'text',
    timeout: '60s',
  });
}

/** Where the kinds of a load are listed: in its namespace, or, when it has several, in all. */
function collections(): readonly string[] {
  const within = namespaces.length === 1 ? `/namespaces/${namespaces[0]}` : '';
  return [`${group}${within}/performers`, `/api/v1${within}/pods`, `/api/v1${within}/services`];
}

/**
 * Watches Performers, Pods and Services from now on; resolves when all streams are open.
 *
 * @param see told of each event as it arrives
 * @param lost told once when a stream ends before `close` is called
 */
export async function watchAll(see: (event: SeenEvent) => void, lost: (why: string) => void): Promise<{ close(): void }> {
  let closing = false;
  const sockets = new Map<string, WebSocket>();
  const open = async (path: string, from: string): Promise<void> => {
    let version = from;
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${version}&timeoutSeconds=7200`;
    // The API server takes a WebSocket only with an Origin.
    const headers = { ...authorization, Origin: server };
    const socket = new WebSocket(`${server.replace(/^http/, 'ws')}${path}?${query}`, null, { headers, tags: { name: 'watch' } });
    sockets.set(path, socket);
    const giveUp = (why: string): void => {
      if (!closing) lost(`watch of ${path}: ${why}`);
    };
    socket.onmessage = (message) => {
      const event = JSON.parse(message?.data as string) as SeenEvent;
      if (event.type === 'ERROR') giveUp(JSON.stringify(event.object));
      else version = event.object.metadata?.resourceVersion ?? version;
      if (event.type !== 'ERROR' && event.type !== 'BOOKMARK') see(event);
    };
    // Goes on where it was, unless it brought nothing: then it would end again.
    socket.onclose = () => {
      if (closing) return;
      if (version === from) giveUp('it was closed');
      else open(path, version).catch((error: unknown) => giveUp(String(error)));
    };
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = (event) => {
        giveUp(String(event?.error));
        reject(new Error(`watch of ${path}: ${event?.error}`));
      };
    });
  };
  const start = async (path: string): Promise<void> => {
    const list = await call('GET', `${path}?limit=1`);
    if (list.status !== 200) throw new Error(`listing ${path}: ${list.status} ${list.error} ${String(list.body).slice(0, 200)}`);
    await open(path, (list.json() as { readonly metadata: { readonly resourceVersion: string } }).metadata.resourceVersion);
  };
  await Promise.all(collections().map(start));
  return {
    close: () => {
      closing = true;
      for (const socket of sockets.values()) socket.close();
    },
  };
}
