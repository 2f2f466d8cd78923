import { z } from 'zod';

/**
 * The steps of a Performer's life, in order, each in milliseconds from the request that caused it, by one observer's clock.
 * `acknowledged` is the API server's answer to the request; the others are what a watch showed.
 */
export const createPhases = ['acknowledged', 'pod created', 'scheduled', 'running', 'pod ready', 'status ready', 'first answer'] as const;
export const deletePhases = ['acknowledged', 'pod deleting', 'pod gone', 'service gone', 'performer gone'] as const;
export const updatePhases = ['acknowledged', 'new pod created', 'new pod ready', 'status ready', 'old pod gone'] as const;
export type Phase = (typeof createPhases)[number] | (typeof deletePhases)[number] | (typeof updatePhases)[number];

const milliseconds = z.number();
const usage = z.object({ cpuMs: milliseconds, peakRssBytes: z.number().int(), rssBytes: z.number().int() });
export type Usage = z.infer<typeof usage>;

/** One subject under one shape of load, once: fresh operator, cluster without Performers, then the load, then everything deleted. */
const block = z.object({
  /** Name of the scenario, e.g. `create-2-per-second`, `burst-200`, `delete-at-once`. */
  scenario: z.string(),
  subject: z.string(),
  /** Blocks of one round stand side by side in time and are compared in pairs; from 0. */
  round: z.number().int(),
  /** Counted blocks run with the audit log on and are never timed; timed ones run without. */
  kind: z.enum(['timed', 'counted']),
  startedAt: z.iso.datetime(),
  wallMs: milliseconds,
  /** How many Performers the load made, changed or deleted. */
  performers: z.number().int(),
  /** Why its figures count for nothing, e.g. the generator was the limit. */
  voidBecause: z.string().optional(),
  /** By phase, one figure per Performer that reached it, in the order of the requests. */
  phases: z.record(z.string(), z.array(milliseconds)),
  /** When each Performer reached the last phase of its scenario, from the start of the block. */
  doneAtMs: z.array(milliseconds),
  /** By component: `operator`, `api-server`, `etcd`, `controller-manager`, `scheduler`, `kwok`, `generator`; what cannot be measured is absent. */
  usage: z.record(z.string(), usage),
  /** Of the operator, by verb and kind, e.g. `create pods`; absent where nothing can be counted. */
  calls: z.record(z.string(), z.number().int()).optional(),
  /** The same of everybody, by the API server's own count; absent in timed blocks of a cluster where the operator's are counted, and where it does not tell. */
  requests: z.record(z.string(), z.number().int()).optional(),
  /** Puts and deletes that etcd took from all together; absent where its metrics are out of reach. */
  etcdWrites: z.number().int().optional(),
  /** Single figures of the scenario, in the unit their name ends with, e.g. `restart to synced ms`. */
  figures: z.record(z.string(), z.number()).default({}),
});
export type Block = z.infer<typeof block>;

/** Where a report was measured. */
export const machine = z.object({ cpu: z.string(), cores: z.number().int(), memoryBytes: z.number(), system: z.string() });
export type Machine = z.infer<typeof machine>;

/** What `report.json` holds: everything measured, raw, and nothing that can be worked out from it. */
export const benchReport = z.object({
  version: z.literal(1),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Whether blocks are missing or void that were to be measured, and why. */
  partialBecause: z.string().optional(),
  /** When it went on after it had been interrupted: what is paired may lie apart in time. */
  resumedAt: z.array(z.iso.datetime()).optional(),
  seed: z.number().int(),
  machine,
  /** By program, e.g. `kubernetes`, `etcd`, `k6`, `node`, `hourglass`. */
  versions: z.record(z.string(), z.string()),
  cluster: z.object({ profile: z.string(), etcdFsync: z.boolean().optional() }),
  /** In the order they were named; the first is the one that others are compared with. */
  subjects: z.array(z.object({ name: z.string(), command: z.string() })).min(1),
  blocks: z.array(block),
  /** Rows that could not be taken here, each with its reason. */
  notMeasurable: z.array(z.string()).default([]),
});
export type BenchReport = z.infer<typeof benchReport>;
