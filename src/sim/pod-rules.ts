import type { Pod } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import type { KindRules } from './kind-rules.ts';
import { type AnyObject, isJsonObject, type JsonObject, objectsOf } from './stored-object.ts';

/**
 * Pods as far as an operator can tell them from real ones: defaults that show up when a pod is compared with what was sent, the
 * tolerations the API server adds (they decide what a lost node does), and that a pod's spec cannot be changed but for its images.
 * Left out: service account volumes, resource defaulting, quotas.
 */
export const podRules: KindRules = {
  statusSubresource: true,
  countsGeneration: true,
  deletesGracefully: true,
  unconditionalUpdate: true,
  metadataWithStatus: 'but-owners',
  initialStatus: () => ({ phase: 'Pending', qosClass: 'BestEffort' }),
  withDefaults: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}), status: { qosClass: 'BestEffort', ...object.status } }),
  refusal: (object, before) => (before === undefined ? specRefusal(object as Pod) : changeRefusal(object, before)),
};

function defaultSpec(spec: JsonObject): JsonObject {
  const initContainers = objectsOf(spec.initContainers).map(defaultContainer);
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    serviceAccount: spec.serviceAccountName ?? 'default',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    ...spec,
    ...(initContainers.length > 0 ? { initContainers } : {}),
    containers: objectsOf(spec.containers).map(defaultContainer),
    tolerations: withNodeTolerations(objectsOf(spec.tolerations)),
  };
}

function defaultContainer(container: JsonObject): JsonObject {
  const image = typeof container.image === 'string' ? container.image : '';
  const tag = image.slice(image.lastIndexOf('/') + 1);
  const isLatest = !tag.includes('@') && (!tag.includes(':') || tag.endsWith(':latest'));
  const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((name) => {
    const probe = container[name];
    return isJsonObject(probe) ? [[name, defaultProbe(probe)] as const] : [];
  });
  const ports = objectsOf(container.ports).map((port) => ({ protocol: 'TCP', ...port }));
  const env = objectsOf(container.env).map(defaultVariable);
  return {
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...container,
    ...(ports.length > 0 ? { ports } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...Object.fromEntries(probes),
  };
}

function defaultVariable(variable: JsonObject): JsonObject {
  const { valueFrom } = variable;
  if (!isJsonObject(valueFrom) || !isJsonObject(valueFrom.fieldRef)) return variable;
  return { ...variable, valueFrom: { ...valueFrom, fieldRef: { apiVersion: 'v1', ...valueFrom.fieldRef } } };
}

function defaultProbe(probe: JsonObject): JsonObject {
  const grpc = probe.grpc;
  const timings = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  return { ...timings, ...probe, ...(isJsonObject(grpc) ? { grpc: { service: '', ...grpc } } : {}) };
}

/** Without them a pod would leave a node that is not ready at once instead of after five minutes. */
function withNodeTolerations(tolerations: readonly JsonObject[]): readonly JsonObject[] {
  const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    .filter((key) => !tolerations.some((one) => (one.key === key || one.key === undefined) && (one.effect ?? 'NoExecute') === 'NoExecute'))
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
  return [...tolerations, ...added];
}

function specRefusal(pod: Pod): string | undefined {
  const containers = pod.spec?.containers ?? [];
  if (containers.length === 0) return 'spec.containers: Required value';
  const names = new Set<string>();
  for (const container of containers) {
    if (!container.name) return 'spec.containers.name: Required value';
    if (!container.image) return `spec.containers[${container.name}].image: Required value`;
    if (names.has(container.name)) return `spec.containers.name: Duplicate value: "${container.name}"`;
    names.add(container.name);
    for (const port of container.ports ?? []) {
      if ((port.name ?? '').length > 15)
        return `spec.containers.ports.name: Invalid value: "${port.name}": must be no more than 15 characters`;
    }
  }
  return undefined;
}

function changeRefusal(object: AnyObject, before: AnyObject): string | undefined {
  const was = before.spec?.activeDeadlineSeconds;
  if (typeof was === 'number' && Number(object.spec?.activeDeadlineSeconds ?? Infinity) > was)
    return 'spec.activeDeadlineSeconds: Invalid value: must be less than or equal to previous value';
  if (sameJson(fixedSpec(object.spec ?? {}), fixedSpec(before.spec ?? {}))) return undefined;
  return 'spec: Forbidden: pod updates may not change fields other than images, activeDeadlineSeconds and tolerations';
}

/** What stays as it was created. The node is set by a binding, which only the fake scheduler makes. */
function fixedSpec(spec: JsonObject): JsonObject {
  const withoutImage = (container: JsonObject): JsonObject => ({ ...container, image: undefined });
  return {
    ...spec,
    containers: objectsOf(spec.containers).map(withoutImage),
    initContainers: objectsOf(spec.initContainers).map(withoutImage),
    activeDeadlineSeconds: undefined,
    tolerations: undefined,
  };
}
