import { create } from '@bufbuild/protobuf';
import { Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import {
  PerformerService,
  type StartSyncRequest,
  type StartSyncResponse,
  StartSyncResponseSchema,
  type TaskRequest,
  type TaskResponse,
  TaskResponseSchema,
} from '../grpc/gen/eigenlayer/hourglass/v1/performer/performer_pb.ts';
import { Health as HealthService } from '../grpc/gen/grpc/health/v1/health_pb.ts';
import { buildServiceDefinition } from '../grpc/service-definition.ts';
import { sleep, systemClock } from '../lib/clock.ts';
import { Health } from './health.ts';
import { type Listener, startListener } from './listener.ts';
import { defaults, type PerformerEvent, type PerformerOptions, readPort } from './options.ts';
import { codeOf, type FailureCode, TaskError, toStatus } from './task-error.ts';
import { type Caller, type Origin, type TaskHandlers, TaskRuns } from './task-runs.ts';

export interface PerformerHandlers extends TaskHandlers {
  /** Executors do not call it today. */
  startSync?(payload: Uint8Array): void | Promise<void>;
}

export interface DrainReport {
  /** Calls that got UNAVAILABLE because the grace was over. */
  readonly unanswered: number;
}

export interface Performer {
  readonly port: number;
  readonly inFlight: number;
  /** Says to probes and routers whether to send tasks here; calls are answered all the same. */
  setServing(serving: boolean): void;
  /** Starts the drain, or joins the one under way. */
  drain(): Promise<DrainReport>;
  /** Resolves once a drain, by signal or by call, is over. */
  readonly ended: Promise<DrainReport>;
}

/** Answers that were written need a moment to leave. */
const flushMs = 500;
/** From the first GOAWAY to the second: many round trips, since only grpc-js has the ping that would tell. */
const hearMs = 500;
const clock = systemClock;

/**
 * Serves `PerformerService` and `grpc.health.v1` until a signal or `drain()` ends it.
 *
 * @throws Error naming the address, when it cannot be had
 */
export async function servePerformer(handlers: PerformerHandlers, options: PerformerOptions = {}): Promise<Performer> {
  const settings = { ...defaults, ...options, remember: { ...defaults.remember, ...options.remember } };
  const emit = (event: PerformerEvent): void => {
    try {
      settings.onEvent?.(event);
    } catch (error) {
      process.emitWarning(`onEvent of the performer failed: ${String(error)}`);
    }
  };
  const runs = new TaskRuns(handlers, settings, clock);
  const health = new Health();
  const server = new Server({
    'grpc.max_receive_message_length': settings.maxMessageBytes,
    'grpc.max_send_message_length': settings.maxMessageBytes,
    // Finds clients that are gone without a word, whose tasks then end. (And channelz stays on: without it forceShutdown ends no connection.)
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  server.addService(buildServiceDefinition(HealthService), health.handlers);
  server.addService(buildServiceDefinition(PerformerService), {
    executeTask: (call: ServerUnaryCall<TaskRequest, TaskResponse>, answer: sendUnaryData<TaskResponse>) => {
      const { taskId, payload } = call.request;
      void report('ExecuteTask', emit, answer, async () => {
        const { result, origin } = await runs.execute(taskId, payload, callerOf(call));
        return { message: create(TaskResponseSchema, { taskId, result }), origin };
      });
    },
    startSync: ({ request }: ServerUnaryCall<StartSyncRequest, StartSyncResponse>, answer: sendUnaryData<StartSyncResponse>) => {
      void report('StartSync', emit, answer, async () => {
        await handlers.startSync?.(request.payload);
        return { message: create(StartSyncResponseSchema) };
      });
    },
  });
  const listener = await listen(server, options.port ?? readPort(process.env), settings.host, settings.credentials);

  const setServing = (serving: boolean): void => {
    for (const service of ['', PerformerService.typeName]) health.set(service, serving);
    emit({ kind: 'health', serving });
  };
  const ended = Promise.withResolvers<DrainReport>();
  let draining = false;
  const drain = (): Promise<DrainReport> => {
    if (!draining) {
      draining = true;
      ended.resolve(end());
    }
    return ended.promise;
  };
  const onSignal = (): void => void drain();
  const end = async (): Promise<DrainReport> => {
    const tell = (phase: 'lagging' | 'closing' | 'forced' | 'ended'): void => emit({ kind: 'drain', phase, inFlight: runs.inFlight });
    setServing(false);
    tell('lagging');
    await sleep(clock, settings.lagMs);
    tell('closing');
    health.endWatches();
    const graceEndMs = clock.monotonicMs() + settings.graceMs;
    if (listener.announceEnd()) await within(listener.closed(), Math.min(hearMs, settings.graceMs));
    // What connections carry is answered, what a client sends too late comes back to it untouched, to go elsewhere.
    server.tryShutdown(() => {});
    let unanswered = 0;
    if (!(await within(listener.closed(), Math.max(0, graceEndMs - clock.monotonicMs())))) {
      tell('forced');
      unanswered = runs.stop(new TaskError('UNAVAILABLE', 'the performer is shutting down'));
      if (!(await within(listener.closed(), flushMs))) server.forceShutdown();
    }
    for (const signal of settings.signals) process.off(signal, onSignal);
    tell('ended');
    return { unanswered };
  };
  // Not once: the second of a kind would end the process by default, and calls with it.
  for (const signal of settings.signals) process.on(signal, onSignal);
  setServing(true);
  return {
    port: listener.port,
    get inFlight() {
      return runs.inFlight;
    },
    // Once draining it never serves again.
    setServing: (serving) => {
      if (!draining) setServing(serving);
    },
    drain,
    ended: ended.promise,
  };
}

async function report<Message>(
  method: 'ExecuteTask' | 'StartSync',
  emit: (event: PerformerEvent) => void,
  answer: sendUnaryData<Message>,
  work: () => Promise<{ readonly message: Message; readonly origin?: Origin }>,
): Promise<void> {
  const startedMs = clock.monotonicMs();
  const tell = (outcome: { code: 'OK'; origin?: Origin } | { code: FailureCode; error: unknown }): void =>
    emit({ kind: 'call', method, durationMs: clock.monotonicMs() - startedMs, ...outcome });
  try {
    const { message, origin } = await work();
    answer(null, message);
    tell({ code: 'OK', ...(origin === undefined ? {} : { origin }) });
  } catch (error) {
    answer(toStatus(error));
    tell({ code: codeOf(error), error });
  }
}

/** A client that gives up at its deadline may be heard of a little before the deadline passes here. */
const deadlineSlackMs = 100;

/** A call's wish to be served: aborts when it is cancelled, its deadline passes or its client goes away. grpc-js has then answered it. */
function callerOf(call: ServerUnaryCall<unknown, unknown>): Caller {
  const controller = new AbortController();
  const deadlineMs = Number(call.getDeadline());
  const leave = (): void => {
    const late = clock.nowMs() >= deadlineMs - deadlineSlackMs;
    controller.abort(late ? new TaskError('DEADLINE_EXCEEDED', 'the deadline passed') : new TaskError('CANCELLED', 'the caller left'));
  };
  if (call.cancelled) leave();
  else call.once('cancelled', leave);
  return { signal: controller.signal, deadlineMs };
}

async function listen(...[server, port, host, credentials]: Parameters<typeof startListener>): Promise<Listener> {
  try {
    return await startListener(server, port, host, credentials);
  } catch (error) {
    const address = `${host?.includes(':') === true ? `[${host}]` : (host ?? '[::]')}:${port}`;
    throw new Error(`serving the performer on ${address}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Whether `done` came in time. */
async function within(done: Promise<void>, timeoutMs: number): Promise<boolean> {
  const controller = new AbortController();
  const inTime = await Promise.race([done.then(() => true), sleep(clock, timeoutMs, controller.signal).then(() => false)]);
  controller.abort();
  return inTime;
}
