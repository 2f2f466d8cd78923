import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/controller/outcome.ts';
import { pods } from '../../../src/kube/objects.ts';
import { createMetrics, type MetricSources } from '../../../src/telemetry/metrics.ts';

const sources: MetricSources = {
  version: '1.2.3',
  leaseName: 'a-lease',
  labels: {},
  workers: 16,
  isLeading: () => true,
  running: () => [1_500, 500],
  queue: () => ({ depth: 3, adds: 8 }),
  caches: () => ({
    pods: { synced: true, stale: true, ageMs: 2_000, lists: 3, relists: 2, restarts: 4, faults: 5, blindMs: 1_250, handlerErrors: 0 },
  }),
};
const settled: Outcome = { kind: 'settled', reason: 'Serving', message: '', again: false, unsaid: false };
const gone: Outcome = { ...settled, reason: 'Gone' };
const failed: Outcome = { kind: 'failed', reason: 'conflict', message: '', retry: 'observe' };
const key = (name: string): { namespace: string; name: string } => ({ namespace: 'team-a', name });

/** `name{label="value"} 1` as they are served, comments left out. */
async function read(use: (metrics: ReturnType<typeof createMetrics>) => void, of = sources): Promise<string> {
  const metrics = createMetrics(of);
  use(metrics);
  await metrics.render();
  return (await metrics.render()).replace(/^#.*\n/gm, '');
}

describe('the metrics', () => {
  it.each([
    'controller_runtime_active_workers{controller="performer"} 2',
    'controller_runtime_max_concurrent_reconciles{controller="performer"} 16',
    'workqueue_depth{name="performer",controller="performer"} 3',
    'workqueue_adds_total{name="performer",controller="performer"} 8',
    'workqueue_unfinished_work_seconds{name="performer",controller="performer"} 2',
    'workqueue_longest_running_processor_seconds{name="performer",controller="performer"} 1.5',
    'leader_election_master_status{name="a-lease"} 1',
    'hourglass_cache_age_seconds{kind="pods"} 2',
    'hourglass_cache_stale{kind="pods"} 1',
    'hourglass_relists_total{kind="pods"} 2',
    'hourglass_blind_seconds_total{kind="pods"} 1.25',
    'hourglass_build_info{version="1.2.3"} 1',
  ])('tell of the moment they are read: %s', async (line) => {
    expect(await read(() => undefined)).toContain(`${line}\n`);
  });

  it('bear the labels of the process, each of them', async () => {
    const text = await read((metrics) => metrics.onWrite('create', pods, 'performer-a'), { ...sources, labels: { shard: '2-of-4' } });
    expect(text).toContain('hourglass_writes_total{verb="create",kind="Pod",shard="2-of-4"} 1\n');
    expect(text.match(/^\w+(?!.*shard="2-of-4").*$/gm)).toBeNull();
  });

  it('count passes by result, and Performers by what the last pass came to', async () => {
    const text = await read((metrics) => {
      metrics.onEnd(key('a'), { ...settled, again: true }, 20);
      metrics.onEnd(key('a'), settled, 20);
      metrics.onEnd(key('b'), failed, 20);
      metrics.onEnd(key('c'), { ...settled, requeueAfterMs: 5 }, 20);
      metrics.onEnd(key('d'), settled, 20);
      metrics.onEnd(key('d'), gone, 20);
    });
    expect(text).toContain('controller_runtime_reconcile_total{controller="performer",result="success"} 3\n');
    expect(text).toContain('result="requeue"} 1\n');
    expect(text).toContain('result="requeue_after"} 1\n');
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="performer"} 1\n');
    expect(text).toContain('workqueue_retries_total{name="performer",controller="performer"} 1\n');
    expect(text).toContain('controller_runtime_reconcile_time_seconds_count{controller="performer"} 6\n');
    expect(text).toContain('hourglass_performers{state="settled",reason="Serving"} 2\n');
    expect(text).toContain('hourglass_performers{state="failed",reason="conflict"} 1\n');
  });

  it('count writes and answers, and name no object', async () => {
    const text = await read((metrics) => {
      metrics.onWrite('create', pods, 'performer-secret-name');
      metrics.onAnswer('GET', '200');
      metrics.onAnswer('GET', '<error>');
      metrics.onEnd(key('secret-name'), settled, 1);
      metrics.onTake(3);
    });
    expect(text).toContain('hourglass_writes_total{verb="create",kind="Pod"} 1\n');
    expect(text).toContain('rest_client_requests_total{method="GET",code="200"} 1\n');
    expect(text).toContain('rest_client_requests_total{method="GET",code="<error>"} 1\n');
    expect(text).toContain('workqueue_queue_duration_seconds_count{name="performer",controller="performer"} 1\n');
    expect(text).not.toContain('secret-name');
  });

  it('hold those of the process', async () => {
    expect(await read(() => undefined)).toContain('process_resident_memory_bytes');
  });
});
