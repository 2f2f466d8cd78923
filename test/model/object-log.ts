import type { KubeObject, ObjectMeta } from '../../src/kube/objects.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import { type KindName, kinds, own, type Target, targetText } from './kinds.ts';
import type { OwnerChoice, UidChoice, VersionChoice } from './operations.ts';

export interface LogEntry {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

const nobody = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
const former = 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee';

/** All that happened to the objects of one sequence on one side, in the words of watch events, and what it gives to refer to. */
export class ObjectLog {
  readonly #namespace: string;
  readonly #entries = new Map<string, LogEntry[]>();
  readonly #aliases = new Map<string, string>();
  /** The newest version of any object of the sequence. */
  newest = 0n;

  /** @param namespace what this side calls the sequence's own namespace */
  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  add(kind: KindName, entry: LogEntry): void {
    const { name = '', uid = '', resourceVersion = '0' } = entry.object.metadata ?? {};
    const id = targetText(kind === 'namespace' ? own : { kind, name });
    const entries = this.#entries.get(id) ?? [];
    this.#entries.set(id, entries);
    const isNew = !this.#aliases.has(uid);
    if (isNew) this.#aliases.set(uid, `${id}#${new Set(entries.map(({ object }) => object.metadata?.uid)).size + 1}`);
    entries.push(entry);
    if (BigInt(resourceVersion) > this.newest) this.newest = BigInt(resourceVersion);
  }

  targets(): readonly string[] {
    return [...this.#entries.keys()].toSorted();
  }

  /** What happened to one object, in words that are the same on both sides. */
  story(id: string): readonly string[] {
    const lines = (this.#entries.get(id) ?? []).map((entry) => this.digest(entry));
    // A namespace is also written by its controller, about how far it has come.
    return id === targetText(own)
      ? lines.filter((line, index) => line.replace(/^\w+/, '') !== lines[index - 1]?.replace(/^\w+/, ''))
      : lines;
  }

  /** Whether versions grew with each entry of an object. */
  findDisorder(): string | undefined {
    for (const [id, entries] of this.#entries) {
      const versions = entries.map(({ object }) => BigInt(object.metadata?.resourceVersion ?? '0'));
      if (versions.some((version, index) => index > 0 && version <= (versions[index - 1] ?? 0n))) return `${id}: ${versions.join(', ')}`;
    }
    return undefined;
  }

  digest({ type, object }: LogEntry): string {
    const {
      uid = '',
      labels,
      annotations,
      finalizers,
      generation,
      deletionTimestamp,
      deletionGracePeriodSeconds,
      ownerReferences,
    } = object.metadata ?? {};
    const who = this.#aliases.get(uid) ?? 'unknown';
    if (type === 'DELETED') return `DELETED ${who}`;
    const isNamespace = object.kind === kinds.namespace.kind;
    const { 'kubernetes.io/metadata.name': _own, ...ownLabels } = labels ?? {};
    const { spec, status } = object as {
      readonly spec?: Readonly<Record<string, unknown>>;
      readonly status?: Readonly<Record<string, unknown>>;
    };
    return `${type} ${who} ${canonicalJson({
      labels: ownLabels,
      annotations,
      generation,
      deleting: deletionTimestamp !== undefined,
      deletionGracePeriodSeconds,
      ownerReferences: ownerReferences?.map((reference) => ({ ...reference, uid: this.#aliases.get(reference.uid) ?? reference.uid })),
      ...(isNamespace ? { phase: status?.phase } : { finalizers, spec: maskAddress(spec), status }),
    })}`;
  }

  latest({ kind, name }: Target): KubeObject | undefined {
    const last = this.#entries.get(targetText({ kind, name }))?.at(-1);
    return last === undefined || last.type === 'DELETED' ? undefined : last.object;
  }

  newestOf(target: Target): bigint {
    return BigInt(metadataOf(this.#entries.get(targetText(target))?.at(-1))?.resourceVersion ?? '0');
  }

  /** The version a call names; undefined: it names none. */
  version(target: Target, choice: VersionChoice): string | undefined {
    if (choice === 'none') return undefined;
    const entries = this.#entries.get(targetText(target)) ?? [];
    return metadataOf(entries.at(choice === 'latest' ? -1 : -2))?.resourceVersion ?? '1';
  }

  uid(target: Target, choice: UidChoice): string | undefined {
    if (choice === 'none') return undefined;
    const uids = [...new Set((this.#entries.get(targetText(target)) ?? []).map((entry) => metadataOf(entry)?.uid))];
    if (choice === 'wrong') return nobody;
    return (choice === 'right' ? uids.at(-1) : uids.at(-2)) ?? former;
  }

  owner({ target, uid, controller, block }: OwnerChoice): object {
    const { kind, group, version } = kinds[target.kind];
    return {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      name: target.name,
      uid: this.uid(target, uid),
      controller,
      blockOwnerDeletion: block,
    };
  }

  get namespace(): string {
    return this.#namespace;
  }
}

function metadataOf(entry: LogEntry | undefined): ObjectMeta | undefined {
  return entry?.object.metadata;
}

/** Which address a Service gets is chance; that it has one and keeps it is not. */
function maskAddress(spec: Readonly<Record<string, unknown>> | undefined): unknown {
  if (typeof spec?.clusterIP !== 'string' || !spec.clusterIP.startsWith('10.96.')) return spec;
  return {
    ...spec,
    clusterIP: 'address',
    clusterIPs: Array.isArray(spec.clusterIPs) ? spec.clusterIPs.map(() => 'address') : spec.clusterIPs,
  };
}
