import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isKubeFault } from '../../../src/kube/faults.ts';
import { pods } from '../../../src/kube/objects.ts';
import { createKubeApi } from '../../../src/kube-client/client.ts';
import { ConfigError } from '../../../src/kube-client/cluster-config.ts';
import { findProxy, openTunnel, parseProxy } from '../../../src/kube-client/proxy.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createFastClock } from '../../support/fast-clock.ts';
import { portOf, startProxy, type TestProxy } from '../../support/relay.ts';
import { type ScriptedServer, scriptedIdentity, startScriptedServer } from '../../support/scripted-server.ts';
import { createTlsIdentity } from '../../support/tls-identity.ts';

const secret = 'hunter2';
const HTTPS_PROXY = `http://ann:${secret}@proxy.test:3128`;

describe('the proxy for a server', () => {
  it.each<{ name: string; server: string; env: Record<string, string>; source: string | undefined }>([
    { name: 'https', server: 'https://x.test', env: { HTTPS_PROXY, HTTP_PROXY: 'http://other' }, source: 'HTTPS_PROXY' },
    { name: 'http', server: 'http://x.test', env: { HTTPS_PROXY, HTTP_PROXY: 'http://other' }, source: 'HTTP_PROXY' },
    { name: 'lower case', server: 'https://x.test', env: { https_proxy: HTTPS_PROXY }, source: 'https_proxy' },
    { name: 'upper case first', server: 'https://x.test', env: { https_proxy: 'http://other', HTTPS_PROXY }, source: 'HTTPS_PROXY' },
    { name: 'an empty value', server: 'https://x.test', env: { HTTPS_PROXY: '' }, source: undefined },
    { name: 'only for the other scheme', server: 'https://x.test', env: { HTTP_PROXY: 'http://other' }, source: undefined },
    { name: 'localhost', server: 'https://localhost:6443', env: { HTTPS_PROXY }, source: undefined },
    { name: 'a loopback address', server: 'https://127.0.0.2:6443', env: { HTTPS_PROXY }, source: undefined },
    { name: 'an IPv6 loopback address', server: 'https://[::1]:6443', env: { HTTPS_PROXY }, source: undefined },
  ])('is $source: $name', ({ server, env, source }) => {
    expect(findProxy(server, env)?.source).toBe(source);
  });

  it.each<{ noProxy: string; by: readonly string[]; past: readonly string[] }>([
    { noProxy: '*', by: [], past: ['https://x.test', 'https://10.0.0.1'] },
    { noProxy: 'x.test', by: ['https://y.test', 'https://ax.test'], past: ['https://x.test', 'https://a.x.test', 'https://X.TEST:6443'] },
    { noProxy: '.x.test', by: ['https://x.test'], past: ['https://a.x.test', 'https://a.b.x.test'] },
    { noProxy: '*.x.test', by: ['https://x.test'], past: ['https://a.x.test'] },
    { noProxy: ' y.test , x.test:6443', by: ['https://x.test'], past: ['https://x.test:6443', 'https://y.test'] },
    { noProxy: 'x.test:443', by: ['https://x.test:6443'], past: ['https://x.test'] },
    { noProxy: '10.96.0.0/12', by: ['https://10.112.0.1', 'https://x.test'], past: ['https://10.96.0.1', 'https://10.111.255.255'] },
    { noProxy: '10.0.0.1', by: ['https://10.0.0.11'], past: ['https://10.0.0.1'] },
    { noProxy: 'fd00::/8', by: ['https://[fe80::1]', 'https://10.0.0.1'], past: ['https://[fd00::1]:443'] },
    { noProxy: '[fd00::1]:6443', by: ['https://[fd00::1]'], past: ['https://[fd00::1]:6443'] },
    { noProxy: '10.0.0.0/33, 10.0.0.0/, /8, x/8, ,', by: ['https://10.0.0.1', 'https://x.test'], past: [] },
  ])('NO_PROXY=$noProxy', ({ noProxy, by, past }) => {
    const through = (server: string): boolean => findProxy(server, { HTTPS_PROXY, NO_PROXY: noProxy }) !== undefined;
    expect([...by, ...past].filter(through)).toEqual(by);
    expect(past.filter((server) => findProxy(server, { HTTPS_PROXY, no_proxy: noProxy }) !== undefined)).toEqual([]);
  });

  it.each([
    { text: 'proxy:3128', url: 'http://proxy:3128/' },
    { text: 'https://proxy', url: 'https://proxy/' },
  ])('may be written $text', ({ text, url }) => {
    expect(parseProxy(text, 'HTTPS_PROXY', 'https://x.test').url).toBe(url);
  });

  it.each([
    {
      text: `socks5://ann:${secret}@p:1080`,
      says: 'names a SOCKS proxy, which is not supported; name an http:// or https:// proxy, or use `kubectl proxy`',
    },
    { text: `ftp://ann:${secret}@p`, says: 'is no http:// or https:// URL; write it as http://HOST:PORT' },
    { text: `http://ann:${secret}@`, says: 'is no http:// or https:// URL' },
  ])('is refused with server, cause and next step: $says', ({ text, says }) => {
    const parse = (): unknown => findProxy('https://x.test:6443', { HTTPS_PROXY: text });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(`connecting to https://x.test:6443: HTTPS_PROXY ${says}`);
    expect(parse).not.toThrow(secret);
  });
});

describe('a client behind a proxy', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  async function given(protocol: 'h2' | 'https/1.1' | 'http/1.1', proxy: TestProxy, url: string) {
    const server: ScriptedServer = await startScriptedServer(
      (_, reply) => reply.json(200, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'x' } }),
      protocol,
    );
    const config = server.config({ proxy: { url, source: 'HTTPS_PROXY' } });
    const kube = createKubeApi(config, { clock: systemClock, userAgent: 'u' });
    ended.push(
      () => kube.close(),
      () => proxy.close(),
      () => server.close(),
    );
    const message = (): Promise<string> =>
      kube.get(pods, { namespace: 'a', name: 'x' }).then(
        () => 'served',
        (error: unknown) => (isKubeFault(error, 'unreachable') ? error.message : String(error)),
      );
    return { server, kube, message };
  }

  it.each([
    { protocol: 'h2', scheme: 'http' },
    { protocol: 'https/1.1', scheme: 'http' },
    { protocol: 'http/1.1', scheme: 'http' },
    { protocol: 'h2', scheme: 'https' },
  ] as const)('reaches a $protocol server by a tunnel through an $scheme:// proxy, and logs in there', async ({ protocol, scheme }) => {
    const proxy = await startProxy(scheme === 'https' ? { identity: await scriptedIdentity() } : {});
    const { server, message } = await given(protocol, proxy, `${scheme}://ann:p%40ss@127.0.0.1:${proxy.port}`);
    expect(await message()).toBe('served');
    expect(await message()).toBe('served');
    const asked = `CONNECT 127.0.0.1:${server.relay.port} Basic ${Buffer.from('ann:p@ss').toString('base64')}`;
    // Over TLS the first may only learn that there is no HTTP/2.
    expect([...new Set(proxy.asked)]).toEqual([asked]);
    expect(proxy.asked.length).toBeLessThanOrEqual(protocol === 'https/1.1' ? 2 : 1);
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    { status: 407, says: 'answered 407 to the wish for 127.0.0.1:PORT; put a user name and password into its URL' },
    { status: 403, says: 'answered 403 to the wish for 127.0.0.1:PORT; let it through there, or name the host in NO_PROXY' },
  ])('that answers $status says what to do, without the password', async ({ status, says }) => {
    const proxy = await startProxy({ status });
    const { server, message } = await given('h2', proxy, `http://ann:${secret}@127.0.0.1:${proxy.port}`);
    const text = await message();
    expect(text).toContain(`the proxy http://127.0.0.1:${proxy.port} (HTTPS_PROXY) ${says.replace('PORT', `${server.relay.port}`)}`);
    expect(text).not.toContain(secret);
  });

  it('that is not there says which one', async () => {
    const proxy = await startProxy();
    await proxy.close();
    const { message } = await given('h2', { ...proxy, close: async () => {} }, `http://ann:${secret}@127.0.0.1:${proxy.port}`);
    expect(await message()).toContain(
      `the proxy http://127.0.0.1:${proxy.port} (HTTPS_PROXY) cannot be reached (ECONNREFUSED); check its address`,
    );
  });

  it('that never answers is given up after 10 s', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    ended.push(() => silent.close());
    const url = `http://127.0.0.1:${portOf(silent.address())}`;
    const opening = openTunnel({ url, source: 'HTTPS_PROXY' }, 'x.test:443', undefined, createFastClock(100), 10_000);
    await expect(opening).rejects.toThrow(`the proxy ${url} (HTTPS_PROXY) cannot be reached (no answer within 10 s); check its address`);
  });

  it('leaves no tunnel open when the client certificate cannot be used', async () => {
    const tunnels = new Set<Socket>();
    const proxy = createServer((socket) => {
      tunnels.add(socket);
      socket.on('error', () => {}).on('close', () => tunnels.delete(socket));
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const kube = createKubeApi(
      {
        source: 'the test',
        server: 'https://x.test:6443',
        namespace: 'default',
        proxy: { url: `http://127.0.0.1:${portOf(proxy.address())}`, source: 'HTTPS_PROXY' },
        tls: async () => ({ cert: 'no PEM', key: 'no PEM' }),
        headers: async () => ({}),
      },
      { clock: systemClock, userAgent: 'u' },
    );
    ended.push(
      () => kube.close(),
      () => proxy.close(),
    );
    await expect(kube.get(pods, { namespace: 'a', name: 'x' })).rejects.toThrow('client certificate or key cannot be used');
    await expect.poll(() => tunnels.size).toBe(0);
  });

  it('does not take the certificate of an https:// proxy from another CA', async () => {
    const proxy = await startProxy({ identity: await createTlsIdentity({ ip: '127.0.0.1' }) });
    const { message } = await given('h2', proxy, `https://127.0.0.1:${proxy.port}`);
    expect(await message()).toMatch(/cannot be reached \((UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE)\)/);
    expect(proxy.asked).toEqual([]);
  });
});
