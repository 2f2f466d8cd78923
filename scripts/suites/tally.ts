import { stripVTControlCharacters } from 'node:util';

/** What a suite came to. Names say where and what, for the list at the end. */
export interface Tally {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

export const emptyTally: Tally = { passed: 0, failed: [], skipped: [] };

/** Pure. */
export function addTallies(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: [...a.failed, ...b.failed], skipped: [...a.skipped, ...b.skipped] };
}

/** Where a skip is not allowed it is a failure by the same name. Pure. */
export function refuseSkips(tally: Tally): Tally {
  return { passed: tally.passed, failed: [...tally.failed, ...tally.skipped.map((name) => `${name} (skipped)`)], skipped: [] };
}

/** The closing line, e.g. `12 passed, 0 failed`. Pure. */
export function formatTally(tally: Tally): string {
  const counts = `${tally.passed} passed, ${tally.failed.length} failed`;
  return tally.skipped.length === 0 ? counts : `${counts}, ${tally.skipped.length} skipped`;
}

/** The part of vitest's JSON report that is read. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * Counts a suite from vitest's JSON report, and everything that looks like success without being one as a failure:
 * a file that did not load, a suite without a test, an exit code that no test explains. Pure.
 *
 * @param reportText undefined when vitest wrote none
 */
export function tallyVitest(suite: string, reportText: string | undefined, exitCode: number, root = ''): Tally {
  const report = parseReport(reportText);
  if (report === undefined) return { ...emptyTally, failed: [`${suite}: vitest wrote no report (exit code ${exitCode})`] };
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  for (const file of report.testResults) {
    const path = file.name.startsWith(`${root}/`) ? file.name.slice(root.length + 1) : file.name;
    const failedBefore = failed.length;
    for (const test of file.assertionResults) {
      const name = `${path}: ${test.fullName}`;
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failed.push([name, ...whyOf(test.failureMessages?.[0], root)].join('\n    '));
      else skipped.push(name);
    }
    if (file.status === 'failed' && failed.length === failedBefore) {
      failed.push(`${path}: ${firstLine(file.message) ?? 'the file did not load'}`);
    }
  }
  if (passed + failed.length === 0) failed.push(`${suite}: no test ran`);
  if (exitCode !== 0 && failed.length === 0)
    failed.push(`${suite}: vitest ended with exit code ${exitCode}, which no failed test explains`);
  return { passed, failed, skipped };
}

function parseReport(text: string | undefined): Report | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

/** What was expected, and the first place of ours it was said at: of a run that is over, the closing list is often all that is kept. */
function whyOf(stack: string | undefined, root: string): readonly string[] {
  const plain = stripVTControlCharacters(stack ?? '');
  const place = plain.split('\n').find((line) => line.includes(`${root}/`) && !line.includes('node_modules'));
  return [firstLine(plain)?.slice(0, 300), place?.trim().replace(`${root}/`, '')].filter((line) => line !== undefined);
}

function firstLine(text: string | undefined): string | undefined {
  const line = text?.split('\n')[0]?.trim();
  return line === '' ? undefined : line;
}
