import { type Command, InvalidArgumentError, Option } from 'commander';
import { type LogFormat, type LogLevel, logLevels } from '../telemetry/logger.ts';
import { flag } from './options.ts';

/** The flags that installations of the Go operator pass and that mean something here. */
export interface GoLogOptions {
  readonly zapDevel?: boolean;
  readonly zapEncoder?: 'json' | 'console';
  readonly zapLogLevel?: LogLevel;
}

const plainHttp = 'metrics are served over plain HTTP';
const noWebhook = 'there is no webhook server';
/** Accepted so that an installation can change its image and nothing else; each with why it has no effect. */
const withoutEffect: readonly (readonly [flags: string, because: string])[] = [
  ['--metrics-secure', plainHttp],
  ['--enable-http2', plainHttp],
  ['--webhook-port <port>', noWebhook],
  ['--cert-dir <dir>', noWebhook],
  ['--zap-stacktrace-level <level>', 'errors are logged without stacks'],
  ['--zap-time-encoding <encoding>', 'times are RFC 3339'],
];

export function addGoFlags(command: Command): Command {
  const options = [
    flag('--zap-devel', 'log as for development: text, from debug on'),
    new Option('--zap-encoder <encoding>', 'json, or console for text').choices(['json', 'console']),
    new Option('--zap-log-level <level>', 'debug, info, error, panic, or a number: 1 and more is debug').argParser(parseZapLevel),
    ...withoutEffect.map(([flags, because]) =>
      flags.includes('<') ? new Option(flags, `no effect: ${because}`) : flag(flags, `no effect: ${because}`),
    ),
  ];
  for (const option of options) command.addOption(option.helpGroup('Flags of the Go operator:'));
  return command;
}

/** One line for each flag that was given and has no effect. */
export function listIneffective(command: Command): readonly string[] {
  return withoutEffect.flatMap(([flags, because]) => {
    const [long] = flags.split(' ', 1);
    const name = command.options.find((option) => option.long === long)?.attributeName() ?? '';
    const given = ['cli', 'env'].includes(command.getOptionValueSource(name) ?? '');
    // Switched off is what it is.
    return given && command.getOptionValue(name) !== false ? [`${long} has no effect: ${because}`] : [];
  });
}

/** How to log: our own options, else what the Go operator's say, else the default. Pure. */
export function chooseLog(
  {
    logFormat,
    logLevel,
    zapEncoder,
    zapLogLevel,
    zapDevel,
  }: GoLogOptions & { readonly logFormat?: LogFormat; readonly logLevel?: LogLevel },
  defaults: { readonly format: LogFormat; readonly level: LogLevel },
): { readonly format: LogFormat; readonly level: LogLevel } {
  const encoded = zapEncoder === 'console' ? 'text' : zapEncoder;
  const fallback = zapDevel === true ? ({ format: 'text', level: 'debug' } as const) : defaults;
  return { format: logFormat ?? encoded ?? fallback.format, level: logLevel ?? zapLogLevel ?? fallback.level };
}

function parseZapLevel(text: string): LogLevel {
  if (/^\d+$/.test(text)) return Number(text) > 0 ? 'debug' : 'info';
  if (/^(?:dpanic|panic|fatal)$/.test(text)) return 'error';
  const level = logLevels.find((known) => known === text);
  if (level === undefined) throw new InvalidArgumentError('give debug, info, error, panic or a number.');
  return level;
}
