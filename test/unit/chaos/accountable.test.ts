import { describe, expect, it } from 'vitest';
import { accountableBy } from '../../../chaos/accountable.ts';
import type { Change } from '../../../src/oracle/kit.ts';
import { call, change, pod } from './support.ts';

const startMs = Date.parse('2026-01-01T00:00:00Z');
const long = '2025-12-31T00:00:00Z';
const there = change(startMs, undefined, pod('b-0', {}, 'beta'));
const service = (atMs: number, performer: string, before?: string): Change => ({
  atMs,
  kind: 'services',
  key: { namespace: 'ns', name: `performer-${performer}` },
  before: before === undefined ? undefined : { metadata: { creationTimestamp: before } },
  after: { metadata: { creationTimestamp: long } },
});
const slice = (atMs: number, performer: string): Change => ({
  atMs,
  kind: 'endpointSlices',
  key: { namespace: 'ns', name: 'slice' },
  before: { metadata: {} },
  after: { metadata: { labels: { 'kubernetes.io/service-name': `performer-${performer}` } } },
});
const lost = call(startMs + 20_000, undefined, { performer: 'beta', tookMs: 3_000 });

describe('a task that failed is laid to nobody', () => {
  it.each<{ name: string; changes: readonly Change[] }>([
    { name: 'where nothing was seen', changes: [] },
    { name: 'where all was there before', changes: [there, service(startMs, 'beta')] },
    {
      name: 'where another Performer changed',
      changes: [there, slice(startMs + 15_000, 'alpha'), service(startMs + 15_000, 'alpha', long)],
    },
    { name: 'where something changed only later', changes: [there, slice(startMs + 23_001, 'beta')] },
  ])('$name', ({ changes }) => expect(accountableBy(changes)(lost)).toBe(false));
});

describe('a task that failed is laid to somebody', () => {
  it.each<{ name: string; changes: readonly Change[] }>([
    {
      name: 'where a pod changed',
      changes: [there, change(startMs + 5_000, pod('b-0', {}, 'beta'), pod('b-0', { ready: false }, 'beta'))],
    },
    {
      name: 'where a pod is gone',
      changes: [there, change(startMs + 5_000, pod('b-0', {}, 'beta'), undefined)],
    },
    { name: 'where its Service changed', changes: [there, service(startMs + 5_000, 'beta', long)] },
    { name: 'where its endpoints changed while it was under way', changes: [there, slice(startMs + 22_000, 'beta')] },
  ])('$name', ({ changes }) => expect(accountableBy(changes)(lost)).toBe(true));
});
