import { describe, expect, it } from 'vitest';
import { renderBenchPage } from '../../../scripts/bench-page.ts';
import { makeBenchReport } from '../../support/bench-reports.ts';

describe('the page of benchmark results', () => {
  const full = makeBenchReport({
    seed: 5,
    subjects: [{ name: 'ours', writes: 5 }, { name: 'floor' }],
    scenarios: ['create-2-per-second', 'burst-200'],
  });
  const scale = makeBenchReport({ seed: 6, subjects: [{ name: 'ours' }], scenarios: ['scale-100', 'scale-1000', 'scale-10000'] });
  const page = renderBenchPage({ full: { ...full, partialBecause: 'the disk was full' }, scale });

  it('names the goals that were missed, and counts them', () => {
    const missed = page.match(/^\|.*\*\*missed\*\*.*$/gm) ?? [];
    const [, within, beyond] =
      /^Of \d+ goals \d+ were met, (\d+) missed within noise .*, (\d+) missed: [^.]*writes per create, burst of 200/m.exec(page) ?? [];
    expect(missed.length).toBeGreaterThan(0);
    expect(Number(within) + Number(beyond)).toBe(missed.length);
  });

  it('says what speaks against its figures', () => {
    expect(page).toContain('- partial: the disk was full');
  });

  it('names the goals that were not measured', () => {
    expect(page).toMatch(/Not measured: \d+: [^.]*image change, without a ready pod, p50/);
    expect(page).not.toMatch(/^\| image change/m);
  });

  it('marks what rests on one round', () => {
    const once = makeBenchReport({ seed: 7, rounds: 1, subjects: [{ name: 'ours' }, { name: 'floor' }], scenarios: ['burst-200'] });
    const told = renderBenchPage({ full: once, scale });
    expect(told).toMatch(/^\| burst of 200, all ready : floor .* one round \|$/m);
    expect(told).toMatch(/Resting on one round, .*: [1-9]\d*, marked below/);
    expect(page).not.toMatch(/^\| burst of 200, all ready : floor .* one round \|$/m);
  });

  it('draws the line through the numbers of Performers', () => {
    expect(page).toMatch(/^\| ours \|.*100: .*1,000: .*10,000: /m);
  });

  it('has no row with a cell more or less than its head', () => {
    const tables = page.split('\n\n').filter((part) => part.startsWith('|'));
    expect(tables.length).toBeGreaterThan(3);
    for (const table of tables)
      expect(
        new Set(
          table
            .trim()
            .split('\n')
            .map((row) => row.split(/(?<!\\)\|/).length),
        ).size,
      ).toBe(1);
  });
});
