import { effectivePort } from '../../api/v1alpha1/defaults.ts';
import { appLabelValue, labels, performerSelector, portName, serviceName } from '../../api/v1alpha1/naming.ts';
import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';
import type { ObjectKey, Service } from '../../kube/objects.ts';
import type { Json } from '../../lib/canonical-json.ts';
import { sameJson } from '../../lib/canonical-json.ts';
import { withOwner } from './ownership.ts';
import { buildOwner } from './pod.ts';
import type { PodView } from './pod-view.ts';

type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

/** The Service as it is created. Pure. */
export function buildService(key: ObjectKey, uid: string, spec: PerformerSpec, pods: readonly PodView[]): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: serviceName(key.name),
      namespace: key.namespace,
      labels: { [labels.app]: appLabelValue, [labels.instance]: key.name },
      ownerReferences: [buildOwner(key, uid)],
    },
    spec: { type: 'ClusterIP', selector: performerSelector(key.name), ports: buildPorts(effectivePort(spec), pods, []) },
  };
}

/**
 * The merge patch that puts our part of an existing Service right, or undefined when it is right.
 * Foreign fields, ports and node ports stay: the port list travels whole, as observed, with our entries replaced. Pure.
 *
 * @param adoptingUid of the Performer, where the Service is an orphan that becomes its own
 */
export function planServicePatch(
  key: ObjectKey,
  spec: PerformerSpec,
  pods: readonly PodView[],
  observed: Service,
  adoptingUid: string | undefined,
): Json | undefined {
  const selector = performerSelector(key.name);
  const observedSelector = observed.spec?.selector ?? {};
  const observedPorts = observed.spec?.ports ?? [];
  const ports = buildPorts(effectivePort(spec), pods, observedPorts);
  const patch: Record<string, Json> = {};
  if (!sameJson(observedSelector, selector)) {
    // In a merge patch null removes: a label added by another hand would cut the pods off.
    const strangers = Object.keys(observedSelector).filter((label) => !(label in selector));
    patch.selector = { ...Object.fromEntries(strangers.map((label) => [label, null])), ...selector };
  }
  if (!sameJson(observedPorts, ports)) patch.ports = ports as unknown as Json;
  const ownership = adoptingUid === undefined ? {} : { metadata: { ownerReferences: withOwner(observed, key, adoptingUid) } };
  if (Object.keys(patch).length === 0) return adoptingUid === undefined ? undefined : ownership;
  return { ...ownership, spec: patch };
}

/** Ours first: `grpc` at the spec's number, then `grpc-<number>` for what pods of a former spec still listen on; then the foreign entries as they were. */
function buildPorts(port: number, pods: readonly PodView[], observed: readonly ServicePort[]): readonly ServicePort[] {
  const former = [...new Set(pods.flatMap((pod) => pod.ports))].filter((number) => number !== port).toSorted((a, b) => a - b);
  const ours = [
    { name: portName, port, protocol: 'TCP', targetPort: portName },
    // By name as well: every number reaches whichever pods are ready.
    ...former.map((number) => ({ name: `${portName}-${number}`, port: number, protocol: 'TCP', targetPort: portName })),
  ];
  const numbers = new Set(ours.map((entry) => entry.port));
  const foreign = observed.filter(
    (entry) =>
      !isOurName(entry.name) && !(numbers.has(entry.port) && (entry.protocol ?? 'TCP') === 'TCP') && !isUnnamedOnly(entry, observed),
  );
  const kept = ours.map((entry) => {
    const before = observed.find((candidate) => candidate.name === entry.name);
    // The node port belongs to whoever exposed the Service.
    return before === undefined ? entry : { ...before, ...entry };
  });
  return [...kept, ...foreign];
}

function isOurName(name: string | undefined): boolean {
  return name !== undefined && (name === portName || /^grpc-\d+$/.test(name));
}

/** A single port without a name stands where ours must: names are only optional while there is one. */
function isUnnamedOnly(entry: ServicePort, observed: readonly ServicePort[]): boolean {
  return entry.name === undefined && observed.length === 1;
}
