import type { KindRules } from './kind-rules.ts';
import { type AnyObject, type JsonObject, objectsOf } from './stored-object.ts';

/** Services with what the API server fills in, so that a comparison with what was sent meets the same surprises. Each gets an address no other has. */
export function serviceRules(): KindRules {
  let addresses = 0;
  const nextClusterIP = (): string => {
    addresses += 1;
    return `10.96.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
  };
  return {
    statusSubresource: true,
    countsGeneration: false,
    unconditionalUpdate: true,
    metadataWithStatus: 'all',
    createsOnUpdate: true,
    initialStatus: () => ({ loadBalancer: {} }),
    withDefaults: (object, before) => {
      const address = before?.spec?.clusterIP; // stays where a patch takes it away
      return {
        ...object,
        status: { loadBalancer: {}, ...object.status },
        spec: defaultSpec(object.spec ?? {}, () => (typeof address === 'string' ? address : nextClusterIP())),
      };
    },
    refusal,
  };
}

function defaultSpec(spec: JsonObject, nextClusterIP: () => string): JsonObject {
  const type = spec.type ?? 'ClusterIP';
  const clusterIP = type === 'ExternalName' ? undefined : (spec.clusterIP ?? nextClusterIP());
  // Endpoints that users make by hand may be of either family.
  const isOpen = clusterIP === 'None' && spec.selector === undefined;
  const families = isOpen
    ? { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
    : { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
  const { sessionAffinityConfig: config = { clientIP: { timeoutSeconds: 10_800 } } } = spec;
  return {
    type,
    sessionAffinity: 'None',
    ...(clusterIP === undefined ? {} : { internalTrafficPolicy: 'Cluster', ...families, clusterIP, clusterIPs: [clusterIP] }),
    ...spec,
    ...(spec.sessionAffinity === 'ClientIP' ? { sessionAffinityConfig: config } : {}),
    ports: objectsOf(spec.ports).map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port })),
  };
}

const serviceName = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

function refusal(object: AnyObject, before: AnyObject | undefined): string | undefined {
  const spec = object.spec ?? {};
  const was = before?.spec?.clusterIP;
  if (was !== undefined && spec.clusterIP !== was)
    return `spec.clusterIPs[0]: Invalid value: ${JSON.stringify(spec.clusterIP)}: may not change once set`;
  const name = object.metadata.name ?? '';
  if (!serviceName.test(name)) return `metadata.name: Invalid value: "${name}": must be a DNS-1035 label of at most 63 characters`;
  const ports = objectsOf(spec.ports);
  if (ports.length === 0 && spec.type !== 'ExternalName' && spec.clusterIP !== 'None') return 'spec.ports: Required value';
  const names = new Set<unknown>();
  const numbers = new Set<string>();
  for (const port of ports) {
    if (ports.length > 1 && !port.name) return 'spec.ports.name: Required value';
    if (names.has(port.name)) return `spec.ports.name: Duplicate value: ${JSON.stringify(port.name)}`;
    const number = Number(port.port);
    if (!Number.isInteger(number) || number < 1 || number > 65_535)
      return `spec.ports.port: Invalid value: ${JSON.stringify(port.port)}: must be between 1 and 65535, inclusive`;
    if (numbers.has(`${JSON.stringify(port.protocol)}/${number}`)) return `spec.ports: Duplicate value: port ${number}`;
    names.add(port.name);
    numbers.add(`${JSON.stringify(port.protocol)}/${number}`);
  }
  return undefined;
}
