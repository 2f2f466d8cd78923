import { coreEvents, leases, namespaces, nodes, type ObjectMeta, pods, services } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { startGarbageCollector } from './garbage-collector.ts';
import { MemoryServer } from './memory-server.ts';
import { podRules } from './pod-rules.ts';
import { resourceQuotas } from './quota.ts';
import { serviceRules } from './service-rules.ts';
import type { AnyObject } from './stored-object.ts';

/**
 * A Kubernetes cluster in memory: the API server with the kinds of its own and the garbage collector. All time comes from its clock.
 * The namespace `default` is there.
 *
 * @param seed makes the uids
 * @param garbageDelayMs from a change to the garbage collector's sweep
 */
export function startCluster(clock: Clock, seed: string, garbageDelayMs = 10): MemoryServer {
  const server = new MemoryServer(clock, seed);
  server.register(pods, podRules);
  server.register(services, serviceRules());
  server.register(nodes, {
    statusSubresource: true,
    countsGeneration: false,
    metadataWithStatus: 'all',
    initialStatus: (node) => node.status,
  });
  server.register(namespaces, {
    statusSubresource: true,
    countsGeneration: false,
    unconditionalUpdate: true,
    initialStatus: () => ({ phase: 'Active' }),
    withDefaults: namespaceDefaults,
    metadataWithStatus: 'all',
    onMark: markNamespace,
  });
  server.register(leases, {
    statusSubresource: false,
    countsGeneration: false,
    createsOnUpdate: true,
    withDefaults: leaseDefaults,
    refusal: leaseRefusal,
  });
  server.register(coreEvents, { statusSubresource: false, countsGeneration: false, createsOnUpdate: true, unconditionalUpdate: true });
  server.register(resourceQuotas, { statusSubresource: true, countsGeneration: false, unconditionalUpdate: true });
  startGarbageCollector(server, garbageDelayMs);
  server.create(namespaces, { metadata: { name: 'default' } });
  return server;
}

/** The real one keeps its finalizer in the spec; here it stands with the others, to the same effect: the namespace goes when it is empty. */
function namespaceDefaults(object: AnyObject, before: AnyObject | undefined): AnyObject {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name ?? '' };
  const metadata = { ...object.metadata, labels, ...(before === undefined ? { finalizers: ['kubernetes'] } : {}) };
  return { ...object, metadata };
}

function markNamespace(namespace: AnyObject): AnyObject {
  const { deletionGracePeriodSeconds: _grace, ...metadata } = namespace.metadata;
  return { ...namespace, metadata: metadata as ObjectMeta, status: { ...namespace.status, phase: 'Terminating' } };
}

function leaseDefaults(lease: AnyObject): AnyObject {
  return { ...lease, spec: { ...lease.spec } };
}

function leaseRefusal({ spec }: AnyObject): string | undefined {
  if (Number(spec?.leaseDurationSeconds ?? 1) <= 0) return 'spec.leaseDurationSeconds: Invalid value: must be greater than 0';
  if (Number(spec?.leaseTransitions ?? 0) < 0) return 'spec.leaseTransitions: Invalid value: must be greater than or equal to 0';
  return undefined;
}
