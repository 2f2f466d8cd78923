import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/controller/outcome.ts';
import { pods } from '../../../src/kube/objects.ts';
import type { Log } from '../../../src/telemetry/logger.ts';
import { createPasses, type Passes } from '../../../src/telemetry/passes.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const key = { namespace: 'team-a', name: 'x' };
const came = (kind: 'settled' | 'waiting' | 'stalled', reason: string): Outcome => ({
  kind,
  reason,
  message: 'm',
  again: false,
  unsaid: false,
});
const failed = (reason: string, retry: 'observe' | 'backoff' = 'backoff'): Outcome => ({ kind: 'failed', reason, message: 'm', retry });

function start(): {
  clock: FakeClock;
  passes: Passes;
  lines: Record<string, unknown>[];
  pass: (outcome: Outcome, ...wrote: string[]) => void;
} {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const at =
    (level: string): Log =>
    (message, fields) =>
      void lines.push({ level, line: message, ...fields });
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const nextStep = (reason: string): string | undefined => (reason === 'forbidden' ? 'give it the verb' : undefined);
  const passes = createPasses({ log, nextStep, monotonicMs: () => clock.monotonicMs() });
  const pass = (outcome: Outcome, ...wrote: string[]): void => {
    const one = passes.begin(key);
    for (const name of wrote) one.wrote('create', pods, name);
    one.end(outcome);
  };
  return { clock, passes, lines, pass };
}

describe('the line of a pass', () => {
  it('says what was written, what it came to and how long it took', async () => {
    const { clock, passes, lines } = start();
    const pass = passes.begin(key);
    pass.wrote('create', pods, 'performer-x');
    await clock.advance(12);
    pass.end(came('waiting', 'Starting'));
    expect(lines).toEqual([
      {
        level: 'info',
        line: 'waiting',
        key: 'team-a/x',
        pass: 1,
        reason: 'Starting',
        message: 'm',
        did: ['create Pod performer-x'],
        ms: 12,
      },
    ]);
  });

  it.each<{ name: string; outcomes: Outcome[]; levels: string[] }>([
    {
      name: 'is not written for a key that was settled all along',
      outcomes: [came('settled', 'Serving'), came('settled', 'Serving')],
      levels: [],
    },
    { name: 'is written once while a key stays as it is', outcomes: [came('waiting', 'A'), came('waiting', 'A')], levels: ['info'] },
    {
      name: 'is written again when the key comes to something else',
      outcomes: [came('waiting', 'A'), came('settled', 'S'), came('waiting', 'A')],
      levels: ['info', 'info', 'info'],
    },
    { name: 'warns where a user must act', outcomes: [came('stalled', 'Bad')], levels: ['warn'] },
    {
      name: 'is an error once per trouble',
      outcomes: [failed('unreachable'), failed('unreachable'), came('settled', 'S')],
      levels: ['error', 'info'],
    },
    { name: 'is not written for one that another writer overtook', outcomes: [failed('StaleView', 'observe')], levels: [] },
  ])('$name', ({ outcomes, levels }) => {
    const { lines, pass } = start();
    for (const outcome of outcomes) pass(outcome);
    expect(lines.map(({ level }) => level)).toEqual(levels);
  });

  it('is written for each pass that wrote', () => {
    const { lines, pass } = start();
    pass(came('settled', 'S'), 'a');
    pass(came('settled', 'S'), 'b');
    expect(lines.map(({ did }) => did)).toEqual([['create Pod a'], ['create Pod b']]);
  });

  it('names the next step of a failure', () => {
    const { lines, pass } = start();
    pass(failed('forbidden'));
    expect(lines[0]).toMatchObject({ next: 'give it the verb' });
  });
});

describe('a pass that does not end', () => {
  it('counts as stuck after five minutes, by name', async () => {
    const { clock, passes } = start();
    const pass = passes.begin(key);
    await clock.advance(300_000);
    expect(passes.stuck()).toBeUndefined();
    await clock.advance(1_000);
    expect(passes.stuck()).toBe('the pass over team-a/x runs for 301 s');
    expect(passes.running()).toEqual([301_000]);
    pass.end(came('settled', 'S'));
    expect(passes.stuck()).toBeUndefined();
    expect(passes.running()).toEqual([]);
  });
});
