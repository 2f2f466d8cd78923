import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/kube/objects.ts';
import { later, node, performer, pod, Story, service } from './world.ts';

const nodes = [node('n1'), node('n2'), node('n3')];
const out = pod({ outAt: 60 });
const lostOut = pod({ outAt: 60, ready: false });
const lost = pod({ ready: false });
const story = (spec: object = {}, clockAheadMs = 0) => new Story({ clockAheadMs }).has(performer(spec), ...nodes, pod()).at(50);
/** Taken out so many ms before its time by an operator whose clock gains so much. */
const early = (byMs: number, clockAheadMs: number) =>
  story({ nodeLossSeconds: 30 }, clockAheadMs)
    .has(node('n1', true), lost)
    .at(80 - byMs / 1_000)
    .writes({ before: lost, after: lostOut });
/** Its node goes out of sight, and with it others; ten seconds later is now. */
const dark = (spec: object, ...names: readonly string[]) =>
  story(spec)
    .has(...names.map((name) => node(name, true)), lost)
    .at(60);

/** One of ours, and one that the Go original made of its own beside it. */
const rival = pod({ revision: '', bornAt: 40 });
const besideOurs = (image = 'i:1', spec: object = {}) =>
  new Story()
    .has(performer({ image }), ...nodes, later(1, { image }))
    .at(40)
    .has({ ...rival, spec: { ...rival.spec, containers: [{ name: 'performer', image }] } } as Pod, performer(spec, { generation: 2 }))
    .at(60);

/** A pod that outlived its Performer and is taken out under the next of the name. */
const adopted = (formerSpec: object) => {
  const of = (one: Pod): Pod => ({
    ...one,
    metadata: { ...one.metadata, ownerReferences: (one.metadata?.ownerReferences ?? []).map((owner) => ({ ...owner, uid: 'u2' })) },
  });
  return new Story()
    .has(performer(formerSpec), ...nodes, pod())
    .at(1)
    .lacks(performer())
    .has(performer({}, { uid: 'u2' }), of(pod()))
    .at(60)
    .writes({ before: of(pod()), after: of(out) });
};

/** The pod of ours that showed it to be a rival is long gone, and others came after. */
const longBesideOurs = () =>
  besideOurs()
    .lacks(later(1))
    .has(later(2, { bornAt: 60 }))
    .at(400)
    .has(later(3, { bornAt: 400 }));

describe('oracles of entitlement', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    {
      name: 'refuse to take away what the spec wants',
      tell: () =>
        story()
          .has(later(9, { revision: 'r0', image: 'i:0' }))
          .at(60)
          .writes({ before: pod(), after: out, entitled: false }),
      found: ['E2', 'S6'],
    },
    {
      name: 'accept the former spec to go',
      tell: () =>
        story()
          .has(performer({ image: 'i:2' }, { generation: 2 }), later(1, { image: 'i:2', revision: 'r2', bornAt: 50 }))
          .at(60)
          .writes({ before: pod(), after: out }),
      found: [],
    },
    {
      name: 'accept it where that changed back in the very moment',
      tell: () =>
        story()
          .has(performer({ image: 'i:2' }, { generation: 2 }), later(1, { image: 'i:2', revision: 'r2', bornAt: 50 }))
          .at(60)
          .has(performer({}, { generation: 3 }))
          .writes({ before: pod(), after: out }),
      found: [],
    },
    {
      name: 'refuse one of ours to go for a pod that another operator made beside it',
      tell: () => besideOurs().writes({ before: later(1), after: later(1, { outAt: 60 }) }),
      found: ['R1', 'S6'],
    },
    {
      name: 'refuse to take that pod away',
      tell: () => besideOurs().writes({ before: rival, after: pod({ revision: '', bornAt: 40, outAt: 60 }) }),
      found: ['S6'],
    },
    {
      name: 'refuse that also when nothing is left of the one beside which it was made',
      tell: () => longBesideOurs().writes({ before: rival, after: pod({ revision: '', bornAt: 40, outAt: 60 }) }),
      found: ['S6'],
    },
    {
      name: 'accept it to go once its image is a former one',
      tell: () =>
        besideOurs('i:0').writes({ before: pod({ revision: '', image: 'i:0' }), after: pod({ revision: '', image: 'i:0', outAt: 60 }) }),
      found: [],
    },
    {
      name: 'accept a surplus pod to go',
      tell: () =>
        story()
          .has(later(1))
          .at(60)
          .writes({ before: later(1), after: later(1, { outAt: 60 }) }),
      found: [],
    },
    { name: 'accept a pod on a lost node to go', tell: () => dark({}, 'n1').writes({ before: lost, after: lostOut }), found: [] },
    {
      name: 'refuse it under Strict',
      tell: () => dark({ nodeLossPolicy: 'Strict' }, 'n1').writes({ before: lost, after: lostOut }),
      found: ['S6'],
    },
    {
      name: 'refuse it before nodeLossSeconds',
      tell: () => dark({ nodeLossSeconds: 30 }, 'n1').writes({ before: lost, after: lostOut }),
      found: ['S6'],
    },
    { name: 'refuse to take out one that was adopted', tell: () => adopted({}), found: ['R1', 'S6'] },
    { name: 'accept it where it was made for another spec', tell: () => adopted({ resources: { limits: { cpu: '1' } } }), found: ['R1'] },
    { name: 'refuse it in the second before', tell: () => early(900, 0), found: ['S6'] },
    { name: 'grant what a fast clock gains between two answers', tell: () => early(900, 1_000), found: [] },
    { name: 'grant a fast clock no more', tell: () => early(1_100, 1_000), found: ['S6'] },
    {
      name: 'refuse it while most nodes are out of sight',
      tell: () => dark({}, 'n1', 'n2').writes({ before: lost, after: lostOut }),
      found: ['N3', 'S6'],
    },
    {
      name: 'refuse it because a pod is not ready',
      tell: () => story().has(lost).at(60).writes({ before: lost, after: lostOut }),
      found: ['S6'],
    },
    {
      name: 'refuse to delete the Service of a Performer that lives',
      tell: () => story().has(service()).writes({ before: service() }),
      found: ['S6'],
    },
    {
      name: 'accept to delete the Service of one that is gone',
      tell: () => story().has(service()).lacks(performer()).writes({ before: service() }),
      found: [],
    },
    {
      name: 'refuse to write for another manager',
      tell: () => story({ managedBy: 'me' }).writes({ before: service({}, { selector: {} }), after: service() }),
      found: ['S6m'],
    },
    {
      name: 'accept a write that was on its way',
      tell: () =>
        story()
          .has(performer({ managedBy: 'me' }, { generation: 2 }))
          .at(51)
          .writes({ before: service({}, { selector: {} }), after: service() }),
      found: [],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));

  it('count each time that most nodes come back', () => {
    const seen = dark({}, 'n1', 'n2').at(180).has(node('n1'), node('n2'));
    expect([seen.found, seen.evaluated('N3')]).toEqual([[], 1]);
  });
});
