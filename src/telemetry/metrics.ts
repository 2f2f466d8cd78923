import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outcome } from '../controller/outcome.ts';
import type { OnWrite } from '../kube/counting.ts';
import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { ReflectorState } from '../kube/reflector-health.ts';

/** What is asked when somebody reads the metrics. */
export interface MetricSources {
  readonly version: string;
  readonly leaseName: string;
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
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60]; // biome-ignore format: one table
const queueSeconds = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

/**
 * The metrics of `watch`. What every controller has bears the names of controller-runtime and client-go, so that dashboards made for
 * those fit; the rest begins with `hourglass_`. No label holds the name of an object: the number of series is bounded.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]): Histogram<L> =>
    new Histogram<L>({ name, help, buckets, labelNames, registers });
  /** A figure that stands elsewhere and is asked for when it is read. */
  const gauge = <L extends string>(name: string, help: string, labelNames: L[], read: (set: Gauge<L>['set']) => void): void => {
    new Gauge<L>({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        read(this.set.bind(this) as Gauge<L>['set']);
      },
    });
  };
  /** The same for one that only grows. */
  const total = <L extends string>(name: string, help: string, labelNames: L[], read: (set: Counter<L>['inc']) => void): void => {
    new Counter<L>({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        read(this.inc.bind(this) as Counter<L>['inc']);
      },
    });
  };

  const reconciles = counter('controller_runtime_reconcile_total', 'Passes by result', 'controller', 'result');
  const errors = counter('controller_runtime_reconcile_errors_total', 'Passes that failed', 'controller');
  const reconcileTime = histogram('controller_runtime_reconcile_time_seconds', 'Duration of a pass', seconds, 'controller');
  for (const result of ['success', 'error', 'requeue', 'requeue_after']) reconciles.inc({ controller, result }, 0);
  errors.inc({ controller }, 0);
  gauge('controller_runtime_active_workers', 'Passes under way', ['controller'], (set) => set({ controller }, sources.running().length));
  gauge('controller_runtime_max_concurrent_reconciles', 'Workers', ['controller'], (set) => set({ controller }, sources.workers));

  const queue = { name: controller, controller };
  const queueLabels: ('name' | 'controller')[] = ['name', 'controller'];
  gauge('workqueue_depth', 'Keys ready to be worked on', queueLabels, (set) => set(queue, sources.queue().depth));
  total('workqueue_adds_total', 'Keys added', queueLabels, (inc) => inc(queue, sources.queue().adds));
  const retries = counter('workqueue_retries_total', 'Keys added again after a failure', ...queueLabels);
  retries.inc(queue, 0);
  gauge('workqueue_unfinished_work_seconds', 'Time spent so far by all passes under way', queueLabels, (set) =>
    set(queue, sources.running().reduce((sum, ms) => sum + ms, 0) / 1_000),
  );
  gauge('workqueue_longest_running_processor_seconds', 'Time spent so far by the longest pass under way', queueLabels, (set) =>
    set(queue, Math.max(0, ...sources.running()) / 1_000),
  );
  const queueTime = histogram('workqueue_queue_duration_seconds', 'How long a key waits for a worker', queueSeconds, ...queueLabels);
  const workTime = histogram('workqueue_work_duration_seconds', 'How long a worker has a key', queueSeconds, ...queueLabels);

  const requests = counter('rest_client_requests_total', 'Answers of the API server', 'code', 'method');
  gauge('leader_election_master_status', '1 while this process holds the Lease', ['name'], (set) =>
    set({ name: sources.leaseName }, sources.isLeading() ? 1 : 0),
  );

  const caches = (set: (labels: { readonly kind: string }, value: number) => void, pick: (cache: ReflectorState) => number): void => {
    for (const [kind, cache] of Object.entries(sources.caches())) set({ kind }, pick(cache));
  };
  gauge('hourglass_cache_age_seconds', 'Since the last list, event or bookmark', ['kind'], (set) =>
    caches(set, ({ ageMs }) => ageMs / 1_000),
  );
  gauge('hourglass_cache_stale', '1 while the cache may be behind the cluster', ['kind'], (set) =>
    caches(set, ({ stale, synced }) => (stale || !synced ? 1 : 0)),
  );
  total('hourglass_blind_seconds_total', 'Time without a working watch', ['kind'], (inc) => caches(inc, ({ blindMs }) => blindMs / 1_000));
  total('hourglass_relists_total', 'Lists after the first', ['kind'], (inc) => caches(inc, ({ relists }) => relists));
  total('hourglass_watch_restarts_total', 'Watches after the first', ['kind'], (inc) => caches(inc, ({ restarts }) => restarts));
  total('hourglass_watch_faults_total', 'Lists and watches that failed', ['kind'], (inc) => caches(inc, ({ faults }) => faults));
  const writes = counter('hourglass_writes_total', 'Writes that came through, without those of the Lease', 'verb', 'kind');
  gauge('hourglass_build_info', 'Always 1', ['version'], (set) => set({ version: sources.version }, 1));

  const states = new Map<string, string>();
  gauge('hourglass_performers', 'Performers by what the last pass came to', ['state', 'reason'], (set) => {
    const counts = new Map<string, number>();
    for (const state of states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const [text, count] of counts) {
      const [state = '', reason = ''] = text.split(' ');
      set({ state, reason }, count);
    }
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
      if (outcome.kind === 'settled' && outcome.reason === 'Gone') states.delete(keyText(key));
      else states.set(keyText(key), `${outcome.kind} ${outcome.reason}`);
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
