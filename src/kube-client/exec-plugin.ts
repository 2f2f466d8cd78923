import { execFile } from 'node:child_process';
import { dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, startDeadline } from '../lib/clock.ts';
import { ConfigError } from './cluster-config.ts';
import { type Ask, type Credentials, createKept, type Given } from './credentials.ts';
import { isRecord } from './decode.ts';
import type { NamedEntry } from './kubeconfig.ts';

/** A plug-in may wait for a network, not for ever. */
const runTimeoutMs = 60_000;
/** New credentials are fetched this long before the old ones end, or a quarter of their life where that is shorter. */
const aheadMs = 60_000;
/** Not more often than this, however often what it gives is refused. */
const restMs = 10_000;

export interface ExecPluginParts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** What a plug-in that asks for it (`provideClusterInfo`) is told of the cluster. */
  readonly clusterInfo: () => Promise<object>;
}

type Entry = Readonly<Record<string, unknown>>;

/**
 * Runs a user's `exec` command for credentials, by the protocol of client.authentication.k8s.io: when none are known, before they expire, and when they
 * were refused.
 *
 * @throws ConfigError that names the user and what went wrong, never what the command printed
 */
export function createExecPlugin(user: NamedEntry, parts: ExecPluginParts): Ask<Credentials> {
  const source = async (): Promise<Given<Credentials>> => {
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = await runPlugin(user, parts);
    const value = {
      headers: typeof token === 'string' ? { authorization: `Bearer ${token}` } : {},
      ...(typeof cert === 'string' && typeof key === 'string' ? { cert, key } : {}),
    };
    const endsAtMs = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
    const goodMs = Number.isNaN(endsAtMs) ? Number.POSITIVE_INFINITY : endsAtMs - parts.clock.nowMs();
    return { value, goodMs, freshMs: goodMs - Math.min(aheadMs, goodMs / 4) };
  };
  return createKept(source, parts.clock, restMs);
}

async function runPlugin(user: NamedEntry, { env, clock, clusterInfo }: ExecPluginParts): Promise<Entry> {
  const exec = isRecord(user.value.exec) ? user.value.exec : {};
  const { command, args = [], env: more = [], apiVersion, interactiveMode, provideClusterInfo } = exec;
  if (typeof command !== 'string' || command === '') throw failed(user, 'it names no command; mend the kubeconfig');
  if (!isTexts(args)) throw failed(user, "its 'args' must be a list of strings; mend the kubeconfig");
  if (interactiveMode === 'Always') throw failed(user, 'it needs a terminal; log in by another way');
  const own = (Array.isArray(more) ? more : []).filter(isRecord).map(({ name, value }) => [String(name), String(value)]);
  const spec = { interactive: false, ...(provideClusterInfo === true ? { cluster: await clusterInfo() } : {}) };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  // A command with a slash in it starts from the kubeconfig's folder.
  const path = command.includes('/') && !isAbsolute(command) ? join(dirname(user.path), command) : command;
  const deadline = startDeadline(clock, runTimeoutMs);
  const hint = typeof exec.installHint === 'string' && exec.installHint !== '' ? exec.installHint.trim() : 'install it, or check PATH';
  try {
    const options = { env: { ...env, ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: info }, signal: deadline.signal };
    const running = promisify(execFile)(path, args, options);
    running.child.stdin?.end();
    const credential: unknown = JSON.parse((await running).stdout);
    if (isRecord(credential) && isRecord(credential.status)) return credential.status;
    throw new SyntaxError('no status');
  } catch (error) {
    throw failed(user, deadline.expired() ? `it took longer than ${runTimeoutMs / 1000} s` : whyFailed(error, hint));
  } finally {
    deadline.clear();
  }
}

/** What the plug-in wrote to stderr; never what it printed, which may hold the credentials. */
function whyFailed(error: unknown, installHint: string): string {
  if (error instanceof SyntaxError) return 'it printed no ExecCredential; run it by hand';
  if (!isRecord(error)) return 'it failed';
  if (error.code === 'ENOENT') return `the command was not found; ${installHint}`;
  const stderr = typeof error.stderr === 'string' ? error.stderr : '';
  const [first = ''] = stderr.trim().split('\n', 1);
  return first === '' ? 'it failed and said nothing; run it by hand' : first.slice(0, 300);
}

function failed(user: NamedEntry, why: string): ConfigError {
  return new ConfigError(`asking the credential plug-in of ${user.what}: ${why}`);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
