import { describe, expect, it } from 'vitest';
import type { ChaosRecord } from '../../../../chaos/records.ts';
import { isRefused } from '../../../../chaos/runner/self-test.ts';

const record = (message: string | undefined, injectedCount = 0): ChaosRecord => ({
  id: 'chaos-mesh/n1',
  injectedCount,
  events: message === undefined ? [] : [{ type: 'Failed', operation: 'Apply', message }],
});
const refused = record('attackCmd "x": it runs no commands\n: HTTP status is not OK');
const silent = record('Post "http://10.10.0.2:1/n1/api/attack/user_defined": context deadline exceeded');

describe('an attack that no agent can know', () => {
  it.each<{ name: string; records: readonly ChaosRecord[]; holds: boolean }>([
    { name: 'is refused where every machine said no', records: [refused, refused], holds: true },
    { name: 'is not while one has not answered', records: [refused, silent], holds: false },
    { name: 'is not while one was not asked yet', records: [refused, record(undefined)], holds: false },
    { name: 'is not where a machine did it after all', records: [record(refused.events?.[0]?.message, 1)], holds: false },
    { name: 'is not where there is no machine', records: [], holds: false },
  ])('$name', ({ records, holds }) => {
    expect(isRefused({ experiment: { containerRecords: records } })).toBe(holds);
  });
});
