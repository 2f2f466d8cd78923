import { describe, expect, it } from 'vitest';
import type { OracleContext } from '../../../src/oracle/define.ts';
import { later, node, notReady, performer, pod, Story } from './world.ts';

/** The node of the only pod is out of sight from second 10 on; something happens at second 60. */
function lost(spec: object = {}, between: (story: Story) => void = () => undefined, change: Partial<OracleContext> = {}): Story {
  const story = new Story(change)
    .has(performer(spec), node('n1'), node('n2'), node('n3'))
    .writes({ after: pod() })
    .at(10)
    .has(node('n1', true));
  between(story.at(30));
  return story.at(60).has(node('n2'));
}

describe('N4, what is lost is replaced', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'refuses a pod that keeps its place for ever', tell: () => lost(), found: ['N4'] },
    {
      name: 'refuses it though the pod is being deleted',
      tell: () => lost({}, (story) => story.has(pod({ deleting: true }))),
      found: ['N4'],
    },
    { name: 'accepts another one elsewhere', tell: () => lost({}, (story) => story.has(later(1, { node: 'n2', bornAt: 30 }))), found: [] },
    {
      name: 'accepts another one that stood elsewhere, whatever became of it later',
      tell: () => {
        const next = later(1, { node: 'n2', bornAt: 15 });
        return lost({}, (story) => story.at(15).has(next).at(20).lacks(next).at(30));
      },
      found: [],
    },
    {
      name: 'refuses one that came to nothing after it had served',
      tell: () => lost({}, (story) => story.has(pod({ phase: 'Failed' }))),
      found: ['N4'],
    },
    {
      name: 'accepts one that never served and had come to nothing: its successor waits for the back-off',
      tell: () =>
        new Story()
          .has(performer(), node('n1'), node('n2'), node('n3'))
          .writes({ after: pod({ phase: 'Failed', ready: false }) })
          .at(10)
          .has(node('n1', true))
          .at(60)
          .has(node('n2')),
      found: [],
    },
    {
      name: 'accepts it where a stranger holds the name of the next',
      tell: () =>
        lost({}, (story) =>
          story.writes({ after: later(1), result: 'alreadyExists', before: { metadata: { namespace: 'a', name: 'performer-x-abcd-1' } } }),
        ),
      found: [],
    },
    {
      name: 'accepts it where the spec cannot be carried out',
      tell: () => {
        const hardwareRequirements = { teeRequired: true, teeType: 'unheard-of' };
        const status = notReady('InvalidSpec', true);
        return lost({ hardwareRequirements }, (story) => story.has(performer({ hardwareRequirements }, { status })));
      },
      found: [],
    },
    {
      name: 'refuses it where status calls a spec invalid that can be carried out',
      tell: () => lost({}, (story) => story.has(performer({}, { status: notReady('InvalidSpec', true) }))),
      found: ['N4'],
    },
    {
      name: 'refuses a status that speaks of a refusal which never came',
      tell: () => lost({}, (story) => story.has(performer({}, { status: notReady('QuotaExceeded') }))),
      found: ['N4'],
    },
    {
      name: 'believes it where writes are not told',
      tell: () => lost({}, (story) => story.has(performer({}, { status: notReady('QuotaExceeded') })), { knowsWrites: false }),
      found: [],
    },
    {
      name: 'refuses a pod that keeps its place where writes are not told, too',
      tell: () => lost({}, undefined, { knowsWrites: false }),
      found: ['N4'],
    },
    {
      name: 'refuses what stood elsewhere only before the node counted as lost',
      tell: () => {
        const former = later(1, { node: 'n2', bornAt: 1 });
        return lost({ nodeLossSeconds: 20 }, (story) => story.at(11).has(former).at(12).lacks(former).at(30));
      },
      found: ['N4'],
    },
    {
      name: 'refuses one that never served and came to nothing longer ago than the back-off lasts',
      tell: () =>
        new Story()
          .has(performer(), node('n1'), node('n2'), node('n3'))
          .writes({ after: pod({ phase: 'Failed', ready: false }) })
          .at(700)
          .has(node('n1', true))
          .at(760)
          .has(node('n2')),
      found: ['N4'],
    },
    {
      name: 'accepts it where a create was refused that is still waited for',
      tell: () => lost({}, (story) => story.writes({ after: later(1), sent: later(1), result: 'forbidden' })),
      found: [],
    },
    {
      name: 'refuses it once that is to be asked for again',
      tell: () =>
        lost({}, (story) => story.writes({ after: later(1), sent: later(1), result: 'forbidden' }))
          .at(110)
          .has(node('n2')),
      found: ['N4'],
    },
    {
      name: 'refuses it once the name is free that a stranger held',
      tell: () => {
        const stranger = { metadata: { namespace: 'a', name: 'performer-x-abcd-1' } };
        return lost({}, (story) => story.writes({ after: later(1), result: 'alreadyExists', before: stranger }))
          .at(80)
          .has(node('n2'));
      },
      found: ['N4'],
    },
    {
      name: 'refuses it once the spec can be carried out',
      tell: () => {
        const invalid = performer({ hardwareRequirements: { teeRequired: true } }, { status: notReady('InvalidSpec', true) });
        const told = performer({ hardwareRequirements: { teeRequired: true } }, { status: notReady('NodeLost') });
        return lost({ hardwareRequirements: { teeRequired: true } }, (story) => story.has(invalid))
          .at(70)
          .has(told)
          .at(80)
          .has(node('n2'))
          .at(90)
          .has(node('n2'));
      },
      found: ['N4'],
    },
    { name: 'accepts it under Strict', tell: () => lost({ nodeLossPolicy: 'Strict' }), found: [] },
    { name: 'accepts it before nodeLossSeconds', tell: () => lost({ nodeLossSeconds: 100 }), found: [] },
    { name: 'accepts it while most nodes are lost', tell: () => lost({}, (story) => story.has(node('n3', true))), found: [] },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));

  it('counts as put to the test only where it was judged, once for each node and Performer', () => {
    const refused = lost({}, (story) => story.writes({ after: later(1), sent: later(1), result: 'forbidden' }));
    expect(refused.evaluated('N4')).toBe(0);
    const judged = refused
      .has(later(1, { node: 'n2', bornAt: 60 }))
      .at(110)
      .has(node('n2'))
      .at(111)
      .has(node('n2'));
    expect([judged.evaluated('N4'), judged.found]).toEqual([1, []]);
  });
});
