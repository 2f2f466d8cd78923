import { chaosReport } from '../../chaos/report.ts';
import { toJUnitCases } from '../../chaos/table.ts';
import { emptyTally, type Tally } from './tally.ts';

/**
 * Counts a chaos run by its report; an inconclusive experiment that was run again counts by its second attempt. Pure.
 *
 * @param text undefined when it wrote none
 */
export function tallyChaos(text: string | undefined, exitCode: number): Tally {
  if (text === undefined) return { ...emptyTally, failed: [`chaos: it wrote no report (exit code ${exitCode})`] };
  const cases = toJUnitCases(chaosReport.parse(JSON.parse(text)));
  const failed = cases.flatMap(({ name, failure }) => (failure === undefined ? [] : [`chaos: ${name}: ${failure}`]));
  const passed = cases.filter(({ failure, skipped }) => failure === undefined && skipped === undefined).length;
  const unexplained =
    failed.length === 0 && (exitCode !== 0 || passed === 0) ? [`chaos: exit code ${exitCode} with nothing that explains it`] : [];
  return { ...emptyTally, passed, failed: [...failed, ...unexplained] };
}
