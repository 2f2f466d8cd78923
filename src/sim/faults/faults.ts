import { performers } from '../../api/v1alpha1/performer.ts';
import { keyText } from '../../kube/objects.ts';
import type { Blocked } from '../front.ts';
import { blockedMs } from '../grants.ts';
import { kindIdOf } from '../kind-rules.ts';
import type { SimOperator } from '../operators.ts';
import type { Call, Mishap } from '../sim-api.ts';
import type { SimWorld } from '../sim-world.ts';
import { besideFaults } from './beside.ts';
import { type CircumstanceId, circumstanceIds } from './circumstances.ts';
import { momentFaults, type Stage } from './moment.ts';
import { hold, spanFaults } from './span.ts';
import { pick } from './tamper.ts';
import { endingFaults, writeFaults } from './write.ts';

/** One fault of a run, as data: which, when, and a draw from [0, 1) by which it chooses its target when it comes. */
export type FaultStep =
  | { readonly id: WriteFaultId | EndingFaultId; readonly atWrite: number }
  | { readonly id: BesideFaultId; readonly atBeside: number }
  | { readonly id: MomentFaultId; readonly atMs: number; readonly draw: number }
  /** `front`, a draw too, names the one API server that it strikes, where it strikes API servers; left out: all of them. */
  | { readonly id: SpanFaultId; readonly atMs: number; readonly forMs: number; readonly draw: number; readonly front?: number }
  /** Neither lists nor watches show the event of that order, nor what follows it of its kind, until that write. */
  | { readonly id: 'event-blocked'; readonly event: number; readonly untilWrite: number }
  | { readonly id: 'crash-at-step'; readonly step: number };

/** A clock that is fast or slow is so from the start, and some trouble users ask for: the plan says it beside its faults. */
export type FaultId = FaultStep['id'] | 'clock-rate' | CircumstanceId;
export type WriteFaultId = keyof typeof writeFaults;
export type EndingFaultId = keyof typeof endingFaults;
export type BesideFaultId = keyof typeof besideFaults;
export type MomentFaultId = keyof typeof momentFaults;
export type SpanFaultId = keyof typeof spanFaults;

export const writeFaultIds = Object.keys(writeFaults) as readonly WriteFaultId[];
export const endingFaultIds = Object.keys(endingFaults) as readonly EndingFaultId[];
export const besideFaultIds = Object.keys(besideFaults) as readonly BesideFaultId[];
export const momentFaultIds = Object.keys(momentFaults) as readonly MomentFaultId[];
export const spanFaultIds = Object.keys(spanFaults) as readonly SpanFaultId[];
/** What seeds draw. */
export const drawnIds: readonly FaultStep['id'][] = [
  ...writeFaultIds,
  ...momentFaultIds,
  ...spanFaultIds,
  'event-blocked',
  ...endingFaultIds,
  ...besideFaultIds,
  'crash-at-step',
];
export const faultIds: readonly FaultId[] = [...drawnIds, 'clock-rate', ...circumstanceIds];

type Striking<Id extends FaultId> = Readonly<Record<Id, (call: Call, world: SimWorld) => Mishap | undefined>>;

interface Lasting {
  readonly id: FaultId;
  readonly forMs?: number;
  readonly front?: number;
}

/**
 * Makes ready what a run's faults are: each comes by itself when its time is there.
 *
 * @param onCame told of each that met somebody, with the time for which it will last and whom it met
 * @returns how often each came, and what ends those that last
 */
export function armFaults(
  stage: Omit<Stage, 'aim' | 'fronts'>,
  steps: readonly FaultStep[],
  onCame: (id: FaultId, forMs?: number, of?: string) => void,
): { readonly counts: Map<FaultId, number>; readonly healAll: () => void } {
  const { world, operators } = stage;
  const counts = new Map<FaultId, number>();
  const ends = new Set<() => void>();
  let healed = false;
  const came = (id: FaultId, about: string, more: { readonly of?: string; readonly forMs?: number } = {}): void => {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    onCame(id, more.forMs, more.of);
    world.note('fault', id, about, more);
  };
  /** Makes it happen; told with its target once that is known, else when it has come; not at all where it finds none. */
  const come = <T>({ id, forMs, front }: Lasting, make: (stage: Stage) => T): T => {
    let told = false;
    const tell = (of?: string): void => {
      if (told) return;
      told = true;
      const long = forMs === undefined ? '' : `for ${forMs} ms`;
      came(id, [of ?? '', long].filter((word) => word !== '').join(' '), {
        ...(of === undefined ? {} : { of }),
        ...(forMs === undefined ? {} : { forMs }),
      });
    };
    let waits = false;
    const aim = (target: string | undefined): void => {
      if (target === undefined) waits = true;
      else tell(target);
    };
    const struck = front === undefined ? undefined : pick(world.fronts, front);
    if (struck !== undefined) tell(struck.name);
    const made = make({ ...stage, aim, fronts: struck === undefined ? world.fronts : [struck] });
    if (!waits) tell();
    return made;
  };
  /** Asked of each write in its order: the first of the faults whose time has come and that can happen to it does. */
  const strike =
    <Id extends FaultId>(waiting: { readonly id: Id; readonly at: number }[], make: Striking<Id>): typeof world.onOperatorWrite =>
    (call, index) => {
      for (const step of healed ? [] : waiting) {
        const mishap = index < step.at ? undefined : make[step.id](call, world);
        if (mishap === undefined) continue;
        waiting.splice(waiting.indexOf(step), 1);
        came(step.id, `write ${index}: ${call.verb} ${call.resource.plural} ${keyText(call.key)}`, { of: keyText(call.key) });
        return mishap;
      }
      return { kind: 'none' };
    };
  world.onOperatorWrite = strike(
    steps.flatMap((step) => ('atWrite' in step ? [{ id: step.id, at: step.atWrite }] : [])),
    { ...writeFaults, ...endingFaults },
  );
  world.onBesideWrite = strike(
    steps.flatMap((step) => ('atBeside' in step ? [{ id: step.id, at: step.atBeside }] : [])),
    besideFaults,
  );
  const end = (heal: () => void): void => {
    if (ends.delete(heal)) heal();
  };
  for (const step of steps) {
    if (step.id === 'crash-at-step') {
      const [first] = operators;
      if (first !== undefined) crashAt(first, step.step, () => came(step.id, `step ${step.step}`));
    } else if (step.id === 'event-blocked') {
      ends.add(blockEvent(world, step, () => came(step.id, `event ${step.event} until write ${step.untilWrite}`)));
    } else if ('forMs' in step) {
      world.clock.timer(step.atMs, () => {
        if (healed) return;
        const heal = come(step, (staged) => spanFaults[step.id](staged, step.draw));
        ends.add(heal);
        world.clock.timer(step.forMs, () => end(heal));
      });
    } else if ('atMs' in step) {
      world.clock.timer(step.atMs, () => {
        if (healed) return;
        come(step, (staged) => momentFaults[step.id](staged, step.draw));
      });
    }
  }
  const healAll = (): void => {
    healed = true;
    for (const front of world.fronts) {
      front.mood.losesDeletion = undefined;
      front.catchUp();
    }
    // The newest first, so that what one found in place is what it puts back.
    for (const heal of [...ends].toReversed()) end(heal);
  };
  return { counts, healAll };
}

function crashAt(operator: SimOperator, step: number, tell: () => void): void {
  operator.onStep = (now, process) => {
    if (now !== step) return;
    tell();
    process.kill();
  };
}

/**
 * Sieve's pattern: what was decided without an event that the decision should have known.
 *
 * @param tell called once a reader missed it
 * @returns what ends it
 */
function blockEvent(
  world: SimWorld,
  { event, untilWrite }: { readonly event: number; readonly untilWrite: number },
  tell: () => void,
): () => void {
  const told = world.onSeen;
  const effect = world.onEffect;
  let ends: (() => void)[] = [];
  let isOver = false;
  world.onSeen = (change, order) => {
    told(change, order);
    if (order !== event || isOver) return;
    let wasMissed = false;
    const onMissed = (): void => {
      if (!wasMissed) tell();
      wasMissed = true;
    };
    const kindId = change.kind === 'performers' ? kindIdOf(performers) : change.kind;
    const blocked: Blocked = { kindId, fromRevision: world.server.store.revision, onMissed };
    ends = world.fronts.map(({ mood }) => hold(mood, 'blocked', blocked));
    // Nobody waits for ever: the write may never come without the event.
    world.clock.timer(blockedMs, () => release());
  };
  const release = (): void => {
    for (const one of ends) one();
    ends = [];
  };
  world.onEffect = (write) => {
    effect(write);
    if (world.operatorWrites >= untilWrite) release();
  };
  return () => {
    isOver = true;
    release();
  };
}
