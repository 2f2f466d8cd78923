import { apiVersionOf, type KubeObject } from '../../src/kube/objects.ts';
import { type KindName, kinds } from './kinds.ts';
import type { BodyName } from './operations.ts';

type Body = Readonly<Record<string, unknown>>;

/** The node of pods that have one. Nothing runs there. */
export const farAway = 'far-away';

const container = { name: 'main', image: 'example.test/x:1', ports: [{ name: 'grpc', containerPort: 8080 }] };
const lockedDown = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};
// No scheduler takes it and no token is mounted: what happens to it is what the sequence does.
const pod = (change: object = {}, containerChange: object = {}): Body => ({
  spec: { schedulerName: 'nobody', automountServiceAccountToken: false, containers: [{ ...container, ...containerChange }], ...change },
});
const performer = (change: object = {}): Body => ({
  spec: { avsAddress: '0x5a17c0ffee00000000000000000000000000a001', image: 'example.test/avs:1', ...change },
});
const service = (change: object = {}): Body => ({ spec: { ports: [{ name: 'grpc', port: 80 }], ...change } });
const lease = (change: object = {}): Body => ({ spec: { holderIdentity: 'nobody', ...change } });

const plain: Readonly<Record<KindName, Body>> = { performer: performer(), pod: pod(), service: service(), lease: lease(), namespace: {} };

const others: Readonly<Record<Exclude<BodyName, 'plain'>, Partial<Record<KindName, Body>>>> = {
  bound: { pod: pod({ nodeName: farAway, terminationGracePeriodSeconds: 20 }) },
  slow: { pod: pod({ nodeName: farAway, terminationGracePeriodSeconds: 0 }) },
  strict: { pod: pod({}, { securityContext: lockedDown }) },
  refused: {
    performer: performer({ image: undefined }),
    pod: pod({ containers: [] }),
    service: service({ ports: [] }),
    lease: lease({ leaseDurationSeconds: -1 }),
  },
  unknownField: { performer: performer({ nobodyKnows: { a: 1 } }) },
  withStatus: {
    performer: { ...performer(), status: { replicas: 5 } },
    pod: { ...pod({ hostNetwork: true }, { ports: undefined }), status: { message: 'sent along' } },
    service: { ...service(), status: { loadBalancer: {} } },
  },
};

/** What a create sends. */
export function bodyOf(kind: KindName, body: BodyName, metadata: object): KubeObject {
  const resource = kinds[kind];
  const rest = body === 'plain' ? plain[kind] : (others[body][kind] ?? plain[kind]);
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...rest };
}
