import type { Outcome } from '../controller/outcome.ts';
import type { WriteCounts } from '../kube/counting.ts';
import { keyText, type ObjectKey } from '../kube/objects.ts';
import { describeAction, type Plan } from '../reconcile/plan/actions.ts';
import { hintFor } from './exit-codes.ts';

export type OnceVerdict = 'Converged' | 'Waiting' | 'Stalled' | 'Failed';

/** What `once -o json` prints. */
export interface OnceReport {
  readonly result: OnceVerdict;
  /** `this` when this run was the one that wrote, else who holds the Lease. */
  readonly writer: string;
  readonly performers: number;
  readonly passes: number;
  readonly writes: WriteCounts;
  readonly keys: readonly OnceKeyReport[];
  readonly durationMs: number;
}

export interface OnceKeyReport {
  readonly key: string;
  readonly outcome: Outcome['kind'];
  readonly reason: string;
  readonly message: string;
  /** With `--dry-run` or where another holds the Lease: what would be done. */
  readonly planned?: readonly string[];
}

/** One verdict over all keys: the worst. Pure. */
export function judgeOutcomes(outcomes: readonly Outcome[]): OnceVerdict {
  const kinds = new Set(outcomes.map((outcome) => outcome.kind));
  if (kinds.has('failed')) return 'Failed';
  if (kinds.has('stalled')) return 'Stalled';
  return kinds.has('waiting') ? 'Waiting' : 'Converged';
}

export function reportKey(key: ObjectKey, outcome: Outcome, plan: Plan | undefined): OnceKeyReport {
  const planned = plan === undefined || plan.actions.length === 0 ? {} : { planned: plan.actions.map(describeAction) };
  const hint = outcome.kind === 'failed' ? hintFor(outcome.reason) : undefined;
  const message = hint === undefined ? outcome.message : `${outcome.message}. ${hint}`;
  return { key: keyText(key), outcome: outcome.kind, reason: outcome.reason, message, ...planned };
}

/** The report as a table a person likes to read. Pure. */
export function renderOnce(report: OnceReport, options: { readonly dryRun: boolean; readonly width: number }): string {
  const rows = report.keys.map((row) => [row.key, row.outcome, row.reason, row.message]);
  const table =
    rows.length === 0 ? ['No Performers found.'] : renderTable(['PERFORMER', 'OUTCOME', 'REASON', 'MESSAGE'], rows, options.width);
  const planned = report.keys.flatMap(({ key, planned: actions = [] }) => actions.map((action) => `  ${key}: ${action}`));
  const { create, patch, delete: deleted } = report.writes;
  const writes = options.dryRun
    ? 'dry run, nothing written'
    : `${create + patch + deleted} writes (${create} create, ${patch} patch, ${deleted} delete)`;
  const writer = report.writer === 'this' ? '' : ` · ${report.writer} holds the Lease, this run only looked`;
  const ms = report.durationMs;
  const duration = ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
  return [...table, ...planned, '', `${report.result}: ${report.performers} Performers, ${writes}, ${duration}${writer}`].join('\n');
}

/** Columns as wide as their widest cell; the last one is cut to the terminal. Pure. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], width: number): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  return [head, ...rows].map((row) => {
    const cells = row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)));
    const line = cells.join('   ').trimEnd();
    return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line;
  });
}
