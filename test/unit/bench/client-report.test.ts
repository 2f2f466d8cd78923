import { describe, expect, it } from 'vitest';
import { type Block, type ClientBenchResult, clientGoals, formatClientBench } from '../../../scripts/clients/client-report.ts';
import { isMet } from '../../../src/bench/report.ts';

const mebibyte = 1024 * 1024;
const calls = (client: Block['client'], round: number, inFlight: number, cpuMs: number): Block => ({
  client,
  round,
  inFlight,
  cpuMs,
  calls: 1_000,
  wallMs: 500,
  latencyMs: [1, 2, 3],
});
const cache = (client: Block['client'], heapMebibytes: number): Block => ({
  client,
  round: 0,
  inFlight: 1,
  cpuMs: 10,
  wallMs: 20,
  objects: 5_000,
  heapBytes: heapMebibytes * mebibyte,
  rssBytes: 0,
});
const result: ClientBenchResult = {
  onceBytes: 200_000,
  // The machine was slower in the second round, for both.
  calls: [1, 32].flatMap((inFlight) => [
    calls('ours', 0, inFlight, 100),
    calls('client-node', 0, inFlight, 400),
    calls('client-node', 1, inFlight, 800),
    calls('ours', 1, inFlight, 200),
  ]),
  connections: { ours: 1, 'client-node': 1_000 },
  caches: [cache('ours', 3), cache('client-node', 60)],
  coldStarts: { 'once, with its Lease': { wallMs: [100, 110, 300], peakBytes: [70 * mebibyte] } },
};
const measuredOf = (what: string, of = result): number | undefined => clientGoals(of).find((goal) => goal.what === what)?.measured;

describe('the goals of the client', () => {
  it('compare clients within a round', () => {
    expect(measuredOf('calls per CPU second, ours : client-node, 32 in flight')).toBe(4);
  });

  it('scale what is kept to 10,000 pods', () => {
    expect(measuredOf('heap kept per 10,000 pods')).toBeCloseTo(6);
  });

  it('are all met by figures that are good enough', () => {
    expect(clientGoals(result).filter((goal) => !isMet(goal))).toEqual([]);
  });

  it('are not met by what was not measured', () => {
    const nothing = { ...result, calls: [], connections: {}, caches: [], coldStarts: {} };
    expect(
      clientGoals(nothing)
        .filter(isMet)
        .map(({ what }) => what),
    ).toEqual(['bundle that once loads']);
  });
});

it('has a line for each client in each table', () => {
  const text = formatClientBench(result);
  for (const line of [/^client-node +32 /m, /^ours, projection +6 /m, /^once, with its Lease +110 /m, /^client-node +1000$/m]) {
    expect(text).toMatch(line);
  }
});
