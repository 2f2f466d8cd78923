import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { auditPolicy, clusterPaths, componentArgv, componentNames } from '../../../src/testbed/components.ts';

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
