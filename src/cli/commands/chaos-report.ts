import type { Command } from 'commander';

/** `chaos report`; what draws is loaded when it runs. */
export function registerChaosReport(program: Command): void {
  const chaos =
    program.commands.find((command) => command.name() === 'chaos') ?? program.command('chaos').description('reports of chaos runs');
  chaos
    .command('report')
    .description('draw a report: chaos.html, which stands alone, and junit.xml; prints the tables')
    .argument('<path>', 'report.json of a run, or its folder')
    .option('--out <dir>', 'where they go (default: beside it)')
    .action(async (path: string, _options: unknown, command: Command) => {
      const { redrawChaosReport } = await import('../../../chaos/report/write-report.ts');
      // `chaos` has an option of that name as well, and takes it.
      process.stdout.write(`${await redrawChaosReport(path, command.optsWithGlobals<{ readonly out?: string }>().out)}\n`);
    });
}
