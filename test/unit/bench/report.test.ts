import { describe, expect, it } from 'vitest';
import { formatFigure, formatGoals, formatTable, type Goal, isMet } from '../../../src/bench/report.ts';

const goal = (part: Partial<Goal>): Goal => ({ what: 'it', measured: 1, target: 1, bound: 'at most', unit: '', note: '', ...part });

describe('a goal', () => {
  it.each<Partial<Goal> & { met: boolean }>([
    { bound: 'at most', measured: 1, target: 1, met: true },
    { bound: 'at most', measured: 1.01, target: 1, met: false },
    { bound: 'below', measured: 1, target: 1, met: false },
    { bound: 'below', measured: 0.99, target: 1, met: true },
    { bound: 'at least', measured: 3, target: 3, met: true },
    { bound: 'at least', measured: 2.9, target: 3, met: false },
  ])('$bound $target is met by $measured: $met', ({ met, ...part }) => {
    expect(isMet(goal(part))).toBe(met);
  });

  it.each(['at most', 'at least', 'below'] as const)('%s is not met by a figure that could not be taken', (bound) => {
    expect(isMet(goal({ bound, measured: Number.NaN }))).toBe(false);
  });
});

it.each([
  [0, '0'],
  [0.00004, '4.0e-5'],
  [0.2134, '0.213'],
  [7.456, '7.46'],
  [71.44, '71.4'],
  [1043.2, '1,043'],
  [Number.NaN, '–'],
])('%d is written %s', (value, text) => {
  expect(formatFigure(value)).toBe(text);
});

it('sets figures to the right and words to the left', () => {
  const table = formatTable(
    ['client', 'ms'],
    [
      ['ours', '5'],
      ['theirs', '1,200'],
    ],
  );
  expect(table.split('\n')).toEqual(['client     ms', '──────  ─────', 'ours        5', 'theirs  1,200']);
});

it('shows each goal with its target, their ratio and whether it is met', () => {
  const text = formatGoals([
    goal({ what: 'start', measured: 60, target: 120, unit: 'ms', note: 'n 5' }),
    goal({ what: 'lost', measured: 2, target: 0 }),
  ]);
  const [, , start, lost] = text.split('\n').map((line) => line.split(/ {2,}/));
  expect(start).toEqual(['start', '60 ms', 'at most 120 ms', '0.5', 'met', 'n 5']);
  expect(lost).toEqual(['lost', '2', 'at most 0', '–', 'MISSED']);
});
