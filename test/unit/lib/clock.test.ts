import { describe, expect, it } from 'vitest';
import { sleep, startDeadline, systemClock } from '../../../src/lib/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('sleep', () => {
  it('ends after its time and leaves no timer', async () => {
    const clock = new FakeClock();
    let over = false;
    void sleep(clock, 100).then(() => {
      over = true;
    });
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('ends at once when its signal aborts, before or meanwhile', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleeping = sleep(clock, 1_000, abort.signal);
    abort.abort();
    await sleeping;
    await sleep(clock, 1_000, abort.signal);
    expect(clock.pending).toBe(0);
  });
});

describe('startDeadline', () => {
  it('aborts when its time is over, and says that it was the time', async () => {
    const clock = new FakeClock();
    const deadline = startDeadline(clock, 100);
    await clock.advance(100);
    expect([deadline.signal.aborted, deadline.expired()]).toEqual([true, true]);
  });

  it('aborts with its parent, and says that it was not the time', () => {
    const parent = new AbortController();
    const deadline = startDeadline(new FakeClock(), 100, parent.signal);
    parent.abort();
    expect([deadline.signal.aborted, deadline.expired()]).toEqual([true, false]);
  });

  it('tells how long is left, and once lifted only ends when it is told to', async () => {
    const clock = new FakeClock();
    const deadline = startDeadline(clock, 100);
    await clock.advance(60);
    expect(deadline.leftMs()).toBe(40);
    deadline.lift();
    await clock.advance(1_000);
    expect(deadline.signal.aborted).toBe(false);
    deadline.abort();
    expect([deadline.signal.aborted, deadline.expired()]).toEqual([true, false]);
  });

  it('leaves nothing behind once cleared', async () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    const deadline = startDeadline(clock, 100, parent.signal);
    deadline.clear();
    parent.abort();
    await clock.advance(200);
    expect(deadline.signal.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });
});

describe('the system clock', () => {
  it('runs a timer and cancels one', async () => {
    let ran = '';
    const cancel = systemClock.timer(5, () => {
      ran += 'cancelled';
    });
    cancel();
    await new Promise<void>((resolve) => {
      systemClock.timer(10, () => {
        ran += 'ran';
        resolve();
      });
    });
    expect(ran).toBe('ran');
  });
});
