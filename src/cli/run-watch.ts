import { leaseNameOf } from '../api/v1alpha1/naming.ts';
import { countWrites } from '../kube/counting.ts';
import { systemClock } from '../lib/clock.ts';
import { createWatchOperator } from '../operator/watch.ts';
import { createEventRecorder } from '../telemetry/events.ts';
import { checkCaches, createReach, healthPages } from '../telemetry/health.ts';
import { createLogger } from '../telemetry/log.ts';
import type { LogFormat, LogLevel } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createPasses } from '../telemetry/passes.ts';
import { type Address, type Page, type PageServer, type Pages, servePages } from '../telemetry/serve.ts';
import { type Connection, connect } from './connect.ts';
import { type ExitCode, exitCodes, hintFor } from './exit-codes.ts';
import { chooseLog, type GoLogOptions } from './go-flags.ts';
import { abortOnSignals, createReconcile, operatorOptionsOf, readSettings } from './operator.ts';
import type { WriterOptions } from './options.ts';
import { productVersion } from './version.ts';

export interface WatchOptions extends WriterOptions, GoLogOptions {
  readonly drain: number;
  readonly resync: number;
  readonly metricsBindAddress?: Address | 'off';
  readonly healthProbeBindAddress?: Address | 'off';
  readonly logFormat?: LogFormat;
  readonly logLevel?: LogLevel;
}

/** How long Events may take after the drain. */
const eventsMs = 2_000;

/** `watch`: everything it needs and `once` does not is loaded with this file. */
export async function runOperator(options: WatchOptions, ineffective: readonly string[]): Promise<ExitCode> {
  const log = createLogger(chooseLog(options, { format: process.stderr.isTTY ? 'text' : 'json', level: 'info' }));
  for (const line of ineffective) log.warn(line);
  const { shard } = options;
  /** Says which shard speaks, wherever several may be heard. */
  const told: Readonly<Record<string, string>> = shard === undefined ? {} : { shard: `${shard.index}-of-${shard.count}` };
  const signal = abortOnSignals();
  const reach = createReach(() => systemClock.monotonicMs());
  let metrics: Metrics | undefined;
  const connection = await connect(options, {
    warn: (message) => log.warn(message),
    onAnswer: (method, code) => {
      reach.onAnswer(code);
      metrics?.onAnswer(method, code);
    },
  });
  log.info('connecting', { server: connection.server, ...told });
  const servers: PageServer[] = [];
  const { kube } = countWrites(connection.kube, (...write) => metrics?.onWrite(...write));
  const events = createEventRecorder({ kube, clock: systemClock, log });
  try {
    const passes = createPasses({
      log,
      monotonicMs: () => systemClock.monotonicMs(),
      nextStep: hintFor,
      onEnd: (...end) => metrics?.onEnd(...end),
    });
    const operator = createWatchOperator({
      ...operatorOptionsOf(connection, options, log.info),
      kube,
      signal,
      resyncMs: options.resync,
      drainMs: options.drain,
      createReconcile: (parts) => createReconcile({ ...parts, kube, settings: readSettings(options), log, passes, events }),
      log: (message, fields = {}) => {
        const next = hintFor(fields.code);
        log[fields.error === undefined ? 'info' : 'warn'](message, next === undefined ? fields : { ...fields, next });
      },
    });
    const { queue, reflectors } = operator;
    const addresses = bindAddresses(connection, options);
    if (addresses.metrics !== undefined) {
      const { createMetrics } = await import('../telemetry/metrics.ts');
      metrics = createMetrics({
        version: productVersion,
        leaseName: leaseNameOf(shard),
        labels: told,
        workers: options.workers,
        isLeading: operator.isLeading,
        running: passes.running,
        queue: () => {
          const { depth, adds } = queue.stats();
          return { depth: depth.change + depth.background, adds };
        },
        caches: () => Object.fromEntries(reflectors.map((reflector) => [reflector.plural, reflector.state()])),
      });
      queue.onTake = metrics.onTake;
    }
    const shutdown = (): string | undefined => (signal.aborted ? 'shutting down' : undefined);
    const named = shard === undefined ? {} : { [`shard-${told.shard}`]: () => undefined };
    const ready = { ...checkCaches(reflectors), 'api-server': reach.check, shutdown, ...named };
    const serve = async (what: string, address: Address | undefined, pages: Pages): Promise<void> => {
      if (address === undefined) return;
      const server = await servePages(what, address, pages);
      servers.push(server);
      log.info('serving', { what, host: address.host, port: server.port });
    };
    const metricsPage = async (): Promise<Page> => ({
      status: 200,
      type: metrics?.contentType ?? '',
      body: (await metrics?.render()) ?? '',
    });
    await serve('metrics', addresses.metrics, { '/metrics': metricsPage });
    await serve('health', addresses.health, healthPages({ 'stuck-pass': passes.stuck }, ready));

    await operator.run();
    log.info('stopped');
    return exitCodes.ok;
  } finally {
    await events.close(eventsMs);
    connection.close();
    // Last: who asks how the shutdown goes gets an answer until it is over.
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** In a cluster where the Go operator has them, so that its probes and scrapes find them; elsewhere nowhere, since two may run on one machine. */
function bindAddresses({ podNamespace }: Connection, options: WatchOptions): { readonly metrics?: Address; readonly health?: Address } {
  const inCluster = podNamespace !== undefined;
  const metrics = options.metricsBindAddress ?? (inCluster ? { port: 8080 } : 'off');
  const health = options.healthProbeBindAddress ?? (inCluster ? { port: 8081 } : 'off');
  return { ...(metrics === 'off' ? {} : { metrics }), ...(health === 'off' ? {} : { health }) };
}
