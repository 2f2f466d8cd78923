import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Reason, reasons } from '../../src/api/v1alpha1/conditions.ts';
import type { PerformerStatus } from '../../src/api/v1alpha1/performer.ts';
import { planStatus } from '../../src/reconcile/plan/status.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { ensureTool } from '../../src/testbed/tools.ts';
import { key, performer, settings, snapshot, withStatusOf } from '../support/snapshots.ts';

/** Said of a pass, never stored in a status. */
const unstored: readonly Reason[] = ['Draining', 'Repairing', 'Gone', 'ManagedElsewhere'];

/** The status that is stored under a reason. */
function statusUnder(reason: Reason): PerformerStatus | undefined {
  const world = snapshot({ performer: performer({}, { generation: 3 }) });
  const facts = { reason, message: 'm', sides: [], revision: 'r', pods: [], completesRollout: false, quietUntilMs: 0 };
  const { action } = planStatus(world, performer({}, { generation: 3 }), facts, settings);
  if (action === undefined) throw new Error(`${reason} writes no status`);
  const plan = { actions: [action], events: [], proof: 'none', unsaid: false, verdict: { kind: 'waiting', reason, message: 'm' } } as const;
  return withStatusOf(plan, world).performer?.status;
}

const object = (status: PerformerStatus | undefined, metadata: object = {}): object => ({
  apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
  kind: 'Performer',
  metadata: { ...key, generation: 3, ...metadata },
  ...(status === undefined ? {} : { status }),
});

describe('kstatus, by which Helm, Flux and others wait, judges', () => {
  let program = '';
  beforeAll(async () => {
    program = await ensureTool('kstatus', createProgress(process.stderr));
  }, 300_000);
  const judge = (value: object): string => {
    const { status, stdout, stderr } = spawnSync(program, { input: JSON.stringify([value]), encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as string[])[0] ?? '';
  };

  it.each(
    (Object.keys(reasons) as Reason[])
      .filter((reason) => !unstored.includes(reason))
      .map((reason) => ({ reason, word: reasons[reason].ready ? 'Current' : reasons[reason].stalls ? 'Failed' : 'InProgress' })),
  )('$reason as $word', ({ reason, word }) => {
    expect(judge(object(statusUnder(reason)))).toBe(word);
  });

  it('a Performer no operator has seen as InProgress', () => {
    expect(judge(object({ observedGeneration: -1 }))).toBe('InProgress');
  });

  it('a changed spec the operator has not seen as InProgress', () => {
    expect(judge(object(statusUnder('Serving'), { generation: 4 }))).toBe('InProgress');
  });

  it('a Performer that is being deleted as Terminating', () => {
    expect(judge(object(statusUnder('Terminating'), { deletionTimestamp: '2026-01-01T00:00:00Z' }))).toBe('Terminating');
  });
});
