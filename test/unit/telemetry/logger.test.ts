import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/telemetry/log.ts';
import { createLineLogger, type LogFormat, type Logger, type LogLevel } from '../../../src/telemetry/logger.ts';

const kinds: Readonly<Record<string, (format: LogFormat, level: LogLevel, write: (text: string) => boolean) => Logger>> = {
  'of a short run': (format, level, write) =>
    createLineLogger({ write }, { format, level, nowMs: () => Date.parse('2026-01-02T03:04:05.678Z') }),
  'of watch': (format, level, write) => createLogger({ format, level, out: { write } }),
};

describe.each(Object.keys(kinds))('the log %s', (kind) => {
  const logged = (format: LogFormat, level: LogLevel, use: (log: Logger) => void): string[] => {
    const lines: string[] = [];
    const logger = kinds[kind]?.(format, level, (text) => lines.push(text) > 0);
    if (logger !== undefined) use(logger);
    return lines;
  };

  it('is one JSON object a line for collectors', () => {
    const [line = ''] = logged('json', 'info', (log) => log.warn('not ready', { key: 'a/b', next: undefined }));
    expect(line.endsWith('\n')).toBe(true);
    const { time, ...rest } = JSON.parse(line) as Record<string, string>;
    expect(rest).toEqual({ level: 'warn', msg: 'not ready', key: 'a/b' });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('is short text for people, with the level where it is no news and quotes where they are needed', () => {
    const lines = logged('text', 'debug', (log) => {
      log.info('leading');
      log.error('failed', { key: 'a/b', message: 'no "x" here', did: ['create Pod a'], next: undefined, empty: '' });
    });
    expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, ''))).toEqual([
      'leading\n',
      'ERROR failed key=a/b message="no \\"x\\" here" did=["create Pod a"] empty=""\n',
    ]);
  });

  it.each<{ level: LogLevel; shown: string[] }>([
    { level: 'debug', shown: ['d', 'i', 'w', 'e'] },
    { level: 'info', shown: ['i', 'w', 'e'] },
    { level: 'warn', shown: ['w', 'e'] },
    { level: 'error', shown: ['e'] },
  ])('at level $level shows $shown', ({ level, shown }) => {
    const lines = logged('json', level, (log) => {
      log.debug('d');
      log.info('i');
      log.warn('w');
      log.error('e');
    });
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(shown);
  });
});

describe('the log of watch', () => {
  it('hides what must not be shown, should it ever come to a line', () => {
    const lines: string[] = [];
    const log = createLogger({ format: 'json', level: 'info', out: { write: (text) => void lines.push(text) } });
    log.info('x', { env: [{ name: 'A', value: 'secret' }], config: { environment: { A: 'secret' } }, token: 'secret' });
    expect(lines.join('')).not.toContain('secret');
  });
});
