import { type Command, Option } from 'commander';
import type { ExplainOptions, TakeOptions } from '../inspect.ts';
import { addSettingsOptions, parseOutput, readOptions, type SettingsOptions } from '../options.ts';

/** `snapshot`, `plan` and `explain`; what they do is loaded when it is asked for. */
export function registerInspect(program: Command): void {
  const add = (name: string): Command => addSettingsOptions(program.command(name));
  add('snapshot')
    .argument('<name>', 'of the Performer')
    .description('print what one pass sees, as JSON; environment values only as keyed hashes')
    .option('-n, --namespace <namespace>', 'its namespace', 'default')
    .action(async (name: string, _options: unknown, command: Command) => {
      const { printSnapshot } = await import('../inspect.ts');
      await printSnapshot({ name, ...readOptions<Omit<TakeOptions, 'name'>>(command) });
    });
  add('plan')
    .description('print the plan for a snapshot, as JSON; touches no cluster')
    .requiredOption('--snapshot <file>', 'file made by `hourglass snapshot`, or - for standard input')
    .action(async (options: SettingsOptions & { readonly snapshot: string }) => {
      const { printPlan } = await import('../inspect.ts');
      await printPlan(options);
    });
  add('explain')
    .argument('[name]', 'of the Performer; left out with --snapshot')
    .description('tell what one pass sees of a Performer, what it decides and why, and what it waits for; writes nothing')
    .option('-n, --namespace <namespace>', 'its namespace', 'default')
    .option('--snapshot <file>', 'file made by `hourglass snapshot`, or - for standard input, in place of the cluster')
    .addOption(new Option('-o, --output <format>', 'text or json').argParser(parseOutput).default('text'))
    .action(async (name: string | undefined, _options: unknown, command: Command) => {
      const options = readOptions<ExplainOptions>(command);
      if ((name === undefined) === (options.snapshot === undefined))
        command.error('give the name of a Performer, or --snapshot with a file');
      const { printExplanation } = await import('../inspect.ts');
      process.exitCode = await printExplanation({ ...options, name: name ?? '' });
    });
}
