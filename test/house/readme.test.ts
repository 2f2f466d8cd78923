import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Reason, reasons } from '../../src/api/v1alpha1/conditions.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** Said of a pass, never stored in a status. */
const unstored: readonly string[] = ['Draining', 'Repairing', 'Gone'];

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
  it('explains every reason a status can have, and says of each what the Ready condition says', () => {
    const rows = tableUnder('| Reason | Ready | Means | What to do |');
    const explained = Object.fromEntries(rows.map(([reason, ready]) => [reason?.replaceAll('`', ''), ready]));
    const entries = (Object.keys(reasons) as Reason[])
      .filter((reason) => !unstored.includes(reason))
      .map((reason) => [reason, reasons[reason].ready ? 'True' : reasons[reason].stalls ? 'False, Stalled' : 'False']);
    expect(explained).toEqual(Object.fromEntries(entries));
  });

  it('explains every exit code', () => {
    const explained = tableUnder('| Exit code | Means |').map(([code]) => Number(code));
    expect(explained).toEqual(Object.values(exitCodes).toSorted((a, b) => a - b));
  });
});
