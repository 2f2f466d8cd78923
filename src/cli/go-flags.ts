import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LogFormat, LogLevel } from '../telemetry/logger.ts';
import { flag } from './options.ts';

/** The flags that installations of the Go operator pass and that mean something here. */
export interface GoLogOptions {
  readonly zapDevel?: boolean;
  readonly zapEncoder?: 'json' | 'console';
  readonly zapLogLevel?: LogLevel;
}

const heading = 'Flags of the Go operator:';
const plainHttp = 'metrics are served over plain HTTP';
const noWebhook = 'there is no webhook server';
const noStacks = 'errors are logged without stacks';

/** Accepted so that an installation can change its image and nothing else; each with why it has no effect. */
const withoutEffect: readonly { readonly flags: string; readonly because: string }[] = [
  { flags: '--metrics-secure', because: plainHttp },
  { flags: '--enable-http2', because: plainHttp },
  { flags: '--webhook-port <port>', because: noWebhook },
  { flags: '--cert-dir <dir>', because: noWebhook },
  { flags: '--zap-stacktrace-level <level>', because: noStacks },
  { flags: '--zap-time-encoding <encoding>', because: 'times are RFC 3339' },
];

export function addGoFlags(command: Command): Command {
  const add = (option: Option): Command => command.addOption(option.helpGroup(heading));
  add(flag('--zap-devel', 'log as for development: text, from debug on'));
  add(new Option('--zap-encoder <encoding>', 'json, or console for text').choices(['json', 'console']));
  add(new Option('--zap-log-level <level>', 'debug, info, error, panic, or a number: 1 and more is debug').argParser(parseZapLevel));
  for (const { flags, because } of withoutEffect) {
    const description = `no effect: ${because}`;
    add(flags.includes('<') ? new Option(flags, description) : flag(flags, description));
  }
  return command;
}

/** One line for each flag that was given and has no effect. */
export function listIneffective(command: Command): readonly string[] {
  return command.options.flatMap((option) => {
    const given = ['cli', 'env'].includes(command.getOptionValueSource(option.attributeName()) ?? '');
    const row = withoutEffect.find(({ flags }) => flags.split(' ', 1)[0] === option.long);
    // Switched off is what it is.
    if (!given || row === undefined || command.getOptionValue(option.attributeName()) === false) return [];
    return [`${option.long} has no effect: ${row.because}`];
  });
}

/** How to log: our own options, else what the Go operator's say, else the default. Pure. */
export function chooseLog(
  options: GoLogOptions & { readonly logFormat?: LogFormat; readonly logLevel?: LogLevel },
  defaults: { readonly format: LogFormat; readonly level: LogLevel },
): { readonly format: LogFormat; readonly level: LogLevel } {
  const encoders = { json: 'json', console: 'text' } as const;
  const zapFormat = options.zapEncoder === undefined ? undefined : encoders[options.zapEncoder];
  return {
    format: options.logFormat ?? zapFormat ?? (options.zapDevel === true ? 'text' : defaults.format),
    level: options.logLevel ?? options.zapLogLevel ?? (options.zapDevel === true ? 'debug' : defaults.level),
  };
}

function parseZapLevel(text: string): LogLevel {
  const levels: Readonly<Record<string, LogLevel>> = {
    debug: 'debug',
    info: 'info',
    warn: 'warn',
    error: 'error',
    dpanic: 'error',
    panic: 'error',
    fatal: 'error',
  };
  const level = /^\d+$/.test(text) ? (Number(text) > 0 ? 'debug' : 'info') : levels[text];
  if (level === undefined) throw new InvalidArgumentError('give debug, info, error, panic or a number.');
  return level;
}
