import { serviceName } from '../src/api/v1alpha1/naming.ts';
import type { Node, Pod, Service } from '../src/kube/objects.ts';
import { answerDelayMs, type Fault, strangeSelector } from './experiment.ts';
import { performerOf, readLives } from './lives.ts';
import { isAnswerOf, type LoadCall, type Met, type Observations } from './observations.ts';

/** Whether a fault was felt where it acts, whatever its controller says of it. */
export interface Felt {
  /** Since when; undefined: not at all. */
  readonly atMs: number | undefined;
  /** What shows it, or what speaks against it. */
  readonly detail: string;
}

const cutShare = 0.9;
/** What was under way when a cut came or went may end either way. */
const edgeMs = 1_500;

/**
 * Looks for the fault in what clients, containers and Leases did. Pure.
 *
 * @param fromMs when the fault was asked for
 * @param untilMs until when it must have been felt, or now
 */
export function feel(fault: Fault, seen: Observations, met: Met, fromMs: number, untilMs: number): Felt {
  switch (fault.kind) {
    case 'pod-kill':
      return feelKill(seen, met, fromMs, fault.graceSeconds * 1_000);
    case 'container-kill':
      return feelRestart(fault.of === 'operator' ? seen.operatorPods : seen.changes, met, fromMs);
    case 'pod-failure':
      return feelSwap(seen, met, fromMs);
    case 'partition':
      if (fault.between === 'operator-api') return feelSilence('operator', seen, fromMs, untilMs);
      if (fault.between === 'kubelet-api') return feelSilence(met.nodes[0] ?? '', seen, fromMs, untilMs);
      return feelCut(fault.between, seen, met, fromMs, untilMs);
    case 'node':
      return feelNode(fault.does, seen, met, fromMs, untilMs);
    case 'together':
      return feelAll(fault.faults.map((part) => feel(part, seen, met, fromMs, untilMs)));
    case 'service':
      return feelService(fault.does, seen, met, fromMs);
    case 'control-plane':
      return feelSilence('anybody', seen, fromMs, untilMs);
    case 'api-path':
      return fault.does === 'delay' ? feelDelay(seen, fromMs, untilMs) : feelSilence('operator', seen, fromMs, untilMs);
    case 'leader-hang':
      return feelSilence('operator', { ...seen, renewals: seen.renewals.filter(({ holder }) => isHolder(holder, met)) }, fromMs, untilMs);
    case 'api-squeeze':
      return feelRefusal(seen, fromMs);
    case 'rollout':
      return feelNext(seen, met, fromMs);
    case 'crash-loop':
      return feelCrash(seen, met, fromMs);
    case 'calm':
      return feelCalm(seen, fault.performers, fromMs);
  }
}

const nothing = (detail: string): Felt => ({ atMs: undefined, detail });
const answersOf = ({ calls }: Observations, pods: Met['pods'], fromMs: number): readonly LoadCall[] =>
  calls.filter((call) => isAnswerOf(call, pods) && call.atMs >= fromMs);

/** Some put more behind the name of their pod. */
const isHolder = (holder: string, { pods }: Met): boolean => pods.some(({ name }) => holder.split('_')[0] === name);

/** Of a Lease that is renewed at a pace, each time after an answer: late answers draw it out. */
function feelDelay({ renewals }: Observations, fromMs: number, untilMs: number): Felt {
  const times = renewals.filter(({ of, atMs }) => of === 'operator' && atMs <= untilMs).map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, at) => ({ fromMs: times[at] ?? 0, ms: atMs - (times[at] ?? 0) }));
  const usual = Math.max(...gaps.filter((gap) => gap.fromMs + gap.ms <= fromMs).map(({ ms }) => ms));
  const late = gaps.filter((gap) => gap.fromMs >= fromMs);
  const least = Math.min(...late.map(({ ms }) => ms));
  const seen = (ms: number): string => (Number.isFinite(ms) ? `renewed every ${ms} ms` : 'not seen renewed twice');
  const detail = `the Lease of operator is ${seen(least)} at the soonest, ${seen(usual)} before`;
  return Number.isFinite(usual) && Number.isFinite(least) && least >= usual + answerDelayMs / 2
    ? { atMs: fromMs, detail }
    : nothing(detail);
}

function feelRefusal({ requests = [] }: Observations, fromMs: number): Felt {
  const refused = requests.filter(({ code, startedMs }) => code === 429 && startedMs >= fromMs);
  const [first] = refused;
  return first === undefined
    ? nothing('nothing that the operator asks for is refused')
    : { atMs: first.startedMs, detail: `${refused.length} requests were refused, the first one to ${first.verb} ${first.plural}` };
}

function feelNext(seen: Observations, met: Met, fromMs: number): Felt {
  const next = readLives(seen.changes).find(
    ({ performer, uid, seenMs }) => performer === met.performer && seenMs >= fromMs && !met.pods.some((pod) => pod.uid === uid),
  );
  if (next === undefined) return nothing('no other pod has come');
  const count = answersOf(seen, [next], fromMs).length;
  return count === 0 ? nothing(`${next.name} answers nobody`) : { atMs: next.seenMs, detail: `${next.name} answers, too` };
}

function feelCrash({ changes }: Observations, met: Met, fromMs: number): Felt {
  const crash = changes.find(({ kind, after, atMs }) => {
    const pod = kind === 'pods' ? (after as Pod | undefined) : undefined;
    const { state, lastState, restartCount = 0 } = pod?.status?.containerStatuses?.[0] ?? {};
    const hasEnded = restartCount > 0 || (state?.terminated ?? lastState?.terminated) !== undefined;
    return pod !== undefined && performerOf(pod) === met.asked && atMs >= fromMs && hasEnded;
  });
  return crash === undefined
    ? nothing(`no container of ${met.asked} has ended`)
    : { atMs: crash.atMs, detail: `the container of ${crash.key.name} ended by itself` };
}

function feelCalm({ changes }: Observations, performers: number, fromMs: number): Felt {
  const up = readLives(changes).filter(({ goneMs, ready }) => goneMs === undefined && ready.length > 0 && ready.at(-1)?.toMs === undefined);
  const count = new Set(up.map(({ performer }) => performer)).size;
  const detail = `${count} Performers have a pod that is ready`;
  return count >= performers ? { atMs: fromMs, detail } : nothing(detail);
}

/** One that was not felt leaves all of it open. Pure. */
function feelAll(all: readonly Felt[]): Felt {
  const times = all.flatMap(({ atMs = [] }) => atMs);
  const detail = all.map((one) => one.detail).join('; ');
  return times.length < all.length ? nothing(detail) : { atMs: Math.max(...times), detail };
}

/** Every pod that was to be killed, from the first one on. */
function feelKill(seen: Observations, met: Met, fromMs: number, graceMs: number): Felt {
  const all = met.pods.map((victim) => feelOneKill(seen, victim, fromMs, graceMs));
  const whole = feelAll(all);
  return whole.atMs === undefined ? whole : { ...whole, atMs: Math.min(...all.flatMap(({ atMs = [] }) => atMs)) };
}

function feelOneKill(seen: Observations, victim: Met['pods'][number], fromMs: number, graceMs: number): Felt {
  const life = readLives(seen.changes).find(({ uid }) => uid === victim.uid);
  const atMs = life?.deletingMs ?? life?.goneMs;
  if (atMs === undefined || atMs < fromMs) return nothing(`pod ${victim.name} is still there`);
  const late = answersOf(seen, [victim], atMs + graceMs + edgeMs).length;
  return late > 0
    ? nothing(`pod ${victim.name} answered ${late} tasks after it was gone`)
    : { atMs, detail: `pod ${victim.name} answers no more` };
}

function feelRestart(changes: readonly { readonly atMs: number; readonly after: unknown }[], met: Met, fromMs: number): Felt {
  const [victim] = met.pods;
  const statusOf = (after: unknown) => (after as Pod | undefined)?.status?.containerStatuses?.[0];
  const ofVictim = changes.filter(({ after }) => (after as Pod | undefined)?.metadata?.uid === victim?.uid);
  const before = statusOf(ofVictim.findLast(({ atMs }) => atMs < fromMs)?.after);
  const isOther = (after: unknown): boolean => {
    const now = statusOf(after);
    return now !== undefined && (now.containerID !== before?.containerID || now.state?.running === undefined);
  };
  const felt = ofVictim.find(({ atMs, after }) => atMs >= fromMs && isOther(after));
  if (before === undefined || felt === undefined) return nothing(`the container of ${victim?.name} runs on`);
  return { atMs: felt.atMs, detail: `the container of ${victim?.name} ended` };
}

function feelSwap({ changes }: Observations, met: Met, fromMs: number): Felt {
  const [victim] = met.pods;
  const imageOf = (after: unknown): string | undefined => (after as Pod | undefined)?.spec?.containers?.[0]?.image;
  const ofVictim = changes.filter(({ kind, key, after }) => kind === 'pods' && key.name === victim?.name && after !== undefined);
  const image = imageOf(ofVictim[0]?.after);
  const swapped = ofVictim.find(({ atMs, after }) => atMs >= fromMs && imageOf(after) !== image);
  const life = readLives(changes).find(({ uid }) => uid === victim?.uid);
  if (swapped === undefined || life?.ready.at(-1)?.toMs === undefined) return nothing(`pod ${victim?.name} is as ready as before`);
  return { atMs: swapped.atMs, detail: `pod ${victim?.name} has another image, and is not ready any more` };
}

function feelService(does: 'delete' | 'misroute', { changes }: Observations, { performer }: Met, fromMs: number): Felt {
  const name = serviceName(performer);
  const isHit = (after: unknown): boolean =>
    does === 'delete'
      ? after === undefined
      : Object.keys(strangeSelector).some((key) => (after as Service | undefined)?.spec?.selector?.[key]);
  const hit = changes.find(({ kind, key, after, atMs }) => kind === 'services' && key.name === name && atMs >= fromMs && isHit(after));
  return hit === undefined ? nothing(`Service ${name} is as before`) : { atMs: hit.atMs, detail: `Service ${name} led to nobody` };
}

function feelCut(between: 'clients-pod' | 'clients-service', seen: Observations, met: Met, fromMs: number, untilMs: number): Felt {
  const calls = seen.calls.filter(({ performer, atMs }) => performer === met.performer && atMs >= fromMs);
  const first = calls.toSorted((a, b) => a.atMs - b.atMs).find(({ kind }) => kind === 'failed');
  if (first === undefined) return nothing('every task is answered');
  const within = calls.filter(({ atMs }) => atMs >= first.atMs + edgeMs && atMs <= untilMs - edgeMs);
  // One that waits until the cut is over did not get through it.
  const isCut = (call: LoadCall): boolean =>
    between === 'clients-service' ? call.kind === 'failed' || call.atMs + call.tookMs > untilMs : !isAnswerOf(call, met.pods);
  const cut = within.filter(isCut).length;
  const detail = `${cut} of ${within.length} tasks did not get through`;
  return cut >= within.length * cutShare ? { atMs: first.atMs, detail } : nothing(detail);
}

function feelSilence(of: string, { renewals }: Observations, fromMs: number, untilMs: number): Felt {
  const heard = renewals.filter((one) => (of === 'anybody' || one.of === of) && one.atMs <= untilMs);
  const last = heard.at(-1);
  if (last === undefined) return nothing(`the Lease of ${of} was never seen`);
  const silentMs = untilMs - Math.max(last.atMs, fromMs);
  // Renewals come several times in the duration of a Lease; one that is given up says nothing of it.
  if (silentMs < Math.max(...heard.map(({ durationMs }) => durationMs)) / 2)
    return nothing(`the Lease of ${of} was renewed ${untilMs - last.atMs} ms ago`);
  return { atMs: Math.max(last.atMs, fromMs), detail: `the Lease of ${of} was silent for ${Math.round(silentMs / 1_000)} s` };
}

function feelNode(
  does: Extract<Fault, { readonly kind: 'node' }>['does'],
  seen: Observations,
  met: Met,
  fromMs: number,
  untilMs: number,
): Felt {
  switch (does) {
    case 'kubelet-hang':
      return feelSilence(met.nodes[0] ?? '', seen, fromMs, untilMs);
    case 'kubelet-crash':
      return feelHangUp(seen, met, fromMs);
    case 'reboot':
      return feelReboot(seen, met, fromMs);
    case 'disk-full':
      return feelPressure(seen, met, fromMs);
    default:
      return feelPower(seen, met, fromMs, untilMs);
  }
}

/** Its kubelet hands on what containers say: when it ends, so do these connections, and those of no other node. */
function feelHangUp({ hangUps }: Observations, { nodes }: Met, fromMs: number): Felt {
  const since = hangUps.filter(({ atMs }) => atMs >= fromMs);
  const [first] = since.filter(({ node }) => nodes.includes(node));
  const others = since.filter(({ node }) => !nodes.includes(node));
  if (first === undefined) return nothing(`the kubelet of ${nodes.join()} tells on what containers say`);
  if (others.length > 0) return nothing(`kubelets of other nodes hung up, too: ${others.map(({ node }) => node).join()}`);
  return { atMs: first.atMs, detail: `the kubelet of ${first.node} hung up` };
}

/** From the first task that failed, which is before the node is back and can tell of it. */
function feelReboot(seen: Observations, met: Met, fromMs: number): Felt {
  const restart = feelRestart(seen.changes, met, fromMs);
  if (restart.atMs === undefined) return restart;
  const failed = seen.calls.filter(({ kind, performer, atMs }) => kind === 'failed' && performer === met.performer && atMs >= fromMs);
  return { ...restart, atMs: Math.min(restart.atMs, ...failed.map(({ atMs }) => atMs)) };
}

/** From the kubelet's own word on; what becomes of the pod that was aimed at is told. */
function feelPressure({ changes }: Observations, { nodes, pods }: Met, fromMs: number): Felt {
  const since = changes.filter(({ atMs }) => atMs >= fromMs);
  const isPressed = (node: Node | undefined): boolean =>
    node?.status?.conditions?.some(({ type, status }) => type === 'DiskPressure' && status === 'True') === true;
  const pressed = since.find(
    ({ kind, key, after }) => kind === 'nodes' && nodes.includes(key.name) && isPressed(after as Node | undefined),
  );
  const evicted = since.find(
    ({ kind, after }) =>
      kind === 'pods' && (after as Pod | undefined)?.status?.reason === 'Evicted' && pods.some(({ uid }) => uid === after?.metadata?.uid),
  );
  const first = [pressed, evicted].flatMap((one) => one?.atMs ?? []);
  if (first.length === 0) return nothing(`the kubelet of ${nodes.join()} says nothing of its disk`);
  const names = pods.map(({ name }) => name).join();
  return {
    atMs: Math.min(...first),
    detail: `${nodes.join()} is short of disk, ${names} was ${evicted === undefined ? 'left there' : 'evicted'}`,
  };
}

function feelPower(seen: Observations, met: Met, fromMs: number, untilMs: number): Felt {
  const silence = feelAll(met.nodes.map((node) => feelSilence(node, seen, fromMs, untilMs)));
  if (silence.atMs === undefined) return silence;
  const names = met.pods.map(({ name }) => name);
  const lastMs = Math.max(
    fromMs,
    ...answersOf(seen, met.pods, fromMs)
      // Whom a node without a network still answers is on it.
      .filter(({ atMs, from }) => atMs <= untilMs && !met.nodes.includes(from))
      .map(({ atMs }) => atMs),
  );
  if (lastMs > silence.atMs + edgeMs * 2) return nothing(`${names.join()} answered ${lastMs - silence.atMs} ms after the node fell silent`);
  return { atMs: Math.min(lastMs, silence.atMs), detail: `${silence.detail}, ${names.join()} answers no more` };
}
