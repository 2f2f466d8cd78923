import { z } from 'zod';
import { machine } from '../src/bench/bench-report.ts';

const atMs = z.number();
const optionalAtMs = atMs.optional();

const podLife = z.object({
  name: z.string(),
  uid: z.string(),
  performer: z.string(),
  node: z.string().optional(),
  seenMs: atMs,
  /** Whether it was there when the looking began. */
  wasThere: z.boolean(),
  ready: z.array(z.object({ fromMs: atMs, toMs: optionalAtMs })),
  /** Taken out of its Service, asked to go, gone. */
  withdrawnMs: optionalAtMs,
  deletingMs: optionalAtMs,
  goneMs: optionalAtMs,
});

const run = z.object({
  /** Of the catalogue, e.g. `C4b`. */
  id: z.string(),
  title: z.string(),
  /** From 0; each has an order of its own. */
  round: z.number().int(),
  /** From 1; a second one follows an inconclusive first. */
  attempt: z.number().int(),
  injector: z.enum(['chaos-mesh', 'testbed']),
  /** The fault of the simulator that is the same thing. */
  twin: z.string().optional(),
  target: z.object({
    performer: z.string(),
    pods: z.array(z.string()),
    nodes: z.array(z.string()),
  }),
  /** ms since the epoch. `feltMs`: when the fault was first felt where it acts; figures count from there. */
  times: z.object({ beganMs: atMs, askedMs: atMs, feltMs: atMs, healedMs: atMs, convergedMs: optionalAtMs, endedMs: atMs }),
  verdict: z.enum(['passed', 'failed', 'inconclusive']),
  findings: z.array(z.object({ what: z.string(), says: z.enum(['holds', 'fails', 'unsure', 'noted']), detail: z.string() })),
  /** What it must reach, and what it did; `measured` is absent where nothing could be. */
  goals: z.array(
    z.object({ goal: z.string(), figure: z.string(), atMost: z.number(), timed: z.boolean(), measured: z.number().optional() }),
  ),
  /** All that was measured, by name. */
  figures: z.record(z.string(), z.number()).optional(),
  /** By oracle, how often its statement was put to a test. */
  evaluated: z.record(z.string(), z.number().int()),
  /** Tasks by the second in which they were sent, counted from `beganMs`, by Performer; `inside`: sent on a node that was cut off or off. */
  load: z.array(
    z.object({
      second: z.number().int(),
      performer: z.string(),
      inside: z.boolean(),
      answered: z.number().int(),
      failed: z.number().int(),
      /** Failures by gRPC code. */
      codes: z.record(z.string(), z.number().int()).optional(),
    }),
  ),
  /** Tasks that failed, as their callers tell of them, the first ones; `from`: the node of the caller. */
  failures: z
    .array(
      z.object({
        atMs,
        tookMs: z.number(),
        id: z.string(),
        performer: z.string(),
        from: z.string(),
        code: z.number(),
        details: z.string(),
      }),
    )
    .optional(),
  pods: z.array(podLife),
  /** What operators wrote, from the audit log, Leases left out; absent where there is none to read. */
  writes: z
    .array(z.object({ atMs, actor: z.string(), verb: z.string(), plural: z.string(), name: z.string(), result: z.string() }))
    .optional(),
  /** Each change of a Performer's Ready condition. */
  conditions: z.array(z.object({ atMs, performer: z.string(), ready: z.string() })),
  /** The run replayed into the simulator's world: what its API server and the operator's own code could not have done is unexplained. */
  replay: z
    .object({
      answers: z.object({ of: z.number().int(), explained: z.number().int(), asRecorded: z.number().int() }),
      writes: z.object({ of: z.number().int(), explained: z.number().int() }),
      unexplained: z.array(z.object({ atMs, who: z.string(), what: z.string(), why: z.string() })),
    })
    .optional(),
});
export type ChaosRun = z.infer<typeof run>;

/** What `report.json` holds. */
export const chaosReport = z.object({
  version: z.literal(1),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** When it went on after it had ended before all was run. */
  resumedAt: z.array(z.iso.datetime()).optional(),
  /** Why not all of it was run. */
  partialBecause: z.string().optional(),
  /** Who was put to the test. */
  subject: z.string().optional(),
  /** What was asked for and could not be done to it, or on this cluster, and why. */
  leftOut: z.array(z.object({ id: z.string(), title: z.string(), why: z.string() })).optional(),
  /** What is to be run: ids, and fingerprints of what they stand for and of what installs the subject. */
  plan: z.object({ experiments: z.array(z.string()), catalogue: z.string(), manifests: z.string() }).optional(),
  suite: z.enum(['smoke', 'full', 'soak']),
  /** Of a soak; its steps are runs, whose round is the number of the step less 1. `outside`: tasks that no fault could touch. */
  soak: z
    .object({ minutes: z.number(), fromStep: z.number().int(), outside: z.object({ sent: z.number().int(), failed: z.number().int() }) })
    .optional(),
  seed: z.number().int(),
  repeat: z.number().int(),
  /** Whether figures that are about speed counted. */
  judgesTimes: z.boolean(),
  machine,
  versions: z.record(z.string(), z.string()),
  cluster: z.object({ server: z.string(), nodes: z.number().int(), timers: z.string().optional(), isOwn: z.boolean().optional() }),
  load: z.object({ perSecond: z.number(), deadlineMs: z.number() }),
  /** In the order in which they were run. */
  runs: z.array(run),
});
export type ChaosReport = z.infer<typeof chaosReport>;
