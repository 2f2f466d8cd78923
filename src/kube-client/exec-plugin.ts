import { execFile } from 'node:child_process';
import { dirname, isAbsolute, join } from 'node:path';
import { type Clock, startDeadline } from '../lib/clock.ts';
import { ConfigError } from './cluster-config.ts';
import type { AskCredentials, AskedCredentials } from './context-config.ts';
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
 * were refused. Those that ask at once share one run. A run that fails while the last credentials are still good changes nothing.
 *
 * @throws ConfigError that names the user and what went wrong, never what the command printed
 */
export function createExecPlugin(user: NamedEntry, parts: ExecPluginParts): AskCredentials {
  const { clock } = parts;
  let known: AskedCredentials | undefined;
  let running: Promise<void> | undefined;
  // By the monotonic clock: from when on to run again, and how long what is known may be used.
  let dueAtMs = Number.NEGATIVE_INFINITY;
  let endsAtMs = Number.NEGATIVE_INFINITY;
  let ranAtMs = Number.NEGATIVE_INFINITY;

  const run = async (): Promise<void> => {
    try {
      const status = await runPlugin(user, parts);
      const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
      known = {
        headers: typeof token === 'string' ? { authorization: `Bearer ${token}` } : {},
        ...(typeof cert === 'string' && typeof key === 'string' ? { cert, key } : {}),
      };
      const expiresAtMs = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
      const lifeMs = Number.isNaN(expiresAtMs) ? Number.POSITIVE_INFINITY : expiresAtMs - clock.nowMs();
      endsAtMs = clock.monotonicMs() + lifeMs;
      dueAtMs = endsAtMs - Math.min(aheadMs, lifeMs / 4);
    } catch (error) {
      if (known === undefined || clock.monotonicMs() >= endsAtMs) throw error;
    } finally {
      ranAtMs = clock.monotonicMs();
      running = undefined;
    }
  };

  return async (renew) => {
    const nowMs = clock.monotonicMs();
    const wanted = (renew || nowMs >= dueAtMs) && nowMs - ranAtMs >= restMs;
    if (wanted || running !== undefined || known === undefined || nowMs >= endsAtMs) {
      running ??= run();
      await running;
    }
    if (known === undefined) throw failed(user, 'it gave no credentials');
    return known;
  };
}

async function runPlugin(user: NamedEntry, { env, clock, clusterInfo }: ExecPluginParts): Promise<Entry> {
  const exec = asEntry(user.value.exec) ?? {};
  const { command, args = [], env: more = [], apiVersion, interactiveMode, provideClusterInfo } = exec;
  if (typeof command !== 'string' || command === '') throw failed(user, 'it names no command; mend the kubeconfig');
  if (!isTexts(args)) throw failed(user, "its 'args' must be a list of strings; mend the kubeconfig");
  if (interactiveMode === 'Always') throw failed(user, 'it needs a terminal; log in by another way');
  const own = Array.isArray(more) ? more.map(asEntry).map((entry) => [String(entry?.name), String(entry?.value)]) : [];
  const spec = { interactive: false, ...(provideClusterInfo === true ? { cluster: await clusterInfo() } : {}) };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  // A command with a slash in it starts from the kubeconfig's folder.
  const path = command.includes('/') && !isAbsolute(command) ? join(dirname(user.path), command) : command;
  const deadline = startDeadline(clock, runTimeoutMs);
  try {
    return await new Promise<Entry>((resolve, reject) => {
      const options = { env: { ...env, ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: info }, signal: deadline.signal };
      const child = execFile(path, args, options, (error, stdout, stderr) => {
        if (error !== null) {
          const hint = typeof exec.installHint === 'string' ? exec.installHint.trim() : '';
          reject(failed(user, deadline.expired() ? `it took longer than ${runTimeoutMs / 1000} s` : whyFailed(error, stderr, hint)));
          return;
        }
        const status = asEntry(parseJson(stdout)?.status);
        if (status === undefined) reject(failed(user, 'it printed no ExecCredential; run it by hand'));
        else resolve(status);
      });
      child.stdin?.end();
    });
  } finally {
    deadline.clear();
  }
}

/** What the plug-in wrote to stderr; never what it printed, which may hold the credentials. */
function whyFailed(error: Error, stderr: string, installHint: string): string {
  if ('code' in error && error.code === 'ENOENT') return `the command was not found; ${installHint || 'install it, or check PATH'}`;
  const [first = ''] = stderr.trim().split('\n', 1);
  return first === '' ? 'it failed and said nothing; run it by hand' : first.slice(0, 300);
}

function failed(user: NamedEntry, why: string): ConfigError {
  return new ConfigError(`asking the credential plug-in of user '${user.name}': ${why}`);
}

function parseJson(text: string): Entry | undefined {
  try {
    return asEntry(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asEntry(value: unknown): Entry | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
