/** What is watched: two kinds, each through a stream of its own. */
export type SoakKind = 'configmaps' | 'pods';
export const soakKinds: readonly SoakKind[] = ['configmaps', 'pods'];

/** All times are milliseconds of the machine's monotonic clock, the same in every process. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** An object as of a moment. Objects are told apart by uid: one that is made again under its name is another. */
export interface ObjectState {
  readonly kind: SoakKind;
  readonly uid: string;
  readonly version: number;
  /** Whether it is gone; `version` is then that of its deletion, or the last that was known. */
  readonly gone: boolean;
  readonly atMs: number;
}

/** What a fault leaves possible: nothing new comes through (`blocks`), a stream is silent though its connection lives (`silences`), or a fresh connection works (`open`). */
export type FaultEffect = 'blocks' | 'silences' | 'open';

export interface FaultSpan {
  readonly name: string;
  /** With variant and length, for readers. */
  readonly text?: string;
  readonly effect: FaultEffect;
  /** The one kind it is about; absent: both. */
  readonly kind?: SoakKind;
  readonly fromMs: number;
  /** Equal to `fromMs` for one that strikes once. */
  readonly toMs: number;
}

export interface MemorySample {
  readonly atMs: number;
  readonly rssBytes: number;
}

/** One client's part of a soak. */
export interface Recording {
  /** Both caches are filled, and the clock of the figures starts. */
  readonly fromMs: number;
  /** Writer and faults stop. */
  readonly toMs: number;
  /** Every change of the truth, by the moment somebody outside could know it. */
  readonly changes: readonly ObjectState[];
  /** Every change the client told its user of. */
  readonly sightings: readonly ObjectState[];
  readonly faults: readonly FaultSpan[];
  /** uid → version, after all have had time to come to rest: what the API server has, and what the client shows. */
  readonly finalTruth: Readonly<Record<string, number>>;
  readonly finalView: Readonly<Record<string, number>>;
  readonly memory: readonly MemorySample[];
}
