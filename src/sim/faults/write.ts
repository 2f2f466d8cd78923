import { performers } from '../../api/v1alpha1/performer.ts';
import { KubeFault, type KubeFaultCode } from '../../kube/faults.ts';
import type { Call, Mishap } from '../sim-api.ts';
import type { SimWorld } from '../sim-world.ts';
import { takeName, touch } from './tamper.ts';

/** An answer by which the API server refuses. */
export const refused = (code: KubeFaultCode, status: number, reason: string, message: string, retryAfterMs?: number): Mishap => ({
  kind: 'refused',
  fault: new KubeFault(code, message, { status, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }),
});

/** Undefined where the fault cannot happen to this call; then it waits for the next one. */
type WriteFault = (call: Call, world: SimWorld) => Mishap | undefined;
const onCreate =
  (make: WriteFault): WriteFault =>
  (call, world) =>
    call.verb === 'create' ? make(call, world) : undefined;
const onStored =
  (make: WriteFault): WriteFault =>
  (call, world) =>
    call.verb !== 'create' && world.server.find(call.resource, call.key) !== undefined ? make(call, world) : undefined;

/** What can become of one write, and lets a run end as it would have without. */
export const writeFaults = {
  'crash-before': () => ({ kind: 'crash', applied: false }),
  'crash-after': () => ({ kind: 'crash', applied: true }),
  'timeout-applied': () => ({ kind: 'silence', applied: true }),
  'timeout-lost': () => ({ kind: 'silence', applied: false }),
  'write-500': () => refused('unavailable', 500, 'InternalError', 'an internal error occurred'),
  'write-503': () => refused('unavailable', 503, 'ServiceUnavailable', 'the server is currently unable to handle the request'),
  'write-429': () => refused('throttled', 429, 'TooManyRequests', 'too many requests', 3_000),
  'conflict-moved': onStored(({ resource, key }, world) => ({ kind: 'overtaken', by: () => touch(world, resource, key) })),
  'name-taken': onCreate((call, world) => ({ kind: 'overtaken', by: () => takeName(world, call) })),
  'quota-exceeded': onCreate(({ resource, key }) => {
    const message = `${resource.plural} "${key.name}" is forbidden: exceeded quota: tight, requested: ${resource.plural}=1, used: ${resource.plural}=9, limited: ${resource.plural}=9`;
    return refused('forbidden', 403, 'Forbidden', message);
  }),
  'namespace-terminating': onCreate(({ resource, key }) => {
    const message = `${resource.plural} "${key.name}" is forbidden: unable to create new content in namespace ${key.namespace} because it is being terminated`;
    return refused('forbidden', 403, 'Forbidden', message);
  }),
  'write-forbidden': ({ verb, resource, key }) =>
    refused(
      'forbidden',
      403,
      'Forbidden',
      `${resource.plural} "${key.name}" is forbidden: User "operator" cannot ${verb} resource "${resource.plural}"`,
    ),
  'write-invalid': ({ resource, key }) => refused('invalid', 422, 'Invalid', `${resource.kind} "${key.name}" is invalid`),
  'target-gone': onStored(({ resource, key }, world) =>
    resource.plural === performers.plural
      ? undefined
      : { kind: 'overtaken', by: () => world.removeByUser(resource, key, { gracePeriodSeconds: 0 }) },
  ),
} as const satisfies Record<string, WriteFault>;

/** What becomes of one write and of what is asked for by it. */
export const endingFaults = {
  'performer-gone': onStored(({ resource, key, subresource }, world) =>
    resource.plural === performers.plural && subresource === 'status'
      ? { kind: 'overtaken', by: () => world.removeByUser(resource, key) }
      : undefined,
  ),
} as const satisfies Record<string, WriteFault>;
