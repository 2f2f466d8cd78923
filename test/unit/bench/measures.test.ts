import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findNextPod, parseTimes } from '../../../src/bench/afterwards.ts';
import { countCalls } from '../../../src/bench/audit-calls.ts';
import { readMetric } from '../../../src/bench/bench-cluster.ts';
import { parseLook } from '../../../src/bench/usage.ts';
import { adminUser } from '../../../src/testbed/certificates.ts';

describe('a process in /proc', () => {
  const after = ['S', ...Array.from({ length: 10 }, () => '0'), '30', '12', '5', '3', '20'].join(' ');

  it('tells CPU with that of ended children, and resident memory, whatever its name', () => {
    expect(parseLook(`7 (a) b ) ${after}`, 'Name:\ta\nVmRSS:\t  2048 kB\n')).toEqual({ cpuMs: 500, rssBytes: 2_097_152 });
  });

  it('is gone when it has no memory', () => {
    expect(parseLook('', '')).toBeUndefined();
    expect(parseLook(`7 (a) ${after}`, 'Name:\ta\nState:\tZ\n')).toBeUndefined();
  });
});

describe('metrics', () => {
  const text = '# TYPE x counter\nx 5\nx_total{a="1"} 2\nx_total{a="2"} 3.5e+02\nx_total_more 9\n';

  it.each([
    { name: 'x', value: 5 },
    { name: 'x_total', value: 352 },
    { name: 'y', value: 0 },
  ])('of the name $name come to $value', ({ name, value }) => {
    expect(readMetric(text, name)).toBe(value);
  });
});

describe('the audit log', () => {
  const call = (change: object): string =>
    JSON.stringify({
      verb: 'create',
      user: { username: adminUser },
      userAgent: 'operator/1',
      objectRef: { resource: 'pods' },
      requestReceivedTimestamp: '2026-01-01T00:00:10.000000Z',
      ...change,
    });

  it("counts the operator's calls of a span by verb and kind, and nobody else's", async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hourglass-audit-'));
    try {
      const path = join(dir, 'audit.log');
      const lines = [
        call({}),
        call({ userAgent: 'hourglass-operator/0.1.0' }),
        call({ verb: 'patch', objectRef: { resource: 'performers', subresource: 'status' } }),
        call({ userAgent: 'Grafana k6/2.2.0', objectRef: { resource: 'performers' } }),
        call({ userAgent: 'hourglass-bench/1' }),
        call({ user: { username: 'system:kube-scheduler' } }),
        call({ requestReceivedTimestamp: '2026-01-01T00:00:30.000000Z' }),
        '{"verb":"cre',
      ];
      writeFileSync(path, lines.join('\n'));
      const atMs = Date.parse('2026-01-01T00:00:10Z');
      expect(await countCalls(path, atMs - 1_000, atMs + 1_000)).toEqual({ 'create pods': 2, 'patch performers/status': 1 });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('that is not there counts nothing', async () => {
    expect(await countCalls(undefined, 0, 1)).toBeUndefined();
  });
});

describe('the time a shell prints', () => {
  it("is its children's, not its own", () => {
    expect(parseTimes('0m9.000s 0m9.000s\n1m0.250s 0m0.050s\n')).toBe(60_300);
  });
});

describe('the next pod after a kill', () => {
  const sample = (askedAtMs: number, created: number) =>
    ({ key: 'ns/a', ask: 'create', complete: true, askedAtMs, phases: { 'pod created': created } }) as const;

  it('is not one whose event was on its way', () => {
    expect(findNextPod([sample(0, 400), sample(0, 1_010), sample(500, 800), sample(900, 900)], 1_000)).toEqual({
      'kill -9 to next pod ms': 300,
    });
  });

  it('is none when none came', () => {
    expect(findNextPod([sample(0, 400)], 1_000)).toEqual({});
  });
});
