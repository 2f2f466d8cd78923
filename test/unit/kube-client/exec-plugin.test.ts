import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configOfContext } from '../../../src/kube-client/context-config.ts';
import { createExecPlugin } from '../../../src/kube-client/exec-plugin.ts';
import type { NamedEntry } from '../../../src/kube-client/kubeconfig.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugin-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const apiVersion = 'client.authentication.k8s.io/v1';
const env = { PATH: process.env.PATH, GREETING: 'hello' };

/** A user whose plug-in is this shell script, named by a path relative to the kubeconfig. */
async function userOf(script: string, change: object = {}): Promise<NamedEntry> {
  await writeFile(join(folder, 'plugin.sh'), `#!/bin/sh\necho run >> ${folder}/runs\n${script}\n`, { mode: 0o755 });
  return {
    name: 'u',
    what: "user 'u'",
    path: join(folder, 'config'),
    value: { exec: { apiVersion, command: './plugin.sh', interactiveMode: 'Never', ...change } },
  };
}

const credential = (status: object): string => `echo '${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}'`;
/** The number of the run for a token, and when it ends. */
const numbered = (expirationTimestamp?: string): string =>
  credential({ token: 'N', expirationTimestamp }).replace('"N"', `"'$(wc -l < ${'$'}{0%/*}/runs | tr -d ' ')'"`);

async function given(script: string, change: object = {}) {
  const clock = new FakeClock(Date.parse('2026-05-05T10:00:00Z'));
  const ask = createExecPlugin(await userOf(script, change), { env, clock, clusterInfo: async () => ({ server: 'https://x.test' }) });
  const token = async (renew = false): Promise<string> => String((await ask(renew)).headers.authorization);
  return { clock, ask, token };
}

describe('an exec plug-in', { timeout: 20_000 }, () => {
  it('is run once for all who ask, and again when its token was refused, but not over and over', async () => {
    const { clock, token } = await given(numbered());
    expect(await Promise.all([token(), token(), token()])).toEqual(['Bearer 1', 'Bearer 1', 'Bearer 1']);
    await clock.advance(86_400_000);
    expect(await token()).toBe('Bearer 1');
    expect(await Promise.all([token(true), token(true)])).toEqual(['Bearer 2', 'Bearer 2']);
    await clock.advance(9_999);
    expect(await token(true)).toBe('Bearer 2');
    await clock.advance(1);
    expect(await token(true)).toBe('Bearer 3');
  });

  it.each([
    { life: 'an hour', ends: '2026-05-05T11:00:00Z', againAfterMs: 59 * 60_000 },
    { life: 'two minutes', ends: '2026-05-05T10:02:00Z', againAfterMs: 90_000 },
  ])('is run again before a token of $life expires', async ({ ends, againAfterMs }) => {
    const { clock, token } = await given(numbered(ends));
    await token();
    await clock.advance(againAfterMs - 1);
    expect(await token()).toBe('Bearer 1');
    await clock.advance(1);
    expect(await token()).toBe('Bearer 2');
  });

  it('that fails leaves its last token in use as long as that is good', async () => {
    const { clock, token } = await given(
      `[ $(wc -l < ${folder}/runs) = 1 ] || { echo offline >&2; exit 1; }; ${numbered('2026-05-05T10:10:00Z')}`,
    );
    expect(await token()).toBe('Bearer 1');
    await clock.advance(599_999);
    expect(await token()).toBe('Bearer 1');
    await clock.advance(1);
    await expect(token()).rejects.toThrow('offline');
  });

  it('is told the version, the cluster where it asks for it, and its own environment', async () => {
    const { token } = await given(
      `echo "$KUBERNETES_EXEC_INFO" > ${folder}/info; ${credential({ token: 'T' }).replace('T"', `'"$GREETING $WHO $1"'"`)}`,
      {
        provideClusterInfo: true,
        env: [{ name: 'WHO', value: 'ann' }],
        args: ['now'],
      },
    );
    expect(await token()).toBe('Bearer hello ann now');
    expect(JSON.parse(await readFile(join(folder, 'info'), 'utf8'))).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://x.test' } },
    });
  });

  it('gives a client certificate to the context that names it', async () => {
    const user = await userOf(credential({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    const cluster: NamedEntry = { name: 'c', path: '/k', what: "cluster 'c'", value: { server: 'https://x.test' } };
    const parts = { readFile: () => Promise.reject(new Error('no files')), clock: new FakeClock(), env };
    const config = await configOfContext({ name: 'x', namespace: 'default', cluster, user }, parts);
    expect(await config.tls()).toEqual({ cert: 'CERT', key: 'KEY' });
    expect(await config.headers(false)).toEqual({});
  });

  it.each([
    { name: 'fails', script: 'echo "please log in" >&2; echo hunter2; exit 1', says: 'please log in' },
    { name: 'fails without a word', script: 'exit 3', says: 'it failed and said nothing; run it by hand' },
    { name: 'prints no JSON', script: 'echo hunter2', says: 'it printed no ExecCredential; run it by hand' },
    { name: 'needs a terminal', script: '', change: { interactiveMode: 'Always' }, says: 'it needs a terminal; log in by another way' },
    {
      name: 'is not installed',
      script: '',
      change: { command: 'no-such-plugin' },
      says: 'the command was not found; install it, or check PATH',
    },
    {
      name: 'is not installed and says how',
      script: '',
      change: { command: 'no-such-plugin', installHint: 'get it from x.test' },
      says: 'the command was not found; get it from x.test',
    },
    { name: 'is not named', script: '', change: { command: '' }, says: 'it names no command; mend the kubeconfig' },
  ])('that $name is told without what it printed', async ({ script, change, says }) => {
    const { ask } = await given(script, change);
    await expect(ask(false)).rejects.toMatchObject({ name: 'ConfigError', message: `asking the credential plug-in of user 'u': ${says}` });
  });

  it('that hangs is ended after a minute', async () => {
    const { clock, ask } = await given('exec sleep 600');
    const asking = expect(ask(false)).rejects.toThrow("asking the credential plug-in of user 'u': it took longer than 60 s");
    await clock.advance(60_000);
    await asking;
  });
});
