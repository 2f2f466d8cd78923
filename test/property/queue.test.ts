import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runController } from '../../src/controller/controller.ts';
import { FlightLimit } from '../../src/controller/flight-limit.ts';
import type { Outcome } from '../../src/controller/outcome.ts';
import { WorkQueue } from '../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../src/kube/objects.ts';
import { sleep } from '../../src/lib/clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

const key = (index: number): ObjectKey => ({ namespace: 'ns', name: `p${index}` });

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('change' as const), key: fc.nat(14) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('background' as const), key: fc.nat(14) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('later' as const), key: fc.nat(14), delayMs: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), key: fc.nat(14), delayMs: fc.nat(50) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), key: fc.nat(14) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('done' as const), key: fc.nat(14), begun: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), key: fc.nat(14), delayMs: fc.nat(60) }) },
);

describe('the work queue, whatever is done to it in whatever order', () => {
  it('hands out no key twice at once and loses no wish', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const clock = new FakeClock();
        const queue = new WorkQueue(clock);
        const running = new Set<string>();
        /** Keys that were wanted after they were last taken. */
        const wanted = new Set<string>();
        const take = (): boolean => {
          const taken = queue.take();
          if (taken === undefined) return false;
          expect(running).not.toContain(taken.name);
          running.add(taken.name);
          wanted.delete(taken.name);
          return true;
        };
        const end = (name: string | undefined, begun: boolean): void => {
          if (name === undefined) return;
          running.delete(name);
          queue.done({ namespace: 'ns', name }, begun);
        };
        for (const one of steps) {
          const { name } = key(one.key);
          if (one.do === 'take') take();
          else if (one.do === 'done') end([...running][one.key % Math.max(1, running.size)], one.begun);
          else if (one.do === 'wait') await clock.advance(one.delayMs);
          else {
            wanted.add(name);
            if (one.do === 'hold') queue.hold(key(one.key), one.delayMs);
            if (one.do === 'later') queue.addAfter(key(one.key), one.delayMs);
            else queue.add(key(one.key), one.do === 'background' ? 'background' : 'change');
          }
        }
        for (let round = 0; round < 3; round += 1) {
          for (const name of running) end(name, false);
          await clock.advance(100);
          const { change, background } = queue.stats().depth;
          const before = running.size;
          while (take());
          expect(running.size - before).toBe(change + background);
        }
        for (const name of running) end(name, false);
        expect([...wanted]).toEqual([]);
        expect([queue.idle, clock.pending]).toEqual([true, 0]);
      }),
      { numRuns: 300 },
    );
  });

  it('lets no key wait longer than eight turns for each key before it in its lane, and eight for itself', () => {
    const arrival = fc.record({ key: fc.nat(40), lane: fc.constantFrom('begun', 'begun', 'begun', 'fresh', 'background') });
    fc.assert(
      fc.property(fc.array(fc.array(arrival, { maxLength: 4 }), { minLength: 40, maxLength: 200 }), (rounds) => {
        const queue = new WorkQueue(new FakeClock());
        const lanes = { begun: new Set<string>(), fresh: new Set<string>(), background: new Set<string>() };
        /** lane and name → the turn by which it must have been taken. */
        const dueAt = new Map<string, number>();
        for (let index = 0; index < 20; index += 1) {
          queue.add(key(index));
          queue.done(queue.take() ?? key(index), true);
        }
        let turn = 0;
        for (const arrivals of rounds) {
          for (const { key: index, lane } of arrivals) {
            // Keys 0-19 were begun, the others not, so that the lane of a change is known.
            const changeLane = index < 20 ? 'begun' : 'fresh';
            const into = lane === 'background' ? 'background' : changeLane;
            const { name } = key(index);
            if (lanes[into].has(name)) continue;
            if (!dueAt.has(`${into} ${name}`)) dueAt.set(`${into} ${name}`, turn + 8 * (lanes[into].size + 1));
            lanes[into].add(name);
            queue.add(key(index), into === 'background' ? 'background' : 'change');
          }
          turn += 1;
          const taken = queue.take();
          if (taken === undefined) continue;
          for (const lane of ['begun', 'fresh', 'background'] as const) {
            lanes[lane].delete(taken.name);
            const due = dueAt.get(`${lane} ${taken.name}`);
            if (due !== undefined) expect(turn, `${lane} ${taken.name}`).toBeLessThanOrEqual(due);
            dueAt.delete(`${lane} ${taken.name}`);
          }
          queue.done(taken, Number(taken.name.slice(1)) < 20);
          const onlyBackground = [...lanes.background].filter((name) => !lanes.begun.has(name) && !lanes.fresh.has(name));
          expect(queue.stats().depth).toEqual({ change: lanes.begun.size + lanes.fresh.size, background: onlyBackground.length });
          for (const [waiting, due] of dueAt) expect(turn, waiting).toBeLessThan(due);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the controller, whatever keys fail', () => {
  it('finishes all healthy keys as soon as without the poisoned ones, but for a few passes', async () => {
    const scenario = fc.record({
      healthy: fc.integer({ min: 1, max: 30 }),
      poisoned: fc.integer({ min: 0, max: 5 }),
      passMs: fc.integer({ min: 1, max: 50 }),
      fails: fc.constantFrom<Outcome>(
        { kind: 'failed', reason: 'forbidden', message: '', retry: 'backoff' },
        { kind: 'failed', reason: 'conflict', message: '', retry: 'observe' },
        { kind: 'failed', reason: 'Bug', message: '', retry: 'never' },
      ),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ healthy, poisoned, passMs, fails }) => {
        const clock = new FakeClock();
        const queue = new WorkQueue(clock);
        const stop = new AbortController();
        const finished = new Map<string, number>();
        let poisonedPasses = 0;
        const running = runController({
          queue,
          limit: new FlightLimit(2),
          clock,
          random: () => 0.5,
          until: stop.signal,
          reconcile: async ({ name }) => {
            await sleep(clock, passMs);
            if (name.startsWith('bad')) {
              poisonedPasses += 1;
              // Its own failures make events, too.
              queue.add({ namespace: 'ns', name });
              return fails;
            }
            finished.set(name, clock.monotonicMs());
            return { kind: 'settled', reason: 'Serving', message: '', again: false, unsaid: false };
          },
        });
        const startMs = clock.monotonicMs();
        for (let index = 0; index < poisoned; index += 1) queue.add({ namespace: 'ns', name: `bad${index}` });
        for (let index = 0; index < healthy; index += 1) queue.add(key(index));
        const bareMs = Math.ceil(healthy / 2) * passMs;
        await clock.advance(60_000);
        stop.abort();
        await clock.advance(1_000);
        await running;
        expect(finished.size).toBe(healthy);
        // Doubling from 50 ms (held for at most 1 s): so many passes of each poisoned key fit into the time, whatever news of it comes.
        const passesOfEach = 2 + Math.max(0, Math.ceil(Math.log2((bareMs + 1_000) / 25)));
        expect(Math.max(...finished.values()) - startMs).toBeLessThanOrEqual(bareMs + poisoned * passesOfEach * passMs);
        expect(poisonedPasses).toBeLessThanOrEqual(poisoned * 70);
      }),
      { numRuns: 60 },
    );
  });
});
