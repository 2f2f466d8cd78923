import { nodes } from '../../src/kube/objects.ts';
import { isApiSqueezed, releaseApi, squeezeApi } from '../../src/testbed/api-squeeze.ts';
import type { FaultProxy } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { type ContainerAt, findContainer, isContainerStopped, signalContainer } from '../../src/testbed/nodes/container-faults.ts';
import { directPods } from '../../src/testbed/nodes/pod-proxy.ts';
import type { RealNodes } from '../../src/testbed/nodes/real-nodes.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { type Lab, until } from '../cluster/lab.ts';
import { answerDelayMs, type TestbedFault } from '../experiment.ts';
import type { Met } from '../observations.ts';
import { componentInjection, type Injection, type Said } from './injection.ts';
import type { ControlPlaneEntry, Journal, JournalEntry } from './journal.ts';
import { rollOut } from './rollout.ts';
import { serviceInjection } from './service-fault.ts';
import { ask, unask } from './stage.ts';

/** What an experiment was set up with. */
export interface Means {
  readonly journal: Journal;
  /** Through which the operator goes where the fault is on its way. */
  readonly proxy?: FaultProxy;
  /** Names of Performers that are asked for as a part of the fault. */
  readonly crowd: readonly string[];
}

/** What the testbed does, or whoever may write through the API. @throws TestbedError where the cluster is not one of the testbed */
export async function testbedInjection(lab: Lab, fault: TestbedFault, met: Met, means: Means): Promise<Injection> {
  const { journal, proxy, crowd } = means;
  const journaled = (entry: JournalEntry): Injection => {
    const injection = undoable(lab, entry) ?? refuse();
    return {
      ...injection,
      inject: async (signal) => {
        journal.add(entry);
        await injection.inject(signal);
      },
      heal: async () => {
        const recovered = await injection.heal();
        if (recovered.holds) journal.remove(entry);
        return recovered;
      },
    };
  };
  switch (fault.kind) {
    case 'service':
      return serviceInjection(lab, met.performer, fault.does);
    case 'control-plane':
      return journaled({ does: fault.does, part: fault.part });
    case 'leader-hang': {
      const namespace = lab.subject.operator?.deployment.namespace ?? '';
      return journaled({ does: 'stand', ...(await findContainer(lab, namespace, met.pods[0]?.name ?? '')) });
    }
    case 'api-squeeze': {
      const injection = journaled({ does: 'squeeze' });
      const inject = async (signal?: AbortSignal): Promise<void> => {
        await injection.inject(signal);
        for (const name of crowd) if (signal?.aborted !== true) await ask(lab, name);
      };
      return { ...injection, inject };
    }
    case 'api-path':
      return pathInjection(proxy ?? refuse(), fault.does);
    case 'rollout': {
      const machines = lab.nodes ?? refuse();
      return once(() => rollOut(lab, machines, met.performer));
    }
    case 'crash-loop': {
      const name = met.asked ?? '';
      const injection = once(() => ask(lab, name, { CRASH_AFTER_MS: '1' }));
      return { ...injection, heal: () => unask(lab, name).then(() => injection.heal()) };
    }
    case 'calm':
      return once(async () => undefined);
  }
}

function refuse(): never {
  throw new TestbedError('it needs a cluster of the testbed; leave it out, or run it without --kubeconfig');
}

/** What is undone by whoever finds it in the journal; undefined where this is not the testbed's own cluster. */
export function undoable(lab: Lab, entry: JournalEntry): Injection | undefined {
  const { componentFaults, subject } = lab;
  switch (entry.does) {
    case 'stop':
    case 'hang':
      return componentFaults && controlPlaneInjection(lab, componentFaults, entry);
    case 'stand':
      return lab.nodes && standInjection(lab.nodes, entry);
    case 'squeeze':
      return squeezeInjection(lab, subject.operator?.account ?? '');
    case 'detour': {
      const { namespace, name } = entry;
      return { ...once(async () => undefined), heal: () => directPods(lab, { namespace, name }).then(nothingLeft) };
    }
  }
}

/** They hold no Lease here; others end when theirs is over, and start anew. */
const controllers = ['kube-controller-manager', 'kube-scheduler'];
const backLimitMs = 60_000;

/**
 * Where the API server is out of reach for more than seconds, the controllers beside it lose their Lease, end, and start anew. Those that hold
 * none would go on with a view as old as the fault. By fast timers they would even take nodes for lost before others lose their Lease, and what
 * they asked for then may still come to pass once etcd goes on, also when they have ended: so they end as the fault begins.
 */
export function controlPlaneInjection(
  { kube }: Pick<Lab, 'kube'>,
  faults: NonNullable<Lab['componentFaults']>,
  entry: ControlPlaneEntry,
): Injection {
  const injection = componentInjection(faults[entry.does], entry.part);
  return {
    ...injection,
    inject: async (signal) => {
      await injection.inject(signal);
      for (const one of controllers) await faults.stop.apply(one);
    },
    heal: async () => {
      const recovered = await injection.heal();
      const stopped = controllers.filter((one) => faults.stop.isThere(one));
      if (stopped.length > 0) await until('the API server to answer', () => kube.list(nodes).then(() => true), backLimitMs);
      for (const one of stopped) await faults.stop.undo(one);
      return recovered;
    },
  };
}

const nothingLeft = () => ({ holds: true, detail: 'nothing to take back' });

/** What happens in an instant, by a call that the API server takes or refuses. */
function once(act: () => Promise<void>): Injection {
  let holds = false;
  return {
    inject: async () => {
      await act();
      holds = true;
    },
    status: async () => ({ holds, detail: holds ? 'the API server took it' : 'the API server did not take it' }),
    heal: async () => nothingLeft(),
  };
}

function pathInjection(proxy: FaultProxy, does: 'delay' | 'reset' | 'half-open'): Injection {
  const forEverMs = 3_600_000;
  let end: (() => void) | undefined;
  return {
    inject: async () => {
      end = proxy.inject(does === 'delay' ? { name: does, ms: answerDelayMs } : { name: does }, { durationMs: forEverMs });
    },
    status: async () => {
      const count = proxy.stats().faults[does] ?? 0;
      return { holds: count > 0, detail: `the proxy has done it ${count} times` };
    },
    heal: async () => {
      end?.();
      return { holds: true, detail: 'the proxy passes on what comes' };
    },
  };
}

function standInjection(nodes: RealNodes, container: ContainerAt): Injection {
  const isThere = (): Said => {
    try {
      const holds = isContainerStopped(nodes, container);
      return { holds, detail: holds ? 'its process stands still' : 'its process runs' };
    } catch (error) {
      // The kubelet may have lost patience with it.
      if (error instanceof TestbedError) return { holds: false, detail: 'its process is gone' };
      throw error;
    }
  };
  return {
    inject: () => signalContainer(nodes, container, 'SIGSTOP'),
    status: async () => isThere(),
    heal: async () => {
      if (isThere().holds) await signalContainer(nodes, container, 'SIGCONT');
      const { holds, detail } = isThere();
      return { holds: !holds, detail };
    },
  };
}

function squeezeInjection(lab: Lab, account: string): Injection {
  const [, , namespace = '', serviceAccount = ''] = account.split(':');
  return {
    inject: () => squeezeApi(lab, { namespace, serviceAccount }),
    status: async () => {
      const holds = await isApiSqueezed(lab);
      return { holds, detail: holds ? 'the API server has its rule' : 'the API server has no such rule' };
    },
    heal: async () => {
      await releaseApi(lab);
      return { holds: !(await isApiSqueezed(lab)), detail: 'the rule is gone' };
    },
  };
}
