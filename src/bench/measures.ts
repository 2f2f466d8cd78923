import { type Block, deletePhases } from './bench-report.ts';
import { median, quantile } from './statistics.ts';

/** One figure of a block; less of it is better. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** Which blocks it may be read from. */
  readonly kind: Block['kind'];
  /** A count that hardly varies: it is judged as it stands, without an interval. */
  readonly exact?: true;
  /** NaN where the block does not hold it. */
  of(block: Block): number;
}

const megabyte = 1e6;
const controlPlane = ['api-server', 'etcd', 'controller-manager', 'scheduler'];
/** Whether a call of an operator, as `countCalls` names it, writes for a Performer: who renews its Lease writes, but not for one. Pure. */
export const isWrite = (call: string): boolean => !/^(?:get|list|watch) | leases$/.test(call);

/** In the order of the tables. */
export const measures = {
  unfinished: { name: 'unfinished', unit: '', kind: 'timed', exact: true, of: (block) => block.performers - block.doneAtMs.length },
  p50: { name: 'p50', unit: 'ms', kind: 'timed', of: (block) => ofAll(block, median) },
  p99: { name: 'p99', unit: 'ms', kind: 'timed', of: (block) => ofAll(block, (values) => quantile(sorted(values), 0.99)) },
  allDone: { name: 'all done', unit: 'ms', kind: 'timed', of: (block) => (isAtOnce(block) ? allDone(block) : Number.NaN) },
  emptyMs: {
    name: 'without a ready pod, p50',
    unit: 'ms',
    kind: 'timed',
    of: (block) => median(block.phases['without a ready pod'] ?? []),
  },
  operatorCpu: { name: 'operator CPU', unit: 'ms each', kind: 'timed', of: (block) => cpuEach(block, ['operator']) },
  controlPlaneCpu: { name: 'control-plane CPU', unit: 'ms each', kind: 'timed', of: (block) => cpuEach(block, controlPlane) },
  operatorRss: {
    name: 'operator peak RSS',
    unit: 'MB',
    kind: 'timed',
    of: ({ usage }) => (usage.operator?.peakRssBytes ?? Number.NaN) / megabyte,
  },
  operatorWrites: {
    name: 'operator writes',
    unit: 'each',
    kind: 'counted',
    exact: true,
    of: ({ calls, performers }) => countWrites(calls) / performers,
  },
  etcdWrites: {
    name: 'etcd writes',
    unit: 'each',
    kind: 'counted',
    exact: true,
    of: ({ etcdWrites = Number.NaN, performers }) => etcdWrites / performers,
  },
} as const satisfies Readonly<Record<string, Measure>>;

export type MeasureName = keyof typeof measures;

/** Blocks that count, of one measure: void ones and those of the other kind count for nothing. Pure. */
export function blocksOf(blocks: readonly Block[], { kind }: Measure, scenario: string, subject: string): readonly Block[] {
  return blocks.filter(
    (block) => block.kind === kind && block.scenario === scenario && block.subject === subject && block.voidBecause === undefined,
  );
}

/** Milliseconds from each request to the state it asked for. Pure. */
export function latencies({ phases }: Block): readonly number[] {
  // An update is there once its new pod is ready: the old status may have said so of the old pod.
  const ready = phases['new pod ready'] ?? phases['status ready'];
  if (ready !== undefined) return ready;
  const gone = deletePhases.map((phase) => phases[phase] ?? []);
  // The order in which they go is the cluster's; it is over when the last is gone.
  return (phases['performer gone'] ?? []).map((_, index) => Math.max(...gone.map((list) => list[index] ?? Number.NaN)));
}

/** Whether the load is asked for at once, so that the time for all of it says something. */
export function isAtOnce({ scenario }: Pick<Block, 'scenario'>): boolean {
  return /^burst-|-at-once/.test(scenario);
}

/** Where some never came, those that did say nothing of all. */
function ofAll(block: Block, statistic: (values: readonly number[]) => number): number {
  return block.doneAtMs.length < block.performers ? Number.NaN : statistic(latencies(block));
}

function allDone({ doneAtMs, performers }: Block): number {
  return doneAtMs.length < performers ? Number.NaN : Math.max(...doneAtMs);
}

function cpuEach({ usage, performers }: Block, components: readonly string[]): number {
  return components.reduce((sum, component) => sum + (usage[component]?.cpuMs ?? Number.NaN), 0) / performers;
}

function countWrites(calls: Block['calls']): number {
  if (calls === undefined) return Number.NaN;
  return Object.entries(calls).reduce((sum, [call, count]) => (isWrite(call) ? sum + count : sum), 0);
}

function sorted(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b);
}
