import { labels } from '../api/v1alpha1/naming.ts';
import { keyOf, keyText, type Pod } from '../kube/objects.ts';
import { canonicalJson, type Json } from '../lib/canonical-json.ts';
import { defineOracle } from './define.ts';
import type { ClusterView, Oracle } from './oracle.ts';
import { isInService, isReady, performerOf } from './words.ts';

/**
 * A cluster without what may differ from run to run, by Performer: uids, hashes and indices in names, times, nodes, addresses, messages;
 * nor whether there was ever an upgrade, since a late operator may meet the newest spec first.
 */
export type Shape = Readonly<Record<string, Json>>;

/** The shape of what Performers are and have; order is of no meaning. Pure. */
export function shapeOf(view: ClusterView): Shape {
  const shape: Record<string, Json> = {};
  for (const performer of view.performers.values()) {
    const key = keyOf(performer);
    const uid = performer.metadata?.uid;
    const pods = [...view.pods.values()].filter((pod) => performerOf(pod)?.uid === uid).map((pod) => shapeOfPod(pod, key.name));
    const service = [...view.services.values()].find((one) => performerOf(one)?.uid === uid);
    const { podName, podIP, readyTime, lastUpgrade: _upgrade, conditions = [], ...status } = performer.status ?? {};
    shape[keyText(key)] = plain({
      pods: pods.toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)),
      service:
        service === undefined ? null : { selector: service.spec?.selector, ports: service.spec?.ports, labels: service.metadata?.labels },
      status: {
        ...status,
        podName: podName !== undefined,
        podIP: podIP !== undefined,
        readyTime: readyTime !== undefined,
      },
      conditions: conditions.map((one) => [one.type, one.status, one.reason]),
      finalizers: performer.metadata?.finalizers,
    });
  }
  return shape;
}

function shapeOfPod(pod: Pod, performerName: string): Json {
  const { [labels.index]: _index, ...marks } = pod.metadata?.labels ?? {};
  const containers = pod.spec?.containers?.map(({ name, image, env, args, command, ports, resources }) => ({
    name,
    image,
    env,
    args,
    command,
    ports,
    resources,
  }));
  return plain({ marks, containers, ready: isReady(pod), inService: isInService(pod, performerName) });
}

function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** The end of a run against that of another one over the same Performers: without faults, or in another mode. */
export function createDifferential(expected: Shape): Oracle {
  return defineOracle('D1', 'The end is that of a run without faults.', (test) => ({
    atRest: ({ view, atMs }) => {
      const found = shapeOf(view);
      return Object.keys({ ...expected, ...found }).flatMap((key) => {
        const [was, is] = [canonicalJson(expected[key] ?? null), canonicalJson(found[key] ?? null)];
        return test(was === is, atMs, key, () => `the end is ${is}, without faults ${was}`);
      });
    },
  }));
}
