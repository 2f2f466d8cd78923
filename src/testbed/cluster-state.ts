import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { isClusterName } from './cluster-name.ts';
import { makePrivateDir } from './private-dir.ts';
import { errnoCode, toTestbedError } from './testbed-error.ts';

const portsSchema = z.object({ apiServer: z.number(), etcd: z.number(), etcdPeer: z.number() });
const processSchema = z.object({ pid: z.int().check(z.positive()), stamp: z.string() });
const stateSchema = z.object({
  version: z.literal(1),
  name: z.string(),
  /** Where the cluster's files are; not always the directory that holds this state. */
  dir: z.string(),
  /** Whether the cluster made `dir`, and so may remove it. */
  dirMade: z.boolean(),
  profile: z.enum(['instant', 'node-like', 'none']),
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
  const draft = `${statePath(registryDir)}.${state.owner.pid}`;
  try {
    makePrivateDir(registryDir);
    writeFileSync(draft, JSON.stringify(state, undefined, 2), { mode: 0o600 });
    linkSync(draft, statePath(registryDir));
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw toTestbedError(`recording cluster ${state.name} in ${registryDir}`, error);
  } finally {
    try {
      rmSync(draft, { force: true });
    } catch {
      // The folder could not be made: that is the error to tell.
    }
  }
}

/** Replaces the state in one step: a reader sees the old or the new one. Synchronous, so that nothing starts before it is written. */
export function writeState(registryDir: string, state: ClusterState): void {
  const draft = `${statePath(registryDir)}.${state.owner.pid}`;
  try {
    writeFileSync(draft, JSON.stringify(state, undefined, 2), { mode: 0o600 });
    renameSync(draft, statePath(registryDir));
  } catch (error) {
    throw toTestbedError(`recording cluster ${state.name} in ${registryDir}`, error);
  }
}

function statePath(registryDir: string): string {
  return join(registryDir, 'state.json');
}
