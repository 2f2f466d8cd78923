import { performers } from '../../api/v1alpha1/performer.ts';
import { type KubeObject, keyOf, keyText, pods, type Resource, services } from '../../kube/objects.ts';
import { olderCrds } from '../crds.ts';
import type { Front } from '../front.ts';
import { kindIdOf } from '../kind-rules.ts';
import { SimOperator } from '../operators.ts';
import type { Mishap } from '../sim-api.ts';
import type { AnyObject } from '../stored-object.ts';
import { admissionFaults } from './admission.ts';
import type { Stage } from './moment.ts';
import { broken, expired } from './stream-faults.ts';
import { asTheOriginalWrites, change, ownServices, pick, pickPod } from './tamper.ts';
import { refused } from './write.ts';

/** What lasts, and its end. */
type Span = (stage: Stage, draw: number) => () => void;

/** Every front that it strikes is so for a while. */
const fronts =
  (set: (front: Front, draw: number) => () => void): Span =>
  ({ fronts: struck }, draw) =>
    all(struck.map((front) => set(front, draw)));

interface Layer {
  readonly value: unknown;
}

/** What was set and not yet put back, per object and member; the first is what was there. */
const layers = new WeakMap<object, Map<PropertyKey, Layer[]>>();

/** Sets a member of an object until the end that is returned; of several at once the newest that has not ended counts. */
export function hold<T extends object, K extends keyof T>(object: T, member: K, value: T[K]): () => void {
  const members = layers.get(object) ?? new Map<PropertyKey, Layer[]>();
  layers.set(object, members);
  const stack = members.get(member) ?? [{ value: object[member] }];
  members.set(member, stack);
  const layer: Layer = { value };
  stack.push(layer);
  object[member] = value;
  return () => {
    const place = stack.indexOf(layer, 1);
    if (place > 0) stack.splice(place, 1);
    object[member] = stack.at(-1)?.value as T[K];
  };
}

function all(ends: readonly (() => void)[]): () => void {
  return () => {
    for (const end of ends) end();
  };
}

/** There, or back, while the API server is slow. */
const slowestWayMs = (draw: number): number => 200 + Math.floor(draw * 6_000);

/** Whose finalizer it is that holds something. */
const heldBy = 'example.com/held';

export const spanFaults = {
  'watch-lag': fronts(({ mood }, draw) => hold(mood, 'lagMs', [500, 1_000 + Math.floor(draw * 60_000)])),
  'watch-stalled': fronts(({ mood }) => hold(mood, 'stalled', true)),
  'watch-held': fronts(({ mood }) => hold(mood, 'held', 'all')),
  'watch-reordered': fronts(({ mood }, draw) =>
    hold(mood, 'held', new Set([pick(['pods', 'services', kindIdOf(performers)], draw) ?? ''])),
  ),
  'watch-doubled': fronts(({ mood }) => hold(mood, 'doubles', true)),
  'watch-coalesced': fronts(({ mood }) => all([hold(mood, 'lagMs', [3_000, 3_000]), hold(mood, 'coalesces', true)])),
  'cache-stale': fronts((front) => {
    const end = front.fallBehind();
    front.disconnect(expired());
    return end;
  }),
  'api-down': fronts((front) => {
    front.disconnect(broken());
    return hold(front.mood, 'down', true);
  }),
  'api-slow': ({ world }, draw) => hold(world, 'slowMs', [200, slowestWayMs(draw)]),
  'api-throttles': ({ world }) => {
    const throttles = world.chance('throttling');
    const throttled = (): Mishap => refused('throttled', 429, 'TooManyRequests', 'too many requests', throttles.int(1, 5) * 1_000);
    return hold(world, 'onOtherCall', () => (throttles.hits(0.5) ? throttled() : { kind: 'none' }));
  },
  'operator-cut': ({ operators, aim }, draw) => {
    const process = pick(operators, draw)?.process;
    aim(process?.name);
    if (process === undefined) return () => undefined;
    return process.cutOff();
  },
  'operator-frozen': ({ operators, aim }, draw) => {
    const process = pick(operators, draw)?.process;
    aim(process?.name);
    process?.freeze();
    return () => process?.thaw();
  },
  'second-leader': ({ world, operators }) => {
    const rogue = new SimOperator(world, { name: 'operator-rogue', mode: 'watch', rogue: true });
    operators.push(rogue);
    rogue.start();
    return () => rogue.retire();
  },
  'original-writes': ({ world }) => {
    let over = false;
    const overwrite = (): void => {
      if (over) return;
      for (const service of ownServices(world)) asTheOriginalWrites(world, service);
      world.clock.timer(10_000, overwrite);
    };
    overwrite();
    return () => {
      over = true;
    };
  },
  'crd-replaced': ({ world, aim }, draw) => {
    const crd = pick(olderCrds, draw) ?? olderCrds[0];
    aim(crd.name);
    return hold(world, 'crd', crd);
  },
  'rights-revoked': ({ world, aim }, draw) => {
    const right = pick(rights, draw) ?? '';
    aim(right);
    world.revoked.add(right);
    return () => void world.revoked.delete(right);
  },
  'node-cut': node('cut', 'heal'),
  'node-off': node('powerOff', 'powerOn'),
  'node-out-of-service': (stage, draw) => {
    const { clock, nodes } = stage.world;
    const name = pick(nodes.names(), draw) ?? '';
    stage.aim(name);
    nodes.powerOff(name);
    const cancel = clock.timer(70_000, () => nodes.taintOutOfService(name));
    return () => {
      cancel();
      nodes.powerOn(name);
    };
  },
  'all-nodes-cut': ({ world: { nodes } }) => {
    const names = nodes.names();
    for (const name of names) nodes.cut(name);
    return all(names.map((name) => () => nodes.heal(name)));
  },
  'pod-unready': ({ world, aim }, draw) => {
    const pod = pickPod(world, draw);
    const uid = pod?.metadata.uid ?? '';
    aim(pod === undefined ? undefined : keyText(keyOf(pod)));
    world.nodes.setReady(uid, false);
    return () => world.nodes.setReady(uid, true);
  },
  'finalizer-of-another': ({ world, aim }, draw) => {
    const pod = pickPod(world, draw);
    aim(pod === undefined ? undefined : keyText(keyOf(pod)));
    if (pod === undefined) return () => undefined;
    const set = (finalizers: string[]): void =>
      change(world, pods, keyOf(pod), (one) => ({ ...one, metadata: { ...one.metadata, finalizers } }));
    set([heldBy]);
    return () => set([]);
  },
  'object-held': ({ world, aim }, draw) => {
    const kinds = [performers as Resource<KubeObject>, services];
    const objects = kinds.flatMap((resource) =>
      world.server.store.list(kindIdOf(resource)).map((object): readonly [Resource<KubeObject>, AnyObject] => [resource, object]),
    );
    const [resource, object] = pick(objects, draw) ?? [];
    aim(object === undefined ? undefined : keyText(keyOf(object)));
    if (resource === undefined || object === undefined) return () => undefined;
    const set = (added: readonly string[]): void =>
      change(world, resource, keyOf(object), (one) => {
        const others = (one.metadata.finalizers ?? []).filter((name) => name !== heldBy);
        return { ...one, metadata: { ...one.metadata, finalizers: [...others, ...added] } };
      });
    set([heldBy]);
    return () => set([]);
  },
  ...admissionFaults,
} as const satisfies Record<string, Span>;

const rights = ['create pods', 'patch pods', 'delete pods', 'create services', 'list nodes', 'list endpointslices', 'list pods'] as const;

function node(begin: 'cut' | 'powerOff', end: 'heal' | 'powerOn'): Span {
  return ({ world: { nodes }, aim }, draw) => {
    const name = pick(nodes.names(), draw) ?? '';
    aim(name);
    nodes[begin](name);
    return () => nodes[end](name);
  };
}
