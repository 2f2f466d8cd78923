import type { Performer } from '../src/api/v1alpha1/performer.ts';
import { calmContext, type OracleContext } from '../src/oracle/kit.ts';
import { cutsOperator, type Experiment, type Fault } from './experiment.ts';
import { takeFigures } from './figures.ts';
import { judge, readyOf } from './judge.ts';
import { readLives } from './lives.ts';
import type { LoadCall, Met, Observations, Times } from './observations.ts';
import type { Felt } from './probe.ts';
import type { ChaosRun } from './report.ts';
import type { Subject } from './subject.ts';
import { describeExplained, explainTrace } from './trace/explain.ts';
import type { Trace } from './trace/trace.ts';
import { decide, type Finding } from './verdict.ts';

export interface RunFacts {
  readonly subject: Subject;
  readonly experiment: Experiment;
  readonly round: number;
  readonly attempt: number;
  readonly judgesTimes: boolean;
  readonly met: Met;
  readonly times: Times;
  /** Since when nothing was to be written any more. */
  readonly quietFromMs: number;
  readonly seen: Observations;
  /** Undefined where there is no audit log. */
  readonly trace?: Trace | undefined;
  readonly injected: { readonly holds: boolean; readonly detail: string };
  readonly felt: Felt;
  readonly recovered: { readonly holds: boolean; readonly detail: string };
}

/** Which run it is. Pure. */
export function identifyRun({ id, title, injector, twin }: Experiment, round: number, attempt: number): RunIdentity {
  return { id, title, round, attempt, injector, ...(twin === undefined ? {} : { twin }) };
}
type RunIdentity = Pick<ChaosRun, 'id' | 'title' | 'round' | 'attempt' | 'injector' | 'twin'>;

/** What a run came to, and all that its timeline is drawn from. Pure. */
export function recordRun(facts: RunFacts): ChaosRun {
  const { subject, experiment, round, attempt, met, times, seen } = facts;
  const { convergedMs, ...when } = times;
  const figures = takeFigures(seen, times, met);
  const judged = judge(seen, times, met, facts.quietFromMs, lagsUnder(experiment.fault, times));
  // What Performers are to be says nothing of what is none.
  const judgement = subject.asks === 'Performer' ? judged : { violations: [], evaluated: {}, blind: [] };
  const convergedAfterMs = convergedMs === undefined ? undefined : Math.max(0, convergedMs - times.healedMs);
  const { verdict, findings: found } = decide({
    ...facts,
    isJudged: subject.isJudged,
    judgesTimes: facts.judgesTimes && subject.runsOnce !== true,
    convergedAfterMs,
    judgement,
    figures,
  });
  const findings = [...found];
  // Of another operator the code is not at hand.
  const explained = facts.trace === undefined || subject.name !== 'ours' ? undefined : explainTrace(facts.trace);
  if (explained !== undefined)
    findings.push({ what: 'replayed', says: explained.unexplained.length === 0 ? 'holds' : 'noted', detail: describeExplained(explained) });
  const { bounds } = experiment;
  const measured = (figure: keyof typeof figures): { readonly measured?: number } => {
    const value = figures[figure];
    return value === undefined ? {} : { measured: value };
  };
  return {
    ...identifyRun(experiment, round, attempt),
    target: { performer: met.performer, pods: met.pods.map(({ name }) => name), nodes: [...met.nodes] },
    times: { ...when, ...(convergedMs === undefined ? {} : { convergedMs }) },
    verdict,
    findings: [...findings, ...noteLeaders(seen, times), ...noteFailures(seen, times, met, bounds)],
    goals: bounds.map((bound) => ({ ...bound, ...measured(bound.figure) })),
    figures: { ...figures, ...(convergedAfterMs === undefined ? {} : { 'heal to as asked ms': convergedAfterMs }) },
    evaluated: judgement.evaluated,
    load: countBySecond(seen, times, met),
    failures: listFailures(seen),
    pods: readLives(seen.changes).map((life) => ({ ...life, ready: life.ready.map((one) => ({ ...one })) })),
    ...(seen.writes === undefined ? {} : { writes: operatorWrites(seen.writes) }),
    conditions: readConditions(seen),
    ...(explained === undefined ? {} : { replay: { ...explained, unexplained: [...explained.unexplained] } }),
  };
}

/** Who led: a loss that takes the leader along is said only by the next one. Pure. */
export function noteLeaders({ renewals }: Pick<Observations, 'renewals'>, { askedMs }: Pick<Times, 'askedMs'>): readonly Finding[] {
  const held = renewals.filter(({ of, holder }) => of === 'operator' && holder !== '');
  const first = held.findLast(({ atMs }) => atMs <= askedMs)?.holder;
  const later = held.filter(({ atMs, holder }) => atMs > askedMs && holder !== first);
  const next = later.filter(({ holder }, at) => later.findIndex((one) => one.holder === holder) === at);
  if (first === undefined || next.length === 0) return [];
  const detail = next.map(({ holder, atMs }) => `${holder} led from ${((atMs - askedMs) / 1_000).toFixed(1)} s on`).join(', ');
  return [{ what: 'another operator took over', says: 'noted', detail: `${first} led at first; ${detail}` }];
}

/** Tasks that were to be answered and were not: the first ones by name, since each tells where to look. Pure. */
export function noteFailures({ calls }: Observations, { beganMs }: Times, met: Met, bounds: Experiment['bounds']): readonly Finding[] {
  const servesOn = bounds.some(({ figure }) => figure === 'failed throughout');
  const isMeant = ({ performer, from }: LoadCall): boolean => (servesOn || performer !== met.performer) && !met.nodes.includes(from);
  const failed = calls.filter((call) => call.kind === 'failed' && isMeant(call));
  if (failed.length === 0) return [];
  const said = failed.slice(0, 3).map(({ id, performer, from, atMs, tookMs, code = -1, details = '' }) => {
    return `${id} from ${from} to ${performer}, ${((atMs - beganMs) / 1_000).toFixed(1)} s after the start, for ${tookMs} ms: code ${code} ${details}`;
  });
  return [{ what: 'tasks that failed', says: 'noted', detail: said.join('; ') }];
}

/** Real nodes are put right sooner than the simulator's slowest; a view is old for as long as nobody can read, and a moment more. */
function lagsUnder(fault: Fault, { feltMs, healedMs }: Times): Pick<OracleContext, 'viewLagMs' | 'settleMs'> {
  const isBlind = /^(?:control-plane|api-path|api-squeeze|leader-hang)$/.test(fault.kind) || cutsOperator(fault);
  return { viewLagMs: calmContext.viewLagMs + (isBlind ? healedMs - feltMs : 0), settleMs: 15_000 };
}

function operatorWrites(writes: NonNullable<Observations['writes']>): NonNullable<ChaosRun['writes']> {
  return writes
    .filter(({ actor }) => actor.startsWith('operator'))
    .map(({ atMs, actor, verb, plural, subresource, key, result }) => ({
      atMs,
      actor,
      verb,
      plural: subresource === undefined ? plural : `${plural}/${subresource}`,
      name: key.name,
      result,
    }));
}

function countBySecond({ calls }: Observations, { beganMs }: Times, met: Met): ChaosRun['load'] {
  const keyed = calls.map((call) => ({
    ...call,
    second: Math.floor((call.atMs - beganMs) / 1_000),
    inside: met.nodes.includes(call.from),
  }));
  return [...Map.groupBy(keyed, ({ second, performer, inside }) => `${second} ${performer} ${inside}`).values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const failed = all.filter(({ kind }) => kind === 'failed');
    const codes = Object.fromEntries([...Map.groupBy(failed, ({ code = -1 }) => String(code))].map(([code, same]) => [code, same.length]));
    const counts = { answered: all.length - failed.length, failed: failed.length, ...(failed.length === 0 ? {} : { codes }) };
    return [{ second: first.second, performer: first.performer, inside: first.inside, ...counts }];
  });
}

/** Enough to tell why, and no more than a page of them. */
const mostFailures = 200;

function listFailures({ calls }: Observations): ChaosRun['failures'] {
  const failed = calls.filter(({ kind }) => kind === 'failed').slice(0, mostFailures);
  return failed.map(({ atMs, tookMs, id, performer, from, code = -1, details = '' }) => ({
    atMs,
    tookMs,
    id,
    performer,
    from,
    code,
    details,
  }));
}

function readConditions({ changes }: Observations): ChaosRun['conditions'] {
  const last = new Map<string, string>();
  return changes.flatMap(({ kind, key, after, atMs }) => {
    if (kind !== 'performers') return [];
    const ready = after === undefined ? 'gone' : readyOf(after as Performer);
    if (last.get(key.name) === ready) return [];
    last.set(key.name, ready);
    return [{ atMs, performer: key.name, ready }];
  });
}
