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
const twice: Met = { ...victim, pods: [...victim.pods, { name: 'a-1', uid: 'uid-a-1' }] };
const evicted = (name: string, node: string): Pod => ({ ...pod(name, { node }), status: { phase: 'Failed', reason: 'Evicted' } });
const pressed = (atMs: number, name: string): Change => ({
  atMs,
  kind: 'nodes',
  key: { namespace: '', name },
  before: undefined,
  after: { metadata: { name }, status: { conditions: [{ type: 'DiskPressure', status: 'True' }] } },
});

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
    {
      name: 'no node without a network that answers outside of it',
      fault: { kind: 'node', does: 'link-down' },
      met: onNode,
      seen: { renewals: renewals('n1', 1_000, 13_000), calls: calls(9_000, 30_000, 'a-0') },
      atMs: undefined,
    },
    {
      name: 'a node without a network that is reached from itself',
      fault: { kind: 'node', does: 'link-down' },
      met: onNode,
      seen: {
        renewals: renewals('n1', 1_000, 13_000),
        calls: calls(9_000, 30_000, 'a-0').map((one) => (one.atMs < 10_300 ? one : { ...one, from: 'n1' })),
      },
      atMs: 10_200,
    },
    {
      name: 'all nodes without power from the last that fell silent',
      fault: { kind: 'node', does: 'power-off', most: true },
      met: { ...onNode, nodes: ['n1', 'n2'] },
      seen: { renewals: [...renewals('n1', 1_000, 11_000), ...renewals('n2', 1_500, 13_500)] },
      atMs: 10_000,
    },
    {
      name: 'no loss of most nodes of which one is heard',
      fault: { kind: 'node', does: 'power-off', most: true },
      met: { ...onNode, nodes: ['n1', 'n2'] },
      seen: { renewals: [...renewals('n1', 1_000, 11_000), ...renewals('n2', 1_500, 30_000)] },
      atMs: undefined,
    },
    {
      name: 'a kubelet that hung up',
      fault: { kind: 'node', does: 'kubelet-crash' },
      met: onNode,
      seen: {
        hangUps: [
          { node: 'n1', atMs: 9_000 },
          { node: 'n1', atMs: 10_200 },
        ],
      },
      atMs: 10_200,
    },
    {
      name: 'no crash of a kubelet where others hung up as well',
      fault: { kind: 'node', does: 'kubelet-crash' },
      met: onNode,
      seen: {
        hangUps: [
          { node: 'n1', atMs: 10_200 },
          { node: 'n2', atMs: 10_300 },
        ],
      },
      atMs: undefined,
    },
    {
      name: 'a reboot from the first task that failed',
      fault: { kind: 'node', does: 'reboot' },
      met: onNode,
      seen: { changes: [there, change(14_000, pod('a-0'), pod('a-0', { container: 'c2' }))], calls: calls(10_500, 13_000, undefined) },
      atMs: 10_500,
    },
    {
      name: 'no reboot that left the container alone',
      fault: { kind: 'node', does: 'reboot' },
      met: onNode,
      seen: { changes: [there], calls: calls(10_500, 13_000, undefined) },
      atMs: undefined,
    },
    {
      name: 'a full disk by the eviction of the pod that was aimed at',
      fault: { kind: 'node', does: 'disk-full' },
      met: onNode,
      seen: { changes: [there, change(12_000, pod('a-0'), evicted('a-0', 'n1'))] },
      atMs: 12_000,
    },
    {
      name: 'a full disk by the word of its kubelet, before anybody goes',
      fault: { kind: 'node', does: 'disk-full' },
      met: onNode,
      seen: { changes: [there, pressed(11_000, 'n1'), change(12_000, pod('a-0'), evicted('a-0', 'n1'))] },
      atMs: 11_000,
    },
    {
      name: 'no full disk where somebody else was evicted',
      fault: { kind: 'node', does: 'disk-full' },
      met: onNode,
      seen: { changes: [there, change(12_000, pod('c-0'), evicted('c-0', 'n1'))] },
      atMs: undefined,
    },
    {
      name: 'no full disk where it is that of another node',
      fault: { kind: 'node', does: 'disk-full' },
      met: onNode,
      seen: { changes: [there, pressed(11_000, 'n2')] },
      atMs: undefined,
    },
    {
      name: 'kill after kill from the first',
      fault: { kind: 'pod-kill', graceSeconds: 0, everyMs: 5_000 },
      met: twice,
      seen: { changes: [there, gone, change(10_300, undefined, pod('a-1')), change(15_000, pod('a-1'), undefined)] },
      atMs: 10_100,
    },
    {
      name: 'no kill after kill where one pod stayed',
      fault: { kind: 'pod-kill', graceSeconds: 0, everyMs: 5_000 },
      met: twice,
      seen: { changes: [there, gone, change(10_300, undefined, pod('a-1'))] },
      atMs: undefined,
    },
    {
      name: 'two at once from the second',
      fault: { kind: 'together', faults: [cut('operator-api'), kill] },
      seen: { renewals: renewals('operator', 0, 10_000), changes: [there, gone] },
      atMs: 10_100,
    },
    {
      name: 'no two at once of which one is not felt',
      fault: { kind: 'together', faults: [cut('operator-api'), kill] },
      seen: { renewals: renewals('operator', 0, 30_000), changes: [there, gone] },
      atMs: undefined,
    },
  ])('finds $name', ({ fault, seen, met = victim, atMs }) => {
    expect(feel(fault, observed(seen), met, 10_000, 30_000).atMs).toBe(atMs);
  });
});
