import { CommanderError, type Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { addGoFlags, chooseLog, type GoLogOptions, listIneffective } from '../../../src/cli/go-flags.ts';
import {
  addLogOptions,
  addWriterOptions,
  EnvCommand,
  parseAddress,
  parseDuration,
  parseShard,
  readOptions,
  takeForeignEnvironment,
  type WriterOptions,
} from '../../../src/cli/options.ts';
import type { LogLevel } from '../../../src/telemetry/logger.ts';
import type { Address } from '../../../src/telemetry/serve.ts';

const durations: readonly (readonly [text: string, ms: number])[] = [
  ['30s', 30_000],
  ['2m', 120_000],
  ['500ms', 500],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['7', 7_000],
  ['0', 0],
];

describe('a duration', () => {
  it.each(durations)('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', 's', '3x', '1m 30s', '-1s'])('"%s" is refused', (text) => {
    expect(() => parseDuration(text)).toThrow('give a duration such as 30s');
  });
});

describe('an address', () => {
  it.each<{ text: string; address: Address | 'off' }>([
    { text: ':8080', address: { port: 8080 } },
    { text: '127.0.0.1:0', address: { host: '127.0.0.1', port: 0 } },
    { text: 'localhost:81', address: { host: 'localhost', port: 81 } },
    { text: '[::1]:8080', address: { host: '::1', port: 8080 } },
    { text: '[::]:8080', address: { host: '::', port: 8080 } },
    { text: '0', address: 'off' },
    { text: '', address: 'off' },
  ])('$text is read as Go reads it', ({ text, address }) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each(['8080', ':x', ':70000', '::1:8080', '[x]:80', 'http://a:80'])('%s is refused, with what to give', (text) => {
    expect(() => parseAddress(text)).toThrow(/give an address such as :8080/);
  });
});

describe('a shard', () => {
  it.each([
    { text: '1/1', shard: { index: 1, count: 1 } },
    { text: '4/4', shard: { index: 4, count: 4 } },
    { text: '7/99', shard: { index: 7, count: 99 } },
  ])('$text is read', ({ text, shard }) => {
    expect(parseShard(text)).toEqual(shard);
  });

  it.each(['0/4', '5/4', '1/0', 'a/b', '', '1', '1/', '/4', '1/4/4', '-1/4', '1.5/4', '01/4', '1/100', ' 1/4'])(
    '"%s" is refused, with what to give',
    (text) => {
      expect(() => parseShard(text)).toThrow(/give which shard of how many, .* such as 2\/4/);
    },
  );
});

type Options = WriterOptions & GoLogOptions & { readonly logLevel?: LogLevel };

/** What a command makes of its arguments and of an environment that holds nothing else. */
function parse(args: readonly string[], env: Readonly<Record<string, string>> = {}): { options: Options; ineffective: readonly string[] } {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    const program = new EnvCommand('hourglass').exitOverride().configureOutput({ writeErr: () => undefined });
    const command = addGoFlags(addLogOptions(addWriterOptions(program.command('watch')), 'info', 'text')).action(() => undefined);
    takeForeignEnvironment(process.env);
    program.parse(['watch', ...args], { from: 'user' });
    return { options: readOptions<Options>(command), ineffective: listIneffective(command) };
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

describe('an option', () => {
  it.each<{ name: string; args: string[]; env: Record<string, string>; workers: number }>([
    { name: 'has its default', args: [], env: {}, workers: 16 },
    { name: 'is taken from the environment', args: [], env: { HOURGLASS_WORKERS: '3' }, workers: 3 },
    { name: 'is taken from its flag before the environment', args: ['--workers', '5'], env: { HOURGLASS_WORKERS: '3' }, workers: 5 },
  ])('$name', ({ args, env, workers }) => {
    expect(parse(args, env).options.workers).toBe(workers);
  });

  it.each<{ args: string[]; env?: Record<string, string>; leaderElect: boolean }>([
    { args: [], leaderElect: true },
    { args: ['--leader-elect'], leaderElect: true },
    { args: ['--leader-elect=true'], leaderElect: true },
    { args: ['--leader-elect=false'], leaderElect: false },
    { args: ['--leader-elect=0'], leaderElect: false },
    { args: [], env: { HOURGLASS_LEADER_ELECT: 'false' }, leaderElect: false },
    { args: ['--leader-elect'], env: { HOURGLASS_LEADER_ELECT: 'false' }, leaderElect: true },
  ])('that is true or false: $args $env', ({ args, env, leaderElect }) => {
    expect(parse(args, env).options.leaderElect).toBe(leaderElect);
  });

  it.each([
    { name: 'that is neither true nor false', args: ['--leader-elect=perhaps'], env: {} },
    { name: 'of a wrong value in the environment', args: [], env: { HOURGLASS_WORKERS: 'many' } },
    { name: 'that nobody knows', args: ['--zap-nonsense'], env: {} },
    { name: 'that contradicts another one', args: ['-A', '-n', 'a'], env: {} },
    {
      name: 'that contradicts another one, both in the environment',
      args: [],
      env: { HOURGLASS_NAMESPACE: 'a', HOURGLASS_ALL_NAMESPACES: 'true' },
    },
  ])('$name is refused', ({ args, env }) => {
    expect(() => parse(args, env)).toThrow(CommanderError);
  });

  it.each<{ args: string[]; env: Record<string, string>; namespace: string | undefined }>([
    { args: ['-A'], env: { HOURGLASS_NAMESPACE: 'a' }, namespace: undefined },
    { args: ['-n', 'b'], env: { HOURGLASS_ALL_NAMESPACES: 'true' }, namespace: 'b' },
    { args: [], env: { NAMESPACE: 'c' }, namespace: 'c' },
    { args: [], env: { NAMESPACE: 'c', HOURGLASS_NAMESPACE: 'd' }, namespace: 'd' },
    { args: [], env: { NAMESPACE: '' }, namespace: undefined },
  ])('flag before environment, for the namespace: $args $env', ({ args, env, namespace }) => {
    expect(parse(args, env).options.namespace).toBe(namespace);
  });
});

const defaults = { format: 'json', level: 'info' } as const;

describe('the flags of the Go operator', () => {
  it.each<{ args: string[]; env?: Record<string, string>; log: { format: string; level: string } }>([
    { args: [], log: { format: 'json', level: 'info' } },
    { args: ['--zap-devel'], log: { format: 'text', level: 'debug' } },
    { args: ['--zap-devel=false'], log: { format: 'json', level: 'info' } },
    { args: ['--zap-encoder=console', '--zap-log-level=error'], log: { format: 'text', level: 'error' } },
    { args: ['--zap-log-level=5'], log: { format: 'json', level: 'debug' } },
    { args: ['--zap-log-level=panic'], log: { format: 'json', level: 'error' } },
    { args: ['--zap-devel', '--log-level=warn'], log: { format: 'text', level: 'warn' } },
    { args: ['--zap-devel'], env: { LOG_LEVEL: 'WARNING', LOG_FORMAT: 'json' }, log: { format: 'json', level: 'warn' } },
    { args: [], env: { LOG_FORMAT: 'console' }, log: { format: 'text', level: 'info' } },
  ])('say how to log: $args $env', ({ args, env, log }) => {
    expect(chooseLog(parse(args, env).options, defaults)).toEqual(log);
  });

  it('that mean nothing here are taken, and said to', () => {
    const { ineffective } = parse([
      '--metrics-secure',
      '--webhook-port=9443',
      '--cert-dir',
      '/certs',
      '--enable-http2=false',
      '--zap-devel',
    ]);
    expect(ineffective).toEqual([
      '--metrics-secure has no effect: metrics are served over plain HTTP',
      '--webhook-port has no effect: there is no webhook server',
      '--cert-dir has no effect: there is no webhook server',
    ]);
  });

  it('stand in the help', () => {
    const command = addGoFlags(new EnvCommand('watch'));
    const listed = command.options.map((option: Option) => option.long);
    for (const name of [
      '--metrics-secure',
      '--enable-http2',
      '--zap-devel',
      '--zap-log-level',
      '--zap-encoder',
      '--zap-stacktrace-level',
      '--zap-time-encoding',
      '--webhook-port',
      '--cert-dir',
    ])
      expect(listed).toContain(name);
    expect(command.helpInformation()).toContain('Flags of the Go operator:');
  });
});

describe('a variable that others set too', () => {
  it.each(['trace2', 'verbose', 'pretty'])('is not meant for us when it says %s', (value) => {
    const env = { LOG_LEVEL: value, LOG_FORMAT: value };
    takeForeignEnvironment(env);
    expect(env).toEqual({ LOG_LEVEL: value, LOG_FORMAT: value });
  });

  it('is taken over when it says a word of ours', () => {
    const env: NodeJS.ProcessEnv = { LOG_LEVEL: 'WARNING', LOG_FORMAT: 'console' };
    takeForeignEnvironment(env);
    expect(env).toMatchObject({ HOURGLASS_LOG_LEVEL: 'warn', HOURGLASS_LOG_FORMAT: 'text' });
  });
});
