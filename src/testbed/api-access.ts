import { Agent, request } from 'node:https';
import type { KeyPair } from './certificates.ts';

export interface ApiResponse {
  readonly status: number;
  readonly body: string;
}

/** A few plain calls to an API server that is only just starting: one attempt each, any trouble is undefined. */
export interface ApiAccess {
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<ApiResponse | undefined>;
  close(): void;
}

const timeoutMs = 5_000;

export function openApiAccess(port: number, authority: string, client: KeyPair): ApiAccess {
  const agent = new Agent({ keepAlive: true, ca: authority, cert: client.certificate, key: client.privateKey });
  return {
    call: (method, path, body) =>
      new Promise((resolve) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const headers = {
          accept: 'application/json',
          'user-agent': 'hourglass-testbed',
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        };
        const call = request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: timeoutMs }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
          response.on('error', () => resolve(undefined));
        });
        call.on('timeout', () => call.destroy());
        call.on('error', () => resolve(undefined));
        call.end(text);
      }),
    close: () => agent.destroy(),
  };
}
