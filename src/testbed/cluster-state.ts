import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import * as z from 'zod/mini';
import { errnoCode, TestbedError, toTestbedError } from './testbed-error.ts';

const portsSchema = z.object({ apiServer: z.number(), etcd: z.number(), etcdPeer: z.number() });
const processSchema = z.object({ pid: z.int().check(z.positive()), stamp: z.string() });
const stateSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  /** Where the cluster's files are; not always the directory that holds this state. */
  dir: z.string(),
  /** Whether the cluster made `dir`, and so may remove it. */
  dirMade: z.boolean(),
  profile: z.enum(['instant', 'node-like', 'none', 'nodes']),
  /** The real nodes; those that are powered off have no process. */
  nodes: z.optional(z.object({ count: z.number(), timers: z.enum(['fast', 'stock']), chaosDaemon: z.optional(z.string()) })),
  detach: z.boolean(),
  phase: z.enum(['starting', 'ready', 'failed']),
  createdAt: z.string(),
  /** Who starts it, or keeps it when it is not detached. `stoppable`: a command that ends its cluster when it is told to end. */
  owner: z.extend(processSchema, { stoppable: z.boolean() }),
  ports: z.optional(portsSchema),
  /** Every process that is going to be made, by name; null until its id is known. */
  processes: z.record(z.string(), z.nullable(processSchema)),
});

/** What is known of a cluster, written before each thing is made, so that everything can be removed after a crash. */
export type ClusterState = z.infer<typeof stateSchema>;
export type Ports = z.infer<typeof portsSchema>;
export type ProcessRecord = z.infer<typeof processSchema>;
export type StateReading =
  | { readonly kind: 'state'; readonly state: ClusterState }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** The folder with one folder per cluster: `$XDG_STATE_HOME/hourglass/clusters`, by default under `~/.local/state`. */
export function clustersHome(env: Readonly<Record<string, string | undefined>>): string {
  const stateHome = env.XDG_STATE_HOME;
  const base = stateHome?.startsWith('/') ? stateHome : join(homedir(), '.local', 'state');
  return join(base, 'hourglass', 'clusters');
}

/** What to tell a user about a name that is refused. */
export const clusterNameRule = 'use lower case letters, digits and dashes, 40 at most';

/** A name is a folder's name and part of nothing else. Pure. */
export function isClusterName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,39}$/.test(name);
}

/** Path of the folder that records the cluster `name`. @throws TestbedError for what is no name, which could lead anywhere */
export function registryDirOf(home: string, name: string): string {
  if (!isClusterName(name)) throw new TestbedError(`cluster name ${JSON.stringify(name)}: ${clusterNameRule}`);
  return join(home, name);
}

/** Names of all clusters that have left a trace under `home`, sorted; none if there is no such folder. */
export function listClusters(home: string): string[] {
  try {
    return readdirSync(home).filter(isClusterName).toSorted();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw toTestbedError(`listing the clusters in ${home}`, error);
  }
}

/** Unknown text to state; a file cut short by a crash or a full disk is `unreadable`, never an exception. Pure. */
export function parseState(text: string): StateReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', reason: 'it is not JSON' };
  }
  const parsed = stateSchema.safeParse(json);
  if (parsed.success) return { kind: 'state', state: parsed.data };
  const issue = parsed.error.issues[0];
  return { kind: 'unreadable', reason: issue === undefined ? 'unknown form' : `${issue.path.join('.') || 'root'}: ${issue.message}` };
}

export function readState(registryDir: string): StateReading {
  try {
    return parseState(readFileSync(statePath(registryDir), 'utf8'));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return { kind: 'missing' };
    return { kind: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Writes the first state of a cluster whole or not at all. Returns false when the name is taken: of two starters one wins. */
export function claimState(registryDir: string, state: ClusterState): boolean {
  try {
    makePrivateDir(registryDir);
    putState(registryDir, state, linkSync);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw toTestbedError(`recording cluster ${state.name} in ${registryDir}`, error);
  }
}

/** Replaces the state in one step: a reader sees the old or the new one. Synchronous, so that nothing starts before it is written. */
export function writeState(registryDir: string, state: ClusterState): void {
  try {
    putState(registryDir, state, renameSync);
  } catch (error) {
    throw toTestbedError(`recording cluster ${state.name} in ${registryDir}`, error);
  }
}

function putState(registryDir: string, state: ClusterState, place: (draft: string, path: string) => void): void {
  // Of this process: another may be writing, too.
  const draft = `${statePath(registryDir)}.${process.pid}`;
  try {
    writeFileSync(draft, JSON.stringify(state, undefined, 2), { mode: 0o600 });
    place(draft, statePath(registryDir));
  } finally {
    rmSync(draft, { force: true });
  }
}

function statePath(registryDir: string): string {
  return join(registryDir, 'state.json');
}

/**
 * Makes a directory, and those above it, for their owner alone; one that exists stays as it is. Throws the system's error.
 * (Node's own `recursive` never returns where a directory exists and yet nothing can be made in it, as in /proc.)
 */
export function makePrivateDir(path: string): void {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) makePrivateDir(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}
