import { describe, expect, it } from 'vitest';
import type { Write } from '../../../src/oracle/oracle.ts';
import { later, performer, pod, Story, service } from './world.ts';

/** So many pods, one each minute, each failing before the next is made. */
function failing(story: Story, count: number, between: (index: number) => void = () => undefined): Story {
  for (let index = 1; index <= count; index += 1) {
    story.at(index * 60).writes({ after: later(index, { ready: false, phase: 'Pending', bornAt: index * 60 }) });
    between(index);
    story.at(index * 60 + 30).has(later(index, { ready: false, phase: 'Failed' }));
  }
  return story;
}
/** So many creates that the API server refuses. */
function refused(count: number, everySeconds: number, change: (index: number) => Partial<Write> = () => ({})): Story {
  const story = fresh();
  for (let index = 1; index <= count; index += 1)
    story.at(100 + index * everySeconds).writes({ after: pod(), result: 'forbidden', ...change(index) });
  return story;
}
/** A status of which nothing new was kept, at each of those seconds. */
function pruned(seconds: readonly number[], change: Partial<Write> = {}): Story {
  const story = fresh();
  for (const second of seconds)
    story.at(second).writes({ before: performer(), after: performer(), sent: { status: { revision: 'r1' } }, isIdle: true, ...change });
  return story;
}
const fresh = () => new Story().has(performer());

describe('oracles of churn', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'accept pods as the back-off allows', tell: () => failing(fresh(), 10), found: [] },
    { name: 'refuse a pod a minute', tell: () => failing(fresh(), 20), found: ['S7'] },
    {
      name: 'accept a pod for each change of the spec',
      tell: () => {
        const story = fresh();
        return failing(story, 20, (index) => story.has(performer({ image: `i:${index + 1}` }, { generation: index + 1 })));
      },
      found: [],
    },
    {
      name: 'refuse writes without end',
      tell: () => {
        const story = fresh().has(pod(), service());
        for (let second = 1; second < 60; second += 1)
          story
            .at(100 + second)
            .writes({ before: service({ resourceVersion: String(second) }), after: service({ resourceVersion: String(second) }) });
        return story;
      },
      found: ['S7w'],
    },
    {
      name: 'accept as many where others write as often',
      tell: () => {
        const story = fresh().has(pod(), service());
        for (let second = 1; second < 60; second += 1)
          story
            .at(100 + second)
            .has(pod())
            .writes({ before: service({ resourceVersion: String(second) }), after: service({ resourceVersion: String(second) }) });
        return story;
      },
      found: [],
    },
    { name: 'accept tries that are further and further apart', tell: () => refused(10, 6), found: [] },
    { name: 'refuse to ask again each second for what was refused', tell: () => refused(40, 1), found: ['S7r'] },
    {
      name: 'accept them of processes each of which cannot know what another one was refused',
      tell: () => refused(40, 1, (index) => (index % 2 === 0 ? { actor: 'operator-2' } : { processSinceMs: index < 20 ? 1 : 2 })),
      found: [],
    },
    {
      name: 'refuse a patch that changes nothing',
      tell: () => fresh().has(service()).writes({ before: service(), after: service(), isIdle: true }),
      found: ['L5'],
    },
    { name: 'accept one of which the CRD keeps nothing', tell: () => pruned([10]), found: [] },
    { name: 'accept it again after five minutes', tell: () => pruned([10, 310]), found: [] },
    { name: 'accept it again where no answer was heard', tell: () => pruned([10, 200], { outcome: { isUnknown: true } }), found: [] },
    { name: 'refuse it again before', tell: () => pruned([10, 200], { outcome: { isUnknown: false } }), found: ['L5'] },
    {
      name: 'refuse it again after each time that something else was stored with it',
      tell: () => {
        const sent = { status: { revision: 'r1', phase: 'Pending' } };
        const after = performer({}, { status: { phase: 'Pending' } as never });
        return fresh().writes({ before: performer(), after, sent }).at(10).writes({ before: after, after, sent, isIdle: true });
      },
      found: ['L5'],
    },
    {
      name: 'accept it from a process that began later and knows nothing yet',
      tell: () => {
        const story = pruned([10], { processSinceMs: 1 });
        return story
          .at(20)
          .writes({ before: performer(), after: performer(), sent: { status: { revision: 'r1' } }, isIdle: true, processSinceMs: 2 });
      },
      found: [],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});
