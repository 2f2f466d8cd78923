import { describe, expect, it } from 'vitest';
import { rulesOf } from '../../../../src/reconcile/plan/rules.ts';
import { spec } from '../../../support/snapshots.ts';

describe('rulesOf', () => {
  it('lets one replica surge by one and never be missing', () => {
    expect(rulesOf(spec())).toMatchObject({
      replicas: 1,
      maxSurge: 1,
      maxUnavailable: 0,
      recreate: false,
      nodeLossMs: 3_000,
      drainMs: 5_000,
    });
  });

  it.each([
    { replicas: 10, maxSurge: 3, maxUnavailable: 2 },
    { replicas: 4, maxSurge: 1, maxUnavailable: 1 },
    { replicas: 3, maxSurge: 1, maxUnavailable: 0 },
  ])('rounds the shares of $replicas replicas as Deployments do', ({ replicas, ...counts }) => {
    expect(rulesOf(spec({ replicas }))).toMatchObject(counts);
  });

  it('takes counts as they are, and lets one be missing where neither may be', () => {
    expect(
      rulesOf(spec({ replicas: 4, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 3 } } })),
    ).toMatchObject({ maxSurge: 2, maxUnavailable: 3 });
    expect(
      rulesOf(spec({ replicas: 4, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '10%' } } })),
    ).toMatchObject({ maxSurge: 0, maxUnavailable: 1 });
  });
});
