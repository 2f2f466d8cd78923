import { leases } from '../../kube/objects.ts';
import type { Call, Mishap } from '../sim-api.ts';
import type { SimWorld } from '../sim-world.ts';
import type { AnyObject } from '../stored-object.ts';
import { refused } from './write.ts';

/** Undefined where the fault cannot happen to this call; then it waits for the next one. */
type BesideFault = (call: Call, world: SimWorld) => Mishap | undefined;
const on =
  (plural: string, mishap: Mishap): BesideFault =>
  ({ resource }) =>
    resource.plural === plural ? mishap : undefined;
/** What somebody does to the Lease just before; it is no sign of life of its holder, so nobody is told of it. */
const onStoredLease =
  (by: (world: SimWorld, lease: AnyObject) => void): BesideFault =>
  ({ resource, key }, world) => {
    const find = (): AnyObject | undefined => (resource.plural === leases.plural ? world.server.find(resource, key) : undefined);
    if (find() === undefined) return undefined;
    // Others may have written it while the call was on its way.
    const overtake = (): void => {
      const lease = find();
      if (lease !== undefined) by(world, lease);
    };
    return { kind: 'overtaken', by: overtake };
  };

/** What can become of a write that operators make besides those for Performers: to their Lease, or of an Event. */
export const besideFaults = {
  'lease-conflict': onStoredLease(({ server, besideWrites }, lease) => {
    const annotations = { ...lease.metadata.annotations, 'example.com/touched': String(besideWrites) };
    server.write(leases, lease, { ...lease, metadata: { ...lease.metadata, annotations } });
  }),
  'lease-gone': onStoredLease(({ server }, lease) => void server.remove(leases, lease)),
  'lease-timeout-applied': on(leases.plural, { kind: 'silence', applied: true }),
  'lease-timeout-lost': on(leases.plural, { kind: 'silence', applied: false }),
  'lease-500': on(leases.plural, refused('unavailable', 500, 'InternalError', 'an internal error occurred')),
  'event-refused': on(
    'events',
    refused('forbidden', 403, 'Forbidden', 'events is forbidden: User "operator" cannot create resource "events"'),
  ),
  'event-timeout-applied': on('events', { kind: 'silence', applied: true }),
} as const satisfies Record<string, BesideFault>;
