import { clusterDnsAddress, controlPlaneAddress } from './node-plan.ts';

/** The objects that lead from 10.96.0.10 to CoreDNS beside the control plane, by resource. Pure. */
export function buildClusterDns(): { readonly services: object; readonly endpointslices: object } {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const metadata = { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
  return {
    services: { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: clusterDnsAddress, ports } },
    endpointslices: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, name: 'kube-dns-testbed', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [controlPlaneAddress], conditions: { ready: true } }],
      ports,
    },
  };
}
