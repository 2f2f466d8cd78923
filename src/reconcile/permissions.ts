/**
 * Every verb the operator uses, by group and resource: RBAC manifests are made from it.
 * `scope` says where: `watched` in each namespace whose Performers it keeps, `cluster` for what has no namespace, `own` where its Lease lives.
 * Not here: core/v1 Events, which are written only where `events.k8s.io` is not allowed; `performers/finalizers`, since no child blocks the
 * deletion of its owner.
 */
export const permissions = [
  { scope: 'watched', group: 'hourglass.eigenlayer.io', resource: 'performers', verbs: ['get', 'list', 'watch', 'patch'] },
  { scope: 'watched', group: 'hourglass.eigenlayer.io', resource: 'performers/status', verbs: ['patch'] },
  { scope: 'watched', group: '', resource: 'pods', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { scope: 'watched', group: '', resource: 'services', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { scope: 'watched', group: 'events.k8s.io', resource: 'events', verbs: ['create', 'patch'] },
  { scope: 'watched', group: 'discovery.k8s.io', resource: 'endpointslices', verbs: ['list'] },
  { scope: 'cluster', group: '', resource: 'nodes', verbs: ['get', 'list', 'watch'] },
  { scope: 'own', group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'create', 'patch'] },
] as const;
