import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';

/** `chaos report` and `chaos explain`; what draws and replays is loaded when it runs. */
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
  chaos
    .command('explain')
    .description('replay the traces of runs in the simulator, with the operator of now: exit 3 where something is unexplained')
    .argument('<path>', 'folder of a run, or one of its traces')
    .action(async (path: string) => {
      const { explainTraces } = await import('../../../chaos/report/explain-traces.ts');
      const { text, isWhole } = await explainTraces(path);
      process.stdout.write(`${text}\n`);
      process.exitCode = isWhole ? exitCodes.ok : exitCodes.negative;
    });
}
