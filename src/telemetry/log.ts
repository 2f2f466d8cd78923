import { type DestinationStream, destination, pino, stdTimeFunctions } from 'pino';
import { type Log, type LogFormat, type Logger, type LogLevel, renderLine } from './logger.ts';

/** Names under which environment or credentials could reach a line by mistake, at the top and one level down. */
const hidden = ['env', 'environment', 'authorization', 'token', 'password'].flatMap((name) => [name, `*.${name}`]);

/** The log of `watch`: pino on stderr (or `out`), as JSON for collectors or as text for a terminal. Lines are written before the call returns. */
export function createLogger(options: { readonly format: LogFormat; readonly level: LogLevel; readonly out?: DestinationStream }): Logger {
  const out = options.out ?? destination({ fd: 2, sync: true });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: hidden, censor: '[hidden]' },
    },
    options.format === 'json' ? out : { write: (line) => out.write(toText(line)) },
  );
  const at =
    (level: LogLevel): Log =>
    (message, fields = {}) =>
      logger[level](fields, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function toText(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  return renderLine(String(level), String(time), String(msg), fields);
}
