import type { Mutant } from './mutants.ts';
import type { Result } from './share.ts';

export interface FileScore {
  readonly file: string;
  readonly mutants: number;
  readonly killed: number;
  readonly survived: number;
}

/** Share of the mutants that some test notices, in percent, cut to one decimal. Pure. */
export function computeScore({ mutants, killed }: Pick<FileScore, 'mutants' | 'killed'>): number {
  return mutants === 0 ? 100 : Math.floor((killed / mutants) * 1_000) / 10;
}

/** One row for each file, by name. Pure. */
export function scoreFiles(results: readonly Result[]): readonly FileScore[] {
  const files = [...new Set(results.map(({ mutant }) => mutant.file))].toSorted();
  return files.map((file) => {
    const own = results.filter(({ mutant }) => mutant.file === file);
    const killed = own.filter(({ outcome }) => outcome === 'killed').length;
    return { file, mutants: own.length, killed, survived: own.length - killed };
  });
}

/** The table by file as Markdown. Pure. */
export function formatScores(scores: readonly FileScore[]): string {
  const rows = scores.map((row) => `| \`${row.file}\` | ${row.mutants} | ${row.killed} | ${row.survived} | ${computeScore(row)} % |`);
  return ['| File | Mutants | Killed | Survived | Score |', '|---|--:|--:|--:|--:|', ...rows].join('\n');
}

/** `src/…/rollout.ts:12 comparison: a > b → a >= b`. Pure. */
export function describeMutant({ file, line, mutator, original, replacement }: Mutant): string {
  return `${file}:${line} ${mutator}: ${original} → ${replacement.replaceAll(/\s+/g, ' ').slice(0, 120)}`;
}
