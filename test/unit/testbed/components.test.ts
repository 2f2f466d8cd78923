import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { auditPolicy, clusterPaths, componentArgv, componentNames } from '../../../src/testbed/components.ts';

const settings = {
  paths: clusterPaths('/c'),
  ports: { apiServer: 1, etcd: 2, etcdPeer: 3 },
  audit: false,
  fakeNodes: 4,
  kwok: '/bin/kwok',
  coredns: '/bin/coredns',
};

describe('componentArgv', () => {
  it.each(componentNames('instant'))('keeps every address of %s on this machine', (name) => {
    const addresses =
      componentArgv(name, settings)
        .join(' ')
        .match(/\b\d+\.\d+\.\d+\.\d+\b(?!\/)/g) ?? [];
    expect(addresses.filter((address) => address !== '127.0.0.1')).toEqual([]);
  });

  it('has the control plane in the network of real nodes, at its address', () => {
    const flags = componentArgv('kube-apiserver', { ...settings, timers: 'fast' });
    expect(flags).toContain('--advertise-address=10.10.0.1');
    expect(componentArgv('network', settings)).toEqual(['network', '127.0.0.1:1', '10.10.0.1:6443', '10.10.0.1/24']);
  });

  it.each([
    ['fast', 8],
    ['stock', 50],
  ] as const)('takes a real node for lost after its %s grace', (timers, seconds) => {
    expect(componentArgv('kube-controller-manager', { ...settings, timers })).toContain(`--node-monitor-grace-period=${seconds}s`);
  });

  it('logs calls only when asked to', () => {
    expect(componentArgv('kube-apiserver', settings).filter((flag) => flag.startsWith('--audit'))).toEqual([]);
    expect(componentArgv('kube-apiserver', { ...settings, audit: true }).filter((flag) => flag.startsWith('--audit'))).toEqual([
      '--audit-policy-file=/c/audit-policy.yaml',
      '--audit-log-path=/c/logs/audit.log',
      '--audit-log-maxsize=100000',
    ]);
  });
});

describe('auditPolicy', () => {
  it('keeps bodies, which hold environment values, out of the log unless they are asked for, and those of Secrets always', () => {
    for (const level of [false, true] as const) expect(auditPolicy(level).match(/level: \w+/g)).toEqual(['level: Metadata']);
    const { rules } = parse(auditPolicy('bodies')) as {
      readonly rules: readonly { readonly level: string; readonly resources?: object }[];
    };
    expect(rules.map((rule) => rule.level)).toEqual(['RequestResponse', 'Metadata']);
    expect(JSON.stringify(rules[0]?.resources)).not.toContain('secrets');
  });
});
