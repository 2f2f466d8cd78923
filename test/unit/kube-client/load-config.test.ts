import { describe, expect, it } from 'vitest';
import { type ClusterConfig, ConfigError } from '../../../src/kube-client/cluster-config.ts';
import { type LoadConfigOptions, loadClusterConfig } from '../../../src/kube-client/load-config.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
const pem = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = 'hunter2-hunter2';

/** Content by path; `EACCES` and `EISDIR` stand for files that cannot be read for that reason. */
type Files = Record<string, string>;

/** A machine with these files and nothing else. */
function load(files: Files, options: Partial<LoadConfigOptions> = {}): Promise<ClusterConfig> {
  return loadClusterConfig({
    env: {},
    homeDir: '/home/u',
    clock: new FakeClock(),
    readFile: async (path) => {
      const content = files[path];
      const code = content === undefined ? 'ENOENT' : content;
      if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') throw Object.assign(new Error(code), { code });
      return Buffer.from(code);
    },
    ...options,
  });
}

async function errorOf(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => new Error('expected a ConfigError'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw error;
  return error.message;
}

/** A kubeconfig with one context `dev`; JSON is YAML. */
function kubeconfig(change: { cluster?: object; user?: object; context?: object; name?: string } = {}): string {
  const { name = 'dev' } = change;
  return JSON.stringify({
    'current-context': name,
    clusters: [{ name: 'c', cluster: change.cluster ?? { server: `https://${name}.test:6443` } }],
    users: [{ name: 'u', user: change.user ?? { token: secret } }],
    contexts: [{ name, context: change.context ?? { cluster: 'c', user: 'u' } }],
  });
}

const pod: Files = { [`${folder}/token`]: ' pod-token\n', [`${folder}/ca.crt`]: pem('CERTIFICATE'), [`${folder}/namespace`]: 'team-a\n' };
const podEnv = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
const home = '/home/u/.kube/config';

describe('which configuration is used', () => {
  const files: Files = { ...pod, [home]: kubeconfig({ name: 'home' }), '/a': kubeconfig({ name: 'a' }), '/b': kubeconfig({ name: 'b' }) };
  it.each<{ name: string; options: Partial<LoadConfigOptions>; server: string }>([
    {
      name: 'the file the user names, before all else',
      options: { kubeconfig: '/a', env: { ...podEnv, KUBECONFIG: '/b' } },
      server: 'https://a.test:6443',
    },
    { name: 'KUBECONFIG, also in a pod', options: { env: { ...podEnv, KUBECONFIG: '/b' } }, server: 'https://b.test:6443' },
    {
      name: 'the first of several in KUBECONFIG that exists',
      options: { env: { KUBECONFIG: '/missing::/b:/a' } },
      server: 'https://b.test:6443',
    },
    { name: 'the service account of a pod', options: { env: podEnv }, server: 'https://10.96.0.1:443' },
    {
      name: 'the service account when KUBECONFIG is empty',
      options: { env: { ...podEnv, KUBECONFIG: '' } },
      server: 'https://10.96.0.1:443',
    },
    { name: 'the file in the home directory', options: {}, server: 'https://home.test:6443' },
    {
      name: 'the home directory, even in a pod, for a context the user names',
      options: { env: podEnv, context: 'home' },
      server: 'https://home.test:6443',
    },
  ])('is $name', async ({ options, server }) => {
    expect((await load(files, options)).server).toBe(server);
  });

  it('is the home directory in a pod without a token', async () => {
    expect((await load({ [home]: kubeconfig({ name: 'home' }) }, { env: podEnv })).server).toBe('https://home.test:6443');
  });

  it('merges the files of KUBECONFIG; for a name in several the first wins', async () => {
    const config = await load(
      { '/a': kubeconfig({ name: 'a' }), '/b': kubeconfig({ name: 'b' }) },
      { env: { KUBECONFIG: '/a:/b' }, context: 'b' },
    );
    // Both name their cluster `c`.
    expect(config).toMatchObject({ server: 'https://a.test:6443', source: 'context b of /a' });
  });

  it('says what it looked at when there is none, and what to do', async () => {
    expect(await errorOf(load({}))).toBe(
      'no cluster is configured; looked at KUBECONFIG (not set), the service account of a pod (none here), /home/u/.kube/config (no such file); name a kubeconfig with --kubeconfig FILE',
    );
    expect(await errorOf(load({}, { otherwise: 'make one with `kind`' }))).toMatch(/--kubeconfig FILE, or make one with `kind`$/);
    expect(await errorOf(load({}, { env: { KUBECONFIG: '/x:/y' } }))).toMatch(/looked at KUBECONFIG \(no such file: \/x, \/y\); name/);
  });
});

describe('in a pod', () => {
  it('has namespace, CA and token, and reads them again', async () => {
    const clock = new FakeClock();
    const files = { ...pod };
    const config = await load(files, { env: { ...podEnv, KUBERNETES_SERVICE_HOST: 'fd00::1' }, clock });
    expect(config).toMatchObject({ server: 'https://[fd00::1]:443', namespace: 'team-a', inCluster: true });
    expect(await config.headers(false)).toEqual({ authorization: 'Bearer pod-token' });
    files[`${folder}/token`] = 'next';
    files[`${folder}/ca.crt`] = pem('NEW');
    expect(await config.tls()).toEqual({ ca: pem('NEW') });
    expect(await config.headers(false)).toEqual({ authorization: 'Bearer pod-token' });
    await clock.advance(60_000);
    expect(await config.headers(false)).toEqual({ authorization: 'Bearer next' });
  });

  it('misses a CA', async () => {
    expect(await errorOf(load({ [`${folder}/token`]: 't' }, { env: podEnv }))).toBe(
      `reading the cluster's CA ${folder}/ca.crt: there is no such file; check the path`,
    );
  });
});

describe('a kubeconfig', () => {
  const from = (text: string, files: Files = {}): Promise<ClusterConfig> =>
    load({ '/etc/kube/config': text, ...files }, { kubeconfig: '/etc/kube/config' });

  it.each<{ name: string; user: object; files?: Files; headers: object; tls?: object }>([
    { name: 'a token', user: { token: 't' }, headers: { authorization: 'Bearer t' } },
    {
      name: 'a token file, which wins over a token',
      user: { token: 't', tokenFile: 'tok' },
      files: { '/etc/kube/tok': 'from-file\n' },
      headers: { authorization: 'Bearer from-file' },
    },
    { name: 'a name and password', user: { username: 'ann', password: 'pw' }, headers: { authorization: `Basic ${base64('ann:pw')}` } },
    {
      name: 'a certificate in the file',
      user: { 'client-certificate-data': base64(pem('CERTIFICATE')), 'client-key-data': base64(pem('PRIVATE KEY')) },
      headers: {},
      tls: { cert: pem('CERTIFICATE'), key: pem('PRIVATE KEY') },
    },
    {
      name: 'a certificate in files beside it',
      user: { 'client-certificate': 'a/crt', 'client-key': '/abs/key' },
      files: { '/etc/kube/a/crt': pem('CERTIFICATE'), '/abs/key': pem('PRIVATE KEY') },
      headers: {},
      tls: { cert: pem('CERTIFICATE'), key: pem('PRIVATE KEY') },
    },
    {
      name: 'a user to act as',
      user: { token: 't', as: 'bob', 'as-groups': ['g', 'h'] },
      headers: { authorization: 'Bearer t', 'impersonate-user': 'bob', 'impersonate-group': ['g', 'h'] },
    },
  ])('can hold $name', async ({ user, files, headers, tls = {} }) => {
    const config = await from(kubeconfig({ user }), files);
    expect(await config.headers(false)).toEqual(headers);
    expect(await config.tls()).toEqual(tls);
  });

  it.each<{ name: string; cluster: object; files?: Files; tls: object }>([
    { name: 'a CA in the file', cluster: { 'certificate-authority-data': base64(pem('CERTIFICATE')) }, tls: { ca: pem('CERTIFICATE') } },
    {
      name: 'a CA beside it',
      cluster: { 'certificate-authority': 'ca.crt' },
      files: { '/etc/kube/ca.crt': pem('CERTIFICATE') },
      tls: { ca: pem('CERTIFICATE') },
    },
    { name: 'another server name', cluster: { 'tls-server-name': 'kubernetes' }, tls: { servername: 'kubernetes' } },
    { name: 'no wish to check the server', cluster: { 'insecure-skip-tls-verify': true }, tls: { rejectUnauthorized: false } },
  ])('can hold $name', async ({ cluster, files, tls }) => {
    const config = await from(kubeconfig({ cluster: { server: 'https://x.test/k8s/', ...cluster } }), files);
    expect(await config.tls()).toEqual(tls);
    expect(config.server).toBe('https://x.test/k8s');
  });

  it('names a namespace, a context without a user, a context in YAML', async () => {
    expect((await from(kubeconfig({ context: { cluster: 'c', user: 'u', namespace: 'n' } }))).namespace).toBe('n');
    expect(await from(kubeconfig()).then(({ namespace }) => namespace)).toBe('default');
    expect(await (await from(kubeconfig({ context: { cluster: 'c' } }))).headers(false)).toEqual({});
    const yaml =
      'current-context: d # now\nclusters:\n- name: c\n  cluster: {server: "http://localhost:8001"}\ncontexts:\n- {name: d, context: {cluster: c}}\n';
    expect((await from(yaml)).server).toBe('http://localhost:8001');
  });

  it('names a proxy, which goes before that of the environment', async () => {
    const env = { HTTPS_PROXY: 'http://env:3128', NO_PROXY: 'other.test' };
    const proxyOf = async (entry: object): Promise<unknown> =>
      (await load({ '/k': kubeconfig({ cluster: { server: 'https://x.test', ...entry } }) }, { kubeconfig: '/k', env })).proxy;
    expect(await proxyOf({})).toEqual({ url: 'http://env:3128/', source: 'HTTPS_PROXY' });
    expect(await proxyOf({ server: 'https://other.test' })).toBeUndefined();
    expect(await proxyOf({ 'proxy-url': 'https://own' })).toEqual({ url: 'https://own/', source: "the proxy-url of cluster 'c' in /k" });
  });

  it('reads certificate files again for each connection', async () => {
    const files: Files = {
      '/k': kubeconfig({ user: { 'client-certificate': '/crt', 'client-key': '/key' } }),
      '/crt': pem('ONE'),
      '/key': pem('KEY'),
    };
    const config = await load(files, { kubeconfig: '/k' });
    files['/crt'] = pem('TWO');
    expect((await config.tls()).cert).toBe(pem('TWO'));
  });

  const cluster = (change: object): string => kubeconfig({ cluster: { server: 'https://x.test', ...change } });
  const user = (change: object): string => kubeconfig({ user: { token: secret, ...change } });
  const where = 'reading kubeconfig /etc/kube/config: ';
  it.each<{ name: string; text: string; files?: Files; message: string }>([
    { name: 'no YAML', text: `users:\n- name: u\n  user:\n    token: "${secret}\n  bad: [`, message: `${where}line ` },
    { name: 'aliases that lead nowhere', text: `a: *${secret}`, message: where },
    { name: 'no mapping', text: secret, message: `${where}it is no mapping; mend the file, or name another with --kubeconfig` },
    { name: 'nothing', text: '', message: `${where}it has no current-context; choose one with --context (it has no contexts)` },
    { name: 'a list that is none', text: `clusters: {token: ${secret}}`, message: `${where}'clusters' must be a list` },
    { name: 'an entry without a name', text: 'contexts: [{context: {}}]', message: `${where}entry 1 of 'contexts' has no name` },
    {
      name: 'an entry that is no mapping',
      text: `users: [{name: u, user: ${secret}}]`,
      message: `${where}user 'u': 'user' must be a mapping`,
    },
    { name: 'a current-context that is none', text: 'current-context: [x]', message: `${where}'current-context' must be a string` },
    {
      name: 'no current-context',
      text: 'contexts: [{name: a}, {name: b}]',
      message: `${where}it has no current-context; choose one with --context (contexts: a, b)`,
    },
    {
      name: 'a current-context that is missing',
      text: 'current-context: z\ncontexts: [{name: a}]',
      message: `${where}there is no context 'z' (contexts: a); mend current-context, or choose with --context`,
    },
    {
      name: 'a context whose cluster is missing',
      text: kubeconfig({ context: { cluster: 'gone', user: 'u' } }),
      message: `${where}context 'dev' names cluster 'gone', which is missing (clusters: c); add it, or choose another context (contexts: dev)`,
    },
    {
      name: 'a context whose user is missing',
      text: kubeconfig({ context: { cluster: 'c', user: 'gone' } }),
      message: `${where}context 'dev' names user 'gone', which is missing (users: u); add it, or choose another context (contexts: dev)`,
    },
    {
      name: 'a context without a cluster',
      text: kubeconfig({ context: {} }),
      message: `${where}context 'dev' names no cluster; choose another context (contexts: dev)`,
    },
    {
      name: 'a cluster without a server',
      text: kubeconfig({ cluster: {} }),
      message: `${where}cluster 'c': there is no server; add its URL`,
    },
    {
      name: 'a server that is no URL',
      text: cluster({ server: 'x.test:6443' }),
      message: `${where}cluster 'c': 'server' is no http(s) URL; write it as https://HOST:PORT`,
    },
    {
      name: 'a server with a password',
      text: cluster({ server: `https://u:${secret}@x.test` }),
      message: `${where}cluster 'c': 'server' holds a user name or password; put them into the user entry`,
    },
    { name: 'a server that is no text', text: cluster({ server: 1 }), message: `${where}cluster 'c': 'server' must be a string` },
    {
      name: 'a SOCKS proxy',
      text: cluster({ 'proxy-url': `socks5://u:${secret}@p` }),
      message:
        "connecting to https://x.test: the proxy-url of cluster 'c' in /etc/kube/config names a SOCKS proxy, which is not supported; name an",
    },
    {
      name: 'a CA that is not base64',
      text: cluster({ 'certificate-authority-data': secret }),
      message: `${where}cluster 'c': 'certificate-authority-data' is not the base64 form of a PEM file`,
    },
    {
      name: 'a CA file that is missing',
      text: cluster({ 'certificate-authority': 'ca.crt' }),
      message: "reading certificate-authority (cluster 'c' of /etc/kube/config) /etc/kube/ca.crt: there is no such file; check the path",
    },
    {
      name: 'a CA file that is no PEM',
      text: cluster({ 'certificate-authority': 'ca.crt' }),
      files: { '/etc/kube/ca.crt': secret },
      message: "reading certificate-authority /etc/kube/ca.crt (cluster 'c' of /etc/kube/config): it is no PEM file",
    },
    {
      name: 'a CA and no wish to check it',
      text: cluster({ 'certificate-authority-data': base64(pem('CERTIFICATE')), 'insecure-skip-tls-verify': true }),
      message: `${where}cluster 'c': there are a certificate-authority and insecure-skip-tls-verify; remove one of them`,
    },
    {
      name: 'a yes that is no boolean',
      text: cluster({ 'insecure-skip-tls-verify': 'yes' }),
      message: `${where}cluster 'c': 'insecure-skip-tls-verify' must be true or false`,
    },
    {
      name: 'a certificate without its key',
      text: user({ 'client-certificate-data': base64(pem('CERTIFICATE')) }),
      message: `${where}user 'u': there is a client-certificate but no client-key; add it`,
    },
    {
      name: 'a key without its certificate',
      text: user({ 'client-key-data': base64(pem('PRIVATE KEY')) }),
      message: `${where}user 'u': there is a client-key but no client-certificate; add it`,
    },
    {
      name: 'a key that may not be read',
      text: user({ 'client-certificate': '/c', 'client-key': '/k' }),
      files: { '/c': pem('C'), '/k': 'EACCES' },
      message: "reading client-key (user 'u' of /etc/kube/config) /k: no permission to read it; check its owner and mode",
    },
    { name: 'a token that is no text', text: user({ token: { hidden: secret } }), message: `${where}user 'u': 'token' must be a string` },
    {
      name: 'a token file that is missing',
      text: user({ tokenFile: 't' }),
      message: "reading token file (user 'u') /etc/kube/t: there is no such file; check the path",
    },
    {
      name: 'an empty token file',
      text: user({ tokenFile: 't' }),
      files: { '/etc/kube/t': '\n' },
      message: 'the token file /etc/kube/t is empty',
    },
    {
      name: 'groups that are no list',
      text: user({ 'as-groups': secret }),
      message: `${where}user 'u': 'as-groups' must be a list of strings`,
    },
    {
      name: 'extra fields of a user to act as',
      text: user({ 'as-user-extra': { a: ['b'] } }),
      message: `${where}user 'u': 'as-user-extra' is not supported; remove it`,
    },
  ])('with $name is refused', async ({ text, files = {}, message }) => {
    const error = await errorOf(from(text, files));
    expect(error).toContain(message);
    expect(error).not.toContain(secret);
  });

  it('with broken YAML is refused with the line, not its content', async () => {
    const text = `clusters: []\nusers:\n- name: u\n  user: {token: ${secret}\ncontexts: []\n`;
    expect(await errorOf(from(text))).toMatch(
      /^reading kubeconfig \/etc\/kube\/config: line \d+, column \d+: not valid YAML \([A-Z_]+\); mend the file, or name another with --kubeconfig$/,
    );
  });

  it.each([
    { content: undefined, why: 'there is no such file; check the path' },
    { content: 'EACCES', why: 'no permission to read it; check its owner and mode' },
    { content: 'EISDIR', why: 'it is a directory; name the file' },
  ])('that cannot be read ($content) is told', async ({ content, why }) => {
    expect(await errorOf(load(content === undefined ? {} : { '/k': content }, { kubeconfig: '/k' }))).toBe(`reading kubeconfig /k: ${why}`);
  });

  it('without the context that the user names is refused with those there are', async () => {
    expect(await errorOf(load({ '/k': kubeconfig() }, { kubeconfig: '/k', context: 'prod' }))).toBe(
      "reading kubeconfig /k: there is no context 'prod' (contexts: dev); choose another with --context",
    );
  });
});
