import { labels } from '../../api/v1alpha1/naming.ts';
import { performers } from '../../api/v1alpha1/performer.ts';
import type { KubeFault } from '../../kube/faults.ts';
import { type KubeObject, keyOf, keyText, pods, services } from '../../kube/objects.ts';
import type { Front } from '../front.ts';
import { oldViewMs } from '../grants.ts';
import { kindIdOf } from '../kind-rules.ts';
import type { SimOperator } from '../operators.ts';
import type { SimWorld } from '../sim-world.ts';
import type { AnyObject } from '../stored-object.ts';
import { broken, expired } from './stream-faults.ts';
import { change, editService, ignoreFault, ownServices, pick, pickPod, podOfStrangers, relabel, swapImage, without } from './tamper.ts';

/** What a fault works on. */
export interface Stage {
  readonly world: SimWorld;
  readonly operators: SimOperator[];
  /** The API servers that it strikes. */
  readonly fronts: readonly Front[];
  /** Told the target of a fault, before anything happens to it; undefined: it met nobody yet, and does not count until it does. */
  readonly aim: (target: string | undefined) => void;
}

type Moment = (stage: Stage, draw: number) => void;

const anyPod =
  (make: (world: SimWorld, pod: AnyObject) => void): Moment =>
  ({ world, aim }, draw) => {
    const pod = pickPod(world, draw);
    if (pod === undefined) return aim(undefined);
    aim(keyText(keyOf(pod)));
    make(world, pod);
  };
const anyNode =
  (make: (world: SimWorld, node: string) => void): Moment =>
  ({ world, aim }, draw) => {
    const name = pick(world.nodes.names(), draw) ?? '';
    aim(name);
    make(world, name);
  };
const anyOperator =
  (make: (operator: SimOperator, stage: Stage) => void): Moment =>
  (stage, draw) => {
    const operator = pick(
      stage.operators.filter(({ process }) => process?.alive === true),
      draw,
    );
    if (operator === undefined) return stage.aim(undefined);
    stage.aim(operator.spec.name);
    make(operator, stage);
  };

/** What happens in an instant and leaves the rest to the world. */
export const momentFaults = {
  'watch-disconnect': ({ world }) => disconnect(world),
  'watch-reset': ({ world }) => disconnect(world, broken()),
  'watch-410': ({ world }) => {
    world.server.store.compact();
    disconnect(world, expired());
  },
  'deletion-missed': ({ world, aim }) => {
    aim(undefined);
    for (const { mood, name } of world.fronts) mood.losesDeletion = () => aim(name);
  },
  'front-switch': switchToAnOlderFront,
  'operator-kill': anyOperator((operator) => operator.kill()),
  'operator-terminate': anyOperator((operator) => operator.terminate()),
  'operator-time-travel': anyOperator((operator, { world }) => {
    // Restarted against an API server whose cache is behind: what it lists is a state of the past.
    const ends = world.fronts.map((front) => front.fallBehind());
    world.clock.timer(olderMs, () => {
      if (world.fronts.some(({ isBehind }) => isBehind)) operator.kill();
    });
    world.clock.timer(oldViewMs, () => {
      for (const end of ends) end();
    });
  }),
  'clock-jump-ahead': anyOperator(({ process }) => process?.jumpClock(300_000)),
  'clock-jump-back': anyOperator(({ process }) => process?.jumpClock(-300_000)),
  'container-killed': anyPod((world, pod) => world.nodes.killContainer(pod.metadata.uid ?? '')),
  'pod-evicted': anyPod((world, pod) => world.nodes.evict(pod.metadata.uid ?? '')),
  'pod-preempted': anyPod((world, pod) => world.nodes.preempt(pod.metadata.uid ?? '')),
  'pod-deleted': anyPod((world, pod) => world.removeByUser(pods, keyOf(pod))),
  'pod-force-deleted': anyPod((world, pod) => world.removeByUser(pods, keyOf(pod), { gracePeriodSeconds: 0 })),
  'label-removed': anyPod((world, pod) => relabel(world, pod, labels.performer, undefined)),
  'label-changed': anyPod((world, pod) => relabel(world, pod, labels.performer, 'somebody-else')),
  'revision-removed': anyPod((world, pod) => relabel(world, pod, labels.revision, undefined)),
  'owner-removed': anyPod((world, pod) =>
    change(world, pods, keyOf(pod), (one) => ({ ...one, metadata: without(one.metadata, 'ownerReferences') })),
  ),
  'image-swapped': anyPod((world, pod) => swapImage(world, pod)),
  'node-removed': anyNode((world, node) => world.nodes.removeNode(node)),
  'node-drained': anyNode((world, node) => {
    world.nodes.drain(node);
    world.clock.timer(60_000, () => world.nodes.uncordon(node));
  }),
  'service-deleted': ({ world, aim }, draw) => {
    const service = pick(ownServices(world), draw);
    if (service === undefined) return aim(undefined);
    aim(keyText(keyOf(service)));
    world.removeByUser(services, keyOf(service));
  },
  'service-edited': ({ world, aim }, draw) => {
    const service = pick(ownServices(world), draw);
    if (service === undefined) return aim(undefined);
    aim(keyText(keyOf(service)));
    editService(world, service, draw);
  },
  'foreign-pod': ({ world, aim }, draw) => {
    const performer = pick(world.server.store.list(kindIdOf(performers)), draw);
    if (performer === undefined) return aim(undefined);
    const { namespace = '', name = '' } = performer.metadata;
    aim(keyText({ namespace, name }));
    const metadata = { namespace, name: `stranger-${name}`, labels: { [labels.performer]: name } };
    ignoreFault(() => world.server.create(pods, { ...podOfStrangers, metadata } as KubeObject));
    world.clock.timer(90_000, () => world.removeByUser(pods, { namespace, name: metadata.name }, { gracePeriodSeconds: 0 }));
  },
  'history-compacted': ({ world }) => world.server.store.compact(),
} as const satisfies Record<string, Moment>;

/** How long before somebody is made to read it the cache of an API server stops. */
const olderMs = 4_000;

/** Moves an operator to an API server whose cache stopped before and goes on later: what it lists there is older than what it saw. */
function switchToAnOlderFront({ world, operators, aim }: Stage, draw: number): void {
  const process = pick(
    operators.flatMap(({ process }) => (process?.alive === true ? [process] : [])),
    draw,
  );
  aim(undefined);
  if (process === undefined || world.fronts.length < 2) return;
  const [from, to] = [world.frontOf(process), world.frontOf(process, 1)];
  const end = to.fallBehind();
  world.clock.timer(olderMs, () => {
    // Healed meanwhile, or nobody is left to be moved.
    if (!to.isBehind || !process.alive) return end();
    aim(process.name);
    world.switchFront(process);
    from.disconnect(expired());
    world.clock.timer(3_000 + Math.floor(((draw * 1_000) % 1) * 20_000), end);
  });
}

function disconnect(world: SimWorld, fault?: KubeFault): void {
  for (const front of world.fronts) front.disconnect(fault);
}
