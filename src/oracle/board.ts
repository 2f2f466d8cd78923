import { keyText } from '../kube/objects.ts';
import type { Answer, Change, ClusterView, Instance, LogLine, Oracle, Rest, SeenKinds, Violation, Write } from './oracle.ts';

type Store = { readonly [Kind in keyof SeenKinds]: Map<string, SeenKinds[Kind]> };

/** Violations that are kept; what comes after them is mostly their echo. */
const maxViolations = 100;

/**
 * Keeps the view of a cluster, tells oracles what happens and collects what they find wrong.
 * Feed it in order. Of a write that took effect the change comes first, then the write: the view is the one after it.
 */
export class OracleBoard {
  readonly oracles: readonly Oracle[];
  readonly #store: Store = { performers: new Map(), pods: new Map(), services: new Map(), endpointSlices: new Map(), nodes: new Map() };
  readonly #violations = new Map<string, Violation>();
  /** Who wants to be told of what: most of what is told concerns few. */
  readonly #told: { readonly [Hook in keyof Oracle]?: readonly Oracle[] };

  constructor(oracles: readonly Oracle[]) {
    this.oracles = oracles;
    const hooks = ['onChange', 'onWrite', 'onLog', 'onAnswer', 'onInstances', 'atRest'] as const;
    this.#told = Object.fromEntries(hooks.map((hook) => [hook, oracles.filter((oracle) => oracle[hook] !== undefined)]));
  }

  get view(): ClusterView {
    return this.#store;
  }

  /** The first of their kind, by oracle, object and message; oldest first. */
  get violations(): readonly Violation[] {
    return [...this.#violations.values()];
  }

  change<Kind extends keyof SeenKinds>(change: Change<Kind>): void {
    const objects = this.#store[change.kind] as Map<string, SeenKinds[Kind]>;
    if (change.after === undefined) objects.delete(keyText(change.key));
    else objects.set(keyText(change.key), change.after);
    this.#ask('onChange', (oracle) => oracle.onChange?.(change as Change, this.view));
  }

  write(write: Write): void {
    this.#ask('onWrite', (oracle) => oracle.onWrite?.(write, this.view));
  }

  log(line: LogLine): void {
    this.#ask('onLog', (oracle) => oracle.onLog?.(line, this.view));
  }

  answer(answer: Answer): void {
    this.#ask('onAnswer', (oracle) => oracle.onAnswer?.(answer, this.view));
  }

  instances(instances: readonly Instance[], atMs: number): void {
    this.#ask('onInstances', (oracle) => oracle.onInstances?.(instances, atMs, this.view));
  }

  rest(rest: Omit<Rest, 'view'>): void {
    this.#ask('atRest', (oracle) => oracle.atRest?.({ ...rest, view: this.view }));
  }

  #ask(hook: keyof Oracle, question: (oracle: Oracle) => readonly Violation[] | undefined): void {
    for (const oracle of this.#told[hook] ?? []) {
      for (const violation of question(oracle) ?? []) {
        const text = `${violation.oracle} ${violation.key} ${violation.message}`;
        if (this.#violations.size < maxViolations && !this.#violations.has(text)) this.#violations.set(text, violation);
      }
    }
  }
}
