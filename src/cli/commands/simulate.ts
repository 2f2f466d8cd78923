import { type Command, Option } from 'commander';
import { parseCount } from '../options.ts';
import type { SimulateOptions } from '../simulate.ts';

/** The operator in a simulated world. What it does is loaded when it runs. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('run the real operator in a simulated cluster with faults, by seed: exit 0 no violation, 3 violations')
    .option('--seed <n>', 'one seed, told in full', parseSeed)
    .option('--seeds <n>', 'so many seeds, from --from on', parseCount)
    .option('--from <n>', 'the first of --seeds', parseSeed, 1)
    .option('--minutes <m>', 'as many seeds as fit in that time', Number)
    .option('--scenario <name>', 'a run without chance in its plan; `list` names them')
    .option('--plan <file>', 'a run that was written down: a corpus entry, or what --out wrote')
    .addOption(new Option('--mode <mode>', 'how the operator runs, whatever the seed says').choices(['once', 'watch', 'both']))
    .option('--until <ms>', 'stop at that time of the run, and show where it stands', parseCount)
    .option('--jobs <n>', 'processes at once (default: one per core)', parseCount)
    .option('--shrink', 'look for the smallest plan that violates the same statement')
    .option('--out <dir>', 'write plan, story and result of each violation there')
    .option('--html <file>', 'draw the timeline of the run there')
    .option('--json', 'one JSON object')
    .addOption(new Option('--worker').hideHelp())
    .action(async (options: SimulateOptions) => {
      process.exitCode = await (await import('../simulate.ts')).runSimulate(options);
    });
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0) throw new RangeError('a seed is a whole number, 0 or more');
  return seed;
}
