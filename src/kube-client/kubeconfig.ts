import { ConfigError } from './cluster-config.ts';
import { isRecord } from './decode.ts';
import type * as Yaml from './yaml-parser.ts';

type Entry = Readonly<Record<string, unknown>>;

/** A named entry of a kubeconfig, and the file it is from: its relative paths start there. */
export interface NamedEntry {
  readonly name: string;
  readonly path: string;
  /** For messages: `cluster 'dev'`. */
  readonly what: string;
  readonly value: Entry;
}

/** What is wrong with an entry. @param why what, and what to do; nothing of the entry's values */
export function entryError(entry: Omit<NamedEntry, 'value'>, why: string): ConfigError {
  return new ConfigError(`reading kubeconfig ${entry.path}: ${entry.what}: ${why}`);
}

export interface Kubeconfig {
  /** Files it was read from, for messages. */
  readonly paths: readonly string[];
  readonly currentContext: string | undefined;
  readonly contexts: readonly NamedEntry[];
  readonly clusters: readonly NamedEntry[];
  readonly users: readonly NamedEntry[];
}

export interface SelectedContext {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: NamedEntry;
  /** Absent in a context without a user: requests are anonymous. */
  readonly user: NamedEntry | undefined;
}

/**
 * Reads one kubeconfig, whatever YAML it is written in. Pure.
 *
 * @throws ConfigError with file and line, never with content
 */
export function parseKubeconfig(path: string, text: string, yaml: typeof Yaml): Kubeconfig {
  const lineCounter = new yaml.LineCounter();
  // Pretty errors quote the line, and with it perhaps a token.
  const document = yaml.parseDocument(text, { prettyErrors: false, lineCounter });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    return fail(path, `line ${line}, column ${col}: not valid YAML (${problem.code})`);
  }
  try {
    return readFrame(path, document.toJS() ?? {});
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // Aliases that lead nowhere or multiply.
    return fail(path, 'its YAML aliases cannot be resolved');
  }
}

/** The frame of a kubeconfig; an entry is checked when it is used. Pure. @throws ConfigError without content */
export function readFrame(path: string, value: unknown): Kubeconfig {
  if (!isRecord(value)) return fail(path, 'it is no mapping');
  const currentContext = value['current-context'];
  if (typeof (currentContext ?? '') !== 'string') fail(path, "'current-context' must be a string");
  return {
    paths: [path],
    currentContext: typeof currentContext === 'string' && currentContext !== '' ? currentContext : undefined,
    contexts: readEntries(path, value, 'contexts', 'context'),
    clusters: readEntries(path, value, 'clusters', 'cluster'),
    users: readEntries(path, value, 'users', 'user'),
  };
}

function fail(path: string, why: string): never {
  throw new ConfigError(`reading kubeconfig ${path}: ${why}; mend the file, or name another with --kubeconfig`);
}

/** Several files as one; for a name that stands in several, the first wins, as kubectl has it. Pure. */
export function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  const firstOfName = (entries: readonly NamedEntry[]): readonly NamedEntry[] =>
    entries.filter((entry, index) => entries.findIndex(({ name }) => name === entry.name) === index);
  return {
    paths: files.flatMap(({ paths }) => paths),
    currentContext: files.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
    contexts: firstOfName(files.flatMap(({ contexts }) => contexts)),
    clusters: firstOfName(files.flatMap(({ clusters }) => clusters)),
    users: firstOfName(files.flatMap(({ users }) => users)),
  };
}

/** The cluster and user of a context; of the current one when none is named. Pure. @throws ConfigError that says which names there are */
export function selectContext(config: Kubeconfig, wanted: string | undefined): SelectedContext {
  const choices = namesOf('contexts', config.contexts);
  const fail = (why: string): never => {
    throw new ConfigError(`reading kubeconfig ${config.paths.join(', ')}: ${why}`);
  };
  const name = wanted ?? config.currentContext;
  if (name === undefined) return fail(`it has no current-context; choose one with --context (${choices})`);
  const context = config.contexts.find((entry) => entry.name === name);
  if (context === undefined) {
    const next = wanted === undefined ? 'mend current-context, or choose with --context' : 'choose another with --context';
    return fail(`there is no context '${name}' (${choices}); ${next}`);
  }
  const entryOf = (kind: 'cluster' | 'user', entries: readonly NamedEntry[]): NamedEntry | undefined => {
    const entryName = readText(context, kind);
    const entry = entries.find((candidate) => candidate.name === entryName);
    if (entryName === undefined || entry !== undefined) return entry;
    const there = namesOf(`${kind}s`, entries);
    return fail(
      `context '${name}' names ${kind} '${entryName}', which is missing (${there}); add it, or choose another context (${choices})`,
    );
  };
  const cluster = entryOf('cluster', config.clusters) ?? fail(`context '${name}' names no cluster; choose another context (${choices})`);
  const namespace = readText(context, 'namespace') ?? 'default';
  return { name, namespace, cluster, user: entryOf('user', config.users) };
}

/** A text field of an entry; undefined when absent or empty. @throws ConfigError when it is something else; its value is not told */
export function readText(entry: NamedEntry, field: string): string | undefined {
  const value = entry.value[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw entryError(entry, `'${field}' must be a string`);
}

function readEntries(path: string, file: Entry, list: string, member: string): readonly NamedEntry[] {
  const entries = file[list];
  if (entries === undefined || entries === null) return [];
  if (!Array.isArray(entries)) throw new ConfigError(`reading kubeconfig ${path}: '${list}' must be a list`);
  return entries.map((entry: unknown, index): NamedEntry => {
    const name = isRecord(entry) ? entry.name : undefined;
    if (!isRecord(entry) || typeof name !== 'string' || name === '') {
      throw new ConfigError(`reading kubeconfig ${path}: entry ${index + 1} of '${list}' has no name`);
    }
    const named = { name, path, what: `${member} '${name}'` };
    const value = entry[member] ?? {};
    if (!isRecord(value)) throw entryError(named, `'${member}' must be a mapping`);
    return { ...named, value };
  });
}

function namesOf(what: string, entries: readonly NamedEntry[]): string {
  return entries.length === 0 ? `it has no ${what}` : `${what}: ${entries.map(({ name }) => name).join(', ')}`;
}
