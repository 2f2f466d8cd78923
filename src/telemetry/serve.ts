import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export const plainText = 'text/plain; charset=utf-8';

export interface Address {
  /** Absent: all addresses of the machine. */
  readonly host?: string;
  readonly port: number;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export type Pages = Readonly<Record<string, (query: URLSearchParams) => Page | Promise<Page>>>;

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Its message says what was to be served where, and what stands in the way. */
class ServeError extends Error {
  override readonly name = 'ServeError';
}

/** Serves pages by path over plain HTTP. @param what they are, for messages. @throws ServeError */
export async function servePages(what: string, address: Address, pages: Pages): Promise<PageServer> {
  const server = createServer((request, response) => void answer(pages, request, response));
  // Probes come every few seconds from one kubelet: a few connections, kept.
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const cause = error.code === 'EADDRINUSE' ? 'the port is taken; choose another one, or 0 for off' : error.message;
      reject(new ServeError(`serving ${what} on ${address.host ?? ''}:${address.port}: ${cause}`, { cause: error }));
    });
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let result: Page = { status: 404, type: plainText, body: 'not found\n' };
  const url = URL.parse(request.url ?? '', 'http://localhost');
  const page = pages[url?.pathname ?? ''];
  if (request.method !== 'GET' && request.method !== 'HEAD') result = { status: 405, type: plainText, body: 'only GET\n' };
  else if (page !== undefined) {
    try {
      result = await page(url?.searchParams ?? new URLSearchParams());
    } catch (error) {
      result = { status: 500, type: plainText, body: `${error instanceof Error ? error.message : 'failed'}\n` };
    }
  }
  response.writeHead(result.status, { 'content-type': result.type, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : result.body);
}
