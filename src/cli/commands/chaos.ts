import { type Command, Option } from 'commander';
import type { ChaosCommandOptions } from '../../../chaos/command.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { abortOnSignals } from '../operator.ts';
import { collect, parseCount } from '../options.ts';
import { productVersion } from '../version.ts';

const exitCodeOf = { passed: exitCodes.ok, failed: exitCodes.negative, inconclusive: exitCodes.inconclusive } as const;

/** What it does is loaded, with the testbed, when it runs. */
export function registerChaos(program: Command): void {
  const command = program
    .command('chaos')
    .description('break a cluster on purpose and judge the operator: exit 0 all passed, 3 something failed, 4 inconclusive')
    .addOption(
      new Option('--suite <suite>', 'smoke: each fault once and short; full: whole windows, times judged too; soak: a random walk')
        .choices(['smoke', 'full', 'soak'])
        .default('smoke'),
    )
    .option('--experiment <ids>', 'only these, e.g. C1,C4b; `list` names them', (text: string) => text.split(','))
    .option('--seed <number>', 'of order and targets', parseCount, 1)
    .option('--repeat <count>', 'rounds', parseCount, 1)
    .option('--minutes <count>', 'of a soak (default: 20)', parseCount)
    .option('--from-step <number>', 'of a soak: its first step, counted from 1, to do a part of it again', parseCount)
    .addOption(
      new Option(
        '--timers <timers>',
        'how soon a lost node is noticed: stock, in 50 s, as on most clusters, or fast, in 8 s (default: fast on a cluster of its own; with --kubeconfig stock, and of the testbed as it is)',
      ).choices(['fast', 'stock']),
    )
    .option(
      '--subject <subject>',
      'ours, once, deployment, controller-runtime or NAME=@FILE (docs/chaos.md); repeat it to compare',
      collect,
    )
    .option('--judge-times', 'judge how fast it was also in the smoke suite')
    .option('--performer-image <image>', 'with --kubeconfig: the test performer, where its nodes can pull it')
    .option('--pause-image <image>', 'with --kubeconfig: a program that does nothing, where its nodes can pull it')
    .option('--yes-break-this-cluster <context>', 'with --kubeconfig: the context that you mean')
    .option('--json', 'print the report as one JSON object')
    .option('--out <dir>', 'where report.json, chaos.html and junit.xml go (default: a folder named after the time)')
    .option('--resume', 'go on with the run whose report is in --out: what has a verdict is kept; ask for the same again')
    .action(async () => {
      process.exitCode = await run(command.optsWithGlobals<ChaosCommandOptions>());
    });
}

async function run(options: ChaosCommandOptions): Promise<number> {
  const { runChaosCommand } = await import('../../../chaos/command.ts');
  const around = { productVersion, signal: abortOnSignals('SIGHUP') };
  try {
    const { text, verdict } = await runChaosCommand(options, around);
    process.stdout.write(`${text}\n`);
    return exitCodeOf[verdict];
  } catch (error) {
    throw error instanceof RangeError ? new CliError(error.message, exitCodes.usage) : error;
  }
}
