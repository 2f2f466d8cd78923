import { findCondition } from '../src/api/v1alpha1/conditions.ts';
import type { Performer } from '../src/api/v1alpha1/performer.ts';
import { keyText, type Lease } from '../src/kube/objects.ts';
import {
  type Answer,
  type Change,
  calmContext,
  createOracles,
  OracleBoard,
  type OracleContext,
  type Violation,
  type Write,
} from '../src/oracle/kit.ts';
import { operatorActor } from './audit.ts';
import { chaosNamespace, operatorNamespace } from './experiment.ts';
import type { Met, Observations, Times } from './observations.ts';

export interface Judgement {
  readonly violations: readonly Violation[];
  /** By oracle, how often its statement was put to a test. */
  readonly evaluated: Readonly<Record<string, number>>;
  /** Oracles that go by writes, where nobody could see any. */
  readonly blind: readonly string[];
}

/** A run may end between a change of a pod and the status that follows it. */
const graceMs = 1_000;

/** The oracle that goes by the absence of writes. */
const silence = 'L4';

/**
 * Holds what was seen against all oracles of the simulation, as if it happened again. Pure.
 *
 * @param quietFromMs since when nothing was to be written any more
 * @param lags how old an operator's view may have been, and how long what is wrong may stand
 */
export function judge(
  seen: Observations,
  times: Times,
  met: Met,
  quietFromMs: number,
  lags: Pick<OracleContext, 'viewLagMs' | 'settleMs'> = calmContext,
): Judgement {
  let nowMs = 0;
  const isFaulty = (): boolean => nowMs >= times.askedMs && nowMs <= times.healedMs;
  const calmSinceMs = (): number => (isFaulty() ? Number.POSITIVE_INFINITY : nowMs > times.healedMs ? times.healedMs : 0);
  const knowsWrites = seen.writes !== undefined;
  const context: OracleContext = { ...calmContext, ...lags, knowsWrites, calmSinceMs };
  const board = new OracleBoard(createOracles(context));
  for (const { atMs, tell } of inOrder(seen, met, times)) {
    nowMs = atMs;
    tell(board);
  }
  nowMs = times.endedMs;
  const silentWrites = (seen.writes ?? []).filter(
    ({ actor, atMs, plural }) => actor.startsWith('operator') && atMs >= quietFromMs && plural !== 'events',
  );
  board.rest({ atMs: times.endedMs, silentWrites, graceMs });
  const blind = knowsWrites ? [] : board.oracles.filter(({ onWrite, id }) => onWrite !== undefined || id === silence).map(({ id }) => id);
  // Silence that nobody listened to was not put to the test.
  const evaluated = board.oracles.map(({ id, evaluated }) => [id, id === silence && !knowsWrites ? 0 : evaluated()] as const);
  return { violations: board.violations, evaluated: Object.fromEntries(evaluated), blind };
}

interface Told {
  readonly atMs: number;
  readonly tell: (board: OracleBoard) => void;
}

/** A change comes before the write that made it, whichever was heard of first. Pure. */
function inOrder(seen: Observations, met: Met, times: Times): readonly Told[] {
  const changedAtMs = new Map(seen.changes.map((change) => [versionOf(change.kind, change), change.atMs]));
  const writes = [...(seen.writes ?? []), ...leaseWrites(seen)];
  const told: Told[] = [
    ...seen.changes.map((change) => ({ atMs: change.atMs, tell: (board: OracleBoard) => board.change(change) })),
    ...writes.map((write) => ({
      atMs: Math.max(write.atMs, changedAtMs.get(versionOf(write.plural, write)) ?? 0),
      tell: (board: OracleBoard) => board.write(write),
    })),
    ...answers(seen, met, times).map((answer) => ({ atMs: answer.atMs, tell: (board: OracleBoard) => board.answer(answer) })),
  ];
  // Sorting is stable: of one instant the changes come first.
  return told.toSorted((a, b) => a.atMs - b.atMs);
}

function versionOf(plural: string, { key, after }: Pick<Change | Write, 'key' | 'after'>): string {
  return `${plural} ${keyText(key)} ${after?.metadata?.resourceVersion ?? 'gone'}`;
}

/** Leases are in no audit log; each change of one is a write of its new holder. Pure. */
function leaseWrites({ renewals }: Observations): readonly Write[] {
  const ofOperator = renewals.filter((one) => one.of === 'operator');
  const versions = ofOperator.map(
    (one, at): Lease => ({
      // Two may be heard in the same millisecond, after a pause.
      metadata: { resourceVersion: String(at) },
      spec: { holderIdentity: one.holder === '' ? '' : operatorActor(one.holder), leaseDurationSeconds: one.durationMs / 1_000 },
    }),
  );
  return ofOperator.map((one, at) => ({
    atMs: one.atMs,
    actor: operatorActor(one.holder),
    verb: 'patch',
    plural: 'leases',
    key: { namespace: operatorNamespace, name: 'lease' },
    sent: undefined,
    preconditions: {},
    result: 'ok',
    before: versions[at - 1],
    after: versions[at],
  }));
}

/** Answers by the uid of the pod that gave them, at the moment it was asked. Pure. */
function answers({ calls, changes }: Observations, met: Met, times: Times): readonly Answer[] {
  const uids = new Map(
    changes.flatMap(({ kind, key, after }) =>
      kind === 'pods' && after?.metadata?.uid !== undefined ? [[key.name, after.metadata.uid]] : [],
    ),
  );
  return calls.map(({ performer, from, instance, uid, atMs }) => ({
    atMs,
    key: { namespace: chaosNamespace, name: performer },
    from,
    podUid: uid ?? (instance === undefined ? undefined : uids.get(instance)),
    insideCut: met.nodes.includes(from) && atMs >= times.askedMs,
  }));
}

/** The Ready condition in two words, e.g. `True Serving`. Pure. */
export function readyOf(performer: Performer | undefined): string {
  const condition = findCondition(performer?.status?.conditions, 'Ready');
  return condition === undefined ? 'none' : `${condition.status} ${condition.reason}`;
}
