import type { ChaosRun } from '../report.ts';

/** All times in seconds since the fault was felt. */
export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** From when to when the fault lasted; the same for what happens in an instant. */
  readonly fault: { readonly from: number; readonly to: number };
  /** What is named above the drawing, in order of time. */
  readonly moments: readonly { readonly at: number; readonly name: string }[];
  /** By Performer, the one that was met first. */
  readonly tasks: readonly { readonly performer: string; readonly counts: readonly TaskCount[] }[];
  readonly pods: readonly Span[];
  /** Undefined where nobody could see them. */
  readonly writes: readonly Mark[] | undefined;
  readonly conditions: readonly Span[];
}

export const taskOutcomes = ['answered', 'failed', 'failed where it was cut off'] as const;
export const podStates = ['starting', 'serving', 'not ready', 'out of its Service', 'leaving'] as const;
export const writeKinds = ['create', 'change', 'delete', 'refused'] as const;

export interface TaskCount {
  readonly from: number;
  readonly to: number;
  readonly outcome: (typeof taskOutcomes)[number];
  /** How many of other outcomes it stands on. */
  readonly above: number;
  readonly count: number;
}
export interface Span {
  readonly lane: string;
  readonly from: number;
  readonly to: number;
  /** Of `podStates`, or a condition's status and reason. */
  readonly state: string;
}
export interface Mark {
  readonly lane: string;
  readonly at: number;
  readonly kind: (typeof writeKinds)[number];
}

/** What is drawn of a run. Pure. */
export function readTimeline(run: ChaosRun): Timeline {
  const { beganMs, feltMs, healedMs, convergedMs, endedMs } = run.times;
  const at = (ms: number): number => (ms - feltMs) / 1_000;
  const moments = [
    { at: 0, name: 'fault' },
    ...(healedMs > feltMs ? [{ at: at(healedMs), name: 'healed' }] : []),
    ...(convergedMs === undefined ? [] : [{ at: at(convergedMs), name: 'all as asked again' }]),
  ];
  return {
    from: at(beganMs),
    to: at(endedMs),
    fault: { from: 0, to: at(healedMs) },
    moments,
    tasks: readTasks(run, at(beganMs), at(endedMs)),
    pods: run.pods
      .toSorted((a, b) => rank(run, a.performer) - rank(run, b.performer) || a.seenMs - b.seenMs)
      .flatMap((life) => spansOf(life, run, at)),
    writes: run.writes?.map(({ atMs, plural, verb, result }) => ({ lane: plural, at: at(atMs), kind: kindOf(verb, result) })),
    conditions: run.conditions
      .toSorted((a, b) => rank(run, a.performer) - rank(run, b.performer) || a.atMs - b.atMs)
      .flatMap(({ performer, atMs, ready }, index, all) => {
        const next = all[index + 1];
        const toMs = next?.performer === performer ? next.atMs : endedMs;
        return ready === 'gone' ? [] : [{ lane: performer, from: at(atMs), to: at(toMs), state: ready }];
      }),
  };
}

/** The Performer that was met stands first, those asked for meanwhile last. */
function rank({ target, load }: ChaosRun, performer: string): number {
  if (performer === target.performer) return 0;
  return load.some((one) => one.performer === performer) ? 1 : 2;
}

/** Stacked in the order of `taskOutcomes`; the last second ends where the run does. */
function readTasks({ load, ...run }: ChaosRun, began: number, ended: number): Timeline['tasks'] {
  const byPerformer = [...Map.groupBy(load, ({ performer }) => performer)];
  return byPerformer
    .toSorted(([a], [b]) => rank({ load, ...run }, a) - rank({ load, ...run }, b) || (a < b ? -1 : 1))
    .map(([performer, own]) => ({
      performer,
      counts: [...Map.groupBy(own, ({ second }) => second)].flatMap(([second, parts]) => {
        const sum = (of: (part: (typeof parts)[number]) => number): number => parts.reduce((total, part) => total + of(part), 0);
        const counts = [
          sum(({ answered }) => answered),
          sum(({ inside, failed }) => (inside ? 0 : failed)),
          sum(({ inside, failed }) => (inside ? failed : 0)),
        ];
        const from = began + second;
        return taskOutcomes.flatMap((outcome, index): readonly TaskCount[] => {
          const above = counts.slice(0, index).reduce((total, count) => total + count, 0);
          const count = counts[index] ?? 0;
          return count === 0 ? [] : [{ from, to: Math.min(from + 1, ended), outcome, above, count }];
        });
      }),
    }));
}

type Life = ChaosRun['pods'][number];

function spansOf(life: Life, { times, target }: ChaosRun, at: (ms: number) => number): readonly Span[] {
  const { name, node, seenMs: startMs, ready, withdrawnMs, deletingMs } = life;
  const endMs = Math.min(life.goneMs ?? times.endedMs, times.endedMs);
  const turns = [...ready.flatMap(({ fromMs, toMs }) => [fromMs, toMs]), withdrawnMs, deletingMs];
  const inside = turns.filter((ms) => ms !== undefined).filter((ms) => ms > startMs && ms < endMs);
  const cuts = [...new Set([startMs, ...inside, endMs])].toSorted((a, b) => a - b);
  const lane = `${target.pods.includes(name) ? '→ ' : ''}${name}${node === undefined ? '' : ` · ${node}`}`;
  const spans: Span[] = [];
  for (const [index, fromMs] of cuts.slice(0, -1).entries()) {
    const state = stateAt(life, fromMs);
    const last = spans.at(-1);
    const to = at(cuts[index + 1] ?? endMs);
    if (last?.state === state) spans[spans.length - 1] = { ...last, to };
    else spans.push({ lane, from: at(fromMs), to, state });
  }
  return spans;
}

function stateAt({ ready, withdrawnMs = Infinity, deletingMs = Infinity }: Life, ms: number): (typeof podStates)[number] {
  if (deletingMs <= ms) return 'leaving';
  if (withdrawnMs <= ms) return 'out of its Service';
  if (ready.some(({ fromMs, toMs = Infinity }) => fromMs <= ms && ms < toMs)) return 'serving';
  return ready.some(({ fromMs }) => fromMs <= ms) ? 'not ready' : 'starting';
}

function kindOf(verb: string, result: string): Mark['kind'] {
  if (result !== 'ok') return 'refused';
  return verb === 'create' || verb === 'delete' ? verb : 'change';
}
