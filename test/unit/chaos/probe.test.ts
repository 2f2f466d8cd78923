import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../chaos/experiment.ts';
import type { Met, Observations, Renewal } from '../../../chaos/observations.ts';
import { feel } from '../../../chaos/probe.ts';
import type { Pod } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/oracle/kit.ts';
import { calls, change, observed, pod, renewals, request, victim } from './support.ts';

const there = change(0, undefined, pod('a-0'));
const gone = change(10_100, pod('a-0'), undefined);
const kill: Fault = { kind: 'pod-kill', graceSeconds: 0 };
const cut = (between: Extract<Fault, { kind: 'partition' }>['between']): Fault => ({ kind: 'partition', between });
const onNode: Met = { ...victim, nodes: ['n1'] };

const onPath = (does: Extract<Fault, { kind: 'api-path' }>['does']): Fault => ({ kind: 'api-path', does });
const squeeze: Fault = { kind: 'api-squeeze', performers: 2 };
const ofOperator = (one: Renewal): Renewal => ({ ...one, of: 'operator' });
const crashed = (name: string, owner: string): Pod => {
  const { status, ...rest } = pod(name, { ready: false }, owner);
  const [container] = status?.containerStatuses ?? [];
  return { ...rest, status: { ...status, containerStatuses: container === undefined ? [] : [{ ...container, restartCount: 1 }] } };
};

const service = (atMs: number, selector: Readonly<Record<string, string>> = {}): Change => ({
  atMs,
  kind: 'services',
  key: { namespace: 'ns', name: 'performer-alpha' },
  before: undefined,
  after: { spec: { selector } },
});

/** Asked for at 10 s, over at 30 s. */
describe('feel', () => {
  it.each<{ name: string; fault: Fault; seen: Partial<Observations>; met?: Met; atMs: number | undefined }>([
    {
      name: 'a killed pod that answers no more',
      fault: kill,
      seen: { changes: [there, gone], calls: calls(9_000, 10_000, 'a-0') },
      atMs: 10_100,
    },
    { name: 'no pod that went before', fault: kill, seen: { changes: [there, { ...gone, atMs: 9_000 }] }, atMs: undefined },
    {
      name: 'no pod that is said to be gone and answers all the same',
      fault: kill,
      seen: { changes: [there, gone], calls: calls(12_000, 13_000, 'a-0') },
      atMs: undefined,
    },
    {
      name: 'another container in the same pod',
      fault: { kind: 'container-kill', of: 'performer' },
      seen: { changes: [there, change(11_000, pod('a-0'), pod('a-0', { container: 'c2' }))] },
      atMs: 11_000,
    },
    {
      name: 'no container that runs on',
      fault: { kind: 'container-kill', of: 'performer' },
      seen: { changes: [there, change(11_000, pod('a-0'), pod('a-0'))] },
      atMs: undefined,
    },
    {
      name: 'a Service that is gone',
      fault: { kind: 'service', does: 'delete' },
      seen: { changes: [{ ...service(9_000), after: undefined }, service(9_500), { ...service(10_300), after: undefined }] },
      atMs: 10_300,
    },
    {
      name: 'a Service that selects nobody',
      fault: { kind: 'service', does: 'misroute' },
      seen: { changes: [service(10_100), service(10_200, { 'example.com/chaos': 'nobody' })] },
      atMs: 10_200,
    },
    {
      name: 'no Service that is as before',
      fault: { kind: 'service', does: 'misroute' },
      seen: { changes: [service(10_100)] },
      atMs: undefined,
    },
    {
      name: 'a cut from the first task that fails',
      fault: cut('clients-service'),
      seen: { calls: [...calls(9_000, 10_400, 'a-0'), ...calls(10_400, 30_000, undefined)] },
      atMs: 10_400,
    },
    {
      name: 'no cut that lets most tasks through',
      fault: cut('clients-service'),
      seen: { calls: [...calls(10_400, 15_000, undefined), ...calls(15_000, 30_000, 'a-0')] },
      atMs: undefined,
    },
    {
      name: 'no cut where every task is answered',
      fault: cut('clients-service'),
      seen: { calls: calls(9_000, 30_000, 'a-0') },
      atMs: undefined,
    },
    {
      name: 'a cut from one pod though another answers',
      fault: cut('clients-pod'),
      seen: { calls: [...calls(10_400, 12_000, undefined), ...calls(12_000, 30_000, 'a-1')] },
      atMs: 10_400,
    },
    {
      name: 'an operator that is not heard',
      fault: cut('operator-api'),
      seen: { renewals: renewals('operator', 0, 12_000) },
      atMs: 10_000,
    },
    {
      name: 'no operator that renews its Lease',
      fault: cut('operator-api'),
      seen: { renewals: renewals('operator', 0, 30_000) },
      atMs: undefined,
    },
    {
      name: 'a node that is not heard, beside one that is',
      fault: cut('kubelet-api'),
      met: onNode,
      seen: { renewals: [...renewals('n1', 1_000, 13_000), ...renewals('n2', 0, 30_000)] },
      atMs: 11_000,
    },
    {
      name: 'a node without power from the last answer of its pod',
      fault: { kind: 'node', does: 'power-off' },
      met: onNode,
      seen: { renewals: renewals('n1', 1_000, 13_000), calls: calls(9_000, 10_300, 'a-0') },
      atMs: 10_200,
    },
    {
      name: 'no node without power whose pod answers on',
      fault: { kind: 'node', does: 'power-off' },
      met: onNode,
      seen: { renewals: renewals('n1', 0, 11_000), calls: calls(9_000, 30_000, 'a-0') },
      atMs: undefined,
    },
    {
      name: 'answers that come late, by a Lease that is renewed more slowly',
      fault: onPath('delay'),
      seen: { renewals: [...renewals('operator', 2_000, 10_000), ...renewals('operator', 12_000, 30_000, 4_000)] },
      atMs: 10_000,
    },
    {
      name: 'no delay where the Lease is renewed as before',
      fault: onPath('delay'),
      seen: { renewals: renewals('operator', 2_000, 30_000) },
      atMs: undefined,
    },
    {
      name: 'no delay where the Lease was renewed but once before',
      fault: onPath('delay'),
      seen: { renewals: [...renewals('operator', 9_000, 10_000), ...renewals('operator', 12_000, 30_000, 4_000)] },
      atMs: undefined,
    },
    {
      name: 'connections that are reset, by an operator that is not heard',
      fault: onPath('reset'),
      seen: { renewals: renewals('operator', 0, 12_000) },
      atMs: 10_000,
    },
    {
      name: 'a leader that stands still, though another one is heard',
      fault: { kind: 'leader-hang' },
      seen: { renewals: [...renewals('a-0', 1_000, 13_000).map(ofOperator), ...renewals('a-1', 26_000, 30_000).map(ofOperator)] },
      atMs: 11_000,
    },
    {
      name: 'no leader that goes on',
      fault: { kind: 'leader-hang' },
      seen: { renewals: renewals('a-0_with-more', 0, 30_000).map(ofOperator) },
      atMs: undefined,
    },
    {
      name: 'requests that were refused',
      fault: squeeze,
      seen: { requests: [request(9_000, 429), request(11_000, 200), request(12_000, 429)] },
      atMs: 12_000,
    },
    { name: 'no squeeze that refuses nothing', fault: squeeze, seen: { requests: [request(11_000, 200)] }, atMs: undefined },
    {
      name: 'a rollout from its next pod, once that answers',
      fault: { kind: 'rollout' },
      seen: { changes: [there, change(11_000, undefined, pod('a-1'))], calls: calls(12_000, 13_000, 'a-1') },
      atMs: 11_000,
    },
    {
      name: 'no rollout whose next pod answers nobody',
      fault: { kind: 'rollout' },
      seen: { changes: [there, change(11_000, undefined, pod('a-1'))], calls: calls(12_000, 13_000, 'a-0') },
      atMs: undefined,
    },
    {
      name: 'a container that ends by itself',
      fault: { kind: 'crash-loop' },
      met: { ...victim, asked: 'x' },
      seen: { changes: [change(11_000, undefined, pod('x-0', { ready: false }, 'x')), change(12_000, undefined, crashed('x-0', 'x'))] },
      atMs: 12_000,
    },
    {
      name: 'no container of another Performer',
      fault: { kind: 'crash-loop' },
      met: { ...victim, asked: 'x' },
      seen: { changes: [change(12_000, undefined, crashed('y-0', 'y'))] },
      atMs: undefined,
    },
    {
      name: 'calm where all that were asked for are up',
      fault: { kind: 'calm', performers: 2 },
      seen: { changes: [there, change(0, undefined, pod('x-0', {}, 'x'))] },
      atMs: 10_000,
    },
    {
      name: 'no calm where one is not ready',
      fault: { kind: 'calm', performers: 2 },
      seen: { changes: [there, change(0, undefined, pod('x-0', { ready: false }, 'x'))] },
      atMs: undefined,
    },
  ])('finds $name', ({ fault, seen, met = victim, atMs }) => {
    expect(feel(fault, observed(seen), met, 10_000, 30_000).atMs).toBe(atMs);
  });
});
