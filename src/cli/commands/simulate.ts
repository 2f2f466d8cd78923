import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseCount } from '../options.ts';
import type { SimulateOptions } from '../simulate.ts';

/** Of one run, which many cannot have. */
const single = (flags: string, about: string): Option => new Option(flags, about).conflicts(['seeds', 'minutes']);

/** The operator in a simulated world. What it does is loaded when it runs. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('run the real operator in a simulated cluster with faults, by seed: exit 0 no violation, 3 violations')
    .addOption(single('--seed <n>', 'one seed, told in full').argParser(parseSeed))
    .option('--seeds <n>', 'so many seeds, from --from on', parseCount)
    .option('--from <n>', 'the first of --seeds', parseSeed, 1)
    .option('--minutes <m>', 'as many seeds as fit in that time', parseMinutes)
    .addOption(single('--scenario <name>', 'a run without chance in its plan; `list` names them').conflicts(['plan', 'seeds', 'minutes']))
    .addOption(
      single('--plan <file>', 'a run that was written down: a corpus entry, or what --out wrote').conflicts(['seed', 'seeds', 'minutes']),
    )
    .addOption(new Option('--mode <mode>', 'how the operator runs, whatever the seed says').choices(['once', 'watch', 'both']))
    .addOption(single('--until <ms>', 'stop at that time of the run, and show how things stand').argParser(parseCount))
    .option('--jobs <n>', 'processes at once (default: one per core)', parseCount)
    .addOption(single('--shrink', 'look for the smallest plan that violates the same statement'))
    .option('--out <dir>', 'write plan, story and result of each violation there')
    .addOption(single('--html <file>', 'draw the timeline of the run there'))
    .option('--json', 'one JSON object')
    .addOption(new Option('--worker').hideHelp())
    .action(async (options: SimulateOptions) => {
      process.exitCode = await (await import('../simulate.ts')).runSimulate(options);
    });
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(seed) || seed < 0) throw new InvalidArgumentError('give a whole number, 0 or more.');
  return seed;
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0)) throw new InvalidArgumentError('give a number of minutes, such as 5 or 0.5.');
  return minutes;
}
