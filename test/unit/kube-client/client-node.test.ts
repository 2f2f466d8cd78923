import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { pods } from '../../../src/kube/objects.ts';
import { configOfKubeConfig, createKubeApiFromKubeConfig } from '../../../src/kube-client/client-node.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';

/** A KubeConfig that has selected this cluster, as `u` with a token. */
function kubeConfigOf(cluster: { readonly server: string; readonly [field: string]: unknown }): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: 'c', skipTLSVerify: false, ...cluster }],
    users: [{ name: 'u', token: 't' }],
    contexts: [{ name: 'd', cluster: 'c', user: 'u', namespace: 'n' }],
    currentContext: 'd',
  });
  return kubeConfig;
}

describe('a KubeConfig of client-node', () => {
  it('becomes a KubeApi that speaks to its cluster as its user', { timeout: 20_000 }, async () => {
    const server = await startScriptedServer((_, reply) => reply.json(200, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }));
    const kubeConfig = kubeConfigOf({ server: server.config().server, caData: Buffer.from(server.identity.ca).toString('base64') });
    const kube = createKubeApiFromKubeConfig(kubeConfig, { clock: systemClock, userAgent: 'u' });
    expect(await kube.get(pods, { namespace: 'n', name: 'x' })).toMatchObject({ metadata: { name: 'x' } });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer t');
    kube.close();
    await server.close();
  });

  it('names cluster, namespace, credentials and proxy', async () => {
    const config = configOfKubeConfig(
      kubeConfigOf({
        server: 'https://x.test:6443/',
        caData: Buffer.from('CA').toString('base64'),
        tlsServerName: 'k',
        proxyUrl: 'http://p:3128',
      }),
    );
    expect(config).toMatchObject({
      server: 'https://x.test:6443',
      namespace: 'n',
      source: 'context d of a KubeConfig',
      proxy: { url: 'http://p:3128/', source: "the proxy-url of cluster 'c'" },
    });
    expect(await config.headers(false)).toEqual({ authorization: 'Bearer t' });
    expect(await config.tls()).toEqual({ ca: 'CA', servername: 'k' });
  });

  it('that has selected nothing is refused', () => {
    expect(() => configOfKubeConfig(new KubeConfig())).toThrow('has selected no cluster');
  });
});
