import { describe, expect, it } from 'vitest';
import type { Renewal } from '../../../chaos/observations.ts';
import { noteLeaders } from '../../../chaos/run-record.ts';

const held = (atMs: number, holder: string, of = 'operator'): Renewal => ({ of, holder, atMs, durationMs: 15_000 });

describe('who led', () => {
  it('is told, with since when, where another one took over', () => {
    const renewals = [held(8_000, 'a'), held(11_000, 'n2', 'n2'), held(22_000, ''), held(24_000, 'b'), held(26_000, 'b')];
    expect(noteLeaders({ renewals }, { askedMs: 10_000 })).toEqual([
      { what: 'another operator took over', says: 'noted', detail: 'a led at first; b led from 14.0 s on' },
    ]);
  });

  it('is not told where it is the same, or never was seen', () => {
    expect(noteLeaders({ renewals: [held(8_000, 'a'), held(12_000, 'a')] }, { askedMs: 10_000 })).toEqual([]);
    expect(noteLeaders({ renewals: [held(12_000, 'a')] }, { askedMs: 10_000 })).toEqual([]);
  });
});
