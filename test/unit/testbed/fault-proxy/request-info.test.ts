import { describe, expect, it } from 'vitest';
import type { Match } from '../../../../src/testbed/fault-proxy/faults.ts';
import { describeRequest, isAbout } from '../../../../src/testbed/fault-proxy/request-info.ts';

describe('describeRequest', () => {
  it.each([
    { method: 'GET', path: '/api/v1/pods?limit=500', verb: 'list', resource: 'pods', watch: false },
    { method: 'GET', path: '/api/v1/pods?watch=true&resourceVersion=7', verb: 'watch', resource: 'pods', watch: true },
    { method: 'GET', path: '/api/v1/namespaces/a/pods?watch=1', verb: 'watch', resource: 'pods', watch: true },
    { method: 'GET', path: '/api/v1/namespaces/a/pods/x', verb: 'get', resource: 'pods', watch: false },
    { method: 'GET', path: '/api/v1/namespaces', verb: 'list', resource: 'namespaces', watch: false },
    { method: 'GET', path: '/api/v1/namespaces/a', verb: 'get', resource: 'namespaces', watch: false },
    { method: 'POST', path: '/apis/coordination.k8s.io/v1/namespaces/a/leases', verb: 'create', resource: 'leases', watch: false },
    { method: 'PATCH', path: '/apis/g.example/v1/namespaces/a/widgets/x/status', verb: 'patch', resource: 'widgets', watch: false },
    { method: 'DELETE', path: '/api/v1/nodes/n', verb: 'delete', resource: 'nodes', watch: false },
    { method: 'GET', path: '/version', verb: 'list', resource: '', watch: false },
  ])('reads $method $path as $verb of $resource', ({ method, path, ...expected }) => {
    expect(describeRequest(method, path)).toEqual({ method, path, ...expected });
  });
});

describe('isAbout', () => {
  const watch = describeRequest('GET', '/api/v1/namespaces/a/pods?watch=true');
  it.each<{ match: Match; about: boolean }>([
    { match: {}, about: true },
    { match: { verb: 'watch', resource: 'pods' }, about: true },
    { match: { verb: 'list' }, about: false },
    { match: { watch: false }, about: false },
    { match: { method: 'POST' }, about: false },
    { match: { resource: 'services' }, about: false },
    { match: { path: /namespaces\/a\// }, about: true },
    { match: { path: /namespaces\/b\// }, about: false },
  ])('$match: $about', ({ match, about }) => {
    expect(isAbout(match, watch)).toBe(about);
  });
});
