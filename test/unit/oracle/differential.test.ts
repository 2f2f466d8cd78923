import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { OracleBoard } from '../../../src/oracle/board.ts';
import { createDifferential, shapeOf } from '../../../src/oracle/differential.ts';
import { later, performer, pod, ready, Story, service, startMs } from './world.ts';

const end = (...objects: readonly KubeObject[]): Story =>
  new Story(undefined, new OracleBoard([createDifferential(expected)])).has(...objects);
const expected = shapeOf(new Story().has(performer({}, { status: ready() }), pod(), service()).board.view);
const other = { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', name: 'x', uid: 'u2', controller: true };

describe('D1, the end is that of another run', () => {
  it.each<{ name: string; objects: readonly KubeObject[]; found: readonly string[] }>([
    {
      name: 'accepts other uids, names and addresses',
      objects: [
        performer({}, { uid: 'u2', status: ready({ podName: 'performer-x-abcd-1', podIP: '10.9.9.9' }) }),
        later(1, { ownerUid: 'u2' }),
        service({ uid: 's2', ownerReferences: [other] }),
      ],
      found: [],
    },
    { name: 'refuses another image', objects: [performer({}, { status: ready() }), pod({ image: 'i:2' }), service()], found: ['D1'] },
    { name: 'refuses a pod more', objects: [performer({}, { status: ready() }), pod(), later(1), service()], found: ['D1'] },
    { name: 'refuses another status', objects: [performer({}, { status: ready({ phase: 'Failed' }) }), pod(), service()], found: ['D1'] },
    { name: 'refuses a Performer less', objects: [], found: ['D1'] },
  ])('$name', ({ objects, found }) => {
    expect(end(...objects).rests().found).toEqual(found);
  });

  it('says what differs', () => {
    const story = end(performer({}, { status: ready() }), pod({ image: 'i:2' }), service()).rests();
    expect(story.board.violations.map(({ key, atMs }) => [key, atMs])).toEqual([['a/x', startMs]]);
    expect(story.board.violations[0]?.message).toContain('i:2');
  });
});
