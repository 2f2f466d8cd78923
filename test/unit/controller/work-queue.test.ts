import { describe, expect, it } from 'vitest';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const key = (name: string): ObjectKey => ({ namespace: 'ns', name });

function setUp() {
  const clock = new FakeClock();
  const queue = new WorkQueue(clock);
  /** Takes so many keys one after the other; each is done before the next is taken. */
  const takeNames = (count: number): string[] =>
    Array.from({ length: count }, () => {
      const taken = queue.take();
      if (taken !== undefined) queue.done(taken);
      return taken?.name ?? '-';
    });
  return { clock, queue, takeNames };
}

describe('WorkQueue', () => {
  it('hands out equal keys once, in the order they came', () => {
    const { queue, takeNames } = setUp();
    for (const name of ['a', 'b', 'a']) queue.add(key(name));
    expect(takeNames(3)).toEqual(['a', 'b', '-']);
  });

  it('holds a key back while it is worked on, and hands it out again afterwards', () => {
    const { queue } = setUp();
    queue.add(key('a'));
    queue.take();
    queue.add(key('a'));
    expect(queue.take()).toBeUndefined();
    queue.done(key('a'));
    expect(queue.idle).toBe(false);
    expect(queue.take()?.name).toBe('a');
  });

  it('is idle once everything taken is done', () => {
    const { queue } = setUp();
    queue.add(key('a'));
    queue.take();
    expect([queue.empty, queue.idle]).toEqual([true, false]);
    queue.done(key('a'));
    expect(queue.idle).toBe(true);
  });

  it('tells when a key became ready', () => {
    const { queue } = setUp();
    let times = 0;
    queue.onReady = () => {
      times += 1;
    };
    queue.add(key('a'));
    expect(times).toBe(1);
  });

  it('of two delays keeps the sooner', async () => {
    const { clock, queue } = setUp();
    queue.addAfter(key('a'), 1_000);
    queue.addAfter(key('a'), 300, 'background');
    queue.addAfter(key('a'), 5_000);
    await clock.advance(299);
    expect(queue.empty).toBe(true);
    await clock.advance(1);
    expect(queue.stats().depth).toEqual({ change: 1, background: 0 });
    expect(clock.pending).toBe(0);
  });

  it('hands a held key out only when its time has come, whoever adds it', async () => {
    const { clock, queue, takeNames } = setUp();
    queue.hold(key('a'), 1_000);
    queue.add(key('a'));
    queue.add(key('b'));
    expect(takeNames(2)).toEqual(['b', '-']);
    await clock.advance(1_000);
    expect(takeNames(1)).toEqual(['a']);
  });

  it('leaves no timer behind when it is closed', () => {
    const { clock, queue } = setUp();
    queue.addAfter(key('a'), 1_000);
    queue.close();
    expect(clock.pending).toBe(0);
  });
});

describe('the order of a WorkQueue', () => {
  const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

  it('puts changes first and gives every eighth turn to the background', () => {
    const { queue, takeNames } = setUp();
    for (const name of numbered('b', 3)) queue.add(key(name), 'background');
    for (const name of numbered('c', 20)) queue.add(key(name));
    const names = takeNames(23);
    expect(names.flatMap((name, index) => (name.startsWith('b') ? [index + 1] : []))).toEqual([8, 16, 23]);
  });

  it('puts what is begun before what is new, and gives every eighth turn to the new', () => {
    const { queue } = setUp();
    for (const name of numbered('old', 20)) {
      queue.add(key(name));
      queue.take();
      queue.done(key(name), true);
    }
    for (const name of numbered('new', 2)) queue.add(key(name));
    for (const name of numbered('old', 20)) queue.add(key(name));
    const names = Array.from({ length: 22 }, () => queue.take()?.name ?? '-');
    const turnsOfNew = names.flatMap((name, index) => (name.startsWith('new') ? [index] : []));
    expect(turnsOfNew).toHaveLength(2);
    expect((turnsOfNew[1] ?? 0) - (turnsOfNew[0] ?? 0)).toBe(8);
  });

  it('takes a key that is finished as new again', () => {
    const { queue } = setUp();
    for (const begun of [true, false]) {
      queue.add(key('a'));
      queue.take();
      queue.done(key('a'), begun);
    }
    queue.add(key('b'));
    queue.add(key('a'));
    expect([queue.take()?.name, queue.take()?.name]).toEqual(['b', 'a']);
  });

  it('counts a key in both classes as a change, once, and lets it keep its place in the background', () => {
    const { queue, takeNames } = setUp();
    queue.add(key('a'), 'background');
    for (const name of numbered('c', 30)) queue.add(key(name));
    queue.add(key('a'));
    expect(queue.stats().depth).toEqual({ change: 31, background: 0 });
    const names = takeNames(32);
    expect(names.indexOf('a')).toBe(7);
    expect(names.filter((name) => name === 'a')).toHaveLength(1);
  });

  it('keeps the class of a wish that came while the key was worked on', () => {
    const { queue } = setUp();
    queue.add(key('a'));
    queue.take();
    queue.add(key('a'), 'background');
    queue.done(key('a'));
    expect(queue.stats().depth).toEqual({ change: 0, background: 1 });
  });
});

describe('a closed WorkQueue', () => {
  it('leaves no timer, also when a key that was held changes afterwards', () => {
    const { clock, queue } = setUp();
    queue.hold(key('a'), 60_000);
    queue.addAfter(key('a'), 60_000);
    queue.close();
    queue.add(key('a'));
    expect([clock.pending, queue.take()?.name]).toEqual([0, 'a']);
  });
});

describe('the stats of a WorkQueue', () => {
  it('tell how many keys are ready, and how many became so, equal ones merged', async () => {
    const { clock, queue } = setUp();
    expect(queue.stats()).toEqual({ depth: { change: 0, background: 0 }, adds: 0 });
    const waited: number[] = [];
    queue.onTake = (waitedMs) => waited.push(waitedMs);
    queue.add(key('a'));
    queue.take();
    await clock.advance(100);
    queue.add(key('b'), 'background');
    await clock.advance(30);
    queue.add(key('c'));
    queue.add(key('b'), 'background');
    await clock.advance(5);
    expect(queue.stats()).toEqual({ depth: { change: 1, background: 1 }, adds: 3 });
    queue.add(key('b'));
    queue.take();
    queue.take();
    expect([queue.stats().adds, waited]).toEqual([3, [0, 5, 35]]);
  });
});

describe('a WorkQueue with many keys', () => {
  const filled = (count: number): WorkQueue => {
    const { queue } = setUp();
    for (let index = 0; index < count; index += 1) queue.add(key(`p${index}`), 'background');
    return queue;
  };
  const timeOf = (work: () => void): number => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  };
  const drainEach = (count: number): number => {
    const queue = filled(count);
    return (
      timeOf(() => {
        for (let taken = queue.take(); taken !== undefined; taken = queue.take()) queue.done(taken);
      }) / count
    );
  };
  const countOften = (count: number): number => {
    const queue = filled(count);
    return timeOf(() => {
      for (let times = 0; times < 300; times += 1) queue.stats();
    });
  };

  // Walking over what was taken came to 50 times as much, and over what waits to 94 times.
  it.each([
    { does: 'hands out', of: drainEach, few: 2_000, many: 300_000 },
    { does: 'counts', of: countOften, few: 1_000, many: 40_000 },
  ])('$does $many at about the time of $few', ({ of, few, many }) => {
    const rounds = Array.from({ length: 3 }, () => ({ few: of(few), many: of(many) }));
    const best = (which: 'few' | 'many'): number => Math.min(...rounds.map((round) => round[which]));
    expect(best('many') / best('few')).toBeLessThan(8);
  });
});
