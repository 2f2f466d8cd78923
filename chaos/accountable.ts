import { serviceName } from '../src/api/v1alpha1/naming.ts';
import type { Pod } from '../src/kube/objects.ts';
import type { Change } from '../src/oracle/kit.ts';
import { performerOf, wasThereAtFirst } from './lives.ts';
import type { LoadCall } from './observations.ts';

/** The Performer of whose pods, Service or endpoints it is a change; undefined for any other. */
function touched({ kind, key, before, after }: Change): string | undefined {
  const object = after ?? before;
  if (kind === 'pods') return performerOf(object as Pod);
  const service = kind === 'services' ? key.name : object?.metadata?.labels?.['kubernetes.io/service-name'];
  return (kind === 'services' || kind === 'endpointSlices') && service?.startsWith(servicePrefix) === true
    ? service.slice(servicePrefix.length)
    : undefined;
}
const servicePrefix = serviceName('');

/**
 * Whether what became of a task can be laid to whoever looks after performers: they reach callers by pods, Services and endpoints alone. Where
 * none of those changed until the task ended, the network beneath lost it, or the machine. Pure.
 *
 * @param changes all that was seen from the start, what was there already first
 */
export function accountableBy(changes: readonly Change[]): (call: LoadCall) => boolean {
  const wasThere = wasThereAtFirst(changes);
  const firstMs = new Map<string, number>();
  for (const change of changes) {
    const { before, after, atMs } = change;
    const performer = touched(change);
    const isSeenFirst = before === undefined && after !== undefined && wasThere(after);
    if (performer !== undefined && !isSeenFirst && !firstMs.has(performer)) firstMs.set(performer, atMs);
  }
  return ({ performer, atMs, tookMs }) => (firstMs.get(performer) ?? Number.POSITIVE_INFINITY) <= atMs + tookMs;
}
