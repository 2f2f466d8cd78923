import { describe, expect, it } from 'vitest';
import type { FigureName } from '../../../chaos/experiment.ts';
import { takeFigures } from '../../../chaos/figures.ts';
import type { Met, Observations, Times } from '../../../chaos/observations.ts';
import type { Change, Write } from '../../../src/oracle/kit.ts';
import { call, calls, change, observed, pod, victim } from './support.ts';

const times: Times = { beganMs: 0, askedMs: 10_000, feltMs: 10_000, healedMs: 20_000, convergedMs: 25_000, endedMs: 30_000 };
const born = (atMs: number, name: string, owner?: string) =>
  change(atMs, undefined, {
    ...pod(name, { node: 'n2' }, owner),
    metadata: { ...pod(name, {}, owner).metadata, creationTimestamp: '2030-01-01T00:00:00Z' },
  });
const replaced = [
  change(5_000, undefined, pod('a-0')),
  change(10_100, pod('a-0'), pod('a-0', { deleting: true })),
  born(10_300, 'a-1'),
  change(22_000, pod('a-0'), undefined),
];
const node = (atMs: number, name: string, isSeen = true): Change => ({
  atMs,
  kind: 'nodes',
  key: { namespace: '', name },
  before: undefined,
  after: { metadata: { name }, spec: isSeen ? {} : { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] } },
});
const endpoint = (atMs: number, name: string): Change => ({
  atMs,
  kind: 'endpointSlices',
  key: { namespace: 'ns', name: 'slice' },
  before: undefined,
  after: {
    metadata: { labels: { 'kubernetes.io/service-name': 'performer-alpha' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [], conditions: { ready: true }, targetRef: { uid: `uid-${name}` } }],
  },
});
const deletion = (atMs: number): Write => ({
  atMs,
  actor: 'operator a',
  verb: 'delete',
  plural: 'pods',
  key: { namespace: 'ns', name: 'a-0' },
  sent: undefined,
  preconditions: {},
  result: 'ok',
  before: pod('a-0'),
  after: undefined,
});
const onNode: Met = { ...victim, nodes: ['n1'] };

describe('takeFigures', () => {
  it.each<{ figure: FigureName; name: string; seen: Partial<Observations>; met?: Met; is: number | undefined }>([
    { figure: 'deletion to creation ms', name: 'from the first word of it to the next pod', seen: { changes: replaced }, is: 200 },
    { figure: 'deletion to creation ms', name: 'absent when nothing was deleted', seen: { changes: replaced.slice(0, 1) }, is: undefined },
    {
      figure: 'pods created',
      name: 'those of the Performer that it met',
      seen: { changes: [...replaced, born(11_000, 'b-1', 'beta')] },
      is: 1,
    },
    {
      figure: 'pods created',
      name: 'two for one that was asked for meanwhile',
      seen: { changes: [born(11_000, 'x-0', 'x'), born(12_000, 'x-1', 'x')] },
      met: { ...victim, asked: 'x' },
      is: 2,
    },
    {
      figure: 'deletion to creation ms',
      name: 'the longest of many',
      seen: { changes: [...replaced, change(15_000, pod('a-1'), undefined), born(15_900, 'a-2')] },
      met: { ...victim, pods: [...victim.pods, { name: 'a-1', uid: 'uid-a-1' }] },
      is: 900,
    },
    {
      figure: 'pods created beyond one for each kill',
      name: 'the second for one that was killed',
      seen: { changes: [...replaced, born(12_000, 'a-2')] },
      is: 1,
    },
    {
      figure: 'pods created for one Performer at most',
      name: 'of whichever has the most',
      seen: { changes: [...replaced, born(11_000, 'b-1', 'beta'), born(12_000, 'b-2', 'beta')] },
      is: 2,
    },
    {
      figure: 'pods taken away while most nodes are gone',
      name: 'not those before and after',
      seen: {
        changes: [node(1_000, 'n1'), node(1_000, 'n2'), node(11_000, 'n1', false), node(14_000, 'n2', false)],
        writes: [deletion(12_000), deletion(15_000), deletion(21_000)],
      },
      is: 1,
    },
    {
      figure: 'pods taken away while most nodes are gone',
      name: 'not measured where they never were',
      seen: { changes: [node(1_000, 'n1'), node(1_000, 'n2'), node(1_000, 'n3'), node(11_000, 'n1', false)] },
      is: undefined,
    },
    {
      figure: 'heal to replacement ready ms',
      name: 'not of the pod that was met',
      seen: { changes: [endpoint(19_000, 'a-0'), endpoint(23_000, 'a-1')] },
      is: 3_000,
    },
    { figure: 'heal to one pod left ms', name: 'until the old one went', seen: { changes: replaced }, is: 2_000 },
    {
      figure: 'heal to one pod left ms',
      name: 'at once where the old one went before',
      seen: { changes: [...replaced.slice(0, 3), change(19_000, pod('a-0'), undefined)] },
      is: 0,
    },
    { figure: 'heal to one pod left ms', name: 'absent where the old one stays', seen: { changes: replaced.slice(0, 3) }, is: undefined },
    { figure: 'heal to one pod left ms', name: 'absent where none has followed', seen: { changes: replaced.slice(0, 1) }, is: undefined },
    {
      figure: 'heal to one pod left ms',
      name: 'absent where none is left',
      seen: { changes: [...replaced, change(23_000, pod('a-1'), undefined)] },
      is: undefined,
    },
    {
      figure: 'fault to first answer of another pod ms',
      name: 'when it came, not when it was asked',
      seen: { calls: [call(9_000, 'a-0'), call(12_000, 'a-1', { tookMs: 100 })] },
      is: 2_100,
    },
    {
      figure: 'outage ms',
      name: 'the longest time without an answer',
      seen: { calls: [call(9_900, 'a-0'), call(10_200, undefined), call(13_000, 'a-1'), call(30_000, 'a-1')] },
      is: 17_000,
    },
    {
      figure: 'failed after heal',
      name: 'leaves the first seconds out',
      seen: { calls: [call(21_000, undefined), call(26_000, undefined)] },
      is: 1,
    },
    {
      figure: 'failed in baseline',
      name: 'leaves out what was under way',
      seen: { calls: [call(5_000, undefined), call(9_999, undefined)] },
      is: 1,
    },
    {
      figure: 'failed of bystander',
      name: 'counts the other Performer',
      seen: { calls: [call(12_000, undefined), call(12_000, undefined, { performer: 'beta' })] },
      is: 1,
    },
    {
      figure: 'failed of bystander',
      name: 'not where it stood on the lost node',
      met: onNode,
      seen: { changes: [change(5_000, undefined, pod('b-0', {}, 'beta'))], calls: [call(12_000, undefined, { performer: 'beta' })] },
      is: 0,
    },
    {
      figure: 'failed throughout',
      name: 'not what callers on the lost node say',
      met: onNode,
      seen: { calls: [call(12_000, undefined, { from: 'n1' }), call(12_000, undefined)] },
      is: 1,
    },
    {
      figure: 'answers of a replaced pod',
      name: 'once another has answered for a while',
      seen: { calls: [call(11_000, 'a-1'), ...calls(12_000, 14_000, 'a-0')] },
      is: 9,
    },
    {
      figure: 'tasks begun twice',
      name: 'by whomever',
      seen: {
        begun: [
          { id: 't', uid: 'a' },
          { id: 't', uid: 'b' },
          { id: 'u', uid: 'a' },
        ],
      },
      is: 1,
    },
    { figure: 'tasks begun twice', name: 'not measured where no pod was heard', seen: { begun: [] }, is: undefined },
    {
      figure: 'operator writes to pods',
      name: 'not measured without an audit log',
      seen: { changes: replaced, writes: undefined },
      is: undefined,
    },
    {
      figure: 'load pause ms',
      name: 'of one caller, not between two',
      seen: { calls: [call(100, 'a-0'), call(700, 'a-0', { from: 'n3' }), call(900, 'a-0')] },
      is: 800,
    },
    {
      figure: 'change to new pod alone ms',
      name: 'until the first answer that was asked for after the last one of the former pod',
      seen: { calls: [call(12_000, 'a-1'), call(13_000, 'a-0'), call(13_100, undefined), call(14_000, 'a-1', { tookMs: 10 })] },
      is: 4_010,
    },
    {
      figure: 'change to new pod alone ms',
      name: 'absent when no other answers',
      seen: { calls: calls(11_000, 12_000, 'a-0') },
      is: undefined,
    },
  ])('$figure: $name', ({ figure, seen, met = victim, is }) => {
    expect(takeFigures(observed(seen), times, met)[figure]).toBe(is);
  });
});
