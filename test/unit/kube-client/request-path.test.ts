import { describe, expect, it } from 'vitest';
import { leases, nodes, pods } from '../../../src/kube/objects.ts';
import { describeTarget, requestPath } from '../../../src/kube-client/request-path.ts';

describe('requestPath', () => {
  it.each([
    { path: requestPath(pods, {}), is: '/api/v1/pods' },
    { path: requestPath(pods, { namespace: 'a' }), is: '/api/v1/namespaces/a/pods' },
    { path: requestPath(pods, { namespace: 'a', name: 'x', subresource: 'status' }), is: '/api/v1/namespaces/a/pods/x/status' },
    { path: requestPath(nodes, { namespace: '', name: 'n' }), is: '/api/v1/nodes/n' },
    { path: requestPath(leases, { namespace: 'a', name: 'x' }), is: '/apis/coordination.k8s.io/v1/namespaces/a/leases/x' },
    { path: requestPath(pods, { namespace: '../b', name: 'x?y=z' }), is: '/api/v1/namespaces/..%2Fb/pods/x%3Fy%3Dz' },
    {
      path: requestPath(pods, {}, { watch: true, limit: 5, continue: undefined, labelSelector: '' }),
      is: '/api/v1/pods?watch=true&limit=5',
    },
    { path: requestPath(pods, {}, { labelSelector: 'a in (b,c)' }), is: '/api/v1/pods?labelSelector=a%20in%20(b%2Cc)' },
  ])('is $is', ({ path, is }) => {
    expect(path).toBe(is);
  });
});

describe('describeTarget', () => {
  it.each([
    { text: describeTarget(pods, { namespace: 'a', name: 'x' }), is: 'Pod a/x' },
    { text: describeTarget(nodes, { namespace: '', name: 'n' }), is: 'Node n' },
    { text: describeTarget(pods, { namespace: 'a' }), is: 'pods in namespace a' },
    { text: describeTarget(pods, {}), is: 'pods in all namespaces' },
    { text: describeTarget(nodes, {}), is: 'nodes' },
  ])('is "$is"', ({ text, is }) => {
    expect(text).toBe(is);
  });
});
