import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../../chaos/runner/journal.ts';

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

  it('keeps clusters apart', () => {
    open().add({ part: 'etcd', does: 'hang' });
    expect(open('https://two').read()).toEqual([]);
  });
});
