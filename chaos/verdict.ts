import type { Bound, Experiment, FigureName } from './experiment.ts';
import type { Figures } from './figures.ts';
import type { Judgement } from './judge.ts';
import type { Felt } from './probe.ts';

export type Verdict = 'passed' | 'failed' | 'inconclusive';

/** One thing that was looked at. What speaks against the subject fails the experiment, what speaks against the experiment leaves it open. */
export interface Finding {
  readonly what: string;
  readonly says: 'holds' | 'fails' | 'unsure' | 'noted';
  readonly detail: string;
}

export interface Grounds {
  readonly experiment: Experiment;
  /** Whether the subject promises what is asked of it; of one that does not, all that speaks against it is noted. */
  readonly isJudged: boolean;
  /** Whether figures that are about speed count. */
  readonly judgesTimes: boolean;
  /** By the injector's own records. */
  readonly injected: { readonly holds: boolean; readonly detail: string };
  readonly felt: Felt;
  readonly recovered: { readonly holds: boolean; readonly detail: string };
  readonly convergedAfterMs: number | undefined;
  readonly judgement: Judgement;
  readonly figures: Figures;
}

/** Of the load, which sends every 200 ms. */
const longestPauseMs = 1_000;
/** Figures that the audit log alone yields. */
const byLog: ReadonlySet<FigureName> = new Set([
  'operator writes to pods',
  'operator writes but Leases',
  'operator reads a minute',
  'writes of a deposed leader',
  'asked again too soon',
  'pods taken away while most nodes are gone',
]);

/** Pure. What was not surely injected is never passed; what is wrong all the same is. */
export function decide(grounds: Grounds): { readonly verdict: Verdict; readonly findings: readonly Finding[] } {
  const excuse = (finding: Finding): Finding => (grounds.isJudged || finding.says !== 'fails' ? finding : { ...finding, says: 'noted' });
  const findings = collect(grounds).map(excuse);
  const has = (says: Finding['says']): boolean => findings.some((one) => one.says === says);
  return { verdict: has('fails') ? 'failed' : has('unsure') ? 'inconclusive' : 'passed', findings };
}

function collect({
  experiment,
  isJudged,
  judgesTimes,
  injected,
  felt,
  recovered,
  convergedAfterMs,
  judgement,
  figures,
}: Grounds): readonly Finding[] {
  const pauseMs = figures['load pause ms'] ?? 0;
  const isStarved = pauseMs > longestPauseMs;
  const isReal = injected.holds && felt.atMs !== undefined && !isStarved;
  const never = experiment.steady.filter((id) => (judgement.evaluated[id] ?? 0) === 0);
  const untested = never.filter((id) => !judgement.blind.includes(id));
  const unseen = never.filter((id) => judgement.blind.includes(id));
  return [
    { what: 'injected, by its records', says: injected.holds ? 'holds' : 'unsure', detail: injected.detail },
    { what: 'felt where it acts', says: felt.atMs === undefined ? 'unsure' : 'holds', detail: felt.detail },
    { what: 'taken back', says: recovered.holds ? 'holds' : 'unsure', detail: recovered.detail },
    {
      what: 'as asked again',
      says: convergedAfterMs !== undefined ? 'holds' : recovered.holds && !isStarved ? 'fails' : 'unsure',
      detail:
        convergedAfterMs === undefined
          ? `not within ${experiment.convergesMs / 1_000} s`
          : `${(convergedAfterMs / 1_000).toFixed(1)} s after its end`,
    },
    {
      what: 'the machine had room',
      says: isStarved ? 'noted' : 'holds',
      detail: `the load paused for ${Math.round(pauseMs)} ms at most; from ${longestPauseMs} on, what is late or lost proves nothing`,
    },
    ...judgement.violations.map(({ oracle, key, message }): Finding => ({ what: `${oracle} ${key}`, says: 'fails', detail: message })),
    ...(untested.length === 0
      ? []
      : [{ what: 'steady state', says: isJudged ? 'unsure' : 'noted', detail: `never put to the test: ${untested.join(', ')}` } as const]),
    ...(unseen.length === 0
      ? []
      : [{ what: 'steady state', says: 'noted', detail: `not to be seen without an audit log: ${unseen.join(', ')}` } as const]),
    ...experiment.bounds.map((bound) => {
      const value = figures[bound.figure];
      const said =
        value === undefined
          ? judgeAbsence(bound, judgesTimes, isReal, isJudged, judgement)
          : judgeValue(bound, value, judgesTimes, isReal, figures);
      return { what: nameBound(bound), ...said };
    }),
  ];
}

/** As findings call it. Pure. */
export function nameBound({ goal, figure }: Readonly<Record<'goal' | 'figure', string>>): string {
  return goal === '-' ? figure : `${goal} ${figure}`;
}

type Said = Pick<Finding, 'says' | 'detail'>;

/** A time that never came was not kept; a count that nobody took says neither, unless there was nothing to take it from. */
function judgeAbsence({ figure, timed }: Bound, judgesTimes: boolean, isReal: boolean, isJudged: boolean, { blind }: Judgement): Said {
  if (timed) return { says: !judgesTimes ? 'noted' : isReal ? 'fails' : 'unsure', detail: 'not measured' };
  if (blind.length > 0 && byLog.has(figure)) return { says: 'noted', detail: 'not to be seen without an audit log' };
  return {
    says: isJudged ? 'unsure' : 'noted',
    detail: figure === 'tasks begun twice' ? 'no pod was heard that began a task' : 'not measured',
  };
}

/** Of what is counted, the part that nobody who looks after performers can have done. */
const unaccountable: Readonly<Partial<Record<FigureName, FigureName>>> = {
  'failed of bystander': 'failed of bystander, unaccountably',
  'failed throughout': 'failed throughout, unaccountably',
};

function judgeValue({ figure, atMost, timed }: Bound, value: number, judgesTimes: boolean, isReal: boolean, figures: Figures): Said {
  const detail = `${Math.round(value)}, at most ${atMost}`;
  if (value <= atMost) return { says: 'holds', detail };
  if (timed && !judgesTimes) return { says: 'noted', detail };
  // A load that fails before there is a fault says nothing about one.
  if (figure === 'failed in baseline' || !isReal) return { says: 'unsure', detail };
  const part = unaccountable[figure];
  const spared = part === undefined ? 0 : (figures[part] ?? 0);
  if (value - spared > atMost) return { says: 'fails', detail };
  return {
    says: 'unsure',
    detail: `${detail}, with no change of pods, Service or endpoints before it: the network or the machine lost it`,
  };
}
