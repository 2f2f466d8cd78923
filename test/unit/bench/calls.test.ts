import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Calls } from '../../../src/bench/calls.ts';
import { makeCertificates } from '../../../src/testbed/certificates.ts';

let answers: { readonly status: number; readonly body: object }[] = [];
const server = createServer((_, response) => {
  const { status, body } = answers.shift() ?? { status: 200, body: { items: [] } };
  response.writeHead(status).end(JSON.stringify(body));
});
let calls: Calls;

beforeAll(async () => {
  const { authority, apiServer } = await makeCertificates(Date.now());
  server.setSecureContext({ key: apiServer.privateKey, cert: apiServer.certificate });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  calls = new Calls({ server: url, tls: async () => ({ ca: authority }), headers: async () => ({}) });
});
afterAll(() => {
  calls.close();
  server.close();
});

describe('what the runner asks for', () => {
  it('is asked for again where the API server is not ready for it yet', async () => {
    answers = [
      { status: 429, body: { message: 'storage is (re)initializing' } },
      { status: 200, body: { items: [1] } },
    ];
    expect(await calls.ask('GET', '/apis/new')).toEqual({ items: [1] });
  });

  it('is told to have failed with what the API server says', async () => {
    answers = [{ status: 403, body: { message: 'not yours' } }];
    await expect(calls.ask('GET', '/apis/secret')).rejects.toThrow('GET /apis/secret: 403 {"message":"not yours"}');
  });
});
