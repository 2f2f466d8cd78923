import { describe, expect, it } from 'vitest';
import { isGenerated, isSource, readSources, type Sources } from '../support/sources.ts';

/**
 * Lines a part may have. Growing past one is a decision, made here. Of the whole, lines of code count: what explains them is wanted.
 * The simulator, its oracles, the bench and the testbed stand apart: they are instruments, half of the whole, and each limit is what they came down to.
 */
const limits: readonly { readonly part: string; readonly lines: number; readonly only?: 'code'; readonly but?: readonly string[] }[] = [
  { part: 'src/', lines: 11_120, only: 'code', but: ['src/sim/', 'src/oracle/', 'src/bench/', 'src/testbed/'] },
  { part: 'src/testbed/', lines: 3_800, only: 'code' },
  { part: 'src/bench/', lines: 3_220, only: 'code' },
  { part: 'src/sim/', lines: 5_520, only: 'code' },
  { part: 'src/oracle/', lines: 2_140, only: 'code' },
  { part: 'src/reconcile/plan/', lines: 2_500 },
  { part: 'chaos/', lines: 6_440, only: 'code' },
];
const fileLines = 400;

const countLines = (text: string): number => text.replace(/\n$/, '').split('\n').length;

/** Lines that are neither blank nor comment. */
function countCode(text: string): number {
  const lines = text.replace(/\/\*[\s\S]*?\*\//g, '').split('\n');
  return lines.filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
}

/** One line per part or file that is too long. */
function findTooLong(all: Sources): readonly string[] {
  const sources = new Map([...all].filter(([path]) => !isGenerated(path)));
  const parts = limits.flatMap(({ part, lines, only, but = [] }) => {
    const count = only === 'code' ? countCode : countLines;
    const total = [...sources]
      .filter(([path]) => path.startsWith(part) && !but.some((one) => path.startsWith(one)))
      .reduce((sum, [, text]) => sum + count(text), 0);
    return total < lines ? [] : [`${part}: ${total} lines, fewer than ${lines} allowed`];
  });
  const files = [...sources].flatMap(([path, text]) => {
    const lines = countLines(text);
    return lines <= fileLines ? [] : [`${path}: ${lines} lines, at most ${fileLines} allowed`];
  });
  return [...parts, ...files];
}

describe('sizes', () => {
  it('stay readable', () => {
    const sources = readSources((path) => isSource(path) || /^(?:scripts|chaos)\/.*\.(ts|mjs)$/.test(path));
    expect(sources.size).toBeGreaterThan(10);
    expect(findTooLong(sources)).toEqual([]);
  });

  it.each([
    { name: 'a file', sources: { 'src/lib/a.ts': 401 }, found: ['src/lib/a.ts: 401 lines, at most 400 allowed'] },
    { name: 'no generated file', sources: { 'src/grpc/gen/a_pb.ts': 20_000 }, found: [] },
    { name: 'no file that just fits', sources: { 'src/lib/a.ts': 400 }, found: [] },
  ])('find $name', ({ sources, found }) => {
    expect(findTooLong(new Map(Object.entries(sources).map(([path, lines]) => [path, 'x\n'.repeat(lines)])))).toEqual(found);
  });

  it('find a core that grew too large', () => {
    const sources = new Map(Array.from({ length: 10 }, (_, index) => [`src/reconcile/plan/${index}.ts`, 'x\n'.repeat(250)]));
    expect(findTooLong(sources)).toEqual(['src/reconcile/plan/: 2500 lines, fewer than 2500 allowed']);
  });

  it('count comments and blank lines of a file, not of the whole', () => {
    const text = '/**\n * What it is.\n */\n\n// Why.\nconst a = 1;\n'.repeat(50);
    const sources = new Map(Array.from({ length: 100 }, (_, index) => [`src/lib/${index}.ts`, text]));
    expect(findTooLong(sources)).toEqual([]);
  });
});
