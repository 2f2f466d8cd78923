import { describe, expect, it } from 'vitest';
import { clusterPaths, componentArgv, componentNames } from '../../../src/testbed/components.ts';

const settings = {
  paths: clusterPaths('/c'),
  ports: { apiServer: 1, etcd: 2, etcdPeer: 3 },
  audit: false,
  fakeNodes: 4,
  kwok: '/bin/kwok',
};

describe('componentArgv', () => {
  it.each(componentNames)('keeps every address of %s on this machine', (name) => {
    const addresses =
      componentArgv(name, settings)
        .join(' ')
        .match(/\b\d+\.\d+\.\d+\.\d+\b(?!\/)/g) ?? [];
    expect(addresses.filter((address) => address !== '127.0.0.1')).toEqual([]);
  });

  it('logs calls only when asked to', () => {
    expect(componentArgv('kube-apiserver', settings).filter((flag) => flag.startsWith('--audit'))).toEqual([]);
    expect(componentArgv('kube-apiserver', { ...settings, audit: true }).filter((flag) => flag.startsWith('--audit'))).toEqual([
      '--audit-policy-file=/c/audit-policy.yaml',
      '--audit-log-path=/c/logs/audit.log',
    ]);
  });
});
