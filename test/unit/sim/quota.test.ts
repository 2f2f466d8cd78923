import { describe, expect, it } from 'vitest';
import { classifyDenial } from '../../../src/reconcile/plan/denial.ts';
import { quotaRefusal, quotaUsage } from '../../../src/sim/quota.ts';
import type { AnyObject } from '../../../src/sim/stored-object.ts';

const quota = (hard: Readonly<Record<string, string>>): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q' },
  spec: { hard },
});
const pod = (change: object = {}): AnyObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, ...change });

describe('a quota on numbers of objects', () => {
  it.each<{ name: string; hard: Record<string, string>; plural: string; objects: AnyObject[]; says: string | undefined }>([
    { name: 'lets in what fits', hard: { pods: '2' }, plural: 'pods', objects: [pod()], says: undefined },
    {
      name: 'says what is used up',
      hard: { pods: '1' },
      plural: 'pods',
      objects: [pod()],
      says: 'exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    },
    {
      name: 'counts by its other name',
      hard: { 'count/services': '0' },
      plural: 'services',
      objects: [],
      says: 'exceeded quota: q, requested: count/services=1',
    },
    { name: 'leaves other kinds alone', hard: { pods: '0' }, plural: 'services', objects: [pod()], says: undefined },
  ])('$name', ({ hard, plural, objects, says }) => {
    const refusal = quotaRefusal([quota(hard)], plural, objects, 0);
    if (says === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toContain(says);
    if (refusal !== undefined) expect(classifyDenial(refusal)).toBe('QuotaExceeded');
  });

  it.each<{ name: string; one: AnyObject; weight: number }>([
    { name: 'a pod', one: pod(), weight: 1 },
    { name: 'no pod that has ended', one: pod({ status: { phase: 'Failed' } }), weight: 0 },
    {
      name: 'a pod in its grace period',
      one: pod({ metadata: { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 } }),
      weight: 1,
    },
    {
      name: 'no pod past it',
      one: pod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 } }),
      weight: 0,
    },
  ])('counts $name', ({ one, weight }) => {
    expect(quotaUsage([one], Date.parse('2026-01-01T00:00:00Z'))).toBe(weight);
  });
});
