import type { Outcome } from '../controller/outcome.ts';
import type { OnWrite } from '../kube/counting.ts';
import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { HealthCheck } from './health.ts';
import type { Logger } from './logger.ts';

export interface PassesOptions {
  readonly log: Logger;
  readonly monotonicMs: () => number;
  /** The user's next step for a reason; undefined where the message says it all. */
  readonly nextStep: (reason: string) => string | undefined;
  readonly onEnd?: (key: ObjectKey, outcome: Outcome, durationMs: number) => void;
}

export interface Pass {
  /** To be told each write of the pass that came through. */
  readonly wrote: OnWrite;
  end(outcome: Outcome): void;
}

export interface Passes {
  begin(key: ObjectKey): Pass;
  /** Ages of the passes under way, in milliseconds. */
  readonly running: () => readonly number[];
  /** Fails while a pass runs longer than any pass can. */
  readonly stuck: HealthCheck;
}

/** All calls of a pass have deadlines of at most 30 s: one that runs this long will not end. */
const stuckMs = 300_000;

/** One line per pass that wrote something, or that came to something new; none for a key that stays as it is. */
export function createPasses({ log, monotonicMs, nextStep, onEnd }: PassesOptions): Passes {
  const underWay = new Map<number, { readonly key: string; readonly startedMs: number }>();
  const last = new Map<string, string>();
  let id = 0;

  const tell = (key: string, fields: Readonly<Record<string, unknown>>, outcome: Outcome, wrote: boolean): void => {
    const { kind, reason } = outcome;
    const before = last.get(key);
    // Overtaken by another writer: the next pass tells what it comes to.
    const now = kind === 'failed' && outcome.retry === 'observe' ? before : `${kind} ${reason}`;
    if (now === undefined || (kind === 'settled' && reason === 'Gone')) last.delete(key);
    else last.set(key, now);
    const isNews = now !== before && !(before === undefined && kind === 'settled');
    if (isNews || wrote) log[isNews && kind === 'failed' ? 'error' : isNews && kind === 'stalled' ? 'warn' : 'info'](kind, fields);
  };

  return {
    begin: (objectKey) => {
      id += 1;
      const pass = id;
      const key = keyText(objectKey);
      const startedMs = monotonicMs();
      const did: string[] = [];
      underWay.set(pass, { key, startedMs });
      return {
        wrote: (verb, resource, name) => did.push(`${verb} ${resource.kind} ${name}`),
        end: (outcome) => {
          underWay.delete(pass);
          const durationMs = monotonicMs() - startedMs;
          const { reason, message } = outcome;
          const next = outcome.kind === 'failed' ? nextStep(reason) : undefined;
          const wrote = did.length === 0 ? {} : { did };
          tell(key, { key, pass, reason, message, ...wrote, ms: Math.round(durationMs), next }, outcome, did.length > 0);
          onEnd?.(objectKey, outcome, durationMs);
        },
      };
    },
    running: () => [...underWay.values()].map(({ startedMs }) => monotonicMs() - startedMs),
    stuck: () => {
      const found = [...underWay.values()].find(({ startedMs }) => monotonicMs() - startedMs > stuckMs);
      return found && `the pass over ${found.key} runs for ${Math.round((monotonicMs() - found.startedMs) / 1_000)} s`;
    },
  };
}
