import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Shard } from '../controller/shard.ts';
import { logLevels } from '../telemetry/logger.ts';
import type { Address } from '../telemetry/serve.ts';

/** `30s`, `2m`, `500ms`, `1h`, `1m30s` as in Go, or a plain number of seconds, in milliseconds. */
export function parseDuration(text: string): number {
  const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1_000;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(trimmed)) throw new InvalidArgumentError('give a duration such as 30s, 2m or 500ms.');
  const parts = trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit as keyof typeof unitMs], 0);
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('give a whole number, 1 or more.');
  return count;
}

/**
 * Where to listen: `:8080`, `127.0.0.1:0`, `[::1]:8080` or `localhost:8080`, as Go reads them; `0` and an empty text mean off.
 * Without a host: on all addresses of the machine.
 */
export function parseAddress(text: string): Address | 'off' {
  if (text === '0' || text === '') return 'off';
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535 || (match[1] !== undefined && isIP(host) !== 6))
    throw new InvalidArgumentError('give an address such as :8080 or 127.0.0.1:8080, or 0 for off.');
  return host === '' ? { port } : { host, port };
}

/** The values of an option that may be given several times. */
export const collect = (text: string, others: readonly string[] = []): readonly string[] => [...others, text];

/** `2/4`: the second of four. */
export function parseShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^([1-9]\d?)\/([1-9]\d?)$/.exec(text) ?? []).map(Number);
  if (index < 1 || index > count) throw new InvalidArgumentError('give which shard of how many, from 1/1 to 99/99, such as 2/4.');
  return { index, count };
}

export function parseOutput(text: string): 'text' | 'json' {
  if (text !== 'text' && text !== 'json') throw new InvalidArgumentError('give text or json.');
  return text;
}

/** What Go's flags take for true and false. */
export function parseBoolean(text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new InvalidArgumentError('give true or false.');
}

/** An option that is true when it is named, and takes `=false` like Go's flags. @param flags e.g. `--dry-run` */
export function flag(flags: string, description: string): Option {
  return new Option(`${flags} [bool]`, description).preset('true').argParser(parseBoolean);
}

/** Options of every command that talks to a cluster. */
export interface ConnectOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

/** Options of the commands that plan. */
export interface SettingsOptions {
  readonly clusterDomain: string;
  readonly securityProfile: 'privileged' | 'baseline' | 'restricted';
}

export function addSettingsOptions(command: Command): Command {
  return command
    .option('--cluster-domain <domain>', 'last part of the names of Services', 'cluster.local')
    .addOption(
      new Option('--security-profile <profile>', 'for Performers that name none')
        .choices(['privileged', 'baseline', 'restricted'])
        .default('privileged'),
    );
}

/** Options of the commands that may write. */
export interface WriterOptions extends ConnectOptions, SettingsOptions {
  readonly leaderElect: boolean;
  readonly leaseNamespace?: string;
  readonly leaseIdentity?: string;
  readonly workers: number;
  readonly shard?: Shard;
}

/** The same for `once` and `watch`. */
export function addWriterOptions(command: Command): Command {
  return addSettingsOptions(command)
    .option('-n, --namespace <namespace>', 'only this namespace (default: all)')
    .addOption(flag('-A, --all-namespaces', 'all namespaces, which is the default'))
    .option('--shard <i/n>', 'only the Performers whose names fall to shard i of n', parseShard)
    .option('--workers <count>', 'Performers worked on at once', parseCount, 16)
    .addOption(flag('--leader-elect', 'take the Lease before writing; without it two operators only hinder each other').default(true))
    .option('--lease-namespace <namespace>', 'where the Lease lives')
    .option('--lease-identity <identity>', 'name in the Lease; one that already holds it goes on at once');
}

/** @param level what is logged when it is not given, for the help; `format` likewise */
export function addLogOptions(command: Command, level: string, format: string): Command {
  return command
    .addOption(new Option('--log-level <level>', `least level that is logged (default: ${level})`).choices(logLevels))
    .addOption(new Option('--log-format <format>', `form of the log (default: ${format})`).choices(['text', 'json']));
}

/** Variables that installations of the Go operator set, and what they are here. */
const aliases = { LOG_LEVEL: 'HOURGLASS_LOG_LEVEL', LOG_FORMAT: 'HOURGLASS_LOG_FORMAT', NAMESPACE: 'HOURGLASS_NAMESPACE' } as const;
const foreignWords: Readonly<Record<string, string>> = { console: 'text', warning: 'warn', trace: 'debug' };
/** Others set variables of these names too: what is no word of ours is not meant for us. */
const knownWords = ['debug', 'info', 'warn', 'error', 'json', 'text'];

/** Gives those variables their names here, unless these are set too. */
export function takeForeignEnvironment(env: NodeJS.ProcessEnv): void {
  for (const [alias, name] of Object.entries(aliases)) {
    const value = alias.startsWith('LOG_') ? env[alias]?.toLowerCase() : env[alias];
    const word = foreignWords[value ?? ''] ?? value ?? '';
    if (word !== '' && (alias === 'NAMESPACE' || knownWords.includes(word))) env[name] ??= word;
  }
}

/** A command whose options can be given as `HOURGLASS_<OPTION>` too: flag before environment before default. */
export class EnvCommand extends Command {
  override createCommand(name?: string): Command {
    // Clusters of this machine have options that belong to one call.
    return name === 'dev' ? new Command(name) : new EnvCommand(name);
  }

  override addOption(option: Option): this {
    if (option.long !== '--version') option.env(`HOURGLASS_${option.name().replaceAll('-', '_').toUpperCase()}`);
    return super.addOption(option);
  }
}

/** The help's text of an option: its variable is named by rule, once for all. */
export function describeOption(option: Option): string {
  const facts = [
    ...(option.argChoices === undefined ? [] : [option.argChoices.join(', ')]),
    ...(option.defaultValue === undefined ? [] : [`default: ${option.defaultValueDescription ?? String(option.defaultValue)}`]),
  ];
  return facts.length === 0 ? option.description : `${option.description} (${facts.join('; ')})`;
}

/** The options of a command with those of its parents. @throws through commander when both one namespace and all are asked for */
export function readOptions<T extends ConnectOptions>(command: Command): T {
  const options = command.optsWithGlobals<T>();
  if (options.allNamespaces !== true || options.namespace === undefined) return options;
  // A flag beats the environment; two of one rank contradict each other.
  const [one, all] = [command.getOptionValueSource('namespace'), command.getOptionValueSource('allNamespaces')];
  if (one === all) command.error("error: option '-A, --all-namespaces' cannot be used with '-n, --namespace'", { exitCode: 2 });
  if (one === 'cli') return options;
  const { namespace: _, ...rest } = options;
  return rest as T;
}
