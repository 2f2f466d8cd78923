import { describe, expect, it } from 'vitest';
import type { Performer } from '../../../src/api/v1alpha1/performer.ts';
import { keyText, type Pod, type Service } from '../../../src/kube/objects.ts';
import { projectPod } from '../../../src/reconcile/projections.ts';
import { createWorld, listKeys, onWorldChange } from '../../../src/reconcile/world.ts';
import { pod } from '../../support/snapshots.ts';

const performer = (name: string): Performer => ({ metadata: { name, namespace: 'team-a', uid: `uid-${name}`, resourceVersion: '5' } });

describe('projectPod', () => {
  it('keeps what decisions need and no environment value', () => {
    const full = {
      ...pod(),
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'performer', image: 'avs:1', env: [{ name: 'TOKEN', value: 'secret' }], ports: [{ containerPort: 8080 }] }],
      },
    } as Pod;
    const kept = projectPod(full);
    expect(JSON.stringify(kept)).not.toContain('secret');
    expect(kept).toMatchObject({
      metadata: { name: 'performer-x', ownerReferences: [{ kind: 'Performer' }] },
      spec: { nodeName: 'n1', containers: [{ name: 'performer', image: 'avs:1', ports: [{ containerPort: 8080 }] }] },
      status: { phase: 'Running', podIP: '10.244.0.7', containerStatuses: [{ started: true }] },
    });
  });

  it('is what it is projected to', () => {
    expect(projectPod(projectPod(pod({ withdrawnAtMs: 0 })))).toEqual(projectPod(pod({ withdrawnAtMs: 0 })));
  });
});

describe('the keys of a world', () => {
  it('are its Performers and the names of those whose children are left', () => {
    const world = createWorld();
    world.performers.wrote(performer('a'));
    world.pods.wrote(pod());
    expect(listKeys(world).map(keyText)).toEqual(['team-a/a', 'team-a/x']);
  });
});

describe('a change', () => {
  it('of a Performer, of its child, and of a foreign object in its way wakes it; other Services wake nobody', () => {
    const world = createWorld();
    const woken: string[] = [];
    onWorldChange(world, (key) => woken.push(keyText(key)));
    world.performers.wrote(performer('x'));
    world.pods.wrote(pod());
    const service = (name: string): Service => ({ metadata: { name, namespace: 'team-a', uid: `uid-${name}`, resourceVersion: '9' } });
    world.services.wrote(service('performer-x'));
    world.services.wrote(service('web'));
    world.services.wrote(service('performer-unknown'));
    expect(woken).toEqual(['team-a/x', 'team-a/x', 'team-a/x']);
  });

  it('that takes an owner away wakes the one it had', () => {
    const world = createWorld();
    world.pods.wrote(pod());
    const woken: string[] = [];
    onWorldChange(world, (key) => woken.push(keyText(key)));
    const orphan = pod();
    world.pods.wrote({ ...orphan, metadata: { ...orphan.metadata, resourceVersion: '21', labels: {}, ownerReferences: [] } } as Pod);
    expect(woken).toContain('team-a/x');
  });
});
