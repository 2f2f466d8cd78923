import { describe, expect, it } from 'vitest';
import { appLabelValue, labels } from '../../../../src/api/v1alpha1/naming.ts';
import type { Pod } from '../../../../src/kube/objects.ts';
import { isAdoptable, sortPods } from '../../../../src/reconcile/plan/ownership.ts';
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

  it('gives no mark of the present revision to a pod of the original that stood beside ours when the spec changed, and lets ours take its place', () => {
    const { performer } = snapshot();
    if (performer === undefined) throw new Error('the snapshot has a Performer');
    const served = snapshot({ performer: { ...performer, status: { revision: 'r0', conditions: [] } } });
    const context = contextOf(served, { image: 'avs:1', revision: revisionOf(), rules: rulesOf(spec()) });
    const { ours, claims, rivals } = sortPods([original()], key, uid, context);
    expect([ours.map(({ revision }) => revision), rivals]).toEqual([['unlabelled'], []]);
    expect(claims).toMatchObject([{ why: 'Mark', patch: { metadata: { labels: { [labels.instance]: 'x' } } } }]);
    const next = pod({ name: 'performer-x-abcd-2', index: 2, createdAtMs: startMs + 10_000 });
    expect(sortPods([original(), next], key, uid, context).rivals).toHaveLength(1);
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

  it('gives every list in the order of names', () => {
    const names = ['performer-x-abcd-2', 'performer-x-abcd-1', 'performer-x-abcd-3'];
    const { ours, claims } = sort(names.map((name) => pod({ name, ownerKind: null })));
    expect(ours.map(({ name }) => name)).toEqual(names.toSorted());
    expect(claims.map((claim) => claim.kind === 'patch' && claim.target.name)).toEqual(names.toSorted());
  });

  it.each([
    { name: 'the label of the instance alone', marks: { [labels.app]: appLabelValue, [labels.instance]: 'x' }, adopts: true },
    { name: 'the label of the Performer alone', marks: { [labels.app]: appLabelValue, [labels.performer]: 'x' }, adopts: true },
    {
      name: 'the labels of another Performer',
      marks: { [labels.app]: appLabelValue, [labels.performer]: 'y', [labels.instance]: 'y' },
      adopts: false,
    },
    { name: 'the name of the Performer without our app', marks: { [labels.app]: 'other', [labels.performer]: 'x' }, adopts: false },
  ])('adopts an orphan with $name: $adopts', ({ marks, adopts }) => {
    expect(sort([pod({ ownerKind: null, labels: marks })]).claims).toHaveLength(adopts ? 1 : 0);
  });

  it('leaves alone what another operator made, also once younger ones of ours are there', () => {
    const mine = [1, 2].map((index) => pod({ name: `performer-x-abcd-${index}`, index, createdAtMs: startMs + index * 5_000 }));
    for (const image of ['avs:1', 'avs:0']) {
      const { ours, rivals } = sort([...mine, original({ image, createdAtMs: startMs + 7_000 })]);
      expect(ours.map(({ name }) => name)).toEqual(['performer-x-abcd-1', 'performer-x-abcd-2']);
      expect(rivals).toHaveLength(1);
    }
  });

  it('gives nothing of ours up for what another operator made of the newest spec, also once the one of ours that stood before is gone', () => {
    const former = (change: Parameters<typeof pod>[0]) =>
      pod({ name: 'performer-x-abcd-1', index: 1, revision: 'r0', createdAtMs: startMs, ...change });
    const theirs = original({ createdAtMs: startMs + 5_000 });
    const next = pod({ name: 'performer-x-abcd-2', index: 2, createdAtMs: startMs + 10_000 });
    for (const before of [[former({})], [former({ withdrawnAtMs: startMs })], [former({ deleting: true })], []]) {
      const { ours, rivals, claims } = sort([theirs, next, ...before]);
      expect(rivals.map(({ metadata }) => metadata?.name)).toEqual(['performer-x']);
      expect(ours.map(({ name }) => name)).toContain('performer-x-abcd-2');
      expect(claims.filter((claim) => claim.kind === 'patch' && claim.target.name === 'performer-x')).toEqual([]);
    }
  });

  it.each([
    { name: 'of a former image: it rolls', theirs: original({ image: 'avs:0' }), next: {} },
    { name: 'where the newest one of ours has ended', theirs: original(), next: { phase: 'Failed', ready: false } },
    { name: 'that has ended', theirs: original({ phase: 'Failed', ready: false }), next: {} },
    { name: 'where ours are of a former spec', theirs: original(), next: { revision: 'r0' } },
  ])('takes over an older pod of the original $name', ({ theirs, next }) => {
    const { ours, rivals } = sort([theirs, pod({ name: 'performer-x-abcd-2', index: 2, createdAtMs: startMs + 10_000, ...next })]);
    expect(rivals).toEqual([]);
    expect(ours.map(({ name }) => name)).toContain('performer-x');
  });

  it.each([
    { name: 'made in the same second as ours', rival: original({ createdAtMs: startMs }), mine: {}, rivals: 1 },
    {
      name: 'with one of our marks left',
      rival: original({ labels: { ...contractLabels, [labels.index]: '3' }, createdAtMs: startMs + 5_000 }),
      mine: {},
      rivals: 0,
    },
    {
      name: 'made after one of ours whose revision label another hand took off',
      rival: original({ createdAtMs: startMs + 5_000 }),
      mine: { labels: { ...contractLabels, [labels.index]: '1' } },
      rivals: 1,
    },
    { name: 'that is going again', rival: original({ createdAtMs: startMs + 5_000, deleting: true }), mine: {}, rivals: 0 },
    {
      name: 'made after one of ours that is going',
      rival: original({ createdAtMs: startMs + 5_000 }),
      mine: { deleting: true },
      rivals: 0,
    },
    {
      name: 'made after one of ours that is out',
      rival: original({ createdAtMs: startMs + 5_000 }),
      mine: { withdrawnAtMs: startMs },
      rivals: 0,
    },
  ])('counts a pod $name as a rival: $rivals', ({ rival, mine, rivals }) => {
    expect(sort([pod({ name: 'performer-x-abcd-1', index: 1, createdAtMs: startMs, ...mine }), rival]).rivals).toHaveLength(rivals);
  });

  it.each([
    { name: 'one that is going', of: original({ deleting: true }) },
    { name: 'one that has ended', of: original({ phase: 'Failed', ready: false }) },
    { name: 'one that has all', of: pod() },
    { name: 'other values of the marks we only count by', of: pod({ labels: { ...pod().metadata?.labels, [labels.index]: '7' } }) },
  ])('marks nothing on $name', ({ of }) => {
    expect(sort([of]).claims).toEqual([]);
  });

  it('gives an old pod only the labels others find it by, and an adopted one that lacks none only its owner', () => {
    expect(sort([original({ image: 'avs:0' })]).claims).toMatchObject([{ patch: { metadata: { labels: { [labels.instance]: 'x' } } } }]);
    const [old] = sort([original({ image: 'avs:0' })]).claims;
    expect(old?.kind === 'patch' && old.patch).toEqual({ metadata: { labels: { [labels.instance]: 'x' } } });
    const [adopted] = sort([pod({ ownerKind: null })]).claims;
    expect(adopted?.kind === 'patch' && Object.keys((adopted.patch as { metadata: object }).metadata)).toEqual(['ownerReferences']);
    const [marked] = sort([original()]).claims;
    expect(marked?.kind === 'patch' && Object.keys((marked.patch as { metadata: object }).metadata)).toEqual(['labels']);
  });
});

describe('a Service nobody controls', () => {
  const nobodys = (change: object): Parameters<typeof isAdoptable>[0] => ({ metadata: { name: 'performer-x' }, ...change });
  it.each([
    { name: 'our label', of: nobodys({ metadata: { labels: { [labels.app]: appLabelValue } } }), adoptable: true },
    { name: 'our selector', of: nobodys({ spec: { selector: { [labels.performer]: 'x' } } }), adoptable: true },
    { name: 'neither', of: nobodys({ metadata: { labels: {} }, spec: { selector: { app: 'other' } } }), adoptable: false },
    { name: 'no metadata at all', of: {}, adoptable: false },
    {
      name: 'our label, and somebody who controls it after all,',
      of: nobodys({
        metadata: { labels: { [labels.app]: appLabelValue }, ownerReferences: pod({ ownerKind: 'Job' }).metadata?.ownerReferences },
      }),
      adoptable: false,
    },
  ])('with $name may be adopted: $adoptable', ({ of, adoptable }) => {
    expect(isAdoptable(of, 'x')).toBe(adoptable);
  });
});
