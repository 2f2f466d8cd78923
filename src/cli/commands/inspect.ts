import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ObjectKey } from '../../kube/objects.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { createDeps } from '../../reconcile/deps.ts';
import { observe } from '../../reconcile/observe.ts';
import { checkPlan } from '../../reconcile/plan/check-plan.ts';
import { planPerformer } from '../../reconcile/plan/plan.ts';
import type { Snapshot } from '../../reconcile/plan/snapshot.ts';
import { createWorld, listWorld } from '../../reconcile/world.ts';
import { connect } from '../connect.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { readSettings } from '../operator.ts';
import { addSettingsOptions, type ConnectOptions, readOptions, type SettingsOptions } from '../options.ts';
import { parseSnapshot } from '../snapshot-file.ts';

export function registerInspect(program: Command): void {
  addSettingsOptions(program.command('snapshot'))
    .argument('<name>', 'of the Performer')
    .description('print what one pass sees, as JSON; environment values only as keyed hashes')
    .option('-n, --namespace <namespace>', 'its namespace', 'default')
    .action(async (name: string, _options: unknown, command: Command) => {
      const snapshot = await takeSnapshot({ name, ...readOptions<ConnectOptions & SettingsOptions>(command) });
      process.stdout.write(`${format(hideEnvironment(snapshot))}\n`);
    });
  addSettingsOptions(program.command('plan'))
    .description('print the plan for a snapshot, as JSON; touches no cluster')
    .requiredOption('--snapshot <file>', 'file made by `hourglass snapshot`, or - for standard input')
    .action(async (options: SettingsOptions & { readonly snapshot: string }) => {
      const snapshot = await loadSnapshot(options.snapshot);
      process.stdout.write(`${format(checkPlan(planPerformer(snapshot, readSettings(options)), snapshot))}\n`);
    });
}

/** What a pass over that Performer would see in the cluster now. @throws CliError where nothing of that name is there */
export async function takeSnapshot(options: ConnectOptions & SettingsOptions & { readonly name: string }): Promise<Snapshot> {
  const key: ObjectKey = { namespace: options.namespace ?? 'default', name: options.name };
  const connection = await connect(options);
  try {
    const { kube } = connection;
    const world = createWorld();
    const { signal } = new AbortController();
    await listWorld(world, kube, key.namespace, signal);
    const deps = createDeps({ kube, world, settings: readSettings(options), mayWrite: () => false, log: () => undefined });
    const snapshot = await observe(key, deps, false, signal);
    if (snapshot.performer === undefined && snapshot.pods.length === 0) {
      throw new CliError(`Performer ${key.namespace}/${key.name} does not exist. List them: kubectl get performers -A`, exitCodes.failed);
    }
    return snapshot;
  } finally {
    connection.close();
  }
}

/** The snapshot in a file, or on standard input for `-`. @throws CliError where it cannot be read */
export async function loadSnapshot(path: string): Promise<Snapshot> {
  return parseSnapshot(await readText(path), path);
}

/** Values become HMACs under a key nobody keeps: equal values stay equal within one snapshot, and cannot be guessed from it. */
function hideEnvironment(snapshot: Snapshot): Snapshot {
  const parsed = snapshot.performer?.parsed;
  if (snapshot.performer === undefined || parsed?.valid !== true || parsed.spec.config === undefined) return snapshot;
  const key = randomBytes(32);
  const hide = (value: string): string => `hmac:${createHmac('sha256', key).update(value).digest('hex').slice(0, 16)}`;
  const { config } = parsed.spec;
  const environment = Object.entries(config.environment ?? {}).map(([name, value]) => [name, hide(value)] as const);
  const env = config.env?.map((entry) => (entry.value === undefined ? entry : { ...entry, value: hide(entry.value) }));
  const hidden = {
    ...(config.environment === undefined ? {} : { environment: Object.fromEntries(environment) }),
    ...(env === undefined ? {} : { env }),
  };
  const spec = { ...parsed.spec, config: { ...config, ...hidden } };
  return { ...snapshot, performer: { ...snapshot.performer, parsed: { valid: true, spec } } };
}

/** Sorted and indented: the same value, the same bytes. */
function format(value: unknown): string {
  return JSON.stringify(JSON.parse(canonicalJson(value)), null, 2);
}

async function readText(path: string): Promise<string> {
  if (path !== '-') {
    return readFile(path, 'utf8').catch((error: unknown) => {
      throw new CliError(`reading snapshot ${path}: ${error instanceof Error ? error.message : String(error)}`, exitCodes.failed, {
        cause: error,
      });
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
