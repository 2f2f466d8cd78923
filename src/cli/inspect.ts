import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters, styleText } from 'node:util';
import { canonicalJson } from '../lib/canonical-json.ts';
import { createDeps } from '../reconcile/deps.ts';
import { type Explanation, explain } from '../reconcile/explain.ts';
import { observe } from '../reconcile/observe.ts';
import { checkPlan } from '../reconcile/plan/check-plan.ts';
import { planPerformer } from '../reconcile/plan/plan.ts';
import type { Snapshot } from '../reconcile/plan/snapshot.ts';
import { createWorld, listWorld } from '../reconcile/world.ts';
import { connect } from './connect.ts';
import { CliError, type ExitCode, exitCodes } from './exit-codes.ts';
import { readSettings } from './operator.ts';
import type { ConnectOptions, SettingsOptions } from './options.ts';
import { renderTable } from './output.ts';
import { parseSnapshot } from './snapshot-file.ts';

export interface TakeOptions extends ConnectOptions, SettingsOptions {
  readonly name: string;
}

export interface ExplainOptions extends TakeOptions {
  /** A file in place of the cluster. */
  readonly snapshot?: string;
  readonly output: 'text' | 'json';
}

/** `snapshot`: what one pass sees, without the values of the environment. */
export async function printSnapshot(options: TakeOptions): Promise<void> {
  process.stdout.write(`${format(hideEnvironment(await takeSnapshot(options)))}\n`);
}

/** `plan`: what the core decides on a stored snapshot. */
export async function printPlan(options: SettingsOptions & { readonly snapshot: string }): Promise<void> {
  const snapshot = await loadSnapshot(options.snapshot);
  process.stdout.write(`${format(checkPlan(planPerformer(snapshot, readSettings(options)), snapshot))}\n`);
}

/** `explain`: the same for people. */
export async function printExplanation(options: ExplainOptions): Promise<ExitCode> {
  const snapshot = options.snapshot === undefined ? await takeSnapshot(options) : await loadSnapshot(options.snapshot);
  const told = explain(snapshot, readSettings(options));
  const shown = options.output === 'json' ? JSON.stringify(told, null, 2) : renderExplanation(told, process.stdout.columns ?? 120);
  process.stdout.write(`${process.stdout.isTTY ? shown : stripVTControlCharacters(shown)}\n`);
  return told.verdict.kind === 'settled' ? exitCodes.ok : exitCodes.negative;
}

/** What a pass over that Performer would see in the cluster now. @throws CliError where nothing of that name is there */
async function takeSnapshot(options: TakeOptions): Promise<Snapshot> {
  const key = { namespace: options.namespace ?? 'default', name: options.name };
  const connection = await connect(options);
  try {
    const { kube } = connection;
    const world = createWorld();
    const { signal } = new AbortController();
    await listWorld(world, kube, key.namespace, signal);
    const deps = createDeps({ kube, world, settings: readSettings(options), mayWrite: () => false, log: () => undefined });
    const snapshot = await observe(key, deps, false, signal);
    if (snapshot.performer !== undefined || snapshot.pods.length > 0) return snapshot;
    throw new CliError(`Performer ${key.namespace}/${key.name} does not exist. List them: kubectl get performers -A`);
  } finally {
    connection.close();
  }
}

/** The snapshot in a file, or on standard input for `-`. @throws CliError where it cannot be read */
async function loadSnapshot(path: string): Promise<Snapshot> {
  if (path === '-') return parseSnapshot(await text(process.stdin), path);
  const content = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new CliError(`reading snapshot ${path}: ${cause.message}`, exitCodes.failed, { cause });
  });
  return parseSnapshot(content, path);
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

/** For people; styled, so that what does not go to a terminal must be stripped. Pure. */
function renderExplanation(told: Explanation, width: number): string {
  const title = (words: string): string => styleText('bold', words);
  const again =
    told.looksAgainAfterMs === undefined ? 'when something changes' : `in ${Math.ceil(told.looksAgainAfterMs / 1_000)} s at the latest`;
  const spec = `generation ${told.generation}, revision ${told.revision || 'unreadable'}; status is about generation ${told.observedGeneration ?? 'none'}, revision ${told.servingRevision ?? 'none'}`;
  const pods = told.pods.map((pod) => [`  ${pod.name}`, pod.word, pod.revision ?? '', pod.node ?? '', pod.remark]);
  return [
    `${title(`Performer ${told.performer}`)}  ${told.verdict.kind}: ${told.verdict.reason}`,
    '',
    title(`Seen at ${told.seenAt}`),
    told.exists ? `  spec     ${spec}` : '  spec     there is no such Performer',
    `  Service  ${told.service}`,
    ...(pods.length === 0 ? ['  Pods     none'] : renderTable(['  POD', 'WORD', 'REVISION', 'NODE', 'REMARK'], pods, width)),
    '',
    title('Decided'),
    `  ${told.verdict.message}`,
    ...(told.actions.length === 0 ? ['  nothing to write now'] : told.actions.map((action, place) => `  ${place + 1}. ${action}`)),
    '',
    `${title('Because')}    ${told.because}`,
    `${title('Waits for')}  ${told.waitsFor}`,
    `${title('Looks again')} ${again}`,
  ].join('\n');
}
