import { appLabelValue, labels as keys, performerSelector, portName, serviceName } from '../../src/api/v1alpha1/naming.ts';
import { type Performer, type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import { apiVersionOf, type KubeObject, type Pod, type Resource, type Service } from '../../src/kube/objects.ts';

export type Deployment = KubeObject & {
  readonly spec?: object;
  readonly status?: { readonly availableReplicas?: number };
};
export const deployments: Resource<Deployment> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};

const identity = [
  { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
];
export const performerPort = 8080;

/** A Performer with the test performer's image, behaving as `env` says (test/performer/README.md). Pure. */
export function buildPerformer(
  namespace: string,
  name: string,
  image: string,
  env: Readonly<Record<string, string>> = {},
  spec: Partial<PerformerSpecInput> = {},
): Performer {
  const config = { grpcPort: performerPort, environment: env, env: identity };
  const full = { avsAddress: '0x00000000000000000000000000000000000000a1', image, config, ...spec };
  return { apiVersion: apiVersionOf(performers), kind: performers.kind, metadata: { name, namespace }, spec: full } as Performer;
}

/** The same without an operator: an ordinary Deployment behind a Service of the same name, with the probes that a Performer gets. Pure. */
export function buildDeployment(
  namespace: string,
  name: string,
  image: string,
  env: Readonly<Record<string, string>> = {},
): { readonly deployment: Deployment; readonly service: Service } {
  const metadata = { name: serviceName(name), namespace };
  const labels = { [keys.app]: appLabelValue, ...performerSelector(name) };
  const probe = (periodSeconds: number, timeoutSeconds: number, failureThreshold: number): object => ({
    grpc: { port: performerPort },
    periodSeconds,
    timeoutSeconds,
    failureThreshold,
  });
  const container = {
    name: 'performer',
    image,
    imagePullPolicy: 'IfNotPresent',
    env: [...identity, ...Object.entries(env).map(([key, value]) => ({ name: key, value }))],
    ports: [{ name: portName, containerPort: performerPort }],
    startupProbe: probe(1, 1, 300),
    readinessProbe: probe(1, 1, 3),
    livenessProbe: probe(10, 5, 3),
  };
  const template = { metadata: { labels }, spec: { enableServiceLinks: false, containers: [container] } };
  return {
    deployment: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: performerSelector(name), ports: [{ name: portName, port: performerPort }] },
    },
  };
}

interface CallerPlan {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  /** `TARGET` and what else the caller reads from its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A pod that calls a Performer, each task once, and prints a line for each. Pure. */
export function buildCaller({ namespace, name, image, env, node, labels = { app: 'caller' } }: CallerPlan): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 10,
      enableServiceLinks: false,
      ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
      containers: [
        {
          name: 'caller',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['/caller'],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        },
      ],
    },
  };
}
