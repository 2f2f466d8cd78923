import type { Clock } from '../../lib/clock.ts';
import { createRandom } from '../../lib/seeded-random.ts';
import { type Fault, type FaultName, faultCatalogue, type Rule, variantOf } from './faults.ts';
import { isAbout, type RequestInfo } from './request-info.ts';

/** When a fault can strike: while nobody is to listen, when a connection is taken, when a request has come, at an event of a watch. */
type Occasion = 'listen' | 'accept' | 'request' | 'event';

interface Entry {
  readonly rule: Rule;
  seen: number;
  fired: number;
}

const perEvent: ReadonlySet<FaultName> = new Set(['truncated-body', 'slow-bytes', 'bad-json', 'duplicate-event', 'late-event']);

/** The rules in force, and the dice. The same seed and the same occasions give the same faults. */
export class RuleBook {
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #counts = new Map<FaultName, number>();
  #standing: Entry[] = [];
  readonly #injected = new Set<Entry>();

  constructor(seed: number, clock: Clock) {
    this.#random = createRandom(seed);
    this.#clock = clock;
  }

  /** Replaces all rules but those that were injected. */
  set(rules: readonly Rule[]): void {
    this.#standing = rules.map(toEntry);
  }

  /** Adds a rule until the returned function is called, or `durationMs` is over. */
  inject(rule: Rule, durationMs: number | undefined, onEnd: () => void): () => void {
    const entry = toEntry(rule);
    this.#injected.add(entry);
    const end = (): void => {
      cancel?.();
      if (this.#injected.delete(entry)) onEnd();
    };
    const cancel = durationMs === undefined ? undefined : this.#clock.timer(durationMs, end);
    return end;
  }

  /** The faults that strike on this occasion, in the order of their rules. */
  draw(occasion: Occasion, info?: RequestInfo): readonly Fault[] {
    return [...this.#injected, ...this.#standing]
      .filter((entry) => occasionOf(entry.rule, info) === occasion && this.#fires(entry, info))
      .map(({ rule }) => rule.fault);
  }

  /** Whether a rule that was injected just now strikes what is open already. */
  strikes(rule: Rule, info: RequestInfo | undefined): boolean {
    const entry = [...this.#injected].find((candidate) => candidate.rule === rule);
    return entry !== undefined && this.#fires(entry, info);
  }

  /** The fault that lets nobody listen now. */
  refusing(): Fault | undefined {
    return [...this.#injected, ...this.#standing].find(({ rule }) => rule.fault.name === 'refuse')?.rule.fault;
  }

  /** How often each fault has struck. */
  counts(): Readonly<Partial<Record<FaultName, number>>> {
    return Object.fromEntries(this.#counts);
  }

  count(name: FaultName): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  #fires(entry: Entry, info: RequestInfo | undefined): boolean {
    const { fault, match, times = Number.POSITIVE_INFINITY, probability = 1 } = entry.rule;
    if (info !== undefined && faultCatalogue[fault.name].on === 'watch' && !info.watch) return false;
    if (match !== undefined && info !== undefined && !isAbout(match, info)) return false;
    if (entry.fired >= times) return false;
    entry.seen += 1;
    if (match?.nth !== undefined && entry.seen !== match.nth) return false;
    if (probability < 1 && this.#random() >= probability) return false;
    entry.fired += 1;
    if (entry.fired === times) this.#injected.delete(entry);
    this.count(fault.name);
    return true;
  }
}

function toEntry(rule: Rule): Entry {
  return { rule, seen: 0, fired: 0 };
}

function occasionOf({ fault, match }: Rule, info: RequestInfo | undefined): Occasion {
  if (fault.name === 'refuse') return 'listen';
  if (fault.name === 'wrong-certificate') return 'accept';
  // A connection is silent from its first byte where the rule is about no request in particular.
  if (fault.name === 'half-open' && variantOf(fault) === 'connection' && match === undefined) return 'accept';
  return perEvent.has(fault.name) && info?.watch === true ? 'event' : 'request';
}
