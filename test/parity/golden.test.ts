import { describe, expect, it } from 'vitest';
import type { Pod } from '../../src/kube/objects.ts';
import { buildPod } from '../../src/reconcile/plan/pod.ts';
import { buildService } from '../../src/reconcile/plan/service.ts';
import { type OriginalSpec, originalPod, originalService } from '../fixtures/original/objects.ts';
import { key, settings, spec, uid } from '../support/snapshots.ts';
import { corpus } from './golden/corpus.ts';
import { type DifferenceName, differences, diffPaths, nameOf } from './golden/differences.ts';

/** What every pod of ours has that those of the original have not. */
const everywhere: readonly DifferenceName[] = ['marks', 'owner', 'probes', 'token', 'service links', 'grace period'];
/** Without a config there is none; what the API server fills in stands in every stored spec. */
const stored = (change: object): OriginalSpec => {
  const { replicas: _replicas, ...rest } = spec({
    avsAddress: '0x00000000000000000000000000000000000000a1',
    image: 'avs:1',
    config: undefined as never,
    ...change,
  });
  return rest;
};
const both = (change: object): readonly [Pod, Pod] => [
  originalPod(key, uid, stored(change)),
  buildPod(key, uid, stored(change) as ReturnType<typeof spec>, { revision: 'r', index: 0, failures: 0 }, settings),
];

describe('a golden pod', () => {
  it.each(corpus)('differs from that of the Go operator where it is meant to: $name', ({ spec: change, differs = [] }) => {
    const [original, ours] = both(change);
    const paths = diffPaths(original, ours);
    expect(paths.filter((path) => nameOf(path) === undefined)).toEqual([]);
    expect(new Set(paths.map(nameOf))).toEqual(new Set([...everywhere, ...differs]));
  });

  it('keeps the contract in every one of them', () => {
    for (const { spec: change } of corpus) {
      const [original, ours] = both(change);
      expect(ours.metadata?.name).toBe(original.metadata?.name);
      expect(ours.metadata?.labels).toMatchObject({ app: 'hourglass-performer', 'hourglass.eigenlayer.io/performer': key.name });
      expect(ours.spec?.restartPolicy).toBe('Always');
      expect(ours.spec?.containers.map(({ name, ports }) => ({ name, ports }))).toEqual(
        original.spec?.containers.map(({ name, ports }) => ({ name, ports })),
      );
    }
  });

  it('has a row for each difference a spec can bring about', () => {
    const shown = new Set([...everywhere, ...corpus.flatMap(({ differs = [] }) => differs)]);
    // Only an additive field asks for it.
    expect(differences.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual(['security']);
    expect(corpus.length).toBeGreaterThanOrEqual(30);
  });
});

describe('a golden Service', () => {
  it.each(corpus)('differs in its labels and its owner alone: $name', ({ spec: change }) => {
    const paths = diffPaths(
      originalService(key, uid, stored(change)),
      buildService(key, uid, stored(change) as ReturnType<typeof spec>, []),
    );
    expect(paths).toEqual(['metadata.ownerReferences.0.blockOwnerDeletion', 'metadata.labels']);
  });
});
