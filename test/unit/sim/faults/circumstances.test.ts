import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../../src/kube/objects.ts';
import { circumstancesOf } from '../../../../src/sim/faults/circumstances.ts';

type Status = NonNullable<Pod['status']>;
const container = (state: object, lastState: object = {}): Status =>
  ({ containerStatuses: [{ name: 'main', ready: false, restartCount: 1, state, lastState }] }) as unknown as Status;

describe('what users bring about', () => {
  it.each<{ name: string; status: Status; ids: readonly string[] }>([
    { name: 'nothing by a pod that runs', status: container({ running: {} }), ids: [] },
    {
      name: 'a pod that no node has room for',
      status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } as unknown as Status,
      ids: ['pod-unschedulable'],
    },
    { name: 'an image that cannot be pulled', status: container({ waiting: { reason: 'ErrImagePull' } }), ids: ['image-unpullable'] },
    { name: 'the same once the node waits', status: container({ waiting: { reason: 'ImagePullBackOff' } }), ids: ['image-unpullable'] },
    {
      name: 'a container that ends again and again, of memory',
      status: container({ waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode: 137, reason: 'OOMKilled' } }),
      ids: ['container-crash-loop', 'container-out-of-memory'],
    },
  ])('is $name', ({ status, ids }) => {
    expect(circumstancesOf({ status })).toEqual(ids);
  });
});
