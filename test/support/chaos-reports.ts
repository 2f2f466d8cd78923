import type { ChaosReport, ChaosRun } from '../../chaos/report.ts';

/** A run felt at 5 s and healed at 10 s, with one finding that explains its verdict. */
export function makeChaosRun(verdict: ChaosRun['verdict'], change: Partial<ChaosRun> = {}): ChaosRun {
  return {
    id: 'C1',
    title: 'a pod is killed',
    round: 0,
    attempt: 1,
    injector: 'chaos-mesh',
    target: { performer: 'alpha', pods: ['a-0'], nodes: [] },
    times: { beganMs: 0, askedMs: 4_000, feltMs: 5_000, healedMs: 10_000, convergedMs: 12_000, endedMs: 20_000 },
    verdict,
    findings: [
      { what: 'felt where it acts', says: verdict === 'inconclusive' ? 'unsure' : 'holds', detail: 'every task is answered' },
      { what: 'S1 ns/alpha', says: verdict === 'failed' ? 'fails' : 'holds', detail: 'two pods serve' },
    ],
    goals: [{ goal: 'G1', figure: 'pods created', atMost: 1, timed: false, measured: 1 }],
    evaluated: { S1: 2 },
    load: [],
    pods: [],
    writes: [],
    conditions: [],
    ...change,
  };
}

export function makeChaosReport(runs: readonly ChaosRun[], change: Partial<ChaosReport> = {}): ChaosReport {
  return {
    version: 1,
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:10:00Z',
    suite: 'smoke',
    seed: 1,
    repeat: 1,
    judgesTimes: false,
    machine: { cpu: 'some', cores: 2, memoryBytes: 1, system: 'Linux' },
    versions: {},
    cluster: { server: 'https://127.0.0.1:1', nodes: 3 },
    load: { perSecond: 5, deadlineMs: 3_000 },
    runs: [...runs],
    ...change,
  };
}
