import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConfig } from '../kube-client/cluster-config.ts';
import { TestbedError } from '../testbed/testbed-error.ts';

const patienceMs = 30_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Single requests to an API server, or to etcd's metrics: what the runner does around a load, by a user agent of its own. */
export class Calls {
  readonly #config: Pick<ClusterConfig, 'server' | 'tls' | 'headers'>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(config: Pick<ClusterConfig, 'server' | 'tls' | 'headers'>) {
    this.#config = config;
  }

  /** @throws TestbedError when no answer comes within 30 s */
  async call(method: string, path: string, body?: object): Promise<Answer> {
    const { server, tls, headers } = this.#config;
    const all = { 'user-agent': 'hourglass-bench/1', accept: '*/*', 'content-type': contentType(method), ...(await headers(false)) };
    const signal = AbortSignal.timeout(patienceMs);
    const sent = request(`${server}${path}`, {
      method,
      agent: this.#agent,
      headers: all,
      signal,
      ...(await tls()),
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => void sent.once('response', resolve).once('error', reject));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    try {
      const response = await answered;
      return { status: response.statusCode ?? 0, body: await text(response) };
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new TestbedError(`${method} ${path}: no answer within ${patienceMs / 1_000} s`, { cause: error });
    }
  }

  /**
   * The answer's object. An API server that asks to be left alone for a while, as it does for a kind that is new to it, is asked again.
   *
   * @throws TestbedError for an answer that is not one of success, nor of `also`
   */
  async ask<T = unknown>(method: string, path: string, body?: object, also: readonly number[] = []): Promise<T> {
    const untilMs = performance.now() + patienceMs;
    let answer = await this.call(method, path, body);
    while (answer.status === 429 && performance.now() < untilMs) {
      await sleep(500);
      answer = await this.call(method, path, body);
    }
    if (answer.status >= 300 && !also.includes(answer.status))
      throw new TestbedError(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
    return JSON.parse(answer.body) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function contentType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}
