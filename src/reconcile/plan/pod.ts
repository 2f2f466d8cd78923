import { effectivePort, imagePullPolicy, terminationGracePeriodSeconds } from '../../api/v1alpha1/defaults.ts';
import {
  annotations,
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
import type { Json } from '../../lib/canonical-json.ts';
import { formatTime } from '../../lib/time.ts';
import { buildAffinity, buildNodeSelector, buildResources, buildRuntimeClass } from './hardware.ts';
import type { Settings } from './snapshot.ts';

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

/** The pod's place among those of its Performer. */
export interface PodPlace {
  readonly revision: string;
  readonly index: number;
  /** How many pods before it ended right after their creation. */
  readonly failures: number;
}

/** The pod of a Performer as it is created; nothing of it is compared afterwards but the revision. Pure. */
export function buildPod(
  key: ObjectKey,
  uid: string,
  spec: PerformerSpec,
  place: PodPlace,
  settings: Pick<Settings, 'securityProfile'>,
): Pod {
  const { revision, index, failures } = place;
  const account = spec.config?.serviceAccountName === '' ? undefined : spec.config?.serviceAccountName;
  const versionValue = versionLabelValue(spec.version ?? '');
  const nodeSelector = buildNodeSelector(spec);
  const affinity = buildAffinity(spec);
  const runtimeClassName = buildRuntimeClass(spec);
  const { scheduling } = spec;
  const profile = spec.security?.profile ?? settings.securityProfile;
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
      ...(failures === 0 ? {} : { annotations: { [annotations.failures]: String(failures) } }),
      ownerReferences: [buildOwner(key, uid)],
    },
    spec: {
      containers: [buildContainer(spec, profile)],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? terminationGracePeriodSeconds,
      enableServiceLinks: false,
      // Off-chain code gets no API token unless an account is named for it.
      automountServiceAccountToken: account !== undefined,
      ...(account === undefined ? {} : { serviceAccountName: account }),
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(scheduling?.tolerations === undefined ? {} : { tolerations: scheduling.tolerations }),
      ...(affinity === undefined ? {} : { affinity }),
      ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
      ...(scheduling?.priorityClassName === undefined || scheduling.priorityClassName === ''
        ? {}
        : { priorityClassName: scheduling.priorityClassName }),
      ...(podSecurity[profile] === undefined ? {} : { securityContext: podSecurity[profile] }),
      ...(spec.imagePullSecrets === undefined ? {} : { imagePullSecrets: spec.imagePullSecrets }),
    },
  } as Pod;
}

/** Takes a pod out of its Service, and notes when; works also when its node is gone. Pure. */
export function buildWithdrawal(nowMs: number): Json {
  return { metadata: { labels: { [labels.performer]: null }, annotations: { [annotations.withdrawnAt]: formatTime(nowMs) } } };
}

const seccompProfile = { type: 'RuntimeDefault' };

/** What each level of the Pod Security Standards asks of a pod; `baseline` allows all that Kubernetes sets by itself. */
const podSecurity: Readonly<Record<Settings['securityProfile'], object | undefined>> = {
  privileged: undefined,
  baseline: { seccompProfile },
  restricted: { runAsNonRoot: true, seccompProfile },
};
const containerSecurity: Readonly<Record<Settings['securityProfile'], object | undefined>> = {
  privileged: undefined,
  baseline: undefined,
  restricted: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

function buildContainer(spec: PerformerSpec, profile: Settings['securityProfile']): Container {
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
    ...(containerSecurity[profile] === undefined ? {} : { securityContext: containerSecurity[profile] }),
    startupProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: startupBudgetSeconds, ...spec.probes?.startup },
    readinessProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3, ...spec.probes?.readiness },
    livenessProbe: { ...probe, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3, ...spec.probes?.liveness },
  } as Container;
}

/**
 * `environment` in name order, then `environmentFrom`, then `env`, both as written. Of two with one name the later wins and stands
 * in the later place, as in a shell; `$(NAME)` therefore reaches what stands before it. An entry without a source is left out. Pure.
 */
function buildEnv(spec: PerformerSpec): readonly EnvVar[] {
  const { environment = {}, environmentFrom = [], env = [] } = spec.config ?? {};
  const entries = [
    ...Object.keys(environment)
      .toSorted()
      .map((name) => ({ name, value: environment[name] ?? '' })),
    ...environmentFrom.filter((entry) => Object.keys(entry.valueFrom).length > 0),
    ...env,
  ] as readonly EnvVar[];
  const byName = new Map<string, EnvVar>();
  for (const entry of entries) {
    byName.delete(entry.name);
    byName.set(entry.name, entry);
  }
  return [...byName.values()];
}
