import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../chaos/audit.ts';
import { buildTrace } from '../../../../chaos/trace/trace.ts';
import type { KubeObject, Node } from '../../../../src/kube/objects.ts';
import type { Change } from '../../../../src/oracle/kit.ts';

const object = (uid: string, resourceVersion: string, more: object = {}): KubeObject => ({
  metadata: { name: uid, namespace: 'ns', uid, resourceVersion },
  ...more,
});
const change = (kind: Change['kind'], before: KubeObject | undefined, after: KubeObject | undefined): Change =>
  ({ atMs: 0, kind, key: { namespace: 'ns', name: (after ?? before)?.metadata?.name ?? '' }, before, after }) as Change;
const of = { namespace: 'ns' };
const told = (changes: readonly Change[], initial = 0, gone: ReadonlyMap<string, string> = new Map()): readonly string[] =>
  buildTrace(changes, initial, gone, [], of).sights.map(
    ({ kind, uid, version, object: stands, first }) =>
      `${version} ${kind} ${uid}${stands === undefined ? ' gone' : ''}${first ? ' first' : ''}`,
  );

describe('buildTrace', () => {
  it('puts what watches of several kinds told into one order', () => {
    const changes = [change('pods', undefined, object('a', '5')), change('pods', object('a', '5'), object('a', '9'))];
    expect(told([...changes, change('services', undefined, object('s', '7'))])).toEqual(['5 pods a', '7 services s', '9 pods a']);
  });

  it('knows what was there before anybody looked', () => {
    expect(told([change('pods', undefined, object('a', '5')), change('pods', undefined, object('b', '6'))], 1)).toEqual([
      '5 pods a first',
      '6 pods b',
    ]);
  });

  it('sets an end where its watch said that it came, else behind what was seen of the kind', () => {
    const changes = [
      change('pods', undefined, object('a', '5')),
      change('pods', object('a', '5'), undefined),
      change('pods', undefined, object('b', '9')),
    ];
    expect(told(changes, 0, new Map([['a', '8']]))).toEqual(['5 pods a', '8 pods a gone', '9 pods b']);
    expect(told(changes)).toEqual(['5 pods a', '5.5 pods a gone', '9 pods b']);
  });

  it('leaves out what a node reports of itself every few seconds, and no taint', () => {
    const taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }];
    const node = (version: string, spec: object, images: object[] = []): Node => object('n', version, { spec, status: { images } }) as Node;
    const versions = [node('1', {}), node('2', {}, [{}]), node('3', { taints })];
    const changes = versions.map((after, index) => change('nodes', versions[index - 1], after));
    expect(told(changes)).toEqual(['1 nodes n', '3 nodes n']);
  });

  it('takes whole entries of the namespace and of kinds that are logged with bodies', () => {
    const entry = (stage: string, namespace: string, resource: string): AuditEntry =>
      ({ stage, verb: 'create', objectRef: { namespace, resource, name: `${stage} ${namespace} ${resource}` } }) as unknown as AuditEntry;
    const all = ['ResponseStarted', 'ResponseComplete'].flatMap((stage) =>
      ['ns', 'other'].flatMap((namespace) => ['pods', 'events'].map((resource) => entry(stage, namespace, resource))),
    );
    expect(buildTrace([], 0, new Map(), all, of).entries.map(({ objectRef }) => objectRef?.name)).toEqual(['ResponseComplete ns pods']);
  });
});
