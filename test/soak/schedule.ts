import { createRandom } from '../../src/lib/seeded-random.ts';
import type { Injection } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { type Fault, type FaultName, faultNames } from '../../src/testbed/fault-proxy/faults.ts';
import { type FaultEffect, type SoakKind, soakKinds } from './recording.ts';

export interface ScheduledFault {
  readonly atMs: number;
  readonly fault: Fault;
  readonly injection: Injection;
  readonly effect: FaultEffect;
  readonly kind?: SoakKind;
}

interface Play {
  readonly fault: Fault;
  readonly effect: FaultEffect;
  /** Strikes once, or each occasion of a while. */
  readonly lasts: 'once' | 'while';
  /** About the stream of one kind. */
  readonly ofOneStream?: true;
  readonly injection?: Injection;
}

/** How each fault is played; the rows of one take turns. A fault that befalls every request while it lasts leaves nobody a way in. */
const plays: Readonly<Record<FaultName, readonly Play[]>> = {
  delay: [{ fault: { name: 'delay', ms: 300 }, effect: 'open', lasts: 'while' }],
  reset: [
    { fault: { name: 'reset', variant: 'connection' }, effect: 'blocks', lasts: 'while' },
    { fault: { name: 'reset', variant: 'stream' }, effect: 'open', lasts: 'once' },
    { fault: { name: 'reset', variant: 'connection' }, effect: 'open', lasts: 'once' },
    { fault: { name: 'reset', variant: 'stream' }, effect: 'blocks', lasts: 'while' },
  ],
  'half-open': [
    { fault: { name: 'half-open', variant: 'connection' }, effect: 'open', lasts: 'once' },
    { fault: { name: 'half-open', variant: 'stream' }, effect: 'silences', lasts: 'once', ofOneStream: true },
    // What is swallowed stays swallowed when others are let in again.
    { fault: { name: 'half-open', variant: 'request' }, effect: 'silences', lasts: 'while' },
  ],
  'truncated-body': [
    { fault: { name: 'truncated-body', variant: 'cut' }, effect: 'blocks', lasts: 'while' },
    { fault: { name: 'truncated-body', variant: 'end' }, effect: 'open', lasts: 'once' },
  ],
  throttle: [
    { fault: { name: 'throttle', variant: 'retry-after' }, effect: 'blocks', lasts: 'while' },
    { fault: { name: 'throttle', variant: 'bare' }, effect: 'blocks', lasts: 'while' },
  ],
  'error-before': [
    { fault: { name: 'error-before', variant: '503' }, effect: 'blocks', lasts: 'while' },
    { fault: { name: 'error-before', variant: '500' }, effect: 'blocks', lasts: 'while' },
  ],
  'error-after': [
    { fault: { name: 'error-after', variant: 'reset' }, effect: 'blocks', lasts: 'while' },
    { fault: { name: 'error-after', variant: '504' }, effect: 'blocks', lasts: 'while' },
  ],
  expired: [
    { fault: { name: 'expired', variant: 'event' }, effect: 'open', lasts: 'once' },
    { fault: { name: 'expired', variant: 'status' }, effect: 'open', lasts: 'once' },
  ],
  goaway: [
    { fault: { name: 'goaway', variant: 'graceful' }, effect: 'open', lasts: 'once' },
    { fault: { name: 'goaway', variant: 'abrupt' }, effect: 'open', lasts: 'once' },
    { fault: { name: 'goaway', variant: 'refusing' }, effect: 'blocks', lasts: 'while' },
  ],
  'slow-bytes': [{ fault: { name: 'slow-bytes', ms: 2 }, effect: 'open', lasts: 'while' }],
  'duplicate-event': [{ fault: { name: 'duplicate-event' }, effect: 'open', lasts: 'while' }],
  'late-event': [
    { fault: { name: 'late-event', variant: 'lag', ms: 300 }, effect: 'open', lasts: 'while', injection: { probability: 0.3 } },
    { fault: { name: 'late-event', variant: 'replay' }, effect: 'open', lasts: 'while' },
  ],
  'bad-json': [
    { fault: { name: 'bad-json' }, effect: 'blocks', lasts: 'while' },
    { fault: { name: 'bad-json' }, effect: 'open', lasts: 'once' },
  ],
  'wrong-certificate': [{ fault: { name: 'wrong-certificate' }, effect: 'blocks', lasts: 'while' }],
  refuse: [{ fault: { name: 'refuse' }, effect: 'blocks', lasts: 'while' }],
  'close-stream-after': [{ fault: { name: 'close-stream-after', ms: 1_000 }, effect: 'open', lasts: 'while' }],
  'silent-stream': [{ fault: { name: 'silent-stream' }, effect: 'silences', lasts: 'once', ofOneStream: true }],
};

/** Each fault 20 times in half an hour, and once in a minute. */
const slotMs = { least: 2_900, most: 4_700 };
const shortMs = { from: 1_200, to: 3_000 };
const longMs = { from: 6_000, to: 10_000 };
const longShare = 0.06;

/** Every fault in turn, each turn in another order, one every three to five seconds. The same seed and length give the same schedule. Pure. */
export function planSoakFaults(seed: number, lengthMs: number): readonly ScheduledFault[] {
  const random = createRandom(seed);
  const between = ({ from, to }: { readonly from: number; readonly to: number }): number => Math.round(from + random() * (to - from));
  const planned: ScheduledFault[] = [];
  const slot = Math.min(slotMs.most, Math.max(slotMs.least, (lengthMs - 8_000) / faultNames.length));
  let atMs = 1_000;
  for (let turn = 0; ; turn += 1) {
    for (const name of shuffle(faultNames, random)) {
      const rows = plays[name];
      const play = rows[turn % rows.length];
      if (play === undefined) throw new RangeError(`no way to play ${name}`);
      const durationMs = between(random() < longShare ? longMs : shortMs);
      const lastsMs = play.lasts === 'once' ? 0 : durationMs;
      if (atMs + lastsMs + 3_000 > lengthMs) return planned;
      const kind = play.ofOneStream === true ? soakKinds[Math.floor(random() * soakKinds.length)] : undefined;
      planned.push({
        atMs,
        fault: play.fault,
        effect: play.effect,
        injection: {
          ...play.injection,
          ...(lastsMs === 0 ? {} : { durationMs: lastsMs }),
          ...(kind === undefined ? {} : { match: { watch: true, resource: kind } }),
        },
        ...(kind === undefined ? {} : { kind }),
      });
      atMs += Math.max(slot + between({ from: -700, to: 700 }), lastsMs + 1_000);
    }
  }
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
