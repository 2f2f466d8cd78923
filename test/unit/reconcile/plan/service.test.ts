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
    expect(buildService(key, uid, spec({ config: { grpcPort: 9000 } }), [])).toMatchObject({
      metadata: { name: 'performer-x', namespace: 'team-a' },
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
      name: 'names a port that had no name',
      observed: with_({ ports: [{ port: 8081, protocol: 'TCP', targetPort: 80 }] }),
      patch: { spec: { ports: [grpc] } },
    },
  ])('$name', ({ observed, pods = [], port = 8080, patch }) => {
    expect(planServicePatch(key, spec({ config: { grpcPort: port } }), pods, observed, undefined)).toEqual(patch);
  });
});
