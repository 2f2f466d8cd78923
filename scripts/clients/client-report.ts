import { formatFigure, formatGoals, formatTable, type Goal } from '../../src/bench/report.ts';
import { median, type Summary, summarize } from '../../src/bench/statistics.ts';

export type Client = 'ours' | 'ours-whole' | 'client-node' | 'client-go' | 'client-go, limit off';

/** What a task of a client comes to, told by the client's own process. */
export interface TaskResult {
  readonly calls?: number;
  /** Of the client's process, user and system. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly latencyMs?: readonly number[];
  readonly objects?: number;
  /** What a filled cache adds, after a collection. */
  readonly heapBytes?: number;
  readonly rssBytes?: number;
}

export interface Block extends TaskResult {
  readonly client: Client;
  readonly round: number;
  readonly inFlight: number;
}

/** By program: milliseconds from start to exit, and peak resident bytes. */
export type ColdStarts = Readonly<Record<string, { readonly wallMs: readonly number[]; readonly peakBytes: readonly number[] }>>;

export interface ClientBenchResult {
  /** Of all files of the bundle that `once` loads in a pod. */
  readonly onceBytes: number;
  readonly calls: readonly Block[];
  /** TCP connections for 1,000 calls, 32 in flight. */
  readonly connections: Readonly<Partial<Record<Client, number>>>;
  readonly caches: readonly Block[];
  readonly coldStarts: ColdStarts;
}

const mebibyte = 1024 * 1024;

/** The targets of the client, and what was measured. Pure. */
export function clientGoals(result: ClientBenchResult): readonly Goal[] {
  const once = result.coldStarts['once, with its Lease'];
  const wall = summarize(once?.wallMs ?? []);
  const peak = summarize((once?.peakBytes ?? []).map((bytes) => bytes / mebibyte));
  const speeds = [1, 32].map((inFlight) => ({
    inFlight,
    ratios: ratiosByRound(result.calls, inFlight),
  }));
  const retained = retainedMebibytes(result.caches, 'ours');
  return [
    { what: 'once, settled Performers, p50', measured: wall.p50, target: 120, bound: 'at most', unit: 'ms', note: spread(wall) },
    { what: 'once, peak RSS, p50', measured: peak.p50, target: 75, bound: 'at most', unit: 'MiB', note: spread(peak) },
    {
      what: 'bundle that once loads',
      measured: result.onceBytes / 1_000,
      target: 250,
      bound: 'at most',
      unit: 'kB',
      note: 'without YAML, as in a pod',
    },
    ...speeds.map(({ inFlight, ratios }): Goal => {
      const summary = summarize(ratios);
      const what = `calls per CPU second, ours : client-node, ${inFlight} in flight`;
      return { what, measured: summary.p50, target: 3, bound: 'at least', unit: '×', note: spread(summary) };
    }),
    {
      what: 'connections for 1,000 calls',
      measured: result.connections.ours ?? Number.NaN,
      target: 2,
      bound: 'at most',
      unit: '',
      note: `client-node ${result.connections['client-node'] ?? '–'}`,
    },
    {
      what: 'heap kept per 10,000 pods',
      measured: median(retained),
      target: 12,
      bound: 'at most',
      unit: 'MiB',
      note: spread(summarize(retained)),
    },
  ];
}

/** Everything that was measured, as tables. Pure. */
export function formatClientBench(result: ClientBenchResult): string {
  const { calls, caches, coldStarts, connections } = result;
  const callRows = groups(calls).map(({ client, inFlight, blocks }) => {
    const perCpuSecond = summarize(blocks.map(callsPerCpuSecond));
    const latency = summarize(blocks.flatMap((block) => block.latencyMs ?? []));
    const wallMs = blocks.reduce((sum, block) => sum + block.wallMs, 0);
    const cells = [perCpuSecond.p50, 1_000_000 / perCpuSecond.p50, (latency.n / wallMs) * 1_000, latency.p50, latency.p99];
    const spreadText = `${formatFigure(perCpuSecond.min)}…${formatFigure(perCpuSecond.max)}`;
    return [client, `${inFlight}`, ...cells.map(formatFigure), `${blocks.length}`, `${latency.n}`, spreadText];
  });
  const cacheRows = groups(caches).map(({ client, blocks }) => {
    const rss = blocks.map((block) => perTenThousand(block, block.rssBytes));
    const of = (value: (block: Block) => number): string => formatFigure(median(blocks.map(value)));
    const heap = summarize(retainedMebibytes(blocks, client));
    return [
      client === 'ours' ? 'ours, projection' : client === 'ours-whole' ? 'ours, whole pods' : client,
      formatFigure(heap.p50),
      formatFigure(median(rss)),
      of((block) => block.wallMs),
      of((block) => block.cpuMs),
      of((block) => block.objects ?? Number.NaN),
      `${blocks.length}`,
      `${formatFigure(heap.min)}…${formatFigure(heap.max)}`,
    ];
  });
  const coldRows = Object.entries(coldStarts).map(([program, { wallMs, peakBytes }]) => {
    const wall = summarize(wallMs);
    const peak = median(peakBytes.map((bytes) => bytes / mebibyte));
    return [program, ...[wall.p50, wall.p90, wall.min, wall.max, peak].map(formatFigure), `${wall.n}`];
  });
  const callHead = [
    'client',
    'in flight',
    'calls/CPU s',
    'CPU µs/call',
    'calls/s',
    'p50 ms',
    'p99 ms',
    'blocks',
    'calls',
    'calls/CPU s, range',
  ];
  const cacheHead = ['client', 'heap MiB/10k', 'RSS MiB/10k', 'synced ms', 'CPU ms', 'pods', 'n', 'heap range'];
  return [
    `GET of one pod\n${formatTable(callHead, callRows)}`,
    `Connections for 1,000 calls, 32 in flight\n${formatTable(
      ['client', 'connections'],
      Object.entries(connections).map(([client, count]) => [client, `${count}`]),
    )}`,
    `A namespace's pods in memory\n${formatTable(cacheHead, cacheRows)}`,
    `Cold start\n${formatTable(['program', 'p50 ms', 'p90 ms', 'min', 'max', 'peak MiB', 'n'], coldRows)}`,
    `Targets\n${formatGoals(clientGoals(result))}`,
  ].join('\n\n');
}

/** Ours against client-node within each round, where the machine was the same for both. */
function ratiosByRound(calls: readonly Block[], inFlight: number): readonly number[] {
  const of = (client: Client, round: number): Block | undefined =>
    calls.find((block) => block.client === client && block.round === round && block.inFlight === inFlight);
  return [...new Set(calls.map((block) => block.round))].flatMap((round) => {
    const [ours, theirs] = [of('ours', round), of('client-node', round)];
    return ours === undefined || theirs === undefined ? [] : [callsPerCpuSecond(ours) / callsPerCpuSecond(theirs)];
  });
}

function retainedMebibytes(caches: readonly Block[], client: Client): readonly number[] {
  return caches.filter((block) => block.client === client).map((block) => perTenThousand(block, block.heapBytes));
}

function perTenThousand({ objects }: Block, bytes: number | undefined): number {
  return objects === undefined || bytes === undefined ? Number.NaN : (bytes / objects / mebibyte) * 10_000;
}

function callsPerCpuSecond({ calls, cpuMs }: Block): number {
  return ((calls ?? Number.NaN) / cpuMs) * 1_000;
}

function groups(blocks: readonly Block[]) {
  const grouped = Map.groupBy(blocks, ({ client, inFlight }) => `${client} ${inFlight}`);
  return [...grouped.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ client: first.client, inFlight: first.inFlight, blocks: group }];
  });
}

function spread({ n, min, max }: Summary): string {
  return `n ${n}, ${formatFigure(min)}…${formatFigure(max)}`;
}
