import { type Command, Option } from 'commander';
import type { BenchCommandOptions } from '../bench.ts';
import { collect, parseCount } from '../options.ts';

/** What it does is loaded, with the testbed, when it runs. */
export function registerBench(program: Command): void {
  const command = program
    .command('bench')
    .description('measure the operator, and others beside it, on a cluster of its own or on yours (--kubeconfig)')
    .addOption(
      new Option('--profile <profile>', 'how fast the pods of its own cluster live; `nodes` runs them on real nodes (root, Linux)')
        .choices(['instant', 'node-like', 'nodes'])
        .default('instant'),
    )
    .option('--scenario <name>', 'only this one, or `all`; may be given several times', collect, [])
    .addOption(new Option('--quick', 'a few small scenarios, at most 4 minutes').conflicts('full'))
    .option('--full', 'all that a goal rests on, 5 rounds: with the three shipped peers about an hour')
    .option('--dry-run', 'print what would run and how long it takes')
    .option(
      '--compare <name=command>',
      'an operator to measure beside ours: a command, name=@FILE (adapter file), controller-runtime, controller-runtime-tuned, floor, ours-again; repeatable',
      collect,
      [],
    )
    .option('--repeat <count>', 'rounds (default: 3; 1 with --quick, 5 with --full)', parseCount)
    .option('--seed <number>', 'of the order of the operators', parseCount, 1)
    .option('--image <image>', 'of the pods; nodes that are not fake must be able to run it (default: one that only fake nodes run)')
    .option('--allow-existing', 'run though the cluster has Performers of its own, which every operator under test acts on')
    .option('--json', 'print the report as one JSON object')
    .option('--out <dir>', 'where report.json and the logs go; a folder without results of another run (default: one named after the time)')
    .addOption(
      new Option('--resume <dir>', 'go on with a run that was interrupted: the blocks that are missing, as it was asked for').conflicts(
        'profile scenario quick full compare repeat seed image allowExisting out'.split(' '),
      ),
    )
    .action(async () => {
      process.exitCode = await (await import('../bench.ts')).runBenchCommand(command.optsWithGlobals<BenchCommandOptions>());
    });
}
