import { z } from 'zod';

/** One operator, of all Performers or of the first of so many shards, measured; what was not measured is left out. */
const point = z.object({
  performers: z.number().int().positive(),
  shards: z.number().int().positive().default(1),
  rssBytes: z.number().positive(),
  syncCpuMs: z.number().positive().optional(),
  firstPassCpuMs: z.number().positive().optional(),
});
const report = z.object({
  machine: z.string(),
  /** What a reader of the figures must know beside. */
  note: z.string().optional(),
  points: z
    .array(point)
    .refine((points) => new Set(points.map(({ performers, shards }) => performers / shards)).size >= 2, 'a line wants two sizes'),
});
export const isOfAll = ({ shards }: z.infer<typeof point>): boolean => shards === 1;

/** What `npm run bench:scale -- --out FILE` writes, as far as it is read here. */
export type ScaleReport = z.infer<typeof report>;

/** @throws ZodError for a file of another form */
export function parseScaleReport(text: string): ScaleReport {
  return report.parse(JSON.parse(text));
}

/** What an operator takes, as a function of how many Performers there are and how many of them are its own. */
export interface ScaleModel {
  /** Resident memory in bytes over how many Performers are its own, by rising number: straight lines from each to the next, the last drawn on. */
  readonly memory: readonly (readonly [own: number, bytes: number])[];
  /** CPU of taking in one Performer with its pod and Service, which every shard does for each, in ms. */
  readonly readMs: number | undefined;
  /** CPU of one look at each, in ms, over how many Performers are its own, as for memory: it need not be the same for each. */
  readonly looks: readonly (readonly [own: number, ms: number])[];
}

/** Pure. */
export function fitScale({ points }: ScaleReport): ScaleModel {
  const memory = points
    .map(({ performers, shards, rssBytes }) => [performers / shards, rssBytes] as const)
    .toSorted(([a], [b]) => a - b)
    // More cannot take less: where one does, it was measured at another moment of the garbage collector.
    .filter(([, bytes], at, all) => all.slice(at + 1).every(([, later]) => later > bytes));
  const looks = points
    .flatMap(({ performers, shards, firstPassCpuMs }) =>
      firstPassCpuMs === undefined ? [] : [[performers / shards, firstPassCpuMs] as const],
    )
    .toSorted(([a], [b]) => a - b);
  // Of the largest: what a start costs whatever there is weighs least there.
  const largest = points.filter((one) => isOfAll(one) && one.syncCpuMs !== undefined).toSorted((a, b) => b.performers - a.performers)[0];
  const readMs = largest?.syncCpuMs === undefined ? undefined : largest.syncCpuMs / largest.performers;
  return { memory, readMs, looks };
}

/** Up to how many of its own it was measured; beyond it is a line drawn on. Pure. */
export const measuredTo = ({ memory }: ScaleModel): number => memory.at(-1)?.[0] ?? 0;

/** Resident memory of one process that keeps its part of so many; of fewer than were ever measured, that of the fewest. Pure. */
export function bytesOfShard({ memory }: ScaleModel, performers: number, shards: number): number {
  return along(memory, performers / shards);
}

/** How many Performers one process holds within so much memory; 0 where even the fewest that were measured take more. Pure. */
export function mostWithin({ memory }: ScaleModel, bytes: number): number {
  if (bytes < (memory[0]?.[1] ?? Number.POSITIVE_INFINITY)) return 0;
  return Math.floor(
    along(
      memory.map(([own, of]) => [of, own] as const),
      bytes,
    ),
  );
}

/** On the lines from point to point, by rising x; before the first as there, after the last straight on. */
function along(points: readonly (readonly [x: number, y: number])[], x: number): number {
  const next = points.findIndex(([at]) => at >= x);
  if (next === 0) return points[0]?.[1] ?? Number.NaN;
  const [from, to] = points.slice(next === -1 ? -2 : next - 1);
  if (from === undefined || to === undefined) return Number.NaN;
  return from[1] + ((to[1] - from[1]) * (x - from[0])) / (to[0] - from[0]);
}

/** The fewest shards that hold so many within so much memory each; infinite where one does not hold any in it. Pure. */
export function fewestShards(model: ScaleModel, performers: number, bytes: number): number {
  return Math.ceil(performers / mostWithin(model, bytes));
}

/**
 * CPU until each Performer was read and looked at once, in ms, on the shard that has most to do, all of it on one core: the start of a
 * process, and what a change of every Performer at once would cost. Undefined where it was not measured. Pure.
 */
export function startMsOfShard({ readMs, looks }: ScaleModel, performers: number, shards: number): number | undefined {
  return readMs === undefined || looks.length === 0 ? undefined : performers * readMs + along(looks, performers / shards);
}
