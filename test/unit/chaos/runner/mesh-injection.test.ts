import { describe, expect, it } from 'vitest';
import type { Injection } from '../../../../chaos/runner/injection.ts';
import { againAndAgain, inTurn } from '../../../../chaos/runner/mesh-injection.ts';

/** One that tells what is done with it; `there`: whether its records say that it was injected. */
function telling(name: string, told: string[], there = true): Injection {
  let begun = false;
  return {
    inject: async () => {
      begun = true;
      told.push(`${name} begins`);
    },
    status: async () => ({ holds: begun && there, detail: `${name} is ${begun && there ? 'there' : 'not there'}` }),
    heal: async () => {
      told.push(`${name} ends`);
      return { holds: true, detail: '' };
    },
  };
}

describe('several faults at once', () => {
  it('begin in their order, and end the other way round', async () => {
    const told: string[] = [];
    const both = inTurn([telling('a', told), telling('b', told)]);
    await both.inject();
    expect(await both.status()).toEqual({ holds: true, detail: 'a is there; b is there' });
    await both.heal();
    expect(told).toEqual(['a begins', 'b begins', 'b ends', 'a ends']);
  });

  it('are not there while one is not', async () => {
    const both = inTurn([telling('a', []), telling('b', [], false)]);
    await both.inject();
    expect((await both.status()).holds).toBe(false);
  });

  it('end where one that was interrupted has begun', async () => {
    const told: string[] = [];
    const failing: Injection = { ...telling('a', told), inject: () => Promise.reject(new Error('no answer')) };
    const both = inTurn([failing, telling('b', told)]);
    await expect(both.inject()).rejects.toThrow('no answer');
    await both.heal();
    expect(told).toEqual(['a ends']);
  });
});

describe('a fault that comes again', () => {
  const later = async (holds: () => Promise<boolean>): Promise<void> => expect.poll(holds, { timeout: 5_000, interval: 5 }).toBe(true);

  it('comes as often as there is time for, each time to whom it finds, and all of it ends', async () => {
    const told: string[] = [];
    const series = againAndAgain(
      { injection: telling('0', told), pods: [] },
      async (count) => ({ injection: telling(String(count), told), pods: [{ name: `p-${count}`, uid: `u-${count}` }] }),
      20,
      60,
    );
    await series.inject();
    await later(async () => (await series.status()).detail === '3 times');
    await series.heal();
    expect(told).toEqual(['0 begins', '1 begins', '2 begins', '0 ends', '1 ends', '2 ends']);
    expect(series.alsoMet?.().map(({ name }) => name)).toEqual(['p-1', 'p-2']);
  });

  it('was not injected when once there was nobody to meet', async () => {
    const series = againAndAgain({ injection: telling('0', []), pods: [] }, () => Promise.reject(new Error('it has no pod')), 5, 1_000);
    await series.inject();
    await later(async () => (await series.status()).detail === '1 times, and then: it has no pod');
    expect((await series.status()).holds).toBe(false);
    expect(series.gaveUp?.aborted).toBe(true);
    await series.heal();
  });

  it('comes no more once it is healed', async () => {
    const told: string[] = [];
    const series = againAndAgain(
      { injection: telling('0', told), pods: [] },
      async () => ({ injection: telling('1', told), pods: [] }),
      10_000,
      60_000,
    );
    await series.inject();
    await series.heal();
    expect(told).toEqual(['0 begins', '0 ends']);
    expect((await series.status()).holds).toBe(true);
    expect(series.gaveUp?.aborted).toBe(false);
  });
});
