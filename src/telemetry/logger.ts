import type { Writable } from 'node:stream';

export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = 'text' | 'json';

/** Log lines: the text is constant, what varies stands in fields. No field may hold an environment value. */
export type Logger = { readonly [Level in LogLevel]: Log };

/** The line a person reads: time of day, level where it is no news, message, fields. Pure. */
export function renderLine(level: string, time: string, message: string, fields: Readonly<Record<string, unknown>>): string {
  const tail = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value)}`);
  return `${time.slice(11, 23)} ${level === 'info' ? '' : `${level.toUpperCase()} `}${message}${tail.join('')}\n`;
}

/** A logger of a few lines for runs that start fast and end soon; `watch` has pino. */
export function createLineLogger(
  out: Pick<Writable, 'write'>,
  options: { readonly format: LogFormat; readonly level: LogLevel; readonly nowMs: () => number },
): Logger {
  const at =
    (level: LogLevel): Log =>
    (message, fields = {}) => {
      if (logLevels.indexOf(level) < logLevels.indexOf(options.level)) return;
      const time = new Date(options.nowMs()).toISOString();
      out.write(
        options.format === 'json'
          ? `${JSON.stringify({ level, time, msg: message, ...fields })}\n`
          : renderLine(level, time, message, fields),
      );
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
