// Loaded by k6 as well: imports types only.
import type { Phase } from './bench-report.ts';

/** What is read of a watched object; the rest is never looked at. */
export interface SeenObject {
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec?: {
    readonly nodeName?: string;
    readonly clusterIP?: string;
    readonly containers?: readonly { readonly image?: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly ready?: boolean;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface SeenEvent {
  readonly type: string;
  readonly object: SeenObject;
}

/** What a Performer is asked: to be made, to go, or to run another image. */
export type Ask = 'create' | 'delete' | 'update';

/** `without a ready pod`: milliseconds in which an updated Performer had none. */
export type SampleName = Phase | 'without a ready pod';

/** One Performer and one request: milliseconds from the request to each phase it reached. */
export interface Sample {
  /** `namespace/name`. */
  readonly key: string;
  readonly ask: Ask;
  /** When it was asked, by the observer's clock. */
  readonly askedAtMs: number;
  readonly complete: boolean;
  readonly phases: Partial<Record<SampleName, number>>;
}

/** What must have been seen before a request counts as carried out; the status follows an update as it likes. */
const needed: Readonly<Record<Ask, readonly Phase[]>> = {
  create: ['acknowledged', 'pod created', 'scheduled', 'running', 'pod ready', 'status ready'],
  delete: ['acknowledged', 'pod deleting', 'pod gone', 'service gone', 'performer gone'],
  update: ['acknowledged', 'new pod created', 'new pod ready', 'old pod gone'],
};

interface Asked {
  readonly ask: Ask;
  readonly atMs: number;
  readonly image: string;
  readonly phases: Partial<Record<SampleName, number>>;
}

/**
 * Turns what watches show into phases, by the clock of whoever calls it. Phases are read off states, so one event may reach several.
 * It remembers the ready pods of every Performer it was ever shown, and nothing else of those that are done.
 */
export class Observer {
  readonly #asked = new Map<string, Asked>();
  readonly #readyPods = new Map<string, Set<string>>();
  /** Since when a Performer under update has no ready pod. */
  readonly #emptySince = new Map<string, number>();
  readonly #onDone: (sample: Sample) => void;
  readonly #needed: typeof needed;

  /** @param hasAnswers whether a creation is carried out only once the Performer has answered a call */
  constructor(onDone: (sample: Sample) => void, hasAnswers = false) {
    this.#onDone = onDone;
    this.#needed = hasAnswers ? { ...needed, create: [...needed.create, 'first answer'] } : needed;
  }

  /** Before the request is sent. @param image the new one of an update */
  asked(ask: Ask, key: string, atMs: number, image = ''): void {
    this.#asked.set(key, { ask, atMs, image, phases: {} });
  }

  acknowledged(key: string, atMs: number): void {
    this.#reach(key, ['acknowledged'], atMs);
  }

  /** It answered a call through its Service. */
  answered(key: string, atMs: number): void {
    this.#reach(key, ['first answer'], atMs);
  }

  see({ type, object }: SeenEvent, atMs: number): void {
    const { name = '', namespace = '', ownerReferences = [] } = object.metadata ?? {};
    const isGone = type === 'DELETED';
    if (object.kind === 'Performer') {
      this.#seePerformer(`${namespace}/${name}`, object, isGone, atMs);
      return;
    }
    const owner = ownerReferences.find(({ kind }) => kind === 'Performer');
    if (owner === undefined) return;
    const key = `${namespace}/${owner.name}`;
    if (object.kind === 'Pod') this.#seePod(key, object, isGone, atMs);
    else if (object.kind === 'Service' && isGone) this.#reach(key, ['service gone'], atMs);
  }

  /** Requests that are not carried out yet, as far as they got. */
  unfinished(): readonly Sample[] {
    return [...this.#asked].map(([key, asked]) => buildSample(key, asked, false));
  }

  #seePerformer(key: string, { status }: SeenObject, isGone: boolean, atMs: number): void {
    if (isGone) this.#reach(key, ['performer gone'], atMs);
    else if (status?.ready === true) {
      const asked = this.#asked.get(key);
      // Its status said ready all along; only what comes after the new pod speaks of that.
      if (asked?.ask !== 'update' || asked.phases['new pod ready'] !== undefined) this.#reach(key, ['status ready'], atMs);
    }
  }

  #seePod(key: string, { metadata, spec, status }: SeenObject, isGone: boolean, atMs: number): void {
    const isLeaving = metadata?.deletionTimestamp !== undefined;
    const isReady = !isGone && status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
    this.#noteReady(key, metadata?.name ?? '', isReady, atMs);
    const asked = this.#asked.get(key);
    if (asked?.ask === 'create') {
      const isRunning = status?.phase === 'Running';
      const isScheduled = (spec?.nodeName ?? '') !== '';
      this.#reach(
        key,
        ['pod created', ...when(isScheduled, 'scheduled'), ...when(isRunning, 'running'), ...when(isReady, 'pod ready')],
        atMs,
      );
    } else if (asked?.ask === 'delete') {
      this.#reach(key, [...when(isLeaving || isGone, 'pod deleting'), ...when(isGone, 'pod gone')], atMs);
    } else if (asked?.ask === 'update') {
      const isNew = spec?.containers?.[0]?.image === asked.image;
      if (isNew) this.#reach(key, ['new pod created', ...when(isReady, 'new pod ready')], atMs);
      else if (isGone) this.#reach(key, ['old pod gone'], atMs);
    }
  }

  #noteReady(key: string, pod: string, isReady: boolean, atMs: number): void {
    const ready = this.#readyPods.get(key) ?? new Set();
    this.#readyPods.set(key, ready);
    const before = ready.size;
    if (isReady) ready.add(pod);
    else ready.delete(pod);
    const asked = this.#asked.get(key);
    if (asked?.ask !== 'update') return;
    if (before > 0 && ready.size === 0) this.#emptySince.set(key, atMs);
    const since = this.#emptySince.get(key);
    if (since === undefined || ready.size === 0) return;
    asked.phases['without a ready pod'] = (asked.phases['without a ready pod'] ?? 0) + atMs - since;
    this.#emptySince.delete(key);
  }

  #reach(key: string, reached: readonly Phase[], atMs: number): void {
    const asked = this.#asked.get(key);
    if (asked === undefined) return;
    for (const phase of reached) asked.phases[phase] ??= atMs - asked.atMs;
    if (!this.#needed[asked.ask].every((phase) => asked.phases[phase] !== undefined)) return;
    if (asked.ask === 'update') asked.phases['without a ready pod'] ??= 0;
    if (asked.ask === 'delete') this.#readyPods.delete(key);
    this.#asked.delete(key);
    this.#onDone(buildSample(key, asked, true));
  }
}

function when(holds: boolean, phase: Phase): readonly Phase[] {
  return holds ? [phase] : [];
}

function buildSample(key: string, { ask, atMs, phases }: Asked, complete: boolean): Sample {
  return { key, ask, askedAtMs: atMs, complete, phases };
}
