import { KubeFault, type KubeFaultCode } from '../kube/faults.ts';
import { type CoreEvent, coreEvents, type KubeObject, keyText, type ObjectKey, type Resource } from '../kube/objects.ts';
import type {
  CallOptions,
  DeleteOptions,
  EventRecord,
  KubeApi,
  ListOptions,
  ListResult,
  PatchOptions,
  WatchEvent,
  WatchOptions,
} from '../kube/port.ts';
import type { Json } from '../lib/canonical-json.ts';
import type { Write } from '../oracle/oracle.ts';
import { broken } from './faults/stream-faults.ts';
import type { Front } from './front.ts';
import { kindIdOf } from './kind-rules.ts';
import type { MemoryServer } from './memory-server.ts';
import { type SimProcess, silentMs } from './process.ts';
import { matcherOf } from './selectors.ts';
import type { AnyObject } from './stored-object.ts';

/** One call as the fault catalogue sees it. */
export interface Call {
  readonly process: SimProcess;
  readonly verb: 'list' | 'get' | 'watch' | 'create' | 'patch' | 'delete';
  readonly resource: Resource<KubeObject>;
  readonly key: ObjectKey;
  readonly subresource?: 'status';
}

/** What becomes of a call in place of its effect; each is done by `SimApi` in the same way for every verb. */
export type Mishap =
  | { readonly kind: 'none' }
  /** The process dies as the call would be sent, or as the API server has taken it. */
  | { readonly kind: 'crash'; readonly applied: boolean }
  /** No answer comes. */
  | { readonly kind: 'silence'; readonly applied: boolean }
  | { readonly kind: 'refused'; readonly fault: KubeFault }
  /** Something happens just before, and the API server then says what it says. */
  | { readonly kind: 'overtaken'; readonly by: () => void };

/** Where the network and the API server decide; all state of faults lives behind it. */
export interface CallFate {
  /** Drawn once per call, in the order they are sent. */
  readonly onCall: (call: Call) => Mishap;
  /** Of one way, in ms; `lost`: nothing comes through. */
  readonly travel: (call: Call) => number | 'lost';
  readonly front: (process: SimProcess) => Front;
  readonly mayCall: (call: Call) => boolean;
  readonly onWrite: (write: Omit<Write, 'atMs' | 'entitled'>, process: SimProcess) => void;
}

const defaultTimeoutMs = 30_000;

/** The port as one process has it, on a network and API servers that can fail. */
export class SimApi implements KubeApi {
  readonly #process: SimProcess;
  readonly #server: MemoryServer;
  readonly #fate: CallFate;
  /** Lists for caches come from a front's watch cache, which may be behind; live reads do not. */
  readonly #cached: boolean;
  #date: { readonly serverMs: number; readonly atMs: number } | undefined;

  constructor(process: SimProcess, server: MemoryServer, fate: CallFate, cached: boolean) {
    this.#process = process;
    this.#server = server;
    this.#fate = fate;
    this.#cached = cached;
  }

  list<T extends KubeObject>(resource: Resource<T>, options: ListOptions<T> = {}): Promise<ListResult<T>> {
    return this.#call({ verb: 'list', resource, key: noKey }, options, () => {
      const front = this.#fate.front(this.#process);
      const matches = matcherOf(resource, options);
      const kindId = kindIdOf(resource);
      const from = this.#cached ? front.list(kindId) : this.#server.store.list(kindId);
      const items = from.filter(matches) as unknown as T[];
      const resourceVersion = String(this.#cached ? front.revisionOf(kindId) : this.#server.store.revision);
      return { items: options.project === undefined ? items : items.map(options.project), resourceVersion };
    });
  }

  get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    return this.#call({ verb: 'get', resource, key }, options, () => this.#server.get(resource, key) as unknown as T);
  }

  create<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions = {}): Promise<T> {
    const key = { namespace: object.metadata?.namespace ?? '', name: object.metadata?.name ?? '' };
    const call = { verb: 'create', resource, key } as const;
    return this.#write(call, options, object, {}, () => this.#server.create(resource, object)) as unknown as Promise<T>;
  }

  patch<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, patch: Json, options: PatchOptions): Promise<T> {
    const { subresource, resourceVersion } = options;
    const call = { verb: 'patch', resource, key, ...(subresource === undefined ? {} : { subresource }) } as const;
    const effect = (): AnyObject => this.#server.patch(resource, key, patch, options);
    return this.#write(call, options, patch, { resourceVersion }, effect) as unknown as Promise<T>;
  }

  delete<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: DeleteOptions): Promise<T | undefined> {
    const { uid, resourceVersion } = options;
    const effect = (): AnyObject | undefined => this.#server.delete(resource, key, options);
    const call = { verb: 'delete', resource, key } as const;
    return this.#write(call, options, { uid, resourceVersion }, { uid, resourceVersion }, effect) as unknown as Promise<T | undefined>;
  }

  event(event: EventRecord, options: CallOptions = {}): Promise<void> {
    const key = { namespace: event.regarding.namespace, name: event.name };
    const { name, regarding, type, reason, message, action } = event;
    const object: CoreEvent = { metadata: { namespace: key.namespace, name }, involvedObject: regarding, type, reason, message, action };
    const call = { verb: 'create', resource: eventsResource, key } as const;
    return this.#write(call, options, object, {}, () => this.#server.create(coreEvents, object)).then(() => undefined);
  }

  /** The newest `Date` of an answer, moved on by the process's monotonic clock; its wall clock before the first. */
  serverNowMs(): number {
    const { clock } = this.#process;
    return this.#date === undefined ? clock.nowMs() : this.#date.serverMs + (clock.monotonicMs() - this.#date.atMs);
  }

  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions<T>): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const matches = matcherOf(resource, options);
    const kindId = kindIdOf(resource);
    const queue: WatchEvent<T>[] = [];
    let over: { readonly fault: KubeFault | undefined } | undefined;
    let wake = (): void => undefined;
    const connection = this.#process.connect(() => end(broken()));
    const push = (event: WatchEvent<AnyObject>): void =>
      connection.carry(() => {
        const told = event.type === 'BOOKMARK' ? event : { type: event.type, object: lean(event.object as unknown as T, options.project) };
        queue.push(told);
        wake();
      });
    const end = (fault?: KubeFault): void => {
      over ??= { fault };
      wake();
    };
    const front = this.#fate.front(this.#process);
    const isFill = options.resourceVersion === '' || options.resourceVersion === '0';
    const opening = this.#call({ verb: 'watch', resource, key: noKey }, { ...options, timeoutMs: silentMs }, () => {
      const revision = isFill ? front.revisionOf(kindId) : Number(options.resourceVersion);
      const opened = front.watch(kindId, revision, matches, push, (fault) => connection.carry(() => end(fault)));
      if (isFill) for (const object of front.list(kindId)) if (matches(object)) push({ type: 'ADDED', object });
      if (options.initialEvents === true) push({ type: 'BOOKMARK', resourceVersion: String(revision), initialEventsEnd: true });
      // Nobody may wait for it any more, or be alive.
      connection.opened(opened);
      return opened;
    });
    // Whoever never heard that it is open has nothing to be told.
    opening.catch(() => connection.close());
    const stream = await opening;
    options.onOpen?.();
    const close = (): void => connection.close();
    const isAborted = (): boolean => options.signal?.aborted === true;
    const abort = (): void => end(new KubeFault('aborted', `watching ${resource.plural}: the caller aborted`));
    options.signal?.addEventListener('abort', abort, { once: true });
    const cancelEnd =
      options.timeoutSeconds === undefined ? close : this.#server.clock.timer(options.timeoutSeconds * 1_000, () => stream.close());
    try {
      while (!isAborted()) {
        const event = queue.shift();
        if (event !== undefined) yield event;
        else if (over !== undefined) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      if (over?.fault !== undefined) throw over.fault;
    } finally {
      options.signal?.removeEventListener('abort', abort);
      if (options.timeoutSeconds !== undefined) cancelEnd();
      close();
    }
  }

  #write(
    about: Omit<Call, 'process'>,
    options: CallOptions,
    sent: unknown,
    preconditions: Write['preconditions'],
    effect: () => AnyObject | undefined,
  ): Promise<AnyObject | undefined> {
    const outcome = { isUnknown: false };
    const run = (make: () => AnyObject | undefined): AnyObject | undefined => {
      const { verb, resource, key, subresource } = about;
      const before = this.#server.find(resource, key);
      const told = {
        actor: this.#process.name,
        verb: verb as Write['verb'],
        plural: resource.plural,
        ...(subresource === undefined ? {} : { subresource }),
        key,
        sent,
        preconditions,
        before,
        outcome,
      };
      try {
        const after = make();
        this.#fate.onWrite({ ...told, result: 'ok', after }, this.#process);
        return after;
      } catch (error) {
        if (error instanceof KubeFault) this.#fate.onWrite({ ...told, result: error.code, after: before }, this.#process);
        throw error;
      }
    };
    const refuse = (fault: KubeFault): never => {
      run(() => {
        throw fault;
      });
      throw fault;
    };
    const onSilence = (): void => {
      outcome.isUnknown = true;
    };
    return this.#call(about, options, () => run(effect), refuse, onSilence);
  }

  /** One call there and back: the request travels, the API server takes it in one instant, the answer travels. */
  #call<R>(
    about: Omit<Call, 'process'>,
    options: CallOptions,
    effect: () => R,
    refuse: (fault: KubeFault) => never = raise,
    onSilence: () => void = () => {},
  ): Promise<R> {
    const process = this.#process;
    const call: Call = { ...about, process };
    const isWrite = ['create', 'patch', 'delete'].includes(about.verb);
    const doing = `${about.verb} ${about.resource.plural}${about.key.name === '' ? '' : ` ${keyText(about.key)}`}`;
    const { signal } = options;
    return new Promise<R>((resolve, reject) => {
      if (!process.alive) return;
      let over = false;
      const finish = (then: () => void): void => {
        if (over) return;
        over = true;
        cancelTimeout();
        signal?.removeEventListener('abort', abort);
        then();
      };
      const fail = (code: KubeFaultCode, why: string): void =>
        finish(() => {
          onSilence();
          reject(new KubeFault(code, `${doing}: ${why}`));
        });
      const abort = (): void => fail('aborted', 'the caller aborted');
      const giveUp = (): void => fail(isWrite ? 'unknownOutcome' : 'timeout', 'no answer came');
      const cancelTimeout = process.clock.timer(options.timeoutMs ?? defaultTimeoutMs, giveUp);
      if (signal?.aborted === true) return abort();
      signal?.addEventListener('abort', abort, { once: true });

      const mishap = this.#fate.onCall(call);
      const isCrash = mishap.kind === 'crash';
      if (isCrash && !mishap.applied) return process.kill();
      const loses = (): void =>
        void process.clock.timer(silentMs, () => fail(isWrite ? 'unknownOutcome' : 'unreachable', 'the connection died'));
      const there = this.#fate.travel(call);
      if (there === 'lost') return loses();
      this.#server.clock.timer(there, () => {
        if (this.#fate.front(process).mood.down) return loses();
        const answer = this.#answer(call, mishap, effect, refuse);
        if (answer === undefined) return;
        const back = this.#fate.travel(call);
        if (back === 'lost') return loses();
        const serverMs = Math.floor(this.#server.clock.nowMs() / 1_000) * 1_000;
        this.#server.clock.timer(back, () =>
          process.deliver(() => {
            if (this.#date === undefined || serverMs > this.#date.serverMs) this.#date = { serverMs, atMs: process.clock.monotonicMs() };
            finish(() => ('value' in answer ? resolve(answer.value) : reject(answer.error)));
          }),
        );
      });
    });
  }

  /** What the API server makes of a call that reached it; undefined: it never says. */
  #answer<R>(
    call: Call,
    mishap: Mishap,
    effect: () => R,
    refuse: (fault: KubeFault) => never,
  ): { readonly value: R } | { readonly error: unknown } | undefined {
    try {
      if (!this.#fate.mayCall(call)) refuse(forbidden(call));
      if (mishap.kind === 'refused') refuse(mishap.fault);
      if (mishap.kind === 'silence' && !mishap.applied) return undefined;
      if (mishap.kind === 'overtaken') mishap.by();
      const value = effect();
      if (mishap.kind === 'crash') call.process.kill();
      return mishap.kind === 'none' || mishap.kind === 'overtaken' ? { value } : undefined;
    } catch (error) {
      return mishap.kind === 'silence' || mishap.kind === 'crash' ? undefined : { error };
    }
  }
}

function raise(fault: KubeFault): never {
  throw fault;
}

const noKey: ObjectKey = { namespace: '', name: '' };
const eventsResource: Resource<KubeObject> = { group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events', namespaced: true };

function forbidden({ verb, resource, key, subresource }: Call): KubeFault {
  const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const message = `${verb} ${what} ${key.name}: the account may not ${verb} ${what}`;
  return new KubeFault('forbidden', message, { status: 403, reason: 'Forbidden' });
}

function lean<T extends KubeObject>(object: T, project: ((object: T) => T) | undefined): T {
  return project === undefined ? object : project(object);
}
