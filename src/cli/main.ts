#!/usr/bin/env node
import { basename } from 'node:path';
import { CommanderError } from 'commander';
import { registerBench } from './commands/bench.ts';
import { registerBenchReports } from './commands/bench-reports.ts';
import { registerChaos } from './commands/chaos.ts';
import { registerChaosReport } from './commands/chaos-report.ts';
import { registerDev } from './commands/dev.ts';
import { registerInspect } from './commands/inspect.ts';
import { registerOnce } from './commands/once.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerWatch } from './commands/watch.ts';
import { exitCodes, toCliError } from './exit-codes.ts';
import { describeOption, EnvCommand, flag, takeForeignEnvironment } from './options.ts';
import { productVersion } from './version.ts';

// Installations of the Go operator start `/manager` with flags and no command.
const isManager = /^manager(?:\.m?js)?$/.test(basename(process.argv[1] ?? ''));

takeForeignEnvironment(process.env);
const program = new EnvCommand('hourglass')
  .description('Operator for Hourglass performers: converges Performer resources to Pods and Services.')
  .option('--kubeconfig <file>', 'kubeconfig to use (default: KUBECONFIG, the cluster this runs in, ~/.kube/config)')
  .option('--context <name>', 'context of the kubeconfig')
  .addOption(flag('--debug', 'print stack traces'))
  .version(productVersion)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true, optionDescription: describeOption })
  .addHelpText('afterAll', '\nEvery option but those of dev can also be given by the environment: --log-level as HOURGLASS_LOG_LEVEL.')
  .showHelpAfterError('(bin/hourglass --help lists the commands)');

registerOnce(program);
registerWatch(program, isManager);
registerInspect(program);
registerDev(program);
registerSimulate(program);
registerBench(program);
registerBenchReports(program);
registerChaos(program);
registerChaosReport(program);
program
  .command('crd')
  .description('print the CustomResourceDefinition of Performer, as YAML')
  .action(async () => {
    const { renderCrdYaml } = await import('../api/crd/performer-crd-yaml.ts');
    process.stdout.write(renderCrdYaml());
  });
program
  .command('version')
  .description('print the version')
  .action(() => void process.stdout.write(`hourglass ${productVersion} (node ${process.versions.node})\n`));

// A subcommand inherits the parser's settings only when it is told to.
for (const command of program.commands) command.copyInheritedSettings(program);

// A closed pipe (`| head`) is the reader's decision, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});

// Not awaited at the top: what commands load lazily imports from here, and would wait for us while we wait for it.
program
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = report(error);
  })
  // Everything is closed: taking the heap apart object by object is of use to nobody. But a slow reader of a pipe must get it all.
  .finally(() => process.stdout.write('', () => process.exit()));

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const known = toCliError(error);
  const debug = program.opts<{ debug?: boolean }>().debug === true;
  const message =
    known?.message ?? `unexpected: ${error instanceof Error ? error.message : String(error)} (run again with --debug for the stack)`;
  process.stderr.write(`hourglass: ${message}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return known?.exitCode ?? exitCodes.failed;
}
