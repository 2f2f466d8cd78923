import { effectivePort, imagePullPolicy, terminationGracePeriodSeconds } from '../../api/v1alpha1/defaults.ts';
import {
  appLabelValue,
  avsLabelValue,
  containerName,
  firstPodName,
  group,
  labels,
  laterPodName,
  portName,
  version,
  versionLabelValue,
} from '../../api/v1alpha1/naming.ts';
import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';
import type { ObjectKey, OwnerReference, Pod } from '../../kube/objects.ts';
import { buildNodeSelector, buildResources } from './hardware.ts';

type Container = NonNullable<Pod['spec']>['containers'][number];
type EnvVar = NonNullable<Container['env']>[number];

/** Budget of a slow start: the startup probe asks every second for this long before the kubelet restarts the container. */
const startupBudgetSeconds = 300;

/** The reference by which a child belongs to its Performer. Pure. */
export function buildOwner(key: ObjectKey, uid: string): OwnerReference {
  return {
    apiVersion: `${group}/${version}`,
    kind: 'Performer',
    name: key.name,
    uid,
    controller: true,
    // The object goes when its Performer is gone; it never holds it back.
    blockOwnerDeletion: false,
  };
}

/** Name of the pod with that index. Pure. */
export function podName(performerName: string, uid: string, index: number): string {
  return index === 0 ? firstPodName(performerName) : laterPodName(performerName, uid, index);
}

/** The pod of a Performer as it is created; nothing of it is compared afterwards but the revision. Pure. */
export function buildPod(key: ObjectKey, uid: string, spec: PerformerSpec, revision: string, index: number): Pod {
  const account = spec.config?.serviceAccountName === '' ? undefined : spec.config?.serviceAccountName;
  const versionValue = versionLabelValue(spec.version ?? '');
  const nodeSelector = buildNodeSelector(spec);
  const scheduling = spec.scheduling;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(key.name, uid, index),
      namespace: key.namespace,
      labels: {
        [labels.app]: appLabelValue,
        [labels.performer]: key.name,
        [labels.avs]: avsLabelValue(spec.avsAddress),
        [labels.instance]: key.name,
        [labels.revision]: revision,
        [labels.index]: String(index),
        ...(versionValue === '' ? {} : { [labels.version]: versionValue }),
      },
      ownerReferences: [buildOwner(key, uid)],
    },
    spec: {
      containers: [buildContainer(spec)],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds,
      enableServiceLinks: false,
      // Off-chain code gets no API token unless an account is named for it.
      automountServiceAccountToken: account !== undefined,
      ...(account === undefined ? {} : { serviceAccountName: account }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(scheduling?.tolerations === undefined ? {} : { tolerations: scheduling.tolerations }),
      ...(scheduling?.affinity === undefined ? {} : { affinity: scheduling.affinity }),
      ...(scheduling?.runtimeClass === undefined ? {} : { runtimeClassName: scheduling.runtimeClass }),
      ...(scheduling?.priorityClassName === undefined ? {} : { priorityClassName: scheduling.priorityClassName }),
      ...(spec.imagePullSecrets === undefined ? {} : { imagePullSecrets: spec.imagePullSecrets }),
    },
  } as Pod;
}

function buildContainer(spec: PerformerSpec): Container {
  const config = spec.config;
  const port = effectivePort(spec);
  const env = buildEnv(spec);
  const resources = buildResources(spec);
  const probe = { grpc: { port } };
  return {
    name: containerName,
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy ?? imagePullPolicy,
    ports: [{ name: portName, containerPort: port, protocol: 'TCP' }],
    ...(env.length === 0 ? {} : { env }),
    ...(config?.command === undefined ? {} : { command: config.command }),
    ...(config?.args === undefined ? {} : { args: config.args }),
    ...(resources === undefined ? {} : { resources }),
    startupProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: startupBudgetSeconds },
    readinessProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3 },
    livenessProbe: { ...probe, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
  } as Container;
}

/** `environment` in name order, then `environmentFrom` as written; of two with one name the later wins, as in a shell. Pure. */
function buildEnv(spec: PerformerSpec): readonly EnvVar[] {
  const byName = new Map<string, EnvVar>();
  const names = Object.keys(spec.config?.environment ?? {}).toSorted();
  for (const name of names) byName.set(name, { name, value: spec.config?.environment?.[name] ?? '' });
  for (const entry of spec.config?.environmentFrom ?? []) {
    byName.delete(entry.name);
    byName.set(entry.name, { name: entry.name, valueFrom: entry.valueFrom } as EnvVar);
  }
  return [...byName.values()];
}
