import { describe, expect, it } from 'vitest';
import { chooseFault } from '../../../../chaos/agent/choose-fault.ts';
import { nodeFaultIds, nodeFaultKinds } from '../../../../src/testbed/nodes/node-faults.ts';

describe('chooseFault', () => {
  it.each(nodeFaultIds)('finds %s by its name, with the name of its undoing or none', (fault) => {
    expect(chooseFault('user_defined', { attackCmd: fault, recoverCmd: nodeFaultKinds[fault].undoId })).toEqual({ fault });
    expect(chooseFault('user_defined', { action: '', attackCmd: fault })).toEqual({ fault });
  });

  it.each([
    { action: 'process', fields: { action: '', process: 'kubelet' }, fault: 'kubelet-crash' },
    { action: 'process', fields: { process: 'kubelet', signal: 9 }, fault: 'kubelet-crash' },
    { action: 'process', fields: { process: 'kubelet', signal: 19 }, fault: 'kubelet-hang' },
    { action: 'network', fields: { action: 'down', device: 'eth0' }, fault: 'link-down' },
    { action: 'disk', fields: { action: 'fill', size: '1G' }, fault: 'disk-full' },
  ])('takes $action $fields for $fault', ({ action, fields, fault }) => {
    expect(chooseFault(action, fields)).toEqual({ fault });
  });

  it.each([
    {
      action: 'user_defined',
      fields: { attackCmd: 'rm -rf /' },
      words: ['attackCmd "rm -rf /": it runs no commands', 'freeze (recoverCmd thaw)'],
    },
    { action: 'user_defined', fields: {}, words: ['attackCmd undefined'] },
    {
      action: 'user_defined',
      fields: { attackCmd: 'freeze', recoverCmd: 'reboot' },
      words: ['recoverCmd "reboot": freeze is undone by thaw'],
    },
    { action: 'process', fields: { process: 'etcd', signal: 9 }, words: ['process "etcd"', 'knows process kubelet'] },
    { action: 'process', fields: { process: 'kubelet', signal: 15 }, words: ['signal 9 (crash) or 19 (hang)'] },
    { action: 'network', fields: { action: 'delay' }, words: ['action network-delay: it knows'] },
    { action: 'clock', fields: {}, words: ['action clock: it knows user_defined'] },
  ])('refuses $action $fields', ({ action, fields, words }) => {
    const choice = chooseFault(action, fields);
    for (const word of words) expect('refused' in choice ? choice.refused : '').toContain(word);
  });
});
