import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/lib/canonical-json.ts';
import { WriterWatch } from '../../../src/reconcile/writer-watch.ts';

const key = { namespace: 'team-a', name: 'x' };
const conditions = (reason: string, atSeconds: number): Json => ({
  status: { conditions: [{ type: 'Ready', status: 'False', reason, lastTransitionTime: `2026-01-01T00:00:0${atSeconds}Z` }] },
});

function truceAfter(patches: readonly Json[]): ReturnType<WriterWatch['findStatusTruce']> {
  const writers = new WriterWatch();
  for (const [index, patch] of patches.entries()) writers.wrote('PerformerStatus', key, patch, index * 1_000);
  return writers.findStatusTruce(key, patches.length * 1_000);
}

describe('a status of which the answer lacks fields', () => {
  const sent: Json = { status: { phase: 'Running', selector: 'a=b', podIP: null } };
  const stored = { phase: 'Running' };
  const writers = (): WriterWatch => {
    const watch = new WriterWatch();
    watch.answered(sent, { status: stored } as object, 1_000);
    return watch;
  };

  it('is not asked for those again for five minutes, of no Performer', () => {
    expect(writers().findUnkept(300_999)).toEqual({ fields: ['selector'], untilMs: 301_000 });
    expect(writers().findUnkept(301_000)).toBeUndefined();
  });

  it('counts what further answers lack', () => {
    const watch = writers();
    watch.answered({ status: { replicas: 1 } }, { status: stored } as object, 2_000);
    expect(watch.findUnkept(3_000)?.fields).toEqual(['selector', 'replicas']);
  });

  it('is asked for them once an answer has one of them: the CRD is another one now', () => {
    const watch = writers();
    watch.answered({ status: { replicas: 1 } }, { status: { ...stored, selector: 'a=b' } } as object, 2_000);
    expect(watch.findUnkept(2_001)?.fields).toEqual(['replicas']);
  });

  it('lacks nothing where all of it was kept', () => {
    const watch = new WriterWatch();
    watch.answered(sent, { status: { phase: 'Running', selector: 'a=b' } } as object, 1_000);
    expect(watch.findUnkept(1_001)).toBeUndefined();
  });
});

describe('a quarrel over the status', () => {
  it('is no quarrel when the cluster itself goes to and fro and we follow', () => {
    const [one, two] = [{ status: { readyReplicas: 1 } }, { status: { readyReplicas: 2 } }] as const;
    expect(truceAfter([two, one, two, one, two])).toBeUndefined();
  });

  it('leaves the fields to whoever puts the same back three times', () => {
    const phase: Json = { status: { phase: 'Running' } };
    expect(truceAfter([phase, phase])).toBeUndefined();
    expect(truceAfter([phase, phase, phase])).toMatchObject({ whole: false });
  });

  it('leaves the conditions as well when those are put back too, whenever they turned', () => {
    const patches = [1, 2, 3, 4].map((second) => conditions('WriteDenied', second));
    expect(truceAfter(patches.slice(0, 3))).toMatchObject({ whole: false });
    expect(truceAfter(patches)).toMatchObject({ whole: true });
  });

  it('is over after five minutes', () => {
    const writers = new WriterWatch();
    for (let second = 0; second < 3; second += 1) writers.wrote('PerformerStatus', key, { status: { phase: 'Running' } }, second * 1_000);
    expect(writers.findStatusTruce(key, 301_000)).toBeDefined();
    expect(writers.findStatusTruce(key, 303_000)).toBeUndefined();
  });
});
