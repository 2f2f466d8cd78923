import type { Clock } from '../../lib/clock.ts';
import { createRandom } from '../../lib/seeded-random.ts';
import { type Fault, type FaultName, kindOf, type Match, type Occasion, type Rule, variantOf } from './faults.ts';

/** What a request to an API server is about, as its path says. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly verb: NonNullable<Match['verb']>;
  /** Plural name; '' where the path is of no resource. */
  readonly resource: string;
  readonly watch: boolean;
}

const verbs: Readonly<Record<string, RequestInfo['verb']>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Reads method and path as the API server does. Pure. */
export function describeRequest(method: string, path: string): RequestInfo {
  const [route = '', query = ''] = path.split('?', 2);
  const parts = route.split('/').filter((part) => part !== '');
  const inGroup = parts.slice(parts[0] === 'apis' ? 3 : 2);
  const [resource = '', name] = inGroup[0] === 'namespaces' && inGroup.length > 2 ? inGroup.slice(2) : inGroup;
  const asked = new URLSearchParams(query).get('watch');
  const watch = method === 'GET' && (asked === 'true' || asked === '1');
  const read = name === undefined ? 'list' : 'get';
  return { method, path, verb: verbs[method] ?? (watch ? 'watch' : read), resource, watch };
}

/** Whether a rule with this `match` is about the request; `nth` is left to who counts. Pure. */
export function isAbout(match: Match, info: RequestInfo): boolean {
  const { verb = info.verb, method = info.method, resource = info.resource, watch = info.watch, path } = match;
  const same = verb === info.verb && method === info.method && resource === info.resource && watch === info.watch;
  return same && (path?.test(info.path) ?? true);
}

interface Entry {
  readonly rule: Rule;
  seen: number;
  fired: number;
}

/** Told each fault that strikes, and the request it strikes where there is one. */
export type OnFault = (fault: Fault, request: RequestInfo | undefined) => void;

/** The rules in force, and the dice. The same seed and the same occasions give the same faults. */
export class RuleBook {
  /** How often each fault has struck. */
  readonly counts: Partial<Record<FaultName, number>> = {};
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #onFault: OnFault;
  #standing: readonly Entry[] = [];
  readonly #injected = new Set<Entry>();

  constructor(seed: number, clock: Clock, onFault: OnFault = () => {}) {
    this.#random = createRandom(seed);
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** Replaces all rules but those that were injected. */
  set(rules: readonly Rule[]): void {
    this.#standing = rules.map((rule) => this.#enter(rule));
  }

  /** Adds a rule until the returned function is called, or `durationMs` is over. */
  inject(rule: Rule, durationMs: number | undefined, onEnd: () => void): () => void {
    const entry = this.#enter(rule);
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
    return this.#inForce()
      .filter((entry) => occasionOf(entry.rule, info) === occasion && this.#fires(entry, info))
      .map(({ rule }) => rule.fault);
  }

  /** Whether a rule that was injected just now strikes what is open already. */
  strikes(rule: Rule, info: RequestInfo | undefined): boolean {
    return [...this.#injected].some((entry) => entry.rule === rule && this.#fires(entry, info));
  }

  /** The fault that lets nobody listen now. */
  refusing(): Fault | undefined {
    return this.#inForce().find(({ rule }) => rule.fault.name === 'refuse')?.rule.fault;
  }

  #inForce(): readonly Entry[] {
    return [...this.#injected, ...this.#standing];
  }

  #enter(rule: Rule): Entry {
    // From now on nobody listens: this is its occasion.
    if (rule.fault.name === 'refuse') this.#tell(rule.fault, undefined);
    return { rule, seen: 0, fired: 0 };
  }

  #fires(entry: Entry, info: RequestInfo | undefined): boolean {
    const { fault, match, times = Number.POSITIVE_INFINITY, probability = 1 } = entry.rule;
    if (info !== undefined && kindOf(fault.name).only === 'watch' && !info.watch) return false;
    if (match !== undefined && info !== undefined && !isAbout(match, info)) return false;
    if (entry.fired >= times) return false;
    entry.seen += 1;
    if (match?.nth !== undefined && entry.seen !== match.nth) return false;
    if (probability < 1 && this.#random() >= probability) return false;
    entry.fired += 1;
    if (entry.fired === times) this.#injected.delete(entry);
    this.#tell(fault, info);
    return true;
  }

  #tell(fault: Fault, info: RequestInfo | undefined): void {
    this.counts[fault.name] = (this.counts[fault.name] ?? 0) + 1;
    this.#onFault(fault, info);
  }
}

function occasionOf({ fault, match }: Rule, info: RequestInfo | undefined): Occasion {
  // A connection is silent from its first byte where the rule is about no request in particular.
  if (fault.name === 'half-open' && variantOf(fault) === 'connection' && match === undefined) return 'accept';
  const { at = 'request' } = kindOf(fault.name);
  return at === 'event' && info?.watch !== true ? 'request' : at;
}
