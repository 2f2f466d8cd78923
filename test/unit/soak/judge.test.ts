import { describe, expect, it } from 'vitest';
import { judge } from '../../soak/judge.ts';
import type { FaultSpan, ObjectState, Recording } from '../../soak/recording.ts';

type State = Partial<ObjectState> & { readonly uid: string; readonly version: number; readonly atMs: number };

const state = (part: State): ObjectState => ({ kind: 'pods', gone: false, ...part });
const fault = (part: Partial<FaultSpan> & { readonly fromMs: number }): FaultSpan => ({
  name: 'refuse',
  effect: 'open',
  toMs: part.fromMs,
  ...part,
});
const recording = (part: {
  readonly changes: readonly State[];
  readonly sightings: readonly State[];
  readonly faults?: readonly FaultSpan[];
  readonly toMs?: number;
  readonly finalTruth?: Record<string, number>;
  readonly finalView?: Record<string, number>;
  readonly memory?: Recording['memory'];
}): Recording => ({
  fromMs: 0,
  toMs: 100_000,
  faults: [],
  finalTruth: {},
  finalView: {},
  memory: [],
  ...part,
  changes: part.changes.map(state),
  sightings: part.sightings.map(state),
});

const change = { uid: 'a', version: 5, atMs: 10_000 };
const toldAt = (atMs: number): readonly State[] => [{ uid: 'a', version: 5, atMs }];

describe('judge', () => {
  it.each<{ name: string; told: readonly State[]; faults?: readonly FaultSpan[]; blindMs: number; shutOutMs?: number; silentMs?: number }>([
    { name: 'counts nothing while a change is told within 2 s', told: toldAt(11_900), blindMs: 0 },
    { name: 'counts what goes beyond 2 s', told: toldAt(15_000), blindMs: 3_000 },
    { name: 'takes a later state of the object for news of the earlier', told: [{ uid: 'a', version: 9, atMs: 13_000 }], blindMs: 1_000 },
    { name: 'takes its end for news of it', told: [{ uid: 'a', version: 4, gone: true, atMs: 13_000 }], blindMs: 1_000 },
    { name: 'does not take an earlier state for it', told: [{ uid: 'a', version: 4, atMs: 11_000 }], blindMs: 88_000 },
    { name: 'counts to the end what is never told', told: [], blindMs: 88_000 },
    {
      name: 'sets apart what nobody could have known',
      told: toldAt(20_000),
      faults: [fault({ effect: 'blocks', fromMs: 9_000, toMs: 18_500 })],
      blindMs: 1_500,
      shutOutMs: 6_500,
    },
    {
      name: 'forgives nothing to a fault that leaves a way in',
      told: toldAt(20_000),
      faults: [fault({ fromMs: 9_000, toMs: 18_500 })],
      blindMs: 8_000,
    },
    {
      name: 'sets the silence of a stream apart until there is news again',
      told: toldAt(70_000),
      faults: [fault({ effect: 'silences', fromMs: 9_000 })],
      blindMs: 0,
      silentMs: 58_000,
    },
    {
      name: 'calls a silence blindness once a client should have noticed it',
      told: toldAt(95_000),
      faults: [fault({ effect: 'silences', fromMs: 9_000 })],
      blindMs: 9_000,
      silentMs: 74_000,
    },
    {
      name: 'does not excuse one kind by the silence of another',
      told: toldAt(20_000),
      faults: [fault({ effect: 'silences', kind: 'configmaps', fromMs: 9_000 })],
      blindMs: 8_000,
    },
  ])('$name', ({ told, faults = [], blindMs, shutOutMs = 0, silentMs = 0 }) => {
    const verdict = judge(recording({ changes: [change], sightings: told, faults }));
    expect({ blindMs: verdict.blindMs, shutOutMs: verdict.shutOutMs, silentMs: verdict.silentMs }).toEqual({
      blindMs,
      shutOutMs,
      silentMs,
    });
  });

  it('counts time once in which both kinds are old', () => {
    const changes = [change, { ...change, kind: 'configmaps' as const, uid: 'b', atMs: 11_000 }];
    const sightings = [...toldAt(15_000), { uid: 'b', kind: 'configmaps' as const, version: 5, atMs: 16_000 }];
    expect(judge(recording({ changes, sightings })).blind).toEqual([{ fromMs: 12_000, toMs: 16_000 }]);
  });

  it('ends a silence with the first news, and calls what comes then by its own name', () => {
    const changes = [
      { uid: 'a', version: 5, atMs: 10_000 },
      { uid: 'b', version: 6, atMs: 30_000 },
    ];
    const sightings = [...toldAt(20_000), { uid: 'b', version: 6, atMs: 40_000 }];
    const verdict = judge(recording({ changes, sightings, faults: [fault({ effect: 'silences', fromMs: 9_000 })] }));
    expect(verdict).toMatchObject({ silentMs: 8_000, blindMs: 8_000 });
  });

  it('names the fault that came before', () => {
    const faults = [fault({ name: 'delay', fromMs: 1_000, toMs: 2_000 }), fault({ name: 'goaway', fromMs: 9_500 })];
    expect(judge(recording({ changes: [change], sightings: toldAt(15_000), faults })).blindByFault).toEqual({ goaway: 3_000 });
    expect(judge(recording({ changes: [change], sightings: toldAt(15_000) })).blindByFault).toEqual({ none: 3_000 });
  });

  it.each<{ name: string; changes: readonly State[]; sightings: readonly State[]; neverTold: number }>([
    { name: 'misses a change that was never told', changes: [change], sightings: [{ ...change, version: 4 }], neverTold: 1 },
    {
      name: 'misses an end that was never told',
      changes: [change, { ...change, version: 6, gone: true, atMs: 11_000 }],
      sightings: toldAt(10_100),
      neverTold: 1,
    },
    {
      name: 'does not miss what came and went between two lists',
      changes: [change, { ...change, version: 6, gone: true, atMs: 11_000 }, { uid: 'b', version: 7, atMs: 12_000 }],
      sightings: [{ uid: 'b', version: 7, atMs: 12_500 }],
      neverTold: 0,
    },
    {
      name: 'misses what came and went when nothing younger was told',
      changes: [change, { ...change, version: 6, gone: true, atMs: 11_000 }],
      sightings: [{ uid: 'b', version: 3, atMs: 12_500 }],
      neverTold: 2,
    },
  ])('$name', ({ changes, sightings, neverTold }) => {
    expect(judge(recording({ changes, sightings })).neverTold).toBe(neverTold);
  });

  it('counts objects that lack, linger or are outdated in the end', () => {
    const finalTruth = { same: 1, outdated: 5, lacking: 2 };
    const finalView = { same: 1, outdated: 4, lingering: 3 };
    expect(judge(recording({ changes: [], sightings: [], finalTruth, finalView })).lost).toBe(3);
  });

  it('notices a client that tells older states, or that what is gone is back', () => {
    const sightings = [
      { uid: 'a', version: 5, atMs: 1 },
      { uid: 'a', version: 4, atMs: 2 },
      { uid: 'b', version: 5, atMs: 3, gone: true },
      { uid: 'b', version: 5, atMs: 4 },
    ];
    expect(judge(recording({ changes: [], sightings })).movedBack).toBe(2);
  });

  it('sees how much of the time was under a fault, overlaps once', () => {
    const faults = [fault({ fromMs: 0, toMs: 10_000 }), fault({ fromMs: 5_000, toMs: 20_000 }), fault({ fromMs: 99_000, toMs: 200_000 })];
    expect(judge(recording({ changes: [], sightings: [], faults }))).toMatchObject({ faultShare: 0.21, faultCounts: { refuse: 3 } });
  });

  it.each([
    { name: 'flat', lateBytes: 100, growth: 0 },
    { name: 'growing', lateBytes: 125, growth: 0.25 },
  ])('sees memory that is $name after five minutes', ({ lateBytes, growth }) => {
    const toMs = 1_800_000;
    const memory = Array.from({ length: 900 }, (_, at) => ({ atMs: at * 2_000, rssBytes: at * 2_000 < 900_000 ? 100 : lateBytes }));
    expect(judge(recording({ changes: [], sightings: [], memory, toMs })).memoryGrowth).toBeCloseTo(growth);
  });

  it('says nothing of memory after a short run', () => {
    expect(judge(recording({ changes: [], sightings: [] })).memoryGrowth).toBeNaN();
  });
});
