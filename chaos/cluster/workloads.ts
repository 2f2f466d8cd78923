import { type Performer, type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import { apiVersionOf, type Pod } from '../../src/kube/objects.ts';

/** A Performer with the test performer's image, behaving as `env` says (test/performer/README.md). Pure. */
export function buildPerformer(
  namespace: string,
  name: string,
  image: string,
  env: Readonly<Record<string, string>> = {},
  spec: Partial<PerformerSpecInput> = {},
): Performer {
  const identity = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
  ];
  const config = { grpcPort: 8080, environment: env, env: identity };
  const full = { avsAddress: '0x00000000000000000000000000000000000000a1', image, config, ...spec };
  return { apiVersion: apiVersionOf(performers), kind: performers.kind, metadata: { name, namespace }, spec: full } as Performer;
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
