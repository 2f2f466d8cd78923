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

  it('says every default', () => {
    expect(rulesOf(spec())).toEqual({
      replicas: 1,
      maxSurge: 1,
      maxUnavailable: 0,
      recreate: false,
      paused: false,
      strictNodeLoss: false,
      nodeLossMs: 3_000,
      toleratesLoss: false,
      minReadyMs: 0,
      drainMs: 5_000,
      progressDeadlineMs: 600_000,
    });
  });

  it.each([
    { name: 'everything', toleration: { operator: 'Exists' as const }, toleratesLoss: true },
    {
      name: 'what the cluster says of nodes',
      toleration: { key: 'node.kubernetes.io/unreachable', operator: 'Exists' as const },
      toleratesLoss: true,
    },
    { name: 'a taint of its own', toleration: { key: 'gpu', operator: 'Exists' as const }, toleratesLoss: false },
  ])('knows that pods which tolerate $name may come to a lost node: $toleratesLoss', ({ toleration, toleratesLoss }) => {
    expect(rulesOf(spec({ scheduling: { tolerations: [toleration] } }))).toMatchObject({ toleratesLoss });
  });

  it('takes every rule from the spec', () => {
    const asked = spec({
      replicas: 2,
      strategy: { type: 'Recreate' },
      paused: true,
      nodeLossPolicy: 'Strict',
      nodeLossSeconds: 7,
      minReadySeconds: 3,
      drainSeconds: 9,
      progressDeadlineSeconds: 60,
    });
    expect(rulesOf(asked)).toMatchObject({
      recreate: true,
      paused: true,
      strictNodeLoss: true,
      nodeLossMs: 7_000,
      minReadyMs: 3_000,
      drainMs: 9_000,
      progressDeadlineMs: 60_000,
    });
  });
});
