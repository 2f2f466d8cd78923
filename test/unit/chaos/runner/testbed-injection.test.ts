import { describe, expect, it } from 'vitest';
import { controlPlaneInjection } from '../../../../chaos/runner/testbed-injection.ts';
import type { ComponentFault } from '../../../../src/testbed/component-faults.ts';

/** A control plane that tells what is down or stands still, each time something changes. */
function makeControlPlane() {
  const stopped = new Set<string>();
  const hanging = new Set<string>();
  const told: string[] = [];
  const fault = (own: Set<string>): ComponentFault => ({
    apply: async (part) => {
      own.add(part);
      told.push([...stopped, ...[...hanging].map((one) => `${one} hangs`)].join(', '));
    },
    undo: async (part) => {
      own.delete(part);
      told.push([...stopped, ...[...hanging].map((one) => `${one} hangs`)].join(', '));
    },
    isThere: (part) => own.has(part),
  });
  const kube = { list: async () => ({ items: [], resourceVersion: '1' }) } as never;
  return { faults: { stop: fault(stopped), hang: fault(hanging) }, stopped, hanging, told, lab: { kube } };
}

describe('a part of the control plane that was away', () => {
  it('takes the controllers along, which come back after it: none is left that takes nodes for lost by a view as old as the fault', async () => {
    const { faults, lab, told } = makeControlPlane();
    const injection = controlPlaneInjection(lab, faults, { does: 'hang', part: 'etcd' });
    await injection.inject();
    expect(await injection.heal()).toEqual({ holds: true, detail: 'etcd goes on' });
    expect(told).toEqual([
      'etcd hangs',
      'kube-controller-manager, etcd hangs',
      'kube-controller-manager, kube-scheduler, etcd hangs',
      'kube-controller-manager, kube-scheduler',
      'kube-scheduler',
      '',
    ]);
  });

  it('gets its controllers back where whoever took the fault back was killed before that', async () => {
    const { faults, lab, stopped } = makeControlPlane();
    await faults.stop.apply('kube-controller-manager');
    await controlPlaneInjection(lab, faults, { does: 'hang', part: 'etcd' }).heal();
    expect([...stopped]).toEqual([]);
  });

  it('is taken back also where a controller could not be ended', async () => {
    const { faults, lab, hanging } = makeControlPlane();
    const stop = { ...faults.stop, apply: () => Promise.reject(new Error('it does not run')) };
    const injection = controlPlaneInjection(lab, { ...faults, stop }, { does: 'hang', part: 'etcd' });
    await expect(injection.inject()).rejects.toThrow('it does not run');
    await injection.heal();
    expect([...hanging]).toEqual([]);
  });
});
