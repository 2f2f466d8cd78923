// Loaded by k6 as well: imports types only.
import type { Sample } from './observer.ts';

/** What a k6 script tells the runner, one JSON object a line. Figures count from `begin` to `end`; without an `end` they are partial. */
export type BenchLine =
  | { readonly line: 'begin'; readonly atMs: number; readonly requests: number }
  | ({ readonly line: 'sample' } & Sample)
  /** A request the API server refused, or a watch that ended: what is measured after it is void. */
  | { readonly line: 'trouble'; readonly what: string }
  /** The time was over, and what was measured until then stands. */
  | { readonly line: 'late'; readonly what: string }
  | { readonly line: 'end'; readonly atMs: number /** The latest that any request was sent, against its time. */; readonly lateMs: number };

/** How requests arrive: each when the one before it is carried out, all at once, or so many a second whatever becomes of them. */
export type Arrivals = 'serial' | 'burst' | OpenLoop;
interface OpenLoop {
  readonly perSecond: number;
  /** As strangers come, who know nothing of each other; otherwise at even distances. */
  readonly isPoisson: boolean;
}

/** @throws Error for a text that is none of `serial`, `burst`, requests a second above 0, and those with `poisson:` before them */
export function parseArrivals(text: string): Arrivals {
  if (text === 'serial' || text === 'burst') return text;
  const perSecond = Number(text.replace(/^poisson:/, ''));
  if (!(perSecond > 0))
    throw new Error(`BENCH_ARRIVALS: give serial, burst, requests a second, or poisson:requests a second, not ${JSON.stringify(text)}`);
  return { perSecond, isPoisson: text.startsWith('poisson:') };
}

/** When each request is due, in milliseconds from the first. Pure. @param random from [0, 1) */
export function planArrivals({ perSecond, isPoisson }: OpenLoop, count: number, random: () => number): readonly number[] {
  const due: number[] = [];
  for (let atMs = 0; due.length < count; atMs += ((isPoisson ? -Math.log(1 - random()) : 1) * 1_000) / perSecond) due.push(atMs);
  return due;
}

/** Names of the Performers of a load, spread over its namespaces in turn. Pure. */
export function buildKeys(prefix: string, count: number, namespaces: readonly string[], first = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${namespaces[index % namespaces.length]}/${prefix}-${first + index}`);
}

/** A Performer of the load as it is sent. `atMs`, when, stands on it for whoever looks. Pure. */
export function buildPerformer(key: string, image: string, atMs: number): object {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
    kind: 'Performer',
    metadata: { name, namespace, labels: benchLabels, annotations: { 'bench.hourglass.eigenlayer.io/asked-at-ms': String(atMs) } },
    spec: { avsAddress: '0x00000000000000000000000000000000000000a1', image },
  };
}

/** On every Performer of a load, so that nothing else is ever deleted. */
export const benchLabels = { 'app.kubernetes.io/managed-by': 'hourglass-bench' };
