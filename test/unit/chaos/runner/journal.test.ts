import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeEntry, Journal } from '../../../../chaos/runner/journal.ts';

describe('Journal', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hourglass-journal-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));
  const open = (server = 'https://one'): Journal => new Journal(server, home);

  it('is read by the next process, until what it names is taken back', () => {
    open().add({ part: 'etcd', does: 'hang' });
    expect(open().read()).toEqual([{ part: 'etcd', does: 'hang' }]);
    open().remove({ part: 'etcd', does: 'hang' });
    expect(open().read()).toEqual([]);
  });

  it('keeps what was not taken back', () => {
    open().add({ part: 'etcd', does: 'hang' });
    open().add({ part: 'etcd', does: 'stop' });
    open().remove({ part: 'etcd', does: 'hang' });
    expect(open().read()).toEqual([{ part: 'etcd', does: 'stop' }]);
  });

  it.each([
    { entry: { does: 'stop', part: 'etcd' }, remedy: 'dev component start etcd' },
    { entry: { does: 'hang', part: 'etcd' }, remedy: 'dev component continue etcd' },
    { entry: { does: 'stand', node: 'n1', containerId: 'c' }, remedy: 'delete its pod' },
    { entry: { does: 'detour', namespace: 'ns', name: 'op' }, remedy: 'kubectl set env -n ns deployment/op KUBERNETES_SERVICE_HOST-' },
    { entry: { does: 'squeeze' }, remedy: 'kubectl delete flowschema/hourglass-squeeze' },
  ] as const)('keeps $entry.does whole, and says what sets it right by hand', ({ entry, remedy }) => {
    open().add(entry);
    expect(open().read()).toEqual([entry]);
    expect(describeEntry(entry).remedy).toContain(remedy);
    open().remove({ ...entry });
    expect(open().read()).toEqual([]);
  });

  it('keeps clusters apart', () => {
    open().add({ part: 'etcd', does: 'hang' });
    expect(open('https://two').read()).toEqual([]);
  });
});
