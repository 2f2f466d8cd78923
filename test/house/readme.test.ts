import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** The rows of the table that has this heading, as cells. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const lines = readme.split('\n');
  const start = lines.indexOf(heading);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the README', () => {
  it('explains every exit code', () => {
    const explained = tableUnder('| Exit code | Means |').map(([code]) => Number(code));
    expect(explained).toEqual(Object.values(exitCodes).toSorted((a, b) => a - b));
  });
});
