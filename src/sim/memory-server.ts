import { KubeFault } from '../kube/faults.ts';
import {
  apiVersionOf,
  type KubeObject,
  keyOf,
  keyText,
  namespaces,
  type ObjectKey,
  type ObjectMeta,
  type Pod,
  pods,
  type Resource,
} from '../kube/objects.ts';
import type { DeleteOptions, PatchOptions } from '../kube/port.ts';
import { type Json, sameJson } from '../lib/canonical-json.ts';
import type { Clock } from '../lib/clock.ts';
import { hashHex } from '../lib/hash.ts';
import { formatTime } from '../lib/time.ts';
import { isReleased, planDeletion } from './deletion.ts';
import { type KindRules, kindIdOf, sameSpec } from './kind-rules.ts';
import { MemoryStore } from './memory-store.ts';
import { metadataRefusal, withoutEmptyMetadata } from './metadata-rules.ts';
import { podSecurityRefusal } from './pod-security.ts';
import { quotaRefusal, resourceQuotas } from './quota.ts';
import { type AnyObject, isJsonObject, type JsonObject, mergePatch, objectsOf, wireCopy } from './stored-object.ts';

/** A deletion as the cluster's own controllers ask for it: without preconditions. */
export type RemoveOptions = Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy'>;

/** The verbs of the API server on a memory store, each done in one instant. Every method throws `KubeFault` and nothing else. */
export class MemoryServer {
  readonly store = new MemoryStore();
  readonly clock: Clock;
  readonly #seed: string;
  readonly #kinds = new Map<string, { readonly resource: Resource<KubeObject>; readonly rules: KindRules }>();
  /** Uids of objects that read otherwise than they are stored: the next write is one even where it changes nothing. */
  readonly #unfilled = new Set<string>();
  /** Those that other rules than now let in, as they are stored, by uid. */
  readonly #stored = new Map<string, AnyObject>();
  #uids = 0;

  /** @param seed makes the uids: equal seeds and equal calls give equal clusters */
  constructor(clock: Clock, seed: string) {
    this.clock = clock;
    this.#seed = seed;
  }

  register(resource: Resource<KubeObject>, rules: KindRules): void {
    this.#kinds.set(kindIdOf(resource), { resource, rules });
  }

  /** Serves a kind by other rules from now on. What is stored stays as it is until it is written, and reads by these. */
  reread(resource: Resource<KubeObject>, rules: KindRules): void {
    this.register(resource, rules);
    for (const read of this.store.list(kindIdOf(resource))) {
      const { uid = '', resourceVersion } = read.metadata;
      const known = this.#stored.get(uid);
      const stored = known !== undefined && known.metadata.resourceVersion === resourceVersion ? known : read;
      const now = rules.withDefaults?.(stored, stored) ?? stored;
      this.#stored.set(uid, stored);
      this.#unfilled.add(uid);
      if (!sameJson(now, read)) this.store.restate(kindIdOf(resource), now);
    }
  }

  /** All kinds that are served. */
  resources(): Resource<KubeObject>[] {
    return [...this.#kinds.values()].map(({ resource }) => resource);
  }

  /** @throws KubeFault `kindMissing` */
  rulesOf(doing: string, resource: Resource<KubeObject>): KindRules {
    const kind = this.#kinds.get(kindIdOf(resource));
    if (kind !== undefined) return kind.rules;
    const message = `${doing} ${resource.plural}: the cluster does not serve ${resource.kind}`;
    throw new KubeFault('kindMissing', message, { status: 404, reason: 'NotFound' });
  }

  find(resource: Resource<KubeObject>, key: ObjectKey): AnyObject | undefined {
    return this.store.find(kindIdOf(resource), key);
  }

  get(resource: Resource<KubeObject>, key: ObjectKey, doing = 'getting'): AnyObject {
    this.rulesOf(doing, resource);
    const found = this.find(resource, key);
    if (found === undefined) throw fault('notFound', doing, resource, key, 'there is none of that name');
    return found;
  }

  create(resource: Resource<KubeObject>, sent: KubeObject): AnyObject {
    const rules = this.rulesOf('creating', resource);
    const copy = wireCopy(sent) as AnyObject;
    const given: ObjectMeta = copy.metadata ?? {};
    const key = { namespace: resource.namespaced ? (given.namespace ?? '') : '', name: given.name ?? '' };
    const refuse = (why: string): KubeFault => fault('invalid', 'creating', resource, key, why);
    if (given.resourceVersion !== undefined) throw refuse('metadata.resourceVersion: should not be set on objects to be created');
    if (resource.namespaced) this.#checkNamespace(resource, key);
    const { uid: _uid, deletionTimestamp: _at, deletionGracePeriodSeconds: _grace, generation: _generation, ...kept } = given;
    const metadata: ObjectMeta = withoutEmptyMetadata({
      ...kept,
      ...(resource.namespaced ? { namespace: key.namespace } : {}),
      uid: this.#nextUid(),
      creationTimestamp: formatTime(this.clock.nowMs()),
      ...(rules.countsGeneration ? { generation: 1 } : {}),
    } as ObjectMeta);
    const sentStatus = rules.statusSubresource ? undefined : copy.status;
    const status = rules.initialStatus === undefined ? sentStatus : rules.initialStatus(copy);
    if (rules.defaultsStatus === true) this.#unfilled.add(metadata.uid ?? '');
    const plain = withStatus({ ...copy, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata }, status);
    const object = rules.withDefaults?.(plain, undefined) ?? plain;
    const refusal = metadataRefusal(metadata, resource.group) ?? rules.refusal?.(object, undefined);
    if (refusal !== undefined) throw refuse(refusal);
    this.#admit(resource, object, undefined);
    if (this.find(resource, key) !== undefined) throw fault('alreadyExists', 'creating', resource, key, 'the name is taken');
    return this.store.put(kindIdOf(resource), wireCopy(object));
  }

  /** Without a resourceVersion, in the options or in the patch, it meets whatever is stored. */
  patch(resource: Resource<KubeObject>, key: ObjectKey, patch: Json, options: Partial<PatchOptions>): AnyObject {
    const rules = this.rulesOf('patching', resource);
    const isStatus = this.#isStatus('patching', resource, key, options);
    const before = this.get(resource, key, 'patching');
    const copy = wireCopy(patch);
    const inBody = isJsonObject(copy) && isJsonObject(copy.metadata) ? copy.metadata : {};
    const patched = mergePatch(before as unknown as JsonObject, copy) as unknown as AnyObject;
    const { name, namespace = '', uid } = patched.metadata;
    if (name !== key.name || namespace !== key.namespace) throw misnamed('patching', resource, key);
    checkPreconditions('patching', resource, before, { resourceVersion: options.resourceVersion });
    checkPreconditions('patching', resource, before, { resourceVersion: inBody.resourceVersion || undefined });
    if (uid !== before.metadata.uid) throw fault('invalid', 'patching', resource, key, 'metadata.uid: Invalid value: field is immutable');
    return this.write(resource, before, isStatus ? withStatusPart(before, patched, rules) : withMain(before, patched, rules));
  }

  /** A PUT: what is not in the body goes. Some kinds need no resourceVersion, and some are created where they are missing. */
  replace(resource: Resource<KubeObject>, key: ObjectKey, sent: KubeObject, options: Pick<PatchOptions, 'subresource'> = {}): AnyObject {
    const rules = this.rulesOf('replacing', resource);
    const isStatus = this.#isStatus('replacing', resource, key, options);
    const copy = wireCopy(sent) as AnyObject;
    const { uid, resourceVersion, ...metadata } = copy.metadata;
    if (metadata.name !== key.name || (metadata.namespace ?? key.namespace) !== key.namespace) throw misnamed('replacing', resource, key);
    if (rules.createsOnUpdate === true && this.find(resource, key) === undefined) {
      if (uid) throw fault('conflict', 'replacing', resource, key, `Precondition failed: there is none with uid ${uid}`);
      return this.create(resource, { ...copy, metadata });
    }
    const before = this.get(resource, key, 'replacing');
    checkPreconditions('replacing', resource, before, { uid: uid || undefined });
    if (!resourceVersion && rules.unconditionalUpdate !== true)
      throw fault('invalid', 'replacing', resource, key, 'metadata.resourceVersion: Invalid value: 0: must be specified for an update');
    checkPreconditions('replacing', resource, before, { resourceVersion: resourceVersion || undefined });
    return this.write(resource, before, isStatus ? withStatusPart(before, copy, rules) : withMain(before, copy, rules));
  }

  /**
   * Puts a new state in the place of one that is stored, with defaults, checks and the count of generations; nothing is written
   * when nothing differs, and a marked object that nothing holds any more goes.
   */
  write(resource: Resource<KubeObject>, before: AnyObject, wanted: AnyObject): AnyObject {
    const rules = this.rulesOf('writing', resource);
    const lean = { ...wanted, metadata: withoutEmptyMetadata(wanted.metadata) };
    const full = wireCopy(rules.withDefaults?.(lean, before) ?? lean);
    const added = (full.metadata.finalizers ?? []).filter((name) => !(before.metadata.finalizers ?? []).includes(name));
    const refusal =
      lifeRefusal(before.metadata, wanted.metadata) ??
      metadataRefusal(full.metadata, resource.group) ??
      (before.metadata.deletionTimestamp !== undefined && added.length > 0
        ? `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted: ${added.join(', ')}`
        : undefined) ??
      rules.refusal?.(full, before);
    if (refusal !== undefined) throw fault('invalid', 'patching', resource, keyOf(before), refusal);
    if (sameJson(full, before) && !this.#unfilled.has(before.metadata.uid ?? '')) return before;
    this.#admit(resource, full, before);
    const counts = rules.countsGeneration && !sameSpec(full, before);
    const generation = (before.metadata.generation ?? 0) + 1;
    return this.#place(resource, counts ? { ...full, metadata: { ...full.metadata, generation } } : full);
  }

  /** Puts a state in place as the cluster's own scheduler and kubelets do: spec and status at once, nothing checked or counted. */
  overwrite(resource: Resource<KubeObject>, before: AnyObject, wanted: AnyObject): AnyObject {
    const object = wireCopy(wanted);
    return sameJson(object, before) ? before : this.#place(resource, object);
  }

  /** @throws KubeFault `kindMissing` where status is asked for and is no subresource */
  #isStatus(doing: string, resource: Resource<KubeObject>, key: ObjectKey, options: Pick<PatchOptions, 'subresource'>): boolean {
    if (options.subresource !== 'status') return false;
    if (this.rulesOf(doing, resource).statusSubresource) return true;
    throw fault('kindMissing', `${doing} the status of`, resource, key, `${resource.kind} has no status subresource`);
  }

  #place(resource: Resource<KubeObject>, object: AnyObject): AnyObject {
    this.#unfilled.delete(object.metadata.uid ?? '');
    return isReleased(object) ? this.store.remove(kindIdOf(resource), object) : this.store.put(kindIdOf(resource), object);
  }

  /** The object as it stands afterwards, or undefined when it is gone. */
  delete(resource: Resource<KubeObject>, key: ObjectKey, options: Partial<DeleteOptions>): AnyObject | undefined {
    const stored = this.get(resource, key, 'deleting');
    checkPreconditions('deleting', resource, stored, options);
    return this.remove(resource, stored, options);
  }

  /** Deletes without preconditions, as the cluster's own controllers do. */
  remove(resource: Resource<KubeObject>, stored: AnyObject, options: RemoveOptions = {}): AnyObject | undefined {
    const rules = this.rulesOf('deleting', resource);
    this.#unfilled.delete(stored.metadata.uid ?? '');
    const step = planDeletion(stored, rules.deletesGracefully === true, options, this.clock.nowMs());
    if (step.kind === 'unchanged') return stored;
    const last = step.kind === 'mark' ? this.store.put(kindIdOf(resource), rules.onMark?.(step.object) ?? step.object) : stored;
    if (step.kind === 'mark' && !step.ends) return last;
    this.store.remove(kindIdOf(resource), last);
    return undefined;
  }

  #checkNamespace(resource: Resource<KubeObject>, key: ObjectKey): void {
    if (key.namespace === '') throw fault('invalid', 'creating', resource, key, 'metadata.namespace: Required value');
    const namespace = this.find(namespaces, { namespace: '', name: key.namespace });
    if (namespace === undefined) throw fault('notFound', 'creating', resource, key, `namespace ${key.namespace} does not exist`);
    if (namespace.metadata.deletionTimestamp !== undefined)
      throw fault(
        'forbidden',
        'creating',
        resource,
        key,
        `unable to create new content in namespace ${key.namespace} because it is being terminated`,
      );
  }

  /** Admission: what the namespace says against an object that is in order by itself. */
  #admit(resource: Resource<KubeObject>, object: AnyObject, before: AnyObject | undefined): void {
    const { namespace = '' } = object.metadata;
    const inNamespace = (kind: Resource<KubeObject>): readonly AnyObject[] =>
      this.store.list(kindIdOf(kind)).filter((one) => one.metadata.namespace === namespace);
    const labels = this.find(namespaces, { namespace: '', name: namespace })?.metadata.labels;
    const isNewlyRun = object.kind === pods.kind && (before === undefined || imagesOf(object) !== imagesOf(before));
    const refusal =
      (isNewlyRun ? podSecurityRefusal(labels, object as Pod) : undefined) ??
      (before === undefined && resource.namespaced
        ? quotaRefusal(inNamespace(resourceQuotas), resource.plural, inNamespace(resource), this.clock.nowMs())
        : undefined);
    if (refusal !== undefined) throw fault('forbidden', before === undefined ? 'creating' : 'patching', resource, keyOf(object), refusal);
  }

  #nextUid(): string {
    this.#uids += 1;
    const digits = hashHex(`${this.#seed}/${this.#uids}`) + hashHex(`${this.#uids}/${this.#seed}`);
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}

function imagesOf({ spec }: AnyObject): string {
  return JSON.stringify([...objectsOf(spec?.initContainers), ...objectsOf(spec?.containers)].map(({ image }) => image));
}

/** Only a deletion marks an object. */
function lifeRefusal(before: ObjectMeta, { deletionTimestamp, deletionGracePeriodSeconds }: ObjectMeta): string | undefined {
  if (before.deletionTimestamp !== undefined) return undefined;
  if (deletionTimestamp !== undefined) return 'metadata.deletionTimestamp: Invalid value: field is immutable';
  return deletionGracePeriodSeconds === undefined ? undefined : 'metadata.deletionGracePeriodSeconds: Invalid value: field is immutable';
}

/** The object with another status, or none. */
function withStatus(object: AnyObject, status: JsonObject | undefined): AnyObject {
  const { status: _old, ...rest } = object;
  return status === undefined ? rest : { ...rest, status };
}

/** The metadata asked for, with what only the server may set put back. */
function withOwn(before: AnyObject, asked: ObjectMeta): ObjectMeta {
  const { namespace, uid, resourceVersion, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = before.metadata;
  const own = { namespace, uid, resourceVersion, creationTimestamp, generation };
  // Once it is marked nobody takes that back; a mark that a client sets is refused.
  const life = deletionTimestamp === undefined ? {} : { deletionTimestamp, deletionGracePeriodSeconds };
  return { ...asked, ...own, ...life } as ObjectMeta;
}

/** What a write to the object itself makes of it. */
function withMain(before: AnyObject, asked: AnyObject, rules: KindRules): AnyObject {
  const main = { ...asked, apiVersion: before.apiVersion, kind: before.kind, metadata: withOwn(before, asked.metadata) };
  return rules.statusSubresource ? withStatus(main, before.status) : main;
}

/** What a write to its status makes of an object. */
function withStatusPart(before: AnyObject, asked: AnyObject, { metadataWithStatus }: KindRules): AnyObject {
  const changed = withStatus(before, asked.status);
  if (metadataWithStatus === undefined) return changed;
  const metadata = withOwn(before, asked.metadata);
  const { ownerReferences } = before.metadata;
  return { ...changed, metadata: metadataWithStatus === 'all' ? metadata : ({ ...metadata, ownerReferences } as ObjectMeta) };
}

/** How the API server answers. */
const answers = {
  notFound: { status: 404, reason: 'NotFound' },
  alreadyExists: { status: 409, reason: 'AlreadyExists' },
  conflict: { status: 409, reason: 'Conflict' },
  invalid: { status: 422, reason: 'Invalid' },
  forbidden: { status: 403, reason: 'Forbidden' },
  kindMissing: { status: 404, reason: 'NotFound' },
} as const;

function fault(code: keyof typeof answers, doing: string, resource: Resource<KubeObject>, key: ObjectKey, why: string): KubeFault {
  return new KubeFault(code, `${doing} ${resource.kind} ${keyText(key)}: ${why}`, answers[code]);
}

function misnamed(doing: string, resource: Resource<KubeObject>, key: ObjectKey): KubeFault {
  const message = `${doing} ${resource.kind} ${keyText(key)}: name or namespace of the object are not those of the request`;
  return new KubeFault('invalid', message, { status: 400, reason: 'BadRequest' });
}

/** @throws KubeFault `conflict` when what was asked for is not what is stored */
function checkPreconditions(
  doing: string,
  resource: Resource<KubeObject>,
  stored: AnyObject,
  asked: { readonly uid?: Json | undefined; readonly resourceVersion?: Json | undefined },
): void {
  for (const what of ['uid', 'resourceVersion'] as const) {
    const is = stored.metadata[what] ?? 'none';
    if (asked[what] === undefined || asked[what] === is) continue;
    throw fault('conflict', doing, resource, keyOf(stored), `Precondition failed: ${what} is ${is} and not ${JSON.stringify(asked[what])}`);
  }
}
