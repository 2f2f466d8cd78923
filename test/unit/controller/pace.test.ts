import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/controller/outcome.ts';
import { backoffMs, Pace } from '../../../src/controller/pace.ts';

const settled: Outcome = { kind: 'settled', reason: 'Serving', message: '', again: false, unsaid: false };
const waiting: Outcome = { ...settled, kind: 'waiting', requeueAfterMs: 700 };
const changed: Outcome = { ...settled, kind: 'waiting', again: true };
const failed: Outcome = { kind: 'failed', reason: 'unavailable', message: '', retry: 'backoff' };
const pace = (): Pace => new Pace(() => 1);

describe('Pace', () => {
  it.each<{ name: string; outcome: Outcome; next: object }>([
    { name: 'looks no more at what is settled', outcome: settled, next: { as: 'background', holdMs: 0 } },
    { name: 'looks again when a wait is over', outcome: waiting, next: { afterMs: 700, as: 'change', holdMs: 0 } },
    { name: 'looks at once at what was changed', outcome: changed, next: { afterMs: 0, as: 'change', holdMs: 0 } },
    { name: 'tries again what failed', outcome: failed, next: { afterMs: 50, as: 'background', holdMs: 50 } },
    {
      name: 'tries sooner what others overtook',
      outcome: { ...failed, retry: 'observe' },
      next: { afterMs: 50, as: 'change', holdMs: 50 },
    },
    { name: 'pauses for as long as the server asks', outcome: { ...failed, retryAfterMs: 9_000 }, next: { afterMs: 9_000, holdMs: 9_000 } },
    {
      name: 'heeds no wish longer than the longest back-off, since a proxy may ask for an hour',
      outcome: { ...failed, retryAfterMs: 3_600_000 },
      next: { afterMs: 60_000, holdMs: 60_000 },
    },
    { name: 'gives time to what must not be tried again', outcome: { ...failed, retry: 'never' }, next: { afterMs: 5_000, holdMs: 1_000 } },
  ])('$name', ({ outcome, next }) => {
    expect(pace().after('a', outcome, 0)).toMatchObject(next);
  });

  it('doubles the delay of a key that keeps failing, yet lets news in once a second', () => {
    const own = pace();
    const looks = Array.from({ length: 12 }, (_, index) => own.after('a', failed, index));
    expect(looks.map(({ afterMs }) => afterMs)).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000]);
    expect(Math.max(...looks.map(({ holdMs }) => holdMs))).toBe(1_000);
    expect(own.after('b', failed, 20).afterMs).toBe(50);
  });

  it('forgets failures bit by bit once the key is well', () => {
    const own = pace();
    for (let count = 0; count < 8; count += 1) own.after('a', failed, 0);
    own.after('a', settled, 0);
    expect(own.after('a', failed, 60_000).afterMs).toBe(800);
    own.after('a', settled, 60_000);
    expect(own.after('a', failed, 600_000).afterMs).toBe(50);
  });

  it('slows a key that changes in every pass', () => {
    const own = pace();
    const holds = Array.from({ length: 10 }, () => own.after('a', changed, 0).holdMs);
    expect(holds).toEqual([0, 0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000]);
  });

  /** How often a key is changed in ten minutes when somebody undoes it so long after it settled. */
  const fight = (everyMs: number): number => {
    const own = pace();
    let changes = 0;
    for (let nowMs = 0; nowMs < 600_000; ) {
      changes += 1;
      const { holdMs } = own.after('a', changed, nowMs);
      own.after('a', settled, nowMs + holdMs);
      nowMs += Math.max(everyMs, holdMs);
    }
    return changes;
  };

  it('slows a fight that settles in between to one change in six seconds, and leaves alone who changes his mind now and then', () => {
    expect(fight(1_000)).toBeLessThanOrEqual(115);
    expect(fight(3_000)).toBeLessThanOrEqual(115);
    expect(fight(20_000)).toBe(30);
  });

  it('does not slow a long rollout, which waits between its changes', () => {
    const own = pace();
    const holds: number[] = [];
    for (let step = 0; step < 200; step += 1) {
      holds.push(own.after('a', changed, step * 1_000).holdMs);
      own.after('a', waiting, step * 1_000);
    }
    expect(Math.max(...holds)).toBe(0);
  });

  it('forgets failures of a key that nobody has worked on for long, as those of one that is well', () => {
    const own = pace();
    for (let count = 0; count < 8; count += 1) own.after('a', failed, count);
    expect(own.after('a', failed, 170_000).afterMs).toBe(12_800);
    expect(own.after('a', failed, 6 * 3_600_000).afterMs).toBe(50);
  });

  it('forgets keys that went while nobody worked on them', () => {
    const own = pace();
    for (const text of ['a', 'b', 'a', 'b']) own.after(text, failed, 0);
    own.keepOnly(new Set(['b', 'c']));
    expect(own.size).toBe(1);
    expect([own.after('a', failed, 1).afterMs, own.after('b', failed, 1).afterMs]).toEqual([50, 200]);
  });

  it('remembers nothing of keys that are gone or never gave trouble', () => {
    const own = pace();
    for (let index = 0; index < 100; index += 1) {
      own.after(`calm${index}`, settled, 0);
      own.after(`gone${index}`, failed, 0);
      own.after(`gone${index}`, changed, 0);
      own.after(`gone${index}`, { ...settled, reason: 'Gone' }, 0);
    }
    expect(own.size).toBe(0);
  });
});

describe('backoffMs', () => {
  it.each([
    { failures: 1, jitter: 0, ms: 25 },
    { failures: 1, jitter: 1, ms: 50 },
    { failures: 4, jitter: 1, ms: 400 },
    { failures: 1_000, jitter: 1, ms: 60_000 },
  ])('is $ms ms after $failures failures with jitter $jitter', ({ failures, jitter, ms }) => {
    expect(backoffMs(failures, jitter)).toBe(ms);
  });
});
