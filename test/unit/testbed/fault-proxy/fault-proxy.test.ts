import type { IncomingMessage } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makeCertificates } from '../../../../src/testbed/certificates.ts';
import { type FaultProxy, startFaultProxy } from '../../../../src/testbed/fault-proxy/fault-proxy.ts';
import { portOf } from '../../../support/relay.ts';

/** Says who it was asked by. */
const target = createServer((incoming, answer) => {
  const certificate =
    'getPeerCertificate' in incoming.socket ? (incoming.socket as { getPeerCertificate(): object }).getPeerCertificate() : {};
  answer.setHeader('content-type', 'application/json');
  answer.end(
    JSON.stringify({
      certified: Object.keys(certificate).length > 0,
      authorization: incoming.headers.authorization ?? null,
      path: incoming.url,
    }),
  );
});
let proxy: FaultProxy;
let agent: Agent;
let options: Parameters<typeof startFaultProxy>[0];

beforeAll(async () => {
  const { authority, apiServer, clients } = await makeCertificates(Date.now());
  target.setSecureContext({ cert: apiServer.certificate, key: apiServer.privateKey, ca: authority });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { certificate: cert, privateKey: key } = clients.admin;
  options = { target: { url: `https://127.0.0.1:${portOf(target.address())}`, ca: authority, cert, key }, seed: 7 };
});
afterAll(() => void target.close());
beforeEach(async () => {
  proxy = await startFaultProxy(options);
  agent = new Agent({ keepAlive: true, ca: proxy.caPem });
});
afterEach(async () => {
  agent.destroy();
  await proxy.close();
});

async function ask(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(proxy.url + path, { agent, headers }, resolve)
      .on('error', reject)
      .end();
  });
  let body = '';
  for await (const chunk of answer) body += String(chunk);
  return { status: answer.statusCode ?? 0, body };
}

describe('a fault proxy', () => {
  it('passes requests on and counts them', async () => {
    expect(JSON.parse((await ask('/api/v1/pods?limit=1')).body)).toMatchObject({ path: '/api/v1/pods?limit=1' });
    await ask('/api/v1/pods/x');
    expect(proxy.stats()).toMatchObject({ connections: 1, requests: 2, streams: 0, openStreams: 0, faults: {} });
  });

  it('passes on whose token a client brings', async () => {
    expect(JSON.parse((await ask('/version', { authorization: 'Bearer mine' })).body)).toMatchObject({ authorization: 'Bearer mine' });
  });

  it('answers a fault instead of the server', async () => {
    proxy.setRules([{ fault: { name: 'throttle', ms: 2_000 }, match: { resource: 'pods' } }]);
    expect(await ask('/api/v1/pods')).toMatchObject({ status: 429 });
    expect(await ask('/api/v1/nodes')).toMatchObject({ status: 200 });
    expect(proxy.stats().faults).toEqual({ throttle: 1 });
  });

  it('is gone while it refuses, and back at the same address', async () => {
    await ask('/version');
    const end = proxy.inject({ name: 'refuse' });
    await expect(ask('/version')).rejects.toMatchObject({ code: expect.stringMatching(/ECONNREFUSED|ECONNRESET/) });
    end();
    await expect.poll(() => ask('/version').catch(() => undefined)).toMatchObject({ status: 200 });
  });

  it('gives clients a kubeconfig with its own address and authority', () => {
    const { clusters } = parse(proxy.kubeconfig()) as { clusters: { cluster: Record<string, string> }[] };
    expect(clusters[0]?.cluster.server).toBe(proxy.url);
    expect(Buffer.from(clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString()).toBe(proxy.caPem);
  });

  it('lets nothing hold it up when it is closed', async () => {
    proxy.setRules([{ fault: { name: 'half-open', variant: 'request' } }]);
    const silent = ask('/version').catch(() => 'ended');
    await expect.poll(() => proxy.stats().requests).toBe(1);
    await proxy.close();
    expect(await silent).toBe('ended');
    await expect.poll(() => proxy.stats().openConnections).toBe(0);
  });
});
