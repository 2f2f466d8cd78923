/** Every verb the operator uses, by group and resource: RBAC manifests are made from it. */
export const permissions = [
  { group: 'hourglass.eigenlayer.io', resource: 'performers', verbs: ['get', 'list', 'watch', 'patch'] },
  { group: 'hourglass.eigenlayer.io', resource: 'performers/status', verbs: ['patch'] },
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { group: '', resource: 'services', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { group: 'events.k8s.io', resource: 'events', verbs: ['create', 'patch'] },
  { group: '', resource: 'events', verbs: ['create', 'patch'] },
  { group: '', resource: 'nodes', verbs: ['get', 'list', 'watch'] },
  { group: 'discovery.k8s.io', resource: 'endpointslices', verbs: ['list'] },
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'create', 'patch'] },
] as const;
