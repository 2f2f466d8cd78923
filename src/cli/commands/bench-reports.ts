import { type Command, InvalidArgumentError } from 'commander';
import type { CompareCommandOptions, ReportCommandOptions } from '../bench-reports.ts';

/** `bench compare` and `bench report`; what they do is loaded, with what draws, when one of them runs. */
export function registerBenchReports(program: Command): void {
  const bench =
    program.commands.find((command) => command.name() === 'bench') ?? program.command('bench').description('reports of benchmarks');
  bench
    .command('compare')
    .description('compare two reports row by row, paired by round; exit code 3 for a regression beyond noise, 4 when no row can be judged')
    .argument('<before>', 'report.json of a run')
    .argument('<after>', 'report.json of another, or the same one with --subjects')
    .option('--baseline <file>', 'report.json of a run of one operator against itself: nothing below what it differs by is claimed')
    .option('--subjects <before,after>', 'which operator of each (default: the first of each)', parseSubjects)
    .option(
      '--control <name>',
      'an operator that did not change: what it differs by is the machine and left out (default: floor, where two runs have it; `none`: nothing)',
    )
    .option('--junit <file>', 'write the rows as a JUnit file as well')
    .option('--json', 'print the rows as one JSON object')
    .action(async (before: string, after: string, _options: unknown, command: Command) => {
      // An option that `bench` has as well is taken by that.
      const options = command.optsWithGlobals<CompareCommandOptions>();
      process.exitCode = await (await import('../bench-reports.ts')).runBenchCompare(before, after, options);
    });
  bench
    .command('report')
    .description('draw a report: report.html, which stands alone, and junit.xml with the goals; prints the tables')
    .argument('<file>', 'report.json of a run')
    .option('--out <dir>', 'where they go (default: beside it)')
    .action(async (file: string, _options: unknown, command: Command) => {
      await (await import('../bench-reports.ts')).runBenchReport(file, command.optsWithGlobals<ReportCommandOptions>());
    });
}

function parseSubjects(text: string): readonly [string, string] {
  const [before, after, ...more] = text.split(',');
  if (!before || !after || more.length > 0) throw new InvalidArgumentError('give two names with a comma between them.');
  return [before, after];
}
