/** A row as a test: failed, skipped, or neither when it passed. */
export interface JUnitCase {
  readonly suite: string;
  readonly name: string;
  readonly failure?: string;
  readonly skipped?: string;
}

/** A JUnit file, one `testsuite` per suite in the order they come. Pure. */
export function formatJUnit(name: string, cases: readonly JUnitCase[]): string {
  const suites = [...Map.groupBy(cases, ({ suite }) => suite)].map(([suite, rows]) => {
    const lines = rows.map(({ name: row, failure, skipped }) => {
      const open = `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(row)}"`;
      if (failure !== undefined) return `${open}><failure message="${escapeXml(failure)}"/></testcase>`;
      return skipped === undefined ? `${open}/>` : `${open}><skipped message="${escapeXml(skipped)}"/></testcase>`;
    });
    return [`  <testsuite name="${escapeXml(suite)}" ${counts(rows)}>`, ...lines, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(name)}" ${counts(cases)}>\n${suites.join('\n')}\n</testsuites>\n`;
}

function counts(cases: readonly JUnitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter(({ failure, skipped: why }) => failure === undefined && why !== undefined).length;
  return `tests="${cases.length}" failures="${failures}" skipped="${skipped}"`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For XML and HTML, in text and in attributes; what XML cannot hold at all is left out. Pure. */
export function escapeXml(text: string): string {
  return text.replace(/(?![\t\n\r])\p{Cc}/gu, '').replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
