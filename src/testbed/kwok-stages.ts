import { readFileSync } from 'node:fs';
import { findInCheckout } from './tools.ts';

/** How fast the pods of fake nodes live: `instant` for work on logic, `node-like` for times a real node would need. */
export type KwokProfile = 'instant' | 'node-like';

/** Annotation of a pod that chooses its behavior; it may change while the pod runs. An image tag that ends in the behavior does the same. */
export const behaviorAnnotation = 'hourglass.test/behavior';

/** `runs` is the behavior of every pod that names none, or one that is not known. */
type Behavior = 'pull-fails' | 'crashes' | 'never-ready' | 'runs';
type Seen = 'new' | 'changed' | 'pull-fails' | 'crashes' | 'unready' | 'ready';

const notRunning: readonly Seen[] = ['new', 'changed', 'pull-fails', 'crashes'];

interface PodStage {
  readonly name: string;
  readonly wants: readonly Behavior[];
  readonly seen: readonly Seen[];
  readonly becomes: Exclude<Seen, 'new' | 'changed'>;
  readonly delay?: object;
}

/** Comes after a time drawn from this range. */
const after = (fromMs: number, toMs: number): object => ({ durationMilliseconds: fromMs, jitterDurationMilliseconds: toMs });
const start = after(300, 700);
const settle = after(500, 1_000);
const end = after(250, 400);

/**
 * What happens to a pod that wants a behavior and is seen in a state. Rows of a profile never overlap, so a pod has at most one next step,
 * and a pod that is seen doing what it wants has none. A failed pull touches no container that runs.
 */
const podStages: Readonly<Record<KwokProfile, readonly PodStage[]>> = {
  instant: [
    { name: 'pod-serves', wants: ['runs'], seen: [...notRunning, 'unready'], becomes: 'ready' },
    { name: 'pod-stays-unready', wants: ['never-ready'], seen: [...notRunning, 'ready'], becomes: 'unready' },
    { name: 'pod-crashes', wants: ['crashes'], seen: ['new', 'changed', 'pull-fails', 'unready', 'ready'], becomes: 'crashes' },
    { name: 'pod-pull-fails', wants: ['pull-fails'], seen: ['new', 'changed', 'crashes'], becomes: 'pull-fails' },
  ],
  'node-like': [
    { name: 'pod-starts', wants: ['runs', 'never-ready'], seen: notRunning, becomes: 'unready', delay: start },
    { name: 'pod-starts-to-crash', wants: ['crashes'], seen: ['new', 'changed', 'pull-fails'], becomes: 'unready', delay: start },
    { name: 'pod-serves', wants: ['runs'], seen: ['unready'], becomes: 'ready', delay: settle },
    { name: 'pod-turns-unready', wants: ['never-ready'], seen: ['ready'], becomes: 'unready', delay: settle },
    { name: 'pod-crashes', wants: ['crashes'], seen: ['unready', 'ready'], becomes: 'crashes', delay: settle },
    { name: 'pod-pull-fails', wants: ['pull-fails'], seen: ['new', 'changed', 'crashes'], becomes: 'pull-fails', delay: settle },
  ],
};

/** KWOK's configuration file: its settings and one Stage per step of a pod or node. */
export function buildKwokConfig(profile: KwokProfile): string {
  const cluster = fillKwokFile('cluster.yaml', { delay: profile === 'node-like' ? end : null });
  return [cluster, ...podStages[profile].map((stage) => fillKwokFile('pod-stage.yaml', { delay: null, ...stage }))].join('---\n');
}

/** A file of the folder `kwok` with each `${name}` replaced by the value of that name, as JSON. */
export function fillKwokFile(file: string, values: object): string {
  const known = new Map<string, unknown>(Object.entries(values));
  return readFileSync(findInCheckout(`src/testbed/kwok/${file}`), 'utf8').replace(/\$\{(\w+)\}/g, (_, name: string) =>
    JSON.stringify(known.get(name)),
  );
}
