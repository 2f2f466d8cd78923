import { firstPodName, labels, serviceName } from '../../src/api/v1alpha1/naming.ts';
import type { Performer } from '../../src/api/v1alpha1/performer.ts';
import { type EndpointSlice, type KubeObject, keyText, type Node, type ObjectKey, type Pod, type Service } from '../../src/kube/objects.ts';
import { isCuttingOver, viewPerformer } from '../../src/reconcile/observe.ts';
import { isDoubtful, readyEndpoints, toNodesSeen } from '../../src/reconcile/optional-reads.ts';
import type { PerformerView, Snapshot } from '../../src/reconcile/plan/snapshot.ts';
import { projectPod } from '../../src/reconcile/projections.ts';
import { performersOf } from '../../src/reconcile/triggers.ts';
import { isSelected } from '../../src/reconcile/world.ts';
import type { Kind, Sight } from './trace.ts';

/** Up to which version of each kind somebody had seen. */
export type Cut = Readonly<Record<Kind, number>>;

export const kinds = ['performers', 'pods', 'services', 'nodes', 'endpointSlices'] as const satisfies readonly Kind[];

/** What of a trace one Performer is about, and what a pass over it could see at any point. */
export class Views {
  readonly key: ObjectKey;
  readonly #sights: Readonly<Record<Kind, readonly Sight[]>>;
  readonly #performers = new Map<Sight, PerformerView>();
  readonly #pods = new Map<Sight, Pod>();

  constructor(key: ObjectKey, sights: readonly Sight[]) {
    this.key = key;
    const names = podNames(key, sights);
    const isOf: Readonly<Record<Kind, (sight: Sight) => boolean>> = {
      performers: (sight) => keyText(sight.key) === keyText(key),
      pods: (sight) => sight.key.namespace === key.namespace && names.has(sight.key.name),
      services: (sight) => sight.key.namespace === key.namespace && sight.key.name === serviceName(key.name),
      nodes: () => true,
      endpointSlices: ({ object }) =>
        object === undefined || object.metadata?.labels?.['kubernetes.io/service-name'] === serviceName(key.name),
    };
    const of = (kind: Kind): readonly Sight[] => sights.filter((sight) => sight.kind === kind && isOf[kind](sight));
    this.#sights = {
      performers: of('performers'),
      pods: of('pods'),
      services: of('services'),
      nodes: of('nodes'),
      endpointSlices: of('endpointSlices'),
    };
  }

  /** Versions at which something of a kind changed, in a range: each is another view. The first is the range's own lower end, or what was there at first. */
  versions(kind: Kind, since: number, before: number): readonly number[] {
    const from = Math.max(since, this.#first(kind));
    const inside = this.#sights[kind].map(({ version }) => version).filter((version) => version > from && version < before);
    return [from, ...new Set(inside)];
  }

  /** All that one pass sees at that point, as `observe` puts it together. */
  snapshot(cut: Cut, nowMs: number): Snapshot {
    const at = <T extends KubeObject>(kind: Kind): readonly (Sight & { readonly object: T })[] => this.#at(kind, cut[kind]) as never;
    const [found] = at<Performer>('performers');
    const performer = found === undefined ? undefined : remember(this.#performers, found, () => viewPerformer(found.object));
    const [service] = at<Service>('services');
    const seen = at<Pod>('pods').filter(({ object }) => isSelected(object) && this.#concerns(object));
    const pods = seen.map((sight) => remember(this.#pods, sight, () => projectPod(sight.object)));
    const allNodes = at<Node>('nodes').map(({ object }) => object);
    const doubtful = new Set(pods.filter(isDoubtful).flatMap((pod) => pod.spec?.nodeName ?? []));
    const byName = Object.fromEntries(
      [...doubtful].map((name) => [name, allNodes.find(({ metadata }) => metadata?.name === name) ?? null]),
    );
    const routed = performer !== undefined && isCuttingOver(pods, performer);
    return {
      key: this.key,
      nowMs,
      performer,
      pods,
      service: service?.object,
      ...(performer === undefined || doubtful.size === 0 ? {} : { nodes: toNodesSeen(byName, allNodes) }),
      ...(routed ? { routed: readyEndpoints(at<EndpointSlice>('endpointSlices').map(({ object }) => object)) } : {}),
      lastPass: false,
    };
  }

  #concerns(pod: Pod): boolean {
    return pod.metadata?.name === firstPodName(this.key.name) || performersOf(pod).some((key) => keyText(key) === keyText(this.key));
  }

  /** The version by which all of a kind had come that was there before anybody looked: no view is older. */
  #first(kind: Kind): number {
    return Math.max(0, ...this.#sights[kind].filter(({ first }) => first === true).map(({ version }) => version));
  }

  #at(kind: Kind, version: number): readonly Sight[] {
    const newest = new Map<string, Sight>();
    const upTo = Math.max(version, this.#first(kind));
    for (const sight of this.#sights[kind]) if (sight.version <= upTo) newest.set(keyText(sight.key), sight);
    return [...newest.values()].filter(({ object }) => object !== undefined);
  }
}

function podNames({ namespace, name }: ObjectKey, sights: readonly Sight[]): ReadonlySet<string> {
  const own = sights.filter(({ kind, key, object }) => {
    if (kind !== 'pods' || key.namespace !== namespace || object === undefined) return false;
    return object.metadata?.labels?.[labels.instance] === name || performersOf(object).some((one) => one.name === name);
  });
  return new Set([firstPodName(name), ...own.map(({ key }) => key.name)]);
}

function remember<T>(known: Map<Sight, T>, sight: Sight, make: () => T): T {
  const made = known.get(sight) ?? make();
  known.set(sight, made);
  return made;
}
