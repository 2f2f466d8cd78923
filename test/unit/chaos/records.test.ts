import { describe, expect, it } from 'vitest';
import { type ChaosRecord, type ChaosStatus, explainRecords, isInjected, isRecovered, whereItMayBe } from '../../../chaos/records.ts';

const status = (
  conditions: readonly string[],
  records: readonly Partial<ChaosRecord>[] | undefined,
  desiredPhase = 'Run',
): ChaosStatus => ({
  conditions: ['Selected', 'AllInjected', 'AllRecovered'].map((type) => ({ type, status: conditions.includes(type) ? 'True' : 'False' })),
  experiment: {
    desiredPhase,
    ...(records === undefined ? {} : { containerRecords: records.map((one, at) => ({ id: `ns/p${at}`, ...one })) }),
  },
});

describe('isInjected', () => {
  it.each<{ name: string; of: ChaosStatus | undefined; is: boolean }>([
    { name: 'all it selected was met', of: status(['AllInjected'], [{ injectedCount: 1 }, { injectedCount: 2 }]), is: true },
    { name: 'one of two was met', of: status(['AllInjected'], [{ injectedCount: 1 }, { injectedCount: 0 }]), is: false },
    { name: 'its controller says so of nothing at all', of: status(['AllInjected'], []), is: false },
    { name: 'it has not selected yet', of: status([], undefined), is: false },
    { name: 'nobody has taken it up', of: undefined, is: false },
    { name: 'the counts are there, the condition is not', of: status([], [{ injectedCount: 1 }]), is: false },
  ])('is $is when $name', ({ of, is }) => {
    expect(isInjected(of)).toBe(is);
  });
});

describe('isRecovered', () => {
  it.each<{ name: string; of: ChaosStatus; is: boolean }>([
    { name: 'all was taken back', of: status(['AllRecovered'], [{ injectedCount: 1, recoveredCount: 1 }], 'Stop'), is: true },
    {
      name: 'it was never injected, which is said to be recovered, too',
      of: status(['AllRecovered'], [{ injectedCount: 0 }], 'Stop'),
      is: false,
    },
    { name: 'it still runs', of: status(['AllRecovered'], [{ recoveredCount: 1 }]), is: false },
    { name: 'one of two was taken back', of: status(['AllRecovered'], [{ recoveredCount: 1 }, {}], 'Stop'), is: false },
  ])('is $is when $name', ({ of, is }) => {
    expect(isRecovered(of)).toBe(is);
  });
});

describe('explainRecords', () => {
  it("gives the controller's own words", () => {
    const failed = [{ phase: 'Not Injected/Wait', events: [{ type: 'Failed', operation: 'Apply', message: 'connection refused' }] }];
    expect(explainRecords(status(['Selected'], failed))).toBe('ns/p0: Not Injected/Wait, injected 0 times (connection refused)');
    expect(explainRecords(status([], undefined))).toBe('it has selected nothing, or not done it yet');
    expect(explainRecords(undefined)).toBe('its controller has not taken it up');
  });
});

describe('whereItMayBe', () => {
  it.each<{ name: string; records: readonly Partial<ChaosRecord>[]; is: readonly string[] }>([
    { name: 'it was taken back', records: [{ injectedCount: 1, recoveredCount: 1 }], is: [] },
    { name: 'it was injected again since', records: [{ injectedCount: 2, recoveredCount: 1 }], is: ['ns/p0'] },
    { name: 'nobody can tell whether it was injected', records: [{ recoveredCount: 1 }, {}], is: ['ns/p1'] },
  ])('is $is where $name', ({ records, is }) => {
    expect(whereItMayBe(status([], records))).toEqual(is);
  });
});
