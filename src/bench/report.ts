/** A figure and what it must reach. */
export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly target: number;
  /** Whether the target is a ceiling or a floor. */
  readonly bound: 'at most' | 'at least' | 'below';
  readonly unit: string;
  /** Sample count, spread, what stands beside it. */
  readonly note: string;
  /** Where what was measured lies, as sure as a verdict must be; absent where nothing can be said. */
  readonly interval?: readonly [number, number];
}

/** A figure that could not be taken meets nothing. Pure. */
export function isMet({ bound, measured, target }: Goal): boolean {
  if (bound === 'below') return measured < target;
  return bound === 'at most' ? measured <= target : measured >= target;
}

export function goalVerdict(goal: Goal): 'met' | 'MISSED' | 'not measured' {
  if (Number.isNaN(goal.measured)) return 'not measured';
  return isMet(goal) ? 'met' : 'MISSED';
}

/** Whether another run might as well have said the opposite. Pure. */
export function isWithinNoise({ interval, target }: Goal): boolean {
  return interval !== undefined && interval[0] <= target && target <= interval[1];
}

/** Three significant digits, and no more than a reader needs: `0.213`, `71.4`, `1,043`; `–` where there is none. Pure. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  return value.toLocaleString('en-US', { maximumFractionDigits: size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3 });
}

/** Columns under a head; a column of figures is set to the right. Pure. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const rightSet = head.map((_, column) => rows.length > 0 && rows.every((row) => /^([-+]?[\d.,]+(\D{0,8})|–|)$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (rightSet[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** One row per goal: measured, target, their ratio, and whether it is met. Pure. */
export function formatGoals(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => {
    const unit = goal.unit === '' ? '' : ` ${goal.unit}`;
    const target = `${goal.bound} ${formatFigure(goal.target)}${unit}`;
    const ratio = formatFigure(goal.target === 0 ? Number.NaN : goal.measured / goal.target);
    return [
      goal.what,
      `${formatFigure(goal.measured)}${unit}`,
      target,
      ratio,
      `${goalVerdict(goal)}${isWithinNoise(goal) ? ', within noise' : ''}`,
      goal.note,
    ];
  });
  return formatTable(['what', 'measured', 'target', 'ratio', '', 'n, spread'], rows);
}
