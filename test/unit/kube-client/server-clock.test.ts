import { describe, expect, it } from 'vitest';
import { ServerClock } from '../../../src/kube-client/server-clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const date = (seconds: number): string => new Date(Date.parse('2026-05-05T10:00:00Z') + seconds * 1000).toUTCString();
const seconds = (clock: ServerClock): number => (clock.nowMs() - Date.parse('2026-05-05T10:00:00Z')) / 1000;

describe('the server clock', () => {
  it('is the local one before the first answer', () => {
    const local = new FakeClock(5_000);
    expect(new ServerClock(local).nowMs()).toBe(5_000);
  });

  it('moves on with the monotonic clock', async () => {
    const local = new FakeClock();
    const clock = new ServerClock(local);
    clock.observe(date(0));
    await local.advance(1_500);
    expect(seconds(clock)).toBe(1.5);
  });

  it.each([
    { name: 'stays where it is for a Date cut to the second it is in', header: 10, expected: 10.9 },
    { name: 'goes forward to a later Date', header: 12, expected: 12 },
    { name: 'goes back when the server did', header: -3_600, expected: -3_600 },
  ])('$name', async ({ header, expected }) => {
    const local = new FakeClock();
    const clock = new ServerClock(local);
    clock.observe(date(0));
    await local.advance(10_900);
    clock.observe(date(header));
    expect(seconds(clock)).toBe(expected);
  });

  it.each([undefined, '', 'yesterday', ['a']])('passes over %j', async (header) => {
    const clock = new ServerClock(new FakeClock());
    clock.observe(date(3));
    clock.observe(header);
    expect(seconds(clock)).toBe(3);
  });
});
