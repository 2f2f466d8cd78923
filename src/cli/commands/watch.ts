import { type Command, Option } from 'commander';
import { addGoFlags, listIneffective } from '../go-flags.ts';
import { addLogOptions, addWriterOptions, parseAddress, parseDuration, readOptions } from '../options.ts';
import type { WatchOptions } from '../run-watch.ts';

/** @param isDefault whether it is meant when no command is named */
export function registerWatch(program: Command, isDefault: boolean): void {
  const command = program.command('watch', { isDefault }).description('keep all Performers converged until SIGTERM');
  addLogOptions(addWriterOptions(command), 'info', 'text on a terminal, else json')
    .addOption(
      new Option('--drain <duration>', 'how long passes under way may take after SIGTERM').argParser(parseDuration).default(20_000, '20s'),
    )
    .addOption(
      new Option('--resync <duration>', 'look at every Performer once in this time though nothing happened; 0: never')
        .argParser(parseDuration)
        .default(600_000, '10m'),
    )
    .option('--metrics-bind-address <address>', 'where /metrics is served; 0: nowhere (default: :8080 in a cluster)', parseAddress)
    .option(
      '--health-probe-bind-address <address>',
      'where /healthz and /readyz are served; 0: nowhere (default: :8081 in a cluster)',
      parseAddress,
    )
    .action(async () => {
      const { runOperator } = await import('../run-watch.ts');
      process.exitCode = await runOperator(readOptions<WatchOptions>(command), listIneffective(command));
    });
  addGoFlags(command);
}
