import { type BenchReport, type Block, createPhases, deletePhases, updatePhases } from '../bench-report.ts';
import { buildHistogram, cumulate, mergeHistograms } from '../log-histogram.ts';
import { isAtOnce, measures } from '../measures.ts';
import { median } from '../statistics.ts';
import { drawBars, drawSteps, type Part, type Point, partColor } from './charts.ts';

/** A drawing with its heading; `legend` where its colours are not those of the operators. */
export interface Figure {
  readonly title: string;
  readonly svg: string;
  readonly legend?: readonly { readonly name: string; readonly color: string }[];
}

const components = ['operator', 'api-server', 'etcd', 'controller-manager', 'scheduler', 'kwok', 'generator'];
const mostPoints = 160;
const mostCalls = 7;

/** Everything drawn of one load, all rounds together; what was not measured has no drawing. */
export async function drawScenario({ blocks, subjects }: BenchReport, scenario: string): Promise<readonly Figure[]> {
  const names = subjects.map(({ name }) => name);
  const counting = blocks.filter((block) => block.scenario === scenario && block.voidBecause === undefined);
  const timed = counting.filter(({ kind }) => kind === 'timed');
  const bySubject = (some: readonly Block[]) => names.map((name) => [name, some.filter(({ subject }) => subject === name)] as const);
  const bars = async (title: string, parts: readonly Part[], order: readonly string[], unit: string): Promise<readonly Figure[]> => {
    const used = order.filter((part) => parts.some((one) => one.part === part));
    if (used.length === 0) return [];
    const legend = used.map((name, index) => ({ name, color: partColor(index) }));
    return [{ title, svg: await drawBars(parts, used, names, unit), legend }];
  };
  const medians = (some: readonly Block[], part: string, of: (block: Block) => number): readonly Part[] =>
    bySubject(some).flatMap(([row, own]) => {
      const value = median(own.map(of).filter(Number.isFinite));
      return Number.isFinite(value) ? [{ row, part, value }] : [];
    });
  const phases = phasesOf(timed);
  const steps = bySubject(timed).flatMap(([row, own]) => phaseSteps(own, phases).map((step) => ({ row, ...step })));
  const cpu = components.flatMap((part) =>
    medians(timed, part, ({ usage, performers }) => (usage[part]?.cpuMs ?? Number.NaN) / performers),
  );
  const rss = medians(timed, 'operator', measures.operatorRss.of);
  const calls = medianCalls(counting, 'calls', medians);
  // Where the operator's cannot be told apart.
  const requests = calls.length > 0 ? [] : medianCalls(counting, 'requests', medians);
  const done = bySubject(timed).flatMap(([series, own]) => own.flatMap((block) => donePoints(series, block)));
  const figures: Figure[] = [...(await bars('Median of each step', steps, phases, 'ms'))];
  if (done.length > 0) figures.push({ title: 'Done over time, each round a line', svg: await drawSteps(done, names, 'count', 'seconds') });
  for (const phase of phases) {
    const points = bySubject(timed).flatMap(([series, own]) => cdfPoints(series, own, phase));
    if (points.length > 0) figures.push({ title: `Until ${phase}`, svg: await drawSteps(points, names, 'share', 'ms, logarithmic') });
  }
  figures.push(...(await bars('CPU per Performer', cpu, components, 'ms')));
  figures.push(...(await bars('Peak memory of the operator', rss, ['operator'], measures.operatorRss.unit)));
  figures.push(...(await bars('Calls of the operator per Performer', calls, largestFirst(calls), 'calls')));
  return [...figures, ...(await bars('Requests of everybody per Performer', requests, largestFirst(requests), 'requests'))];
}

/** Of the block's kind of load, those that any block reached, in the order of a Performer's life. */
function phasesOf(blocks: readonly Block[]): readonly string[] {
  const reached = new Set(blocks.flatMap(({ phases }) => Object.keys(phases)));
  const lives: readonly (readonly string[])[] = [createPhases, deletePhases, updatePhases];
  const own = lives.find((life) => life.slice(1).some((phase) => reached.has(phase) && phase !== 'status ready')) ?? createPhases;
  return own.filter((phase) => reached.has(phase));
}

/** From each phase to the next, of every Performer; where one list is shorter, as the difference of the medians. */
function phaseSteps(blocks: readonly Block[], phases: readonly string[]): readonly Omit<Part, 'row'>[] {
  const all = phases
    .map((phase) => ({ phase, values: blocks.flatMap((block) => block.phases[phase] ?? []) }))
    .filter(({ values }) => values.length > 0);
  return all.map(({ phase, values }, index) => {
    const before = all[index - 1]?.values ?? values.map(() => 0);
    const isPaired = before.length === values.length;
    const step = isPaired ? median(values.map((value, at) => value - (before[at] ?? Number.NaN))) : median(values) - median(before);
    return { part: phase, value: Math.max(0, step) };
  });
}

function cdfPoints(series: string, blocks: readonly Block[], phase: string): readonly Point[] {
  const all = cumulate(mergeHistograms(blocks.map(({ phases }) => buildHistogram(phases[phase] ?? []))));
  const [first] = all;
  const points = all.map(({ value, share }) => ({ x: value, y: share, series, line: series }));
  return first === undefined ? [] : [{ x: first.value, y: 0, series, line: series }, ...points];
}

function donePoints(series: string, block: Block): readonly Point[] {
  const times = block.doneAtMs.toSorted((a, b) => a - b);
  const stride = Math.max(1, Math.ceil(times.length / mostPoints));
  const line = `${series} ${block.round}`;
  const points = times.flatMap((ms, index) =>
    (index + 1) % stride === 0 || index === times.length - 1 ? [{ x: ms / 1_000, y: index + 1, series, line }] : [],
  );
  return times.length === 0 || (times.length < 2 && !isAtOnce(block)) ? [] : [{ x: 0, y: 0, series, line }, ...points];
}

/** Of the counted blocks where there are any: timed ones count only where the cluster's metrics do. */
function medianCalls(
  blocks: readonly Block[],
  kind: 'calls' | 'requests',
  medians: (some: readonly Block[], part: string, of: (block: Block) => number) => readonly Part[],
): readonly Part[] {
  const counted = blocks.filter((block) => block[kind] !== undefined);
  const calls = [...new Set(counted.flatMap((block) => Object.keys(block[kind] ?? {})))];
  const all = calls.flatMap((call) => medians(counted, call, (block) => (block[kind]?.[call] ?? 0) / block.performers));
  const named = new Set(largestFirst(all).slice(0, mostCalls));
  const rest = Map.groupBy(
    all.filter(({ part }) => !named.has(part)),
    ({ row }) => row,
  );
  const others = [...rest].map(([row, parts]) => ({ row, part: 'others', value: parts.reduce((sum, { value }) => sum + value, 0) }));
  return [...all.filter(({ part, value }) => named.has(part) && value > 0), ...others];
}

function largestFirst(parts: readonly Part[]): readonly string[] {
  const sums = new Map<string, number>();
  for (const { part, value } of parts) sums.set(part, (sums.get(part) ?? 0) + value);
  return [...sums].toSorted(([, a], [, b]) => b - a).map(([part]) => part);
}
