import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOfContext } from '../../../src/kube-client/context-config.ts';
import type { NamedEntry } from '../../../src/kube-client/kubeconfig.ts';
import { configOfKubeConfig, createPluginAsker } from '../../../src/kube-client/plugin-credentials.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugin-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const cluster: NamedEntry = { name: 'c', path: '/k', value: { server: 'https://x.test' } };

/** A user whose plug-in is this shell script, named by a path relative to the kubeconfig. */
async function userOf(script: string): Promise<NamedEntry> {
  await writeFile(join(folder, 'plugin.sh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin.sh', args: [], interactiveMode: 'Never' };
  return { name: 'u', path: join(folder, 'config'), value: { exec } };
}

const credential = (status: object): string =>
  `echo '${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}'`;

describe('an exec plug-in', { timeout: 20_000 }, () => {
  it('gives a token, asked once until it is refused', async () => {
    const ask = createPluginAsker();
    const user = await userOf(
      `echo run >> ${folder}/runs; ${credential({ token: 'TOKEN' }).replace('TOKEN', `'$(wc -l < ${folder}/runs | tr -d ' ')'`)}`,
    );
    expect(await ask(cluster, user, false)).toEqual({ headers: { authorization: 'Bearer 1' } });
    expect(await ask(cluster, user, false)).toEqual({ headers: { authorization: 'Bearer 1' } });
    expect(await ask(cluster, user, true)).toEqual({ headers: { authorization: 'Bearer 2' } });
  });

  it('gives a client certificate', async () => {
    const user = await userOf(credential({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    const parts = { readFile: () => Promise.reject(new Error('no files')), clock: new FakeClock(), ask: createPluginAsker() };
    const config = await configOfContext({ name: 'x', namespace: 'default', cluster, user }, parts);
    expect(await config.tls()).toEqual({ cert: 'CERT', key: 'KEY' });
    expect(await config.headers(false)).toEqual({});
  });

  it.each([
    {
      name: 'fails',
      script: 'echo "please log in" >&2; echo hunter2; exit 1',
      message: "asking the credential plug-in of user 'u': please log in",
    },
    {
      name: 'prints no JSON',
      script: 'echo hunter2',
      message: "asking the credential plug-in of user 'u': it printed no ExecCredential; run it by hand",
    },
  ])('that $name is told without what it printed', async ({ script, message }) => {
    const asking = createPluginAsker()(cluster, await userOf(script), false);
    await expect(asking).rejects.toMatchObject({ name: 'ConfigError', message });
  });

  it('that is not installed is told', async () => {
    const user: NamedEntry = { name: 'u', path: '/k', value: { exec: { command: 'no-such-plugin', args: [] } } };
    await expect(createPluginAsker()(cluster, user, false)).rejects.toMatchObject({
      message: "asking the credential plug-in of user 'u': the command was not found; install it, or check PATH",
    });
  });
});

describe('a KubeConfig of client-node', () => {
  it('names cluster, namespace and credentials', async () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [
        {
          name: 'c',
          server: 'https://x.test:6443/',
          caData: Buffer.from('CA').toString('base64'),
          skipTLSVerify: false,
          tlsServerName: 'k',
        },
      ],
      users: [{ name: 'u', token: 't' }],
      contexts: [{ name: 'd', cluster: 'c', user: 'u', namespace: 'n' }],
      currentContext: 'd',
    });
    const config = configOfKubeConfig(kubeConfig);
    expect(config).toMatchObject({ server: 'https://x.test:6443', namespace: 'n', source: 'context d of a KubeConfig' });
    expect(await config.headers(false)).toEqual({ authorization: 'Bearer t' });
    expect(await config.tls()).toEqual({ ca: 'CA', servername: 'k' });
  });

  it('that has selected nothing is refused', () => {
    expect(() => configOfKubeConfig(new KubeConfig())).toThrow('has selected no cluster');
  });
});
