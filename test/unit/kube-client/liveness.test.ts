import { describe, expect, it } from 'vitest';
import { startLiveness } from '../../../src/kube-client/liveness.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function given(firstMs = 0): {
  clock: FakeClock;
  peer: { answers: boolean; bytes: number; pings: number; accepts: boolean; dead: number };
  stop: () => void;
} {
  const clock = new FakeClock();
  const peer = { answers: true, bytes: 0, pings: 0, accepts: true, dead: 0 };
  const stop = startLiveness(clock, firstMs, {
    ping: (onAnswer) => {
      peer.pings += 1;
      if (peer.answers) clock.timer(100, onAnswer);
      return peer.accepts;
    },
    bytesRead: () => peer.bytes,
    onDead: () => {
      peer.dead += 1;
    },
  });
  return { clock, peer, stop };
}

describe('liveness', () => {
  it('asks at once and 2 s after each answer', async () => {
    const { clock, peer } = given();
    await clock.advance(2_100 * 4);
    expect(peer).toMatchObject({ pings: 5, dead: 0 });
  });

  it('asks later where something was heard just before', async () => {
    const { clock, peer } = given(3_000);
    await clock.advance(2_999);
    expect(peer.pings).toBe(0);
    await clock.advance(1);
    expect(peer.pings).toBe(1);
  });

  it('gives up 2 s after a ping that nothing answers', async () => {
    const { clock, peer } = given();
    peer.answers = false;
    await clock.advance(2_100 + 2_000);
    expect(peer.dead).toBe(0);
    await clock.advance(100);
    expect(peer.dead).toBe(1);
    await clock.advance(60_000);
    expect(peer).toMatchObject({ pings: 2, dead: 1 });
  });

  it('takes any byte for a sign of life: the answer may stand behind a long list', async () => {
    const { clock, peer } = given();
    peer.answers = false;
    for (let second = 0; second < 60; second += 1) {
      peer.bytes += 1;
      await clock.advance(1_000);
    }
    expect(peer.dead).toBe(0);
  });

  it('gives up at once when it cannot ask', async () => {
    const { clock, peer } = given();
    peer.accepts = false;
    peer.answers = false;
    await clock.advance(2_100);
    expect(peer.dead).toBe(1);
  });

  it('asks no more once stopped', async () => {
    const { clock, peer, stop } = given();
    peer.answers = false;
    stop();
    await clock.advance(60_000);
    expect(peer).toMatchObject({ pings: 1, dead: 0 });
    expect(clock.pending).toBe(0);
  });
});
