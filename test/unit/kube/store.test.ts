import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/kube/objects.ts';
import { ObjectStore } from '../../../src/kube/store.ts';

const key = (name: string) => ({ namespace: 'team-a', name });
const pod = (name: string, version: string, change: { uid?: string; app?: string; managed?: boolean } = {}): Pod => ({
  metadata: {
    ...key(name),
    uid: change.uid ?? `uid-${name}`,
    resourceVersion: version,
    labels: { app: change.app ?? 'x' },
    ...(change.managed === true ? { managedFields: [{ manager: 'kubectl' }] } : {}),
  },
});
const list = (resourceVersion: string, ...items: Pod[]) => ({ resourceVersion, items });
const storeOf = (resourceVersion: string, ...items: Pod[]) => {
  const store = new ObjectStore<Pod>({ indexes: { app: (object) => [object.metadata?.labels?.app ?? ''] } });
  store.replace(list(resourceVersion, ...items));
  const changes: string[] = [];
  const show = (object: Pod | undefined) => (object === undefined ? '-' : `${object.metadata?.name}@${object.metadata?.resourceVersion}`);
  store.onChange((before, after) => changes.push(`${show(before)} → ${show(after)}`));
  return { store, changes };
};
const versionOf = (store: ObjectStore<Pod>, name: string) => store.get(key(name))?.metadata?.resourceVersion;

describe('a list', () => {
  it('removes what it lacks and tells so', () => {
    const { store, changes } = storeOf('10', pod('a', '5'), pod('b', '6'));
    store.replace(list('20', pod('b', '6'), pod('c', '15')));
    expect(store.list().map((object) => object.metadata?.name)).toEqual(['b', 'c']);
    expect(changes).toEqual(['- → c@15', 'a@5 → -']);
    expect(store.resourceVersion).toBe('20');
  });

  it('keeps what we wrote after it was read, and drops what we wrote before', () => {
    const { store } = storeOf('10');
    store.wrote(pod('before', '15'));
    store.wrote(pod('after', '25'));
    store.replace(list('20'));
    expect(store.list().map((object) => object.metadata?.name)).toEqual(['after']);
  });

  it('does not take an object back to what it was before our write', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.wrote(pod('a', '25'));
    store.replace(list('20', pod('a', '5')));
    expect(versionOf(store, 'a')).toBe('25');
  });

  it('does not bring back what we deleted while it was read', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.deleted(key('a'), 'uid-a');
    store.replace(list('20', pod('a', '5')));
    store.apply({ type: 'MODIFIED', object: pod('a', '21') });
    expect(store.list()).toEqual([]);
  });

  it('that is older than the events before it changes nothing: it came from a server that lags', () => {
    const { store, changes } = storeOf('1000', pod('a', '900'));
    expect(store.replace(list('950', pod('b', '940')))).toBe(false);
    expect([store.resourceVersion, changes]).toEqual(['1000', []]);
    expect(store.replace(list('1001', pod('a', '900')))).toBe(true);
    expect(store.replace(list('960'))).toBe(false);
  });

  it('is taken as it is when the next one is as old and has moved on: the history of the cluster was put back', () => {
    const { store } = storeOf('1000', pod('a', '900'), pod('b', '901'), pod('c', '902'));
    store.deleted(key('c'), 'uid-c');
    expect(store.replace(list('50', pod('a', '40')))).toBe(false);
    expect(store.replace(list('51', pod('a', '40'), pod('c', '41')))).toBe(true);
    expect(['a', 'b', 'c'].map((name) => versionOf(store, name))).toEqual(['40', undefined, '41']);
    store.apply({ type: 'MODIFIED', object: pod('c', '52') });
    expect(versionOf(store, 'c')).toBe('52');
    expect(store.resourceVersion).toBe('52');
  });

  it('that shows a known version otherwise is taken, since another CRD shows other fields; an equal one tells nothing', () => {
    const { store, changes } = storeOf('10', pod('a', '5'), pod('b', '6'));
    store.replace(list('20', pod('a', '5', { app: 'y' }), pod('b', '6')));
    expect(changes).toEqual(['a@5 → a@5']);
    expect(store.byIndex('app', 'y').map((object) => object.metadata?.name)).toEqual(['a']);
  });

  it('shows who took the name of an object that went unseen: before and after with their own uids', () => {
    const { store } = storeOf('10', pod('a', '5'));
    const seen: (string | undefined)[] = [];
    store.onChange((before, after) => seen.push(before?.metadata?.uid, after?.metadata?.uid));
    store.replace(list('20', pod('a', '15', { uid: 'uid-next' })));
    expect(seen).toEqual(['uid-a', 'uid-next']);
  });
});

describe('a watch event', () => {
  it('moves its object and the store on', () => {
    const { store, changes } = storeOf('10', pod('a', '5'));
    store.apply({ type: 'MODIFIED', object: pod('a', '11') });
    store.apply({ type: 'BOOKMARK', resourceVersion: '17' });
    expect([versionOf(store, 'a'), store.resourceVersion]).toEqual(['11', '17']);
    expect(changes).toEqual(['a@5 → a@11']);
  });

  it.each<{ name: string; event: 'ADDED' | 'MODIFIED' | 'DELETED'; version: string; uid?: string }>([
    { name: 'older than the stored state', event: 'MODIFIED', version: '4' },
    { name: 'of the stored state', event: 'ADDED', version: '5' },
    { name: 'of a deletion before the stored state', event: 'DELETED', version: '4' },
    { name: 'of the deletion of a former object of the name', event: 'DELETED', version: '9', uid: 'uid-former' },
    { name: 'of a former object of the name', event: 'MODIFIED', version: '4', uid: 'uid-former' },
  ])('$name changes nothing', ({ event, version, uid }) => {
    const { store, changes } = storeOf('10', pod('a', '5'));
    store.apply({ type: event, object: pod('a', version, uid === undefined ? {} : { uid }) });
    expect(versionOf(store, 'a')).toBe('5');
    expect(changes).toEqual([]);
    expect(store.resourceVersion).toBe('10');
  });

  it('replaces a former object of the name', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.apply({ type: 'ADDED', object: pod('a', '12', { uid: 'uid-next' }) });
    expect(store.get(key('a'))?.metadata?.uid).toBe('uid-next');
  });

  it('brings back an object that left the selector and came again', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.apply({ type: 'DELETED', object: pod('a', '11') });
    expect(store.get(key('a'))).toBeUndefined();
    store.apply({ type: 'ADDED', object: pod('a', '12') });
    expect(versionOf(store, 'a')).toBe('12');
  });
});

describe('our own write', () => {
  it('is seen at once, and the echoes of what was before it change nothing', () => {
    const { store, changes } = storeOf('10', pod('a', '5'));
    store.wrote(pod('a', '14'));
    store.apply({ type: 'MODIFIED', object: pod('a', '12') });
    store.apply({ type: 'MODIFIED', object: pod('a', '14') });
    expect(versionOf(store, 'a')).toBe('14');
    expect(changes).toEqual(['a@5 → a@14']);
  });

  it('does not count as what the watch has seen', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.wrote(pod('a', '14'));
    expect(store.resourceVersion).toBe('10');
  });

  it('that is known to be gone already does not bring the object back', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.apply({ type: 'DELETED', object: pod('a', '15') });
    store.wrote(pod('a', '14'));
    expect(store.list()).toEqual([]);
    store.replace(list('20'));
    store.wrote(pod('a', '14'));
    expect(store.list()).toEqual([]);
  });

  it('of something not selected stays until the next list', () => {
    const { store } = storeOf('10');
    store.wrote(pod('a', '14'));
    store.apply({ type: 'BOOKMARK', resourceVersion: '30' });
    expect(versionOf(store, 'a')).toBe('14');
    store.replace(list('31'));
    expect(store.get(key('a'))).toBeUndefined();
  });

  it('is kept without managedFields, as lists and events come', () => {
    const { store } = storeOf('10');
    store.wrote(pod('a', '14', { managed: true }));
    expect(store.get(key('a'))?.metadata?.managedFields).toBeUndefined();
    expect(store.get(key('a'))?.metadata?.name).toBe('a');
  });
});

describe('our own delete', () => {
  it('is seen at once and late news of that object does not bring it back', () => {
    const { store, changes } = storeOf('10', pod('a', '5'));
    store.deleted(key('a'), 'uid-a');
    store.apply({ type: 'MODIFIED', object: pod('a', '12') });
    store.wrote(pod('a', '13'));
    store.apply({ type: 'DELETED', object: pod('a', '14') });
    expect(store.list()).toEqual([]);
    expect(changes).toEqual(['a@5 → -']);
  });

  it('leaves a newer object of that name alone', () => {
    const { store } = storeOf('10', pod('a', '9', { uid: 'uid-next' }));
    store.deleted(key('a'), 'uid-a');
    expect(store.get(key('a'))?.metadata?.uid).toBe('uid-next');
  });

  it('lets a new object take the name', () => {
    const { store } = storeOf('10', pod('a', '5'));
    store.deleted(key('a'), 'uid-a');
    store.apply({ type: 'ADDED', object: pod('a', '16', { uid: 'uid-next' }) });
    expect(store.get(key('a'))?.metadata?.uid).toBe('uid-next');
  });
});

describe('an index', () => {
  const named = (store: ObjectStore<Pod>, app: string) => store.byIndex('app', app).map((object) => object.metadata?.name ?? '');

  it('follows changes, removals and a changed value', () => {
    const { store } = storeOf('10', pod('a', '5'), pod('b', '6'));
    expect(named(store, 'x')).toEqual(['a', 'b']);
    store.apply({ type: 'MODIFIED', object: pod('a', '11', { app: 'y' }) });
    expect([named(store, 'x'), named(store, 'y')]).toEqual([['b'], ['a']]);
    store.apply({ type: 'DELETED', object: pod('b', '12') });
    store.replace(list('20', pod('a', '11', { app: 'y' })));
    expect([named(store, 'x'), named(store, 'y')]).toEqual([[], ['a']]);
  });

  it('keeps apart what shares a value, and what gives a value twice', () => {
    const store = new ObjectStore<Pod>({ indexes: { app: () => ['one', 'one', 'two'] } });
    for (const name of ['a', 'b', 'c']) store.apply({ type: 'ADDED', object: pod(name, '5') });
    store.apply({ type: 'MODIFIED', object: pod('b', '6') });
    expect([new Set(named(store, 'one')), new Set(named(store, 'two'))]).toEqual([new Set(['a', 'b', 'c']), new Set(['a', 'b', 'c'])]);
    for (const [name, left] of [
      ['a', ['b', 'c']],
      ['c', ['b']],
      ['b', []],
    ] as const) {
      store.apply({ type: 'DELETED', object: pod(name, '9') });
      expect([new Set(named(store, 'one')), new Set(named(store, 'two'))]).toEqual([new Set(left), new Set(left)]);
    }
  });

  it('that was not made is a bug of the caller', () => {
    expect(() => storeOf('10').store.byIndex('owner', 'x')).toThrow('the store has no index owner');
  });
});

describe('a listener', () => {
  it('that throws is reported and stops neither the store nor the others', () => {
    const heard: string[] = [];
    const store = new ObjectStore<Pod>();
    store.onChange(() => {
      throw new Error('listener broke');
    });
    store.onChange((_, after) => heard.push(after?.metadata?.name ?? '-'));
    store.replace(list('10', pod('a', '5'), pod('b', '6')));
    expect(heard).toEqual(['a', 'b']);
    expect(store.listenerErrors).toEqual({ count: 2, last: new Error('listener broke') });
  });

  it('sees the whole list in the store, and nothing after it was taken off', () => {
    const sizes: number[] = [];
    const store = new ObjectStore<Pod>();
    const stop = store.onChange(() => sizes.push(store.list().length));
    store.replace(list('10', pod('a', '5'), pod('b', '6')));
    stop();
    store.apply({ type: 'ADDED', object: pod('c', '11') });
    expect(sizes).toEqual([2, 2]);
  });
});

describe('a store that takes less than is listed and watched', () => {
  const setUpSelecting = () => {
    const store = new ObjectStore<Pod>({ selects: ({ metadata }) => metadata?.labels?.app === 'x' });
    const changes: string[] = [];
    const show = (object: Pod | undefined) => (object === undefined ? '-' : `${object.metadata?.name}@${object.metadata?.resourceVersion}`);
    store.onChange((before, after) => changes.push(`${show(before)} → ${show(after)}`));
    return { store, changes };
  };

  it('neither keeps the rest nor tells of it, and knows how far it has come all the same', () => {
    const { store, changes } = setUpSelecting();
    store.replace(list('10', pod('a', '5'), pod('b', '6', { app: 'y' })));
    store.apply({ type: 'ADDED', object: pod('c', '11', { app: 'y' }) });
    store.apply({ type: 'DELETED', object: pod('b', '12', { app: 'y' }) });
    expect(store.list()).toHaveLength(1);
    expect(changes).toEqual(['- → a@5']);
    expect(store.resourceVersion).toBe('12');
  });

  it('lets go what comes to be of the rest, by an event or a list, and takes it again when it comes back', () => {
    const { store, changes } = setUpSelecting();
    store.replace(list('10', pod('a', '5'), pod('b', '6')));
    store.apply({ type: 'MODIFIED', object: pod('a', '11', { app: 'y' }) });
    store.replace(list('20', pod('a', '11', { app: 'y' }), pod('b', '15', { app: 'y' })));
    expect(store.list()).toEqual([]);
    store.apply({ type: 'MODIFIED', object: pod('a', '21') });
    expect(changes).toEqual(['- → a@5', '- → b@6', 'a@5 → -', 'b@6 → -', '- → a@21']);
  });

  it('does not bring back by a late event what came to be of the rest', () => {
    const { store } = setUpSelecting();
    store.replace(list('10', pod('a', '5')));
    store.apply({ type: 'MODIFIED', object: pod('a', '12', { app: 'y' }) });
    store.apply({ type: 'MODIFIED', object: pod('a', '11') });
    expect(store.list()).toEqual([]);
  });
});
