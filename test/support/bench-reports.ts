import type { BenchReport, Block, Phase, Usage } from '../../src/bench/bench-report.ts';
import { createRandom } from '../../src/lib/seeded-random.ts';

/** An operator as it behaves; what is left out is that of a bare loop. */
export interface MadeSubject {
  readonly name: string;
  readonly command?: string;
  /** On top of a bare loop: 1.1 is a tenth slower. */
  readonly slowness?: number;
  /** Planted before each of the three writes of a create. */
  readonly msPerWrite?: number;
  readonly writes?: number;
}

export interface MadeRun {
  readonly seed: number;
  readonly subjects?: readonly MadeSubject[];
  readonly rounds?: number;
  readonly scenarios?: readonly string[];
  /** Of the machine in this run, against others. */
  readonly machineSlowness?: number;
}

const phaseMedians = {
  create: { acknowledged: 6, 'pod created': 17, scheduled: 25, running: 36, 'pod ready': 38, 'status ready': 47 },
  delete: { acknowledged: 5, 'pod deleting': 8, 'pod gone': 28, 'service gone': 33, 'performer gone': 35 },
  update: { acknowledged: 5, 'new pod created': 14, 'new pod ready': 40, 'status ready': 52, 'old pod gone': 95 },
};
/** By which phase how many of the operator's own writes are done. */
const writesUntil: Partial<Record<Phase, number>> = { 'pod created': 2, scheduled: 2, running: 2, 'pod ready': 2, 'status ready': 3 };

export const madeScenarios = ['create-2-per-second', 'burst-200', 'delete-serial', 'delete-at-once', 'update-serial'];
const sizes: Readonly<Record<string, number>> = {
  'create-2-per-second': 80,
  'burst-200': 200,
  'burst-1000': 1_000,
  'delete-serial': 20,
  'delete-at-once': 180,
  'update-serial': 8,
};

/**
 * A report as a run would give it. Latencies are log-normal with a heavy tail; the machine drifts between rounds, for all
 * operators alike, and each block has luck of its own. The same seed gives the same report.
 */
export function makeBenchReport({
  seed,
  subjects = [{ name: 'ours' }],
  rounds = 5,
  scenarios = madeScenarios,
  machineSlowness = 1,
}: MadeRun): BenchReport {
  const random = createRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const blocks: Block[] = [];
  for (const scenario of scenarios) {
    for (let round = 0; round < rounds; round += 1) {
      const drift = machineSlowness * Math.exp(0.12 * normal());
      for (const subject of subjects) {
        for (const kind of ['timed', 'counted'] as const) {
          if (kind === 'counted' && round > 0) continue;
          blocks.push(makeBlock(scenario, subject, round, kind, drift * Math.exp(0.04 * normal()), random, normal));
        }
      }
    }
  }
  return {
    version: 1,
    startedAt: '2026-11-20T10:00:00.000Z',
    finishedAt: '2026-11-20T10:41:00.000Z',
    seed,
    machine: { cpu: 'Example CPU', cores: 2, memoryBytes: 8 * 1024 ** 3, system: 'Linux 6.12' },
    versions: { kubernetes: '1.36.3', etcd: '3.6.8', k6: '2.2.0', node: '24.21.0', hourglass: '0.1.0' },
    cluster: { profile: 'instant', etcdFsync: true },
    subjects: subjects.map(({ name, command = `run ${name}` }) => ({ name, command })),
    blocks,
    notMeasurable: [],
  };
}

function makeBlock(
  scenario: string,
  { name, slowness = 1, msPerWrite = 0, writes = 3 }: MadeSubject,
  round: number,
  kind: Block['kind'],
  speed: number,
  random: () => number,
  normal: () => number,
): Block {
  const performers = sizes[scenario] ?? 50;
  const ask = scenario.startsWith('delete') ? 'delete' : scenario.startsWith('update') ? 'update' : 'create';
  const isBurst = /^burst|at-once/.test(scenario);
  const phases: Record<string, number[]> = {};
  const doneAtMs: number[] = [];
  for (let index = 0; index < performers; index += 1) {
    const tail = random() < 0.02 ? 1 + random() : 1;
    const own = speed * Math.exp(0.18 * normal()) * tail;
    // In a burst each waits for those before it.
    const queueMs = isBurst ? index * 26 * slowness * speed : 0;
    let last = 0;
    for (const [phase, middle] of Object.entries(phaseMedians[ask])) {
      const planted = ask === 'create' ? msPerWrite * (writesUntil[phase as Phase] ?? 0) : 0;
      last = phase === 'acknowledged' ? middle * own : queueMs + middle * slowness * own + planted * (isBurst ? 1 + index / 16 : 1);
      phases[phase] ??= [];
      phases[phase].push(last);
    }
    if (ask === 'update') {
      phases['without a ready pod'] ??= [];
      phases['without a ready pod'].push(0);
    }
    doneAtMs.push(last + (isBurst ? 0 : index * (scenario.includes('serial') ? 50 : 500)));
  }
  const use = (cpuMs: number, mebibytes: number): Usage => {
    const rssBytes = Math.round(mebibytes * 1024 ** 2);
    return { cpuMs: cpuMs * performers * speed * Math.exp(0.02 * normal()), rssBytes, peakRssBytes: Math.round(rssBytes * 1.1) };
  };
  const extra = ask === 'create' && writes > 3 ? { 'update performers/status': Math.round((writes - 3) * performers) } : {};
  const made =
    ask === 'create'
      ? { 'create pods': performers, 'create services': performers, 'patch performers/status': performers }
      : { 'delete pods': performers };
  return {
    scenario,
    subject: name,
    round,
    kind,
    startedAt: '2026-11-20T10:00:00.000Z',
    wallMs: Math.max(...doneAtMs) + 500,
    performers,
    phases,
    doneAtMs,
    usage: {
      operator: use(3.2 * slowness, 62),
      'api-server': use(27 * slowness, 410),
      etcd: use(9 * slowness, 95),
      'controller-manager': use(6, 90),
      scheduler: use(3, 60),
      kwok: use(2.5, 50),
      generator: use(3, 120),
    },
    ...(kind === 'counted' ? { calls: { ...made, ...extra, 'watch pods': 2, 'get leases': 4, 'patch leases': 9 } } : {}),
    // Of the cluster's own some come and go by the length of a block.
    etcdWrites: Math.round((ask === 'create' ? 4.8 + writes : 8.3) * performers + 8 * random()),
    figures: {},
  };
}
