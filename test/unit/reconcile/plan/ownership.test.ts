import { describe, expect, it } from 'vitest';
import { appLabelValue, labels } from '../../../../src/api/v1alpha1/naming.ts';
import type { Pod } from '../../../../src/kube/objects.ts';
import { sortPods } from '../../../../src/reconcile/plan/ownership.ts';
import { contextOf } from '../../../../src/reconcile/plan/pod-view.ts';
import { rulesOf } from '../../../../src/reconcile/plan/rules.ts';
import { key, pod, revisionOf, snapshot, spec, startMs, uid } from '../../../support/snapshots.ts';

const sort = (pods: readonly Pod[]) =>
  sortPods(pods, key, uid, contextOf(snapshot({ pods }), { image: 'avs:1', revision: revisionOf(), rules: rulesOf(spec()) }));
const contractLabels = { [labels.app]: appLabelValue, [labels.performer]: key.name, [labels.avs]: '0xabc' };
/** As the Go original makes it. */
const original = (change: Parameters<typeof pod>[0] = {}) => pod({ revision: null, labels: contractLabels, ...change });

describe('sortPods', () => {
  it('takes over a pod of the original with the image of the spec as the present revision, by one patch of labels', () => {
    const { ours, claims } = sort([original()]);
    expect(ours).toMatchObject([{ name: 'performer-x', revision: revisionOf(), index: 0, word: 'serving' }]);
    expect(claims).toMatchObject([
      {
        why: 'Mark',
        patch: { metadata: { labels: { [labels.instance]: 'x', [labels.revision]: revisionOf(), [labels.index]: '0' } } },
      },
    ]);
  });

  it('counts a pod of the original with another image as an old revision', () => {
    expect(sort([original({ image: 'avs:0' })]).ours).toMatchObject([{ revision: 'unlabelled' }]);
  });

  it('leaves alone what another operator makes after ours', () => {
    const mine = pod({ name: 'performer-x-abcd-1', index: 1, createdAtMs: startMs });
    const { ours, rivals, claims } = sort([mine, original({ createdAtMs: startMs + 5_000 })]);
    expect(ours.map(({ name }) => name)).toEqual(['performer-x-abcd-1']);
    expect(rivals.map(({ metadata }) => metadata?.name)).toEqual(['performer-x']);
    expect(claims).toEqual([]);
  });

  it('rolls a pod of the original that is older than ours', () => {
    const mine = pod({ name: 'performer-x-abcd-1', index: 1, createdAtMs: startMs + 5_000 });
    expect(sort([mine, original({ image: 'avs:0' })]).ours.map(({ name }) => name)).toEqual(['performer-x', 'performer-x-abcd-1']);
  });

  it('adopts an orphan that carries our labels, whatever its name, and keeps its other owners', () => {
    const orphan = pod({ name: 'restored-7', ownerKind: null });
    const { ours, claims } = sort([orphan]);
    expect(ours.map(({ name }) => name)).toEqual(['restored-7']);
    expect(claims).toMatchObject([
      { why: 'Adopt', patch: { metadata: { ownerReferences: [{ kind: 'Performer', uid, controller: true }] } } },
    ]);
  });

  it.each([
    { name: 'one that is being deleted', of: pod({ ownerKind: null, deleting: true }) },
    { name: 'one that carries none of our labels', of: pod({ ownerKind: null, labels: {} }) },
    { name: 'one that somebody else controls', of: pod({ ownerKind: 'Job' }) },
  ])('never adopts $name', ({ of }) => {
    const { ours, foreign } = sort([of]);
    expect(ours).toEqual([]);
    expect(foreign).toHaveLength(1);
  });

  it('puts back the labels others find a pod by, and those only', () => {
    const { claims } = sort([
      pod({ labels: { ...contractLabels, [labels.app]: 'other', [labels.revision]: revisionOf(), [labels.index]: '0' } }),
    ]);
    expect(claims).toMatchObject([{ patch: { metadata: { labels: { [labels.app]: appLabelValue, [labels.instance]: 'x' } } } }]);
  });

  it('counts a pod whose image was swapped in place as edited, not one that admission rewrote at its creation', () => {
    expect(sort([pod({ image: 'evil:1', generation: 2 })]).ours).toMatchObject([{ revision: 'edited' }]);
    expect(sort([pod({ image: 'mirror/avs:1', generation: 1 })]).ours).toMatchObject([{ revision: revisionOf() }]);
  });
});
