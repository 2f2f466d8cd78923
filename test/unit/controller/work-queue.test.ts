import { describe, expect, it } from 'vitest';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const key = (name: string): ObjectKey => ({ namespace: 'ns', name });
const never = new AbortController().signal;

describe('WorkQueue', () => {
  it('hands out equal keys once, in the order they came', async () => {
    const queue = new WorkQueue(new FakeClock());
    for (const name of ['a', 'b', 'a']) queue.add(key(name));
    expect([await queue.take(never), await queue.take(never)].map((taken) => taken?.name)).toEqual(['a', 'b']);
    expect(queue.depth).toBe(0);
  });

  it('holds a key back while it is worked on, and hands it out again afterwards', async () => {
    const queue = new WorkQueue(new FakeClock());
    queue.add(key('a'));
    await queue.take(never);
    queue.add(key('a'));
    expect(queue.depth).toBe(0);
    queue.done(key('a'));
    expect(queue.depth).toBe(1);
    expect(queue.idle).toBe(false);
  });

  it('is idle once everything taken is done', async () => {
    const queue = new WorkQueue(new FakeClock());
    queue.add(key('a'));
    await queue.take(never);
    expect(queue.idle).toBe(false);
    queue.done(key('a'));
    expect(queue.idle).toBe(true);
  });

  it('wakes a waiting taker', async () => {
    const queue = new WorkQueue(new FakeClock());
    const taken = queue.take(never);
    await settle();
    queue.add(key('a'));
    expect((await taken)?.name).toBe('a');
  });

  it('lets a taker go when its signal aborts, and loses no key to it', async () => {
    const queue = new WorkQueue(new FakeClock());
    const gone = new AbortController();
    const taken = queue.take(gone.signal);
    gone.abort();
    expect(await taken).toBeUndefined();
    queue.add(key('a'));
    expect((await queue.take(never))?.name).toBe('a');
  });

  it('of two delays keeps the sooner', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);
    queue.addAfter(key('a'), 1_000);
    queue.addAfter(key('a'), 300);
    queue.addAfter(key('a'), 5_000);
    await clock.advance(299);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('hands a held key out only when its time has come, whoever adds it', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);
    queue.hold(key('a'), 1_000);
    queue.add(key('a'));
    queue.add(key('b'));
    expect((await queue.take(never))?.name).toBe('b');
    expect(queue.depth).toBe(0);
    await clock.advance(1_000);
    expect((await queue.take(never))?.name).toBe('a');
  });

  it('leaves no timer behind when it is closed', () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);
    queue.addAfter(key('a'), 1_000);
    queue.close();
    expect(clock.pending).toBe(0);
  });
});
