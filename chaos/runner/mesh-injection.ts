import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../cluster/lab.ts';
import type { Experiment, Fault } from '../experiment.ts';
import type { Met } from '../observations.ts';
import { render, type Targets } from '../render.ts';
import { chaosMeshInjection, comes, type Injection, type Said } from './injection.ts';

interface MeshPlan {
  readonly experiment: Experiment;
  /** 0 for what happens in an instant. */
  readonly lastsMs: number;
  readonly name: string;
  readonly targets: Targets;
  /** Whom it meets by now. */
  readonly aimAgain: () => Promise<{ readonly met: Met; readonly targets: Targets }>;
}

/** Chaos Mesh ends by itself what nobody is left to end. */
const deadManMs = 60_000;
/** Within which one thing must be there before the next is begun. */
const nextLimitMs = 15_000;

/** An experiment by resources of Chaos Mesh: one, one for each part of what is several at once, or one each time that it comes again. */
export function meshInjection(lab: Lab, { experiment, lastsMs, name, targets, aimAgain }: MeshPlan): Injection {
  const { fault } = experiment;
  const make = (part: Fault, whom: Targets, called: string): Injection =>
    chaosMeshInjection(lab, render({ ...experiment, fault: part }, whom, lastsMs + deadManMs, called), lastsMs > 0 && !isInstant(part));
  if (fault.kind === 'together')
    return inTurn(fault.faults.map((part, at) => make(part, targets.parts?.[at] ?? targets, `${name}-${at + 1}`)));
  if (fault.kind !== 'pod-kill' || fault.everyMs === undefined) return make(fault, targets, name);
  const again = async (count: number): Promise<Meeting> => {
    const { met, targets: whom } = await aimAgain();
    return { injection: make(fault, whom, `${name}-${count + 1}`), pods: met.pods };
  };
  return againAndAgain({ injection: make(fault, targets, `${name}-1`), pods: [] }, again, fault.everyMs, lastsMs);
}

/** What is over once it has happened. Pure. */
function isInstant(fault: Fault): boolean {
  if (fault.kind === 'node') return fault.does === 'reboot' || fault.does === 'kubelet-crash';
  return fault.kind === 'pod-kill' || fault.kind === 'container-kill';
}

function sayAll(all: readonly Said[]): Said {
  return { holds: all.every(({ holds }) => holds), detail: all.map(({ detail }) => detail).join('; ') };
}

const isThere = (injection: Injection, signal?: AbortSignal): Promise<boolean> =>
  comes(async () => (await injection.status()).holds, nextLimitMs, signal);

/** Several at once; each is begun once the one before it is there, and the last one ends first. */
export function inTurn(injections: readonly Injection[]): Injection {
  const begun: Injection[] = [];
  return {
    inject: async (signal) => {
      for (const injection of injections) {
        const before = begun.at(-1);
        if (before !== undefined) await isThere(before, signal);
        if (signal?.aborted) return;
        begun.push(injection);
        await injection.inject(signal);
      }
    },
    status: async () => sayAll(await Promise.all(injections.map((injection) => injection.status()))),
    heal: async () => {
      const said: Said[] = [];
      for (const injection of begun.toReversed()) said.push(await injection.heal());
      return sayAll(said);
    },
  };
}

/** One time of many: what is done, and whom it meets that was not known before. */
interface Meeting {
  readonly injection: Injection;
  readonly pods: Met['pods'];
}

/**
 * The first one, and others at a pace until it is healed or `lastsMs` are over.
 *
 * @param next told how often it has come so far
 */
export function againAndAgain(first: Meeting, next: (count: number) => Promise<Meeting>, everyMs: number, lastsMs: number): Injection {
  const stop = new AbortController();
  const gaveUp = new AbortController();
  const made: Meeting[] = [];
  let lacks: string | undefined;
  let going: Promise<void> = Promise.resolve();
  const meet = async (meeting: Meeting, signal?: AbortSignal): Promise<void> => {
    made.push(meeting);
    await meeting.injection.inject(signal);
  };
  const goOn = async (): Promise<void> => {
    const beganMs = performance.now();
    for (let count = 1; (count + 1) * everyMs <= lastsMs; count += 1) {
      await sleep(Math.max(0, beganMs + count * everyMs - performance.now()), undefined, { signal: stop.signal });
      const meeting = await next(count);
      stop.signal.throwIfAborted();
      await meet(meeting, stop.signal);
      if (!(await isThere(meeting.injection, stop.signal))) throw new Error((await meeting.injection.status()).detail);
    }
  };
  return {
    inject: async (signal) => {
      await meet(first, signal);
      going = goOn().catch((error: unknown) => {
        if (stop.signal.aborted) return;
        lacks = `${made.length} times, and then: ${error instanceof Error ? error.message : String(error)}`;
        gaveUp.abort();
      });
    },
    status: async () => {
      const said = sayAll(await Promise.all(made.map(({ injection }) => injection.status())));
      if (lacks !== undefined) return { holds: false, detail: lacks };
      return said.holds ? { holds: true, detail: `${made.length} times` } : said;
    },
    heal: async () => {
      stop.abort();
      await going;
      const said: Said[] = [];
      for (const { injection } of made) said.push(await injection.heal());
      const left = said.filter(({ holds }) => !holds);
      return left.length === 0 ? { holds: true, detail: 'nothing to take back' } : sayAll(left);
    },
    alsoMet: () => made.flatMap(({ pods }) => pods),
    gaveUp: gaveUp.signal,
  };
}
