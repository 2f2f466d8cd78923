import { describe, expect, it } from 'vitest';
import type { Met, Observations, Renewal, Times } from '../../../chaos/observations.ts';
import { takeOperatorFigures } from '../../../chaos/operator-figures.ts';
import type { Change, Write } from '../../../src/oracle/kit.ts';
import { change, observed, pod, request, victim } from './support.ts';

const times: Times = { beganMs: 0, askedMs: 9_000, feltMs: 10_000, healedMs: 40_000, convergedMs: 45_000, endedMs: 50_000 };
const asked: Met = { ...victim, asked: 'x' };

const says = (atMs: number, reason: string, name = 'x'): Change => ({
  atMs,
  kind: 'performers',
  key: { namespace: 'ns', name },
  before: undefined,
  after: { status: { conditions: [{ type: 'Ready', status: 'False', reason, message: '', lastTransitionTime: '' }] } } as Change['after'],
});
const renewal = (atMs: number, holder: string): Renewal => ({ of: 'operator', holder, atMs, durationMs: 15_000 });
const write = (atMs: number, by: string, more: Partial<Write> = {}): Write => ({
  atMs,
  actor: `operator ${by}`,
  verb: 'patch',
  plural: 'pods',
  key: { namespace: 'ns', name: 'a-0' },
  sent: undefined,
  preconditions: {},
  result: 'ok',
  before: undefined,
  after: undefined,
  ...more,
});
const handedOver = [renewal(9_000, 'a'), renewal(25_000, 'b'), renewal(27_000, 'b')];

describe('takeOperatorFigures', () => {
  it.each<{
    figure: keyof ReturnType<typeof takeOperatorFigures>;
    name: string;
    seen: Partial<Observations>;
    over?: Times;
    is: number | undefined;
  }>([
    {
      figure: 'fault to work taken up ms',
      name: 'until the pod of what was asked for',
      seen: { changes: [change(25_000, undefined, pod('x-0', {}, 'x'))] },
      is: 15_000,
    },
    { figure: 'fault to work taken up ms', name: 'absent without one', seen: {}, is: undefined },
    {
      figure: 'crash to trouble said ms',
      name: 'leaves out a start, and others',
      seen: { changes: [says(11_000, 'Starting'), says(12_000, 'NodeLost', 'alpha'), says(14_000, 'CrashLooping')] },
      is: 4_000,
    },
    {
      figure: 'operator writes but Leases',
      name: 'not a series of Events that began before, which is told within a minute',
      over: { ...times, healedMs: 100_000, endedMs: 110_000 },
      seen: {
        requests: [
          request(12_000, 200, { plural: 'events' }),
          request(69_000, 200, { plural: 'events' }),
          request(71_000, 200, { plural: 'events' }),
        ],
      },
      is: 1,
    },
    {
      figure: 'operator writes but Leases',
      name: 'while it lasts, Events among them',
      seen: {
        requests: [
          request(9_000, 200),
          request(11_000, 200, { plural: 'leases' }),
          request(12_000, 201, { verb: 'create', plural: 'events' }),
          request(13_000, 200, { verb: 'get' }),
          request(41_000, 200),
        ],
      },
      is: 1,
    },
    {
      figure: 'operator reads a minute',
      name: 'by how long it lasted',
      seen: { requests: [request(11_000, 200, { verb: 'list' }), request(12_000, 200, { verb: 'get', plural: 'leases' })] },
      is: 2,
    },
    { figure: 'operator reads a minute', name: 'not measured without an audit log', seen: { requests: undefined }, is: undefined },
    {
      figure: 'writes of a deposed leader',
      name: 'those with effect after another had the Lease',
      seen: {
        renewals: handedOver,
        writes: [
          write(24_000, 'a'),
          write(26_000, 'a'),
          write(26_000, 'a', { result: 'conflict' }),
          write(26_000, 'a', { plural: 'events' }),
          write(26_000, 'b'),
          write(26_000, 'c'),
        ],
      },
      is: 1,
    },
    {
      figure: 'writes of a deposed leader',
      name: 'none of one that leads again',
      seen: { renewals: [...handedOver, renewal(30_000, 'a')], writes: [write(31_000, 'a')] },
      is: 0,
    },
    {
      figure: 'asked again too soon',
      name: 'the same by the same pod within a second of a refusal',
      seen: {
        requests: [
          request(11_000, 429),
          request(11_900, 429),
          request(12_950, 200),
          request(11_100, 200, { pod: 'op-2' }),
          request(11_100, 200, { uri: '/pods/b-0' }),
        ],
      },
      is: 1,
    },
    {
      figure: 'asked again too soon',
      name: 'not what is to be made, whose path names no object',
      seen: { requests: [request(11_000, 429, { verb: 'create' }), request(11_100, 201, { verb: 'create' })] },
      is: 0,
    },
  ])('$figure: $name', ({ figure, seen, over = times, is }) => {
    expect(takeOperatorFigures(observed(seen), over, asked)[figure]).toBe(is);
  });
});
