/**
 * Calls `ExecuteTask` of one performer at a steady rate, whether earlier tasks are answered or not, each task once, and says how each went.
 *
 *   TARGET=performer-hello.default:8080 RATE=20 DURATION=30s k6 run --quiet --log-format=raw k6/scenarios/tasks.ts
 *
 * TARGET        host:port, e.g. that of the Performer's Service
 * RATE          tasks a second (20)
 * DURATION      as k6 takes it (30s)
 * MODE          channel: each virtual user keeps one, as executors do; dial: a connection for each task (channel)
 * VUS           virtual users; a task that finds none free is dropped and counted (as many as tasks can be under way: RATE × DEADLINE_MS)
 * DEADLINE_MS   of each task, the dialling of its connection included (5000)
 * CONNECT_MS    how long to wait for the first connection; 0: calls at once, whatever becomes of it (10000)
 * PREFIX        ids of tasks begin with it (task)
 * PAYLOAD       of each task ({})
 *
 * One JSON object a line: `begun`; for each task `answered` or `failed`, with the gRPC code; at the end how many there were, and how long they
 * took. They are those of test/performer/caller.ts. A task that is under way when k6 is told to stop has no line. `instance`, `version` and
 * `runs` are what the test performer answers; other performers answer as they like.
 */
import { sleep } from 'k6';
import { b64decode, b64encode } from 'k6/encoding';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import grpc from 'k6/net/grpc';
import type { Options } from 'k6/options';
import { executeTask, loadClient } from '../lib/performer-client.ts';

const env = (name: string, otherwise: string): string => __ENV[name] || otherwise;
const number = (name: string, otherwise: number): number => {
  const value = Number(env(name, String(otherwise)));
  if (!(value >= 0)) throw new Error(`${name}: give a number from 0, not ${JSON.stringify(__ENV[name])}`);
  return value;
};

const target = env('TARGET', '');
if (!/:\d+$/.test(target)) throw new Error(`TARGET: give host:port of a performer, not ${JSON.stringify(target)}`);
const mode = env('MODE', 'channel');
if (mode !== 'channel' && mode !== 'dial') throw new Error(`MODE: give channel or dial, not ${JSON.stringify(mode)}`);
const [rate, deadlineMs, connectMs] = [number('RATE', 20), number('DEADLINE_MS', 5_000), number('CONNECT_MS', 10_000)];
const prefix = env('PREFIX', 'task');
const payload = b64encode(env('PAYLOAD', '{}'));

export const options: Options = {
  scenarios: {
    tasks: {
      executor: 'constant-arrival-rate',
      duration: env('DURATION', '30s'),
      // k6 counts in whole numbers.
      rate: Math.round(rate * 60),
      timeUnit: '1m',
      preAllocatedVUs: number('VUS', Math.ceil((rate * deadlineMs) / 1_000) + 1),
      gracefulStop: `${deadlineMs + 1_000}ms`,
    },
  },
  setupTimeout: `${connectMs + 5_000}ms`,
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'max'],
};

const took = new Trend('task_took', true);
const answered = new Counter('tasks_answered');
// k6 makes metrics only while a script is loaded; the codes of gRPC are 0 to 16.
const failed = Array.from({ length: 17 }, (_, code) => new Counter(`tasks_failed_${code}`));
const unavailable = 14;

const client = loadClient();
/** Of this virtual user; each has its own of all that stands here. */
let connected = false;

const say = (line: object): void => console.log(JSON.stringify(line));

/** @throws Error when no connection is there after `ms` */
function connect(ms: number): void {
  if (!connected) client.connect(target, { plaintext: true, timeout: ms });
  connected = true;
}

function disconnect(): void {
  client.close();
  connected = false;
}

/** Begins when `TARGET` takes connections: a node routes to a new Service up to a second after the Service has endpoints. */
export function setup(): void {
  const untilMs = Date.now() + connectMs;
  while (connectMs > 0 && !connected)
    try {
      connect(Math.max(1, untilMs - Date.now()));
    } catch (error) {
      if (Date.now() >= untilMs) exec.test.abort(`${target} took no connection within ${connectMs} ms: ${String(error)}`);
      sleep(0.1);
    }
  disconnect();
  say({ kind: 'begun' });
}

export default function (): void {
  const id = `${prefix}-${exec.scenario.iterationInTest}`;
  const atMs = Date.now();
  const outcome = attempt(id, atMs + deadlineMs);
  if (mode === 'dial') disconnect();
  const tookMs = Date.now() - atMs;
  took.add(tookMs);
  if ('code' in outcome) failed[outcome.code]?.add(1);
  else answered.add(1);
  say({ kind: 'code' in outcome ? 'failed' : 'answered', id, atMs, tookMs, ...outcome });
}

type Outcome =
  | { readonly code: number; readonly details: string }
  | { readonly instance?: string; readonly runs?: number; readonly version?: string };

function attempt(id: string, untilMs: number): Outcome {
  try {
    connect(untilMs - Date.now());
  } catch (error) {
    return { code: unavailable, details: String(error) };
  }
  const { status, error, message } = executeTask(client, b64encode(id), payload, Math.max(1, untilMs - Date.now()));
  // As text k6's codes are words.
  if (status !== grpc.StatusOK) return { code: Number(status), details: (error as { readonly message: string }).message };
  return readResult(b64decode((message as { readonly result: string }).result, 'std', 's'));
}

function readResult(text: string): Outcome {
  try {
    const { instance, runs, version } = JSON.parse(text);
    return { instance, runs, version };
  } catch {
    return {};
  }
}

interface Summary {
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>;
}

export function handleSummary({ metrics }: Summary): Record<string, string> {
  const count = (name: string): number => metrics[name]?.values.count ?? 0;
  const codes = failed.map((_, code) => [code, count(`tasks_failed_${code}`)] as const).filter(([, times]) => times > 0);
  const sent = count('tasks_answered') + codes.reduce((sum, [, times]) => sum + times, 0);
  const { med, max, ...ranks } = metrics.task_took?.values ?? {};
  const [p50, p90, p99, most] = [med, ranks['p(90)'], ranks['p(99)'], max].map((ms = 0) => Math.round(ms));
  const counts = { sent, answered: count('tasks_answered'), failed: Object.fromEntries(codes), dropped: count('dropped_iterations') };
  return { stdout: `${JSON.stringify({ kind: 'end', ...counts, tookMs: { p50, p90, p99, max: most } })}\n` };
}
