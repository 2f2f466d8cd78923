import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '../controller/outcome.ts';
import type { OnWrite } from '../kube/counting.ts';
import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { ReflectorState } from '../kube/reflector-health.ts';

/** What is asked when somebody reads the metrics. */
export interface MetricSources {
  readonly version: string;
  readonly leaseName: string;
  /** On every series, beside its own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly workers: number;
  readonly isLeading: () => boolean;
  /** Ages of the passes under way, in milliseconds. */
  readonly running: () => readonly number[];
  readonly queue: () => { readonly depth: number; readonly adds: number };
  /** By plural name of the kind. */
  readonly caches: () => Readonly<Record<string, ReflectorState>>;
}

export interface Metrics {
  readonly contentType: string;
  /** The text that Prometheus reads. */
  render(): Promise<string>;
  readonly onWrite: OnWrite;
  readonly onEnd: (key: ObjectKey, outcome: Outcome, durationMs: number) => void;
  /** A key was handed to a worker after it had been ready so long. */
  readonly onTake: (waitedMs: number) => void;
  /** An answer of the API server: its HTTP status, or `<error>` where there was none. */
  readonly onAnswer: (method: string, code: string) => void;
}

const controller = 'performer';
const passSeconds = '.005 .01 .025 .05 .1 .15 .2 .3 .4 .5 .7 1 1.5 2 3 5 7 10 15 20 30 40 60'.split(' ').map(Number);
const queueSeconds = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

const cacheMetrics: readonly (readonly [typeof Gauge | typeof Counter, name: string, help: string, (cache: ReflectorState) => number])[] = [
  [Gauge, 'hourglass_cache_age_seconds', 'Since the cache was last known to be current', ({ ageMs }) => ageMs / 1_000],
  [Gauge, 'hourglass_cache_stale', '1 while it may be behind the cluster', ({ stale, synced }) => Number(stale || !synced)],
  [Counter, 'hourglass_blind_seconds_total', 'Time without a working watch', ({ blindMs }) => blindMs / 1_000],
  [Counter, 'hourglass_relists_total', 'Lists after the first', ({ relists }) => relists],
  [Counter, 'hourglass_watch_restarts_total', 'Watches after the first', ({ restarts }) => restarts],
  [Counter, 'hourglass_watch_faults_total', 'Lists and watches that failed', ({ faults }) => faults],
];

/**
 * The metrics of `watch`. What every controller has bears the names of controller-runtime and client-go, so that dashboards made for
 * those fit; the rest begins with `hourglass_`. No label holds the name of an object: the number of series is bounded.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  registry.setDefaultLabels(sources.labels);
  collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]): Histogram<L> =>
    new Histogram<L>({ name, help, buckets, labelNames, registers });
  /** Figures that stand elsewhere and are asked for when they are read. */
  const asked = (
    Kind: typeof Gauge<string> | typeof Counter<string>,
    name: string,
    help: string,
    figures: () => readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
  ): void => {
    new Kind({
      name,
      help,
      labelNames: Object.keys(figures()[0]?.[0] ?? {}),
      registers,
      collect(this: Gauge<string> | Counter<string>) {
        this.reset();
        for (const [labels, value] of figures()) this.inc(labels, value);
      },
    });
  };

  const reconciles = counter('controller_runtime_reconcile_total', 'Passes by result', 'controller', 'result');
  const errors = counter('controller_runtime_reconcile_errors_total', 'Passes that failed', 'controller');
  const reconcileTime = histogram('controller_runtime_reconcile_time_seconds', 'Duration of a pass', passSeconds, 'controller');
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) reconciles.inc({ controller, result }, 0);
  errors.inc({ controller }, 0);
  asked(Gauge, 'controller_runtime_active_workers', 'Passes under way', () => [[{ controller }, sources.running().length]]);
  asked(Gauge, 'controller_runtime_max_concurrent_reconciles', 'Workers', () => [[{ controller }, sources.workers]]);

  const queue = { name: controller, controller };
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  asked(Gauge, 'workqueue_depth', 'Keys ready to be worked on', () => [[queue, sources.queue().depth]]);
  asked(Counter, 'workqueue_adds_total', 'Keys added', () => [[queue, sources.queue().adds]]);
  asked(Gauge, 'workqueue_unfinished_work_seconds', 'Age of all passes under way', () => [[queue, sum(sources.running()) / 1_000]]);
  asked(Gauge, 'workqueue_longest_running_processor_seconds', 'Age of the oldest pass under way', () => [
    [queue, Math.max(0, ...sources.running()) / 1_000],
  ]);
  const retries = counter('workqueue_retries_total', 'Keys added again after a failure', 'name', 'controller');
  retries.inc(queue, 0);
  const queueTime = histogram('workqueue_queue_duration_seconds', 'How long a key waits for a worker', queueSeconds, 'name', 'controller');
  const workTime = histogram('workqueue_work_duration_seconds', 'How long a worker has a key', queueSeconds, 'name', 'controller');
  const requests = counter('rest_client_requests_total', 'Answers of the API server', 'code', 'method');
  asked(Gauge, 'leader_election_master_status', '1 while this process holds the Lease', () => [
    [{ name: sources.leaseName }, Number(sources.isLeading())],
  ]);

  for (const [Kind, name, help, figure] of cacheMetrics) {
    asked(Kind, name, help, () => Object.entries(sources.caches()).map(([kind, cache]) => [{ kind }, figure(cache)]));
  }
  const writes = counter('hourglass_writes_total', 'Writes that came through, without those of the Lease', 'verb', 'kind');
  asked(Gauge, 'hourglass_build_info', 'Always 1', () => [[{ version: sources.version }, 1]]);
  const states = new Map<string, { readonly state: string; readonly reason: string }>();
  const performers = new Gauge({
    name: 'hourglass_performers',
    help: 'Performers by what the last pass came to',
    labelNames: ['state', 'reason'],
    registers,
  });

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    onWrite: (verb, { kind }) => writes.inc({ verb, kind }),
    onEnd: (key, outcome, durationMs) => {
      reconciles.inc({ controller, result: resultOf(outcome) });
      if (outcome.kind === 'failed') {
        errors.inc({ controller });
        retries.inc(queue);
      }
      reconcileTime.observe({ controller }, durationMs / 1_000);
      workTime.observe(queue, durationMs / 1_000);
      const text = keyText(key);
      const before = states.get(text);
      if (before !== undefined) performers.dec(before);
      if (outcome.kind === 'settled' && outcome.reason === 'Gone') {
        states.delete(text);
        return;
      }
      const now = { state: outcome.kind, reason: outcome.reason };
      states.set(text, now);
      performers.inc(now);
    },
    onTake: (waitedMs) => queueTime.observe(queue, waitedMs / 1_000),
    onAnswer: (method, code) => requests.inc({ method, code }),
  };
}

function resultOf(outcome: Outcome): 'success' | 'error' | 'requeue' | 'requeue_after' {
  if (outcome.kind === 'failed') return 'error';
  if (outcome.again) return 'requeue';
  return outcome.requeueAfterMs === undefined ? 'success' : 'requeue_after';
}
