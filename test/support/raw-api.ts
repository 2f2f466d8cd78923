import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';

export interface RawAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Calls to an API server with nothing between: any verb, any body, the answer as it came. Not an answer within 30 s is an error. */
export class RawApi {
  readonly #agent: Agent;
  readonly #server: URL;
  readonly #headers: Readonly<Record<string, string | readonly string[]>>;

  private constructor(agent: Agent, server: URL, headers: Readonly<Record<string, string | readonly string[]>>) {
    this.#agent = agent;
    this.#server = server;
    this.#headers = headers;
  }

  static async open(kubeconfig: string): Promise<RawApi> {
    const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
    const agent = new Agent({ keepAlive: true, ...(await config.tls()) });
    return new RawApi(agent, new URL(config.server), await config.headers(false));
  }

  async call(method: Method, path: string, body?: object): Promise<RawAnswer> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const payload = body === undefined ? '' : JSON.stringify(body);
    // Node sends no length with a DELETE by itself.
    const headers = { 'content-type': type, 'content-length': String(Buffer.byteLength(payload)) };
    const sent = this.#send(method, path, headers, AbortSignal.timeout(30_000));
    sent.end(payload);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = await text(response);
    return { status: response.statusCode ?? 0, body: readObject(answer) };
  }

  /** Every event of a watch, or the answer that refused it as an event of type `REFUSED`; ends with the stream or the signal. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<{ readonly type: string; readonly object: RawAnswer['body'] }> {
    const sent = this.#send('GET', path, {}, signal);
    sent.end();
    try {
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      if (response.statusCode !== 200) {
        yield { type: 'REFUSED', object: readObject(await text(response)) };
        return;
      }
      let rest = '';
      for await (const piece of response.setEncoding('utf8')) {
        const lines = (rest + String(piece)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as never;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      sent.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: Method, path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): ClientRequest {
    const { hostname, port } = this.#server;
    const sent = request({
      method,
      host: hostname,
      port,
      path,
      agent: this.#agent,
      signal,
      headers: { accept: 'application/json', 'user-agent': 'model-check', ...this.#headers, ...headers },
    });
    sent.on('error', () => undefined); // told to whoever waits for the response; a later one fails the reading
    return sent;
  }
}

/** An answer that is no JSON object is one in words. */
function readObject(answer: string): RawAnswer['body'] {
  try {
    return JSON.parse(answer) as RawAnswer['body'];
  } catch {
    return { message: answer.slice(0, 300) };
  }
}
