import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bytesOfShard,
  fewestShards,
  fitScale,
  mostWithin,
  parseScaleReport,
  type ScaleReport,
  startMsOfShard,
} from '../../../scripts/scale/cost.ts';
import { renderScalePage, scaleReportPath } from '../../../scripts/scale-page.ts';
import { projectRoot } from '../../support/sources.ts';

const mebibyte = 1024 ** 2;
/** 100 MiB, and 2 MiB for each thousand. */
const pointOf = (performers: number, shards = 1): ScaleReport['points'][number] => ({
  performers,
  shards,
  rssBytes: (100 + (2 * performers) / 1_000 / shards) * mebibyte,
  syncCpuMs: performers * 0.06,
  firstPassCpuMs: (performers / shards) * 0.03,
});
const report: ScaleReport = { machine: 'a machine', points: [pointOf(10_000), pointOf(50_000), pointOf(100_000), pointOf(100_000, 4)] };
const model = fitScale(report);

describe('what an operator takes', () => {
  it.each([
    { performers: 100_000, shards: 1, mebibytes: 300 },
    { performers: 100_000, shards: 4, mebibytes: 150 },
    { performers: 1_000_000, shards: 10, mebibytes: 300 },
  ])('is a start and its own part: $performers Performers, $shards shards', ({ performers, shards, mebibytes }) => {
    expect(bytesOfShard(model, performers, shards) / mebibyte).toBeCloseTo(mebibytes);
  });

  it.each([
    { limit: 300, most: 100_000, shards: 10 },
    { limit: 200, most: 50_000, shards: 20 },
    { limit: 99, most: 0, shards: Number.POSITIVE_INFINITY },
  ])('tells how many fit into $limit MiB, and how many shards a million want', ({ limit, most, shards }) => {
    expect(Math.abs(mostWithin(model, limit * mebibyte) - most)).toBeLessThanOrEqual(1);
    expect(fewestShards(model, 999_000, limit * mebibyte)).toBe(shards);
  });

  it('to start is what each shard reads, which is all, and what it looks at, which is its part', () => {
    expect(startMsOfShard(model, 100_000, 1)).toBeCloseTo(9_000);
    expect(startMsOfShard(model, 100_000, 3)).toBeCloseTo(7_000);
  });

  it('to look is by how many are its own, where more of them cost more each', () => {
    const steep = { ...pointOf(1_000_000), firstPassCpuMs: 900_000 };
    const uneven = fitScale({ ...report, points: [...report.points, steep] });
    expect(startMsOfShard(uneven, 1_000_000, 1)).toBeCloseTo(960_000);
    expect(startMsOfShard(uneven, 1_000_000, 10)).toBeCloseTo(63_000);
  });

  it.each([
    { name: 'between two sizes on the line between them', own: 75_000, mebibytes: 250 },
    { name: 'beyond the largest on the last line, drawn on', own: 200_000, mebibytes: 500 },
    { name: 'below the smallest as there', own: 5, mebibytes: 120 },
  ])('lies $name', ({ own, mebibytes }) => {
    expect(bytesOfShard(model, own, 1) / mebibyte).toBeCloseTo(mebibytes);
  });

  it('never falls with more: a size that took more than a larger one is left out', () => {
    const odd = { ...pointOf(20_000), rssBytes: 900 * mebibyte };
    expect(fitScale({ ...report, points: [...report.points, odd] }).memory).toEqual(model.memory);
  });
});

describe('a report', () => {
  it('is what the bench writes, of which more is there than is read', () => {
    const written = {
      machine: 'm',
      changes: 100,
      storm: 1_000,
      points: [pointOf(10), pointOf(20)].map((point) => ({ ...point, delaysMs: [1] })),
    };
    expect(parseScaleReport(JSON.stringify(written)).points).toEqual([pointOf(10), pointOf(20)]);
  });

  it.each([
    { name: 'of one size', points: [pointOf(10)] },
    { name: 'of one size told twice', points: [pointOf(10), pointOf(20, 2)] },
    { name: 'of no memory', points: [pointOf(10), { performers: 20 }] },
  ])('$name is refused', ({ points }) => {
    expect(() => parseScaleReport(JSON.stringify({ machine: 'm', points }))).toThrow();
  });
});

describe('the page', () => {
  it('tells what was measured, and where the line is only drawn on', () => {
    const page = renderScalePage(report);
    expect(page).toContain('| 100,000 | all | 300 MiB | 6 s | 3 s |');
    expect(page).toContain('| 100,000 | 1 of 4 shards | 150 MiB |');
    expect(page).toContain('| 100,000 | 300 MiB | 200 MiB | 150 MiB | 125 MiB |');
    expect(page).toContain('| 1,000,000 | 2,100 MiB ¹ | 1,100 MiB ¹ |');
    expect(page).toContain('The most they can save of that of a million is 33.3 %');
  });

  it('says what was not measured', () => {
    const page = renderScalePage({
      machine: 'm',
      points: [10_000, 20_000].map((performers) => ({ performers, shards: 1, rssBytes: performers })),
    });
    expect(page).toContain('was not measured yet');
    expect(page).not.toContain('NaN');
    expect(page).not.toContain('undefined');
  });

  it('stands on figures that are kept', async () => {
    const kept = parseScaleReport(await readFile(join(projectRoot, scaleReportPath), 'utf8'));
    expect(fitScale(kept).memory.length).toBeGreaterThan(1);
  });
});
