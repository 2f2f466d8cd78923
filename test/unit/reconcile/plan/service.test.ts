import { describe, expect, it } from 'vitest';
import type { Service } from '../../../../src/kube/objects.ts';
import type { PodView } from '../../../../src/reconcile/plan/pod-view.ts';
import { buildService, planServicePatch } from '../../../../src/reconcile/plan/service.ts';
import { key, service, spec, uid } from '../../../support/snapshots.ts';

const podOn = (...ports: number[]): PodView => ({ ports }) as unknown as PodView;
const with_ = (change: Partial<NonNullable<Service['spec']>>): Service =>
  ({ ...service(), spec: { ...service().spec, ...change } }) as Service;
const grpc = { name: 'grpc', port: 8080, protocol: 'TCP', targetPort: 'grpc' };

describe('buildService', () => {
  it('selects exactly the pods in service, and reaches them by the name of their port', () => {
    expect(buildService(key, uid, spec({ config: { grpcPort: 9000 } }), [])).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'performer-x',
        namespace: 'team-a',
        labels: { app: 'hourglass-performer', 'app.kubernetes.io/instance': 'x' },
        ownerReferences: [
          {
            apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
            kind: 'Performer',
            name: 'x',
            uid,
            controller: true,
            blockOwnerDeletion: false,
          },
        ],
      },
      spec: { type: 'ClusterIP', selector: { 'hourglass.eigenlayer.io/performer': 'x' }, ports: [{ ...grpc, port: 9000 }] },
    });
  });
});

describe('planServicePatch', () => {
  it.each<{ name: string; observed: Service; pods?: PodView[]; port?: number; patch: unknown }>([
    { name: 'leaves what is right alone', observed: service(), patch: undefined },
    {
      name: 'leaves foreign fields alone',
      observed: with_({ type: 'NodePort', sessionAffinity: 'ClientIP', externalTrafficPolicy: 'Local' }),
      patch: undefined,
    },
    {
      name: 'takes foreign labels off the selector, since one of them would cut the pods off',
      observed: with_({ selector: { app: 'y' } }),
      patch: { spec: { selector: { app: null, 'hourglass.eigenlayer.io/performer': 'x' } } },
    },
    {
      name: 'follows the port of the spec at once',
      observed: service(),
      port: 9000,
      patch: { spec: { ports: [{ ...grpc, port: 9000 }] } },
    },
    {
      name: 'keeps the number that a pod of the former spec listens on, for as long as that pod is there',
      observed: service(),
      pods: [podOn(8080), podOn(9000)],
      port: 9000,
      patch: {
        spec: {
          ports: [
            { ...grpc, port: 9000 },
            { ...grpc, name: 'grpc-8080' },
          ],
        },
      },
    },
    {
      name: 'drops that number with the pod',
      observed: with_({ ports: [grpc, { ...grpc, name: 'grpc-9000', port: 9000 }] }),
      pods: [podOn(8080)],
      patch: { spec: { ports: [grpc] } },
    },
    {
      name: 'keeps node ports and foreign ports',
      observed: with_({
        ports: [
          { ...grpc, targetPort: 1, nodePort: 30_001 },
          { name: 'metrics', port: 9100, protocol: 'TCP', targetPort: 9100 },
        ],
      }),
      patch: {
        spec: {
          ports: [
            { ...grpc, nodePort: 30_001 },
            { name: 'metrics', port: 9100, protocol: 'TCP', targetPort: 9100 },
          ],
        },
      },
    },
    {
      name: 'takes its number back from a foreign entry',
      observed: with_({ ports: [{ name: 'web', port: 8080, protocol: 'TCP', targetPort: 80 }] }),
      patch: { spec: { ports: [grpc] } },
    },
    {
      name: 'keeps the label that is right while it takes another off',
      observed: with_({ selector: { app: 'y', 'hourglass.eigenlayer.io/performer': 'x' } }),
      patch: { spec: { selector: { app: null, 'hourglass.eigenlayer.io/performer': 'x' } } },
    },
    {
      name: 'makes up for a Service without ports',
      observed: { ...service(), spec: { selector: { 'hourglass.eigenlayer.io/performer': 'x' } } },
      patch: { spec: { ports: [grpc] } },
    },
    {
      name: 'orders the numbers of former specs, each once and the present one not again',
      observed: service(),
      pods: [podOn(10_000), podOn(9000, 8080), podOn(10_000), podOn(700)],
      patch: {
        spec: {
          ports: [
            grpc,
            { ...grpc, name: 'grpc-700', port: 700 },
            { ...grpc, name: 'grpc-9000', port: 9000 },
            { ...grpc, name: 'grpc-10000', port: 10_000 },
          ],
        },
      },
    },
    {
      name: 'keeps a foreign entry of its number under another protocol, and names much like ours',
      observed: with_({
        ports: [
          grpc,
          { name: 'quic', port: 8080, protocol: 'UDP', targetPort: 1 },
          { name: 'grpc-8081-old', port: 8081, protocol: 'TCP', targetPort: 1 },
          { name: 'my-grpc-8082', port: 8082, protocol: 'TCP', targetPort: 1 },
        ],
      }),
      patch: undefined,
    },
    {
      name: 'takes its number back from an entry that leaves the protocol out',
      observed: with_({ ports: [{ name: 'web', port: 8080, targetPort: 80 }] }),
      patch: { spec: { ports: [grpc] } },
    },
    {
      name: 'names a port that had no name',
      observed: with_({ ports: [{ port: 8081, protocol: 'TCP', targetPort: 80 }] }),
      patch: { spec: { ports: [grpc] } },
    },
  ])('$name', ({ observed, pods = [], port = 8080, patch }) => {
    expect(planServicePatch(key, spec({ config: { grpcPort: port } }), pods, observed, undefined)).toEqual(patch);
  });

  it('takes the owner in with the rest where it adopts', () => {
    const orphan = { ...service(), metadata: { ...service().metadata, ownerReferences: [] } };
    const metadata = { ownerReferences: [{ kind: 'Performer', name: 'x', uid, controller: true }] };
    expect(planServicePatch(key, spec(), [], orphan, uid)).toMatchObject({ metadata });
    expect(Object.keys(planServicePatch(key, spec(), [], orphan, uid) as object)).toEqual(['metadata']);
    const drifted = { ...orphan, spec: { ...orphan.spec, selector: {} } };
    expect(planServicePatch(key, spec(), [], drifted, uid)).toMatchObject({
      metadata,
      spec: { selector: { 'hourglass.eigenlayer.io/performer': 'x' } },
    });
  });
});
