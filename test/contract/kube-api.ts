import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isKubeFault, KubeFault, type KubeFaultCode } from '../../src/kube/faults.ts';
import {
  coreEvents,
  type KubeObject,
  keyOf,
  type Lease,
  leases,
  type ObjectKey,
  type OwnerReference,
  type Pod,
  pods,
  type Resource,
  type Service,
  services,
} from '../../src/kube/objects.ts';
import type { KubeApi, WatchEvent, WatchOptions } from '../../src/kube/port.ts';

export interface KubeApiUnderTest {
  readonly kube: KubeApi;
  /** Exists, and holds nothing that the suite did not put there. */
  readonly namespace: string;
  teardown(): Promise<void>;
}

interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number };
}

/** A kind that no cluster serves. */
const widgets: Resource<Widget> = { group: 'contract.test', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const finalizer = 'contract.test/hold';
const patienceMs = 20_000;

/** What every `KubeApi` must do, in terms of what its callers see. Built-in kinds only, so that it runs on any cluster. */
export function describeKubeApi(name: string, setup: () => Promise<KubeApiUnderTest>): void {
  describe(`KubeApi of the ${name}`, { timeout: 30_000 }, () => {
    let parts: KubeApiUnderTest | undefined;
    beforeAll(async () => {
      parts = await setup();
    }, 120_000);
    afterAll(async () => {
      await parts?.teardown();
    }, 60_000);

    const given = (): KubeApiUnderTest => {
      if (parts === undefined) throw new Error('setup failed');
      return parts;
    };
    const api = (): KubeApi => given().kube;
    const key = (objectName: string): ObjectKey => ({ namespace: given().namespace, name: objectName });
    const createPod = (objectName: string, change: Partial<NonNullable<Pod['metadata']>> = {}): Promise<Pod> =>
      api().create(pods, pod(key(objectName), change));
    const createService = (objectName: string, change: Partial<NonNullable<Service['metadata']>> = {}): Promise<Service> =>
      api().create(services, service(key(objectName), change));

    describe('create, get and list', () => {
      it('stores an object and gives it back with kind, uid, resourceVersion, creation time and generation', async () => {
        const created = await createPod('stored');
        expect(created).toMatchObject({ apiVersion: 'v1', kind: 'Pod', metadata: { ...key('stored'), generation: 1 } });
        expect(created.metadata?.uid).toMatch(/.+/);
        expect(created.metadata?.resourceVersion).toMatch(/^\d+$/);
        expect(created.metadata?.creationTimestamp).toMatch(/^\d{4}-.*Z$/);
        expect(await api().get(pods, key('stored'))).toEqual(created);
      });

      it('keeps the kinds of one name apart', async () => {
        await createService('shared-name');
        await expectFault(api().get(leases, key('shared-name')), 'notFound');
      });

      it('refuses a name that is taken', async () => {
        await createService('taken');
        await expectFault(createService('taken'), 'alreadyExists', { status: 409, says: `Service ${given().namespace}/taken` });
      });

      it('does not create in a namespace that is missing', async () => {
        await expectFault(api().create(services, service({ namespace: 'no-such-namespace', name: 'x' })), 'notFound');
      });

      it('does not find an object that is missing', async () => {
        await expectFault(api().get(pods, key('missing')), 'notFound', { status: 404, says: `Pod ${given().namespace}/missing` });
        await expectFault(api().patch(pods, key('missing'), {}, { resourceVersion: '1' }), 'notFound');
        await expectFault(api().delete(pods, key('missing'), { uid: 'u', resourceVersion: '1' }), 'notFound');
      });

      it('tells a kind that is not served from an object that is missing', async () => {
        await expectFault(api().list(widgets), 'kindMissing');
        await expectFault(api().list(widgets, { namespace: given().namespace }), 'kindMissing');
        await expectFault(api().get(widgets, key('x')), 'kindMissing');
        await expectFault(api().create(widgets, { metadata: key('x') }), 'kindMissing');
        await expectFault(api().patch(widgets, key('x'), {}, { resourceVersion: '1' }), 'kindMissing');
        await expectFault(api().delete(widgets, key('x'), { uid: 'u', resourceVersion: '1' }), 'kindMissing');
        await expectFault(drain(api().watch(widgets, { resourceVersion: '1' })), 'kindMissing');
      });

      it('lists the objects of a kind with their kind and a version to watch from', async () => {
        const lease = await api().create(leases, { metadata: key('listed'), spec: { holderIdentity: 'a' } });
        const { items, resourceVersion } = await api().list(leases, { namespace: given().namespace });
        expect(items.filter((item) => item.metadata?.name === 'listed')).toEqual([lean(lease)]);
        expect(items.every((item) => item.kind === 'Lease' && item.apiVersion === 'coordination.k8s.io/v1')).toBe(true);
        expect(BigInt(resourceVersion)).toBeGreaterThanOrEqual(BigInt(lease.metadata?.resourceVersion ?? ''));
      });

      it('lists all namespaces when none is named, and none of a namespace that is missing', async () => {
        await createService('everywhere');
        const { items } = await api().list(services);
        expect(items.map(keyOf)).toContainEqual(key('everywhere'));
        expect((await api().list(services, { namespace: 'no-such-namespace' })).items).toEqual([]);
      });

      it.each<{ labelSelector: string; names: string[] }>([
        { labelSelector: 'tier=one', names: ['selected-1'] },
        { labelSelector: 'tier', names: ['selected-1', 'selected-2'] },
        { labelSelector: 'tier in (one,two),zone=b', names: ['selected-2'] },
        { labelSelector: 'tier,zone!=b', names: ['selected-1'] },
      ])('lists by label selector $labelSelector', async ({ labelSelector, names }) => {
        await ensure(createService('selected-1', { labels: { tier: 'one', zone: 'a' } }));
        await ensure(createService('selected-2', { labels: { tier: 'two', zone: 'b' } }));
        const { items } = await api().list(services, { namespace: given().namespace, labelSelector });
        expect(new Set(items.map((item) => item.metadata?.name))).toEqual(new Set(names));
      });

      it('lists by field selector metadata.name', async () => {
        await createService('by-field');
        const { items } = await api().list(services, { namespace: given().namespace, fieldSelector: 'metadata.name=by-field' });
        expect(items.map(keyOf)).toEqual([key('by-field')]);
      });

      it('cuts objects down as it is told, before they are handed on, and never lists managedFields', async () => {
        await createService('cut-down', { labels: { a: 'b' } });
        const options = { namespace: given().namespace, fieldSelector: 'metadata.name=cut-down' };
        const [whole] = (await api().list(services, options)).items;
        expect([whole?.metadata?.managedFields, whole?.metadata?.labels]).toEqual([undefined, { a: 'b' }]);
        const { items } = await api().list(services, { ...options, project: bare });
        expect(items).toEqual([bare(whole ?? {})]);
      });

      it('refuses an object that breaks the rules of its kind, and does not quote it', async () => {
        const bad = pod(key('Not_A_Name'));
        const secret = { ...bad, spec: { containers: [{ name: 'c', image: 'x', env: [{ name: 'BAD=NAME', value: 'hunter2' }] }] } };
        const fault = await expectFault(api().create(pods, secret), 'invalid');
        expect(fault.message).not.toContain('hunter2');
      });
    });

    describe('patch', () => {
      it('merges, with null taking a member away and lists replaced whole', async () => {
        const created = await createPod('merged', { labels: { a: '1', b: '2' }, annotations: { kept: 'yes' } });
        const patch = { metadata: { labels: { a: null, c: '3' } } };
        const patched = await api().patch(pods, key('merged'), patch, { resourceVersion: versionOf(created) });
        expect(patched.metadata?.labels).toEqual({ b: '2', c: '3' });
        expect(patched.metadata?.annotations).toEqual({ kept: 'yes' });
        expect(BigInt(versionOf(patched))).toBeGreaterThan(BigInt(versionOf(created)));
        expect(await api().get(pods, key('merged'))).toEqual(patched);
      });

      it('conflicts when the object has changed since the decision, and changes nothing', async () => {
        const created = await createPod('raced');
        const won = await api().patch(
          pods,
          key('raced'),
          { metadata: { labels: { by: 'first' } } },
          { resourceVersion: versionOf(created) },
        );
        const lost = api().patch(pods, key('raced'), { metadata: { labels: { by: 'second' } } }, { resourceVersion: versionOf(created) });
        await expectFault(lost, 'conflict', { status: 409 });
        expect(await api().get(pods, key('raced'))).toEqual(won);
      });

      it('leaves object and version alone when it changes nothing', async () => {
        const created = await createPod('unchanged', { labels: { a: '1' } });
        const patched = await api().patch(
          pods,
          key('unchanged'),
          { metadata: { labels: { a: '1' } } },
          { resourceVersion: versionOf(created) },
        );
        expect(versionOf(patched)).toBe(versionOf(created));
      });

      it('keeps status and the rest apart', async () => {
        const created = await createPod('two-halves');
        const both = { metadata: { labels: { no: 'way' } }, spec: { activeDeadlineSeconds: 99 }, status: { message: 'told' } };
        const told = await api().patch(pods, key('two-halves'), both, { subresource: 'status', resourceVersion: versionOf(created) });
        expect(told.status?.message).toBe('told');
        expect(told.spec).toEqual(created.spec);
        const spec = { spec: { containers: otherImage(created) }, status: { message: 'lost' } };
        const changed = await api().patch(pods, key('two-halves'), spec, { resourceVersion: versionOf(told) });
        expect(changed.spec?.containers[0]?.image).toBe('example.test/other:2');
        expect(changed.status?.message).toBe('told');
      });

      it('conflicts on status, too', async () => {
        const created = await createPod('status-raced');
        const options = { subresource: 'status', resourceVersion: versionOf(created) } as const;
        await api().patch(pods, key('status-raced'), { status: { message: 'first' } }, options);
        await expectFault(api().patch(pods, key('status-raced'), { status: { message: 'second' } }, options), 'conflict');
      });

      it('counts generations of the spec only', async () => {
        const created = await createPod('counted');
        const labelled = await api().patch(
          pods,
          key('counted'),
          { metadata: { labels: { x: 'y' } } },
          { resourceVersion: versionOf(created) },
        );
        const told = await api().patch(
          pods,
          key('counted'),
          { status: { message: 'm' } },
          { subresource: 'status', resourceVersion: versionOf(labelled) },
        );
        expect([labelled, told].map((object) => object.metadata?.generation)).toEqual([1, 1]);
        const image = { spec: { containers: otherImage(created) } };
        const changed = await api().patch(pods, key('counted'), image, { resourceVersion: versionOf(told) });
        expect(changed.metadata?.generation).toBe(2);
      });
    });

    describe('delete', () => {
      it('conflicts when the object is another one of the same name', async () => {
        const created = await createService('wrong-uid');
        await expectFault(api().delete(services, key('wrong-uid'), { ...preconditions(created), uid: 'another' }), 'conflict');
        expect(await api().get(services, key('wrong-uid'))).toEqual(created);
      });

      it('conflicts when the object has changed since the decision', async () => {
        const created = await createService('changed');
        await api().patch(services, key('changed'), { metadata: { labels: { new: 'label' } } }, { resourceVersion: versionOf(created) });
        await expectFault(api().delete(services, key('changed'), preconditions(created)), 'conflict');
        await api().get(services, key('changed'));
      });

      it('takes an object away at once when nothing holds it, and says so', async () => {
        for (const [resource, created] of [
          [services, await createService('gone')],
          [leases, await api().create(leases, { metadata: key('gone') } satisfies Lease)],
          [pods, await createPod('gone')],
        ] as const) {
          expect(await api().delete<KubeObject>(resource, key('gone'), preconditions(created)), resource.kind).toBeUndefined();
          await expectFault(api().get<KubeObject>(resource, key('gone')), 'notFound');
        }
      });

      it('gives an object of the same name another uid', async () => {
        const first = await createService('again');
        await api().delete(services, key('again'), preconditions(first));
        const second = await createService('again');
        expect(second.metadata?.uid).not.toBe(first.metadata?.uid);
      });

      it('keeps an object with a finalizer, terminating, until the finalizer is removed', async () => {
        const created = await createPod('held', { finalizers: [finalizer] });
        const answered = await api().delete(pods, key('held'), preconditions(created));
        expect(answered?.metadata?.deletionTimestamp).toMatch(/Z$/);
        const held = await api().get(pods, key('held'));
        expect(held).toEqual(answered);
        await api().patch(pods, key('held'), { metadata: { finalizers: null } }, { resourceVersion: versionOf(held) });
        await expectFault(api().get(pods, key('held')), 'notFound');
      });

      it('removes dependents in the background after their owner', async () => {
        const owner = await createService('owner');
        const reference: OwnerReference = {
          apiVersion: 'v1',
          kind: 'Service',
          name: 'owner',
          uid: owner.metadata?.uid ?? '',
          controller: true,
          blockOwnerDeletion: false,
        };
        await createPod('dependent', { ownerReferences: [reference] });
        await createPod('independent');
        expect(await api().delete(services, key('owner'), { ...preconditions(owner), propagationPolicy: 'Background' })).toBeUndefined();
        await eventually(() => expectFault(api().get(pods, key('dependent')), 'notFound'));
        await api().get(pods, key('independent'));
      });
    });

    describe('watch', () => {
      it('tells every change after a list, in order', async () => {
        const before = await api().list(services, { namespace: given().namespace });
        const seen = collect(api(), services, { namespace: given().namespace, resourceVersion: before.resourceVersion });
        const created = await createService('watched');
        const patched = await api().patch(
          services,
          key('watched'),
          { metadata: { labels: { a: 'b' } } },
          { resourceVersion: versionOf(created) },
        );
        await api().delete(services, key('watched'), preconditions(patched));
        await eventually(() => expect(seen.ofName('watched')).toHaveLength(3));
        const events = seen.ofName('watched');
        expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
        expect(events.slice(0, 2).map(({ object }) => object)).toEqual([lean(created), lean(patched)]);
        expect(BigInt(versionOf(events[2]?.object ?? {}))).toBeGreaterThan(BigInt(versionOf(patched)));
        await seen.stop();
      });

      it('starts anywhere in the recent past', async () => {
        const { resourceVersion } = await api().list(services, { namespace: given().namespace });
        const created = await createService('from-the-past');
        const seen = collect(api(), services, { namespace: given().namespace, resourceVersion });
        await eventually(() => expect(seen.ofName('from-the-past').map(({ object }) => object)).toEqual([lean(created)]));
        await seen.stop();
      });

      it('tells nothing of other namespaces and other labels', async () => {
        const { resourceVersion } = await api().list(services);
        const options = { namespace: given().namespace, labelSelector: 'watch=me', resourceVersion };
        const seen = collect(api(), services, options);
        await createService('unlabelled');
        await createService('labelled', { labels: { watch: 'me' } });
        await eventually(() => expect(seen.ofName('labelled')).toHaveLength(1));
        expect(seen.ofName('unlabelled')).toEqual([]);
        await seen.stop();
      });

      it('tells an object that leaves the selector as deleted and one that enters it as added', async () => {
        const outside = await createService('moving', { labels: { side: 'out' } });
        const options = { namespace: given().namespace, labelSelector: 'side=in', resourceVersion: versionOf(outside) };
        const seen = collect(api(), services, options);
        const entered = await api().patch(
          services,
          key('moving'),
          { metadata: { labels: { side: 'in' } } },
          { resourceVersion: versionOf(outside) },
        );
        await api().patch(services, key('moving'), { metadata: { labels: { side: 'out' } } }, { resourceVersion: versionOf(entered) });
        await eventually(() => expect(seen.ofName('moving').map(({ type }) => type)).toEqual(['ADDED', 'DELETED']));
        await seen.stop();
      });

      it('tells a deletion that a finalizer holds up as a change first', async () => {
        const created = await createPod('slow-goodbye', { finalizers: [finalizer] });
        const seen = collect(api(), pods, { namespace: given().namespace, resourceVersion: versionOf(created) });
        const held = await api().delete(pods, key('slow-goodbye'), preconditions(created));
        await api().patch(pods, key('slow-goodbye'), { metadata: { finalizers: null } }, { resourceVersion: versionOf(held ?? {}) });
        await eventually(() => expect(seen.ofName('slow-goodbye').at(-1)?.type).toBe('DELETED'));
        expect(seen.ofName('slow-goodbye')[0]).toEqual({ type: 'MODIFIED', object: lean(held ?? {}) });
        await seen.stop();
      });

      it('watches one object by field selector metadata.name', async () => {
        const { resourceVersion } = await api().list(leases, { namespace: given().namespace });
        const options = { namespace: given().namespace, fieldSelector: 'metadata.name=just-this', resourceVersion };
        const seen = collect(api(), leases, options);
        await api().create(leases, { metadata: key('not-this') });
        await api().create(leases, { metadata: key('just-this') });
        await eventually(() => expect(seen.ofName('just-this')).toHaveLength(1));
        expect(seen.ofName('not-this')).toEqual([]);
        await seen.stop();
      });

      it('says when it was taken, before its first event, and not when it was refused', async () => {
        const { resourceVersion } = await api().list(services, { namespace: given().namespace });
        await createService('opened');
        const order: string[] = [];
        const onOpen = (): void => void order.push('open');
        for await (const event of api().watch(services, { namespace: given().namespace, resourceVersion, onOpen })) {
          order.push(event.type);
          break;
        }
        expect(order).toEqual(['open', 'ADDED']);
        await expectFault(drain(api().watch(widgets, { resourceVersion: '1', onOpen })), 'kindMissing');
        expect(order).toEqual(['open', 'ADDED']);
      });

      it('starts with all objects where it is asked to, tells their end, and goes on with what happens then', async () => {
        await createService('first-1', { labels: { initial: 'yes' } });
        const second = await createService('first-2', { labels: { initial: 'yes' } });
        await createService('first-3');
        const controller = new AbortController();
        const options = { namespace: given().namespace, labelSelector: 'initial=yes', resourceVersion: '', signal: controller.signal };
        const told: string[] = [];
        for await (const event of api().watch(services, { ...options, initialEvents: true, project: bare })) {
          if (event.type === 'BOOKMARK') {
            expect(BigInt(event.resourceVersion)).toBeGreaterThanOrEqual(BigInt(versionOf(second)));
            told.push(event.initialEventsEnd === true ? 'end' : 'bookmark');
            await createService('first-4', { labels: { initial: 'yes' } });
          } else {
            expect(event.object).toEqual(bare(event.object));
            told.push(`${event.type} ${event.object.metadata?.name}`);
          }
          if (told.at(-1) === 'ADDED first-4') break;
        }
        controller.abort();
        expect(new Set(told.slice(0, 2))).toEqual(new Set(['ADDED first-1', 'ADDED first-2']));
        expect(told.slice(2)).toEqual(['end', 'ADDED first-4']);
      });

      it('starts with nothing but the end where there is nothing', async () => {
        const options = { namespace: 'no-such-namespace', resourceVersion: '', initialEvents: true, timeoutSeconds: 5 };
        for await (const event of api().watch(leases, options)) {
          expect(event).toMatchObject({ type: 'BOOKMARK', initialEventsEnd: true });
          break;
        }
      });

      it('ends without a word when its time is up', async () => {
        const { resourceVersion } = await api().list(leases, { namespace: given().namespace });
        const events = await drain(api().watch(leases, { namespace: given().namespace, resourceVersion, timeoutSeconds: 1 }));
        // A server may send a bookmark before it ends the stream.
        expect(events.filter(({ type }) => type !== 'BOOKMARK')).toEqual([]);
      });

      it('throws `aborted` when its signal aborts, also before it has begun', async () => {
        const { resourceVersion } = await api().list(leases, { namespace: given().namespace });
        const controller = new AbortController();
        const ended = expectFault(
          drain(api().watch(leases, { namespace: given().namespace, resourceVersion, signal: controller.signal })),
          'aborted',
        );
        await new Promise((resolve) => setTimeout(resolve, 100));
        controller.abort();
        await ended;
        const never = api().watch(leases, { namespace: given().namespace, resourceVersion, signal: controller.signal });
        await expectFault(drain(never), 'aborted');
      });

      it('lets its reader leave', async () => {
        const { resourceVersion } = await api().list(leases, { namespace: given().namespace });
        await api().create(leases, { metadata: key('read-and-left') });
        for await (const event of api().watch(leases, { namespace: given().namespace, resourceVersion })) {
          expect(event.type).toBe('ADDED');
          break;
        }
      });
    });

    describe('the rest', () => {
      it('throws `aborted` when the signal of a call has aborted, and does nothing', async () => {
        const options = { signal: AbortSignal.abort() };
        await expectFault(api().list(pods, options), 'aborted');
        await expectFault(api().get(pods, key('x'), options), 'aborted');
        await expectFault(api().create(services, service(key('never')), options), 'aborted');
        await expectFault(api().get(services, key('never')), 'notFound');
      });

      it('stores an Event once', async () => {
        const regarding = { apiVersion: 'v1', kind: 'Service', namespace: given().namespace, name: 'talked-about', uid: 'some-uid' };
        const record = { regarding, name: 'talked-about.1', type: 'Warning', reason: 'Testing', message: 'first', action: 'Test' } as const;
        await api().event(record);
        await api().event({ ...record, message: 'second' });
        const { items } = await api().list(coreEvents, { namespace: given().namespace, fieldSelector: 'metadata.name=talked-about.1' });
        expect(items).toHaveLength(1);
        expect(items[0]).toMatchObject({
          involvedObject: regarding,
          type: 'Warning',
          reason: 'Testing',
          message: 'first',
          action: 'Test',
        });
        expect(items[0]?.firstTimestamp ?? items[0]?.eventTime).toMatch(/Z$/);
      });

      it('knows the server time to a few seconds', async () => {
        await api().list(leases, { namespace: given().namespace });
        expect(Math.abs(api().serverNowMs() - Date.now())).toBeLessThan(5_000);
      });
    });
  });
}

/** A pod that no scheduler and no kubelet touches. */
function pod(key: ObjectKey, change: Partial<NonNullable<Pod['metadata']>> = {}): Pod {
  return {
    metadata: { ...key, ...change },
    spec: {
      schedulerName: 'nobody',
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'example.test/image:1' }],
    },
  };
}

function service(key: ObjectKey, change: Partial<NonNullable<Service['metadata']>> = {}): Service {
  return { metadata: { ...key, ...change }, spec: { selector: { app: key.name }, ports: [{ name: 'grpc', port: 8080 }] } };
}

/** The containers as stored, with another image: the one change that a running pod allows to them. */
function otherImage(stored: Pod): readonly { readonly name: string; readonly image: string }[] {
  return (stored.spec?.containers ?? []).map((container) => ({ ...container, image: 'example.test/other:2' }));
}

/** As lists and watches give an object. */
function lean<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata };
}

/** What a reader may keep of a Service. */
function bare({ metadata }: Service): Service {
  const { namespace, name, uid, resourceVersion } = metadata ?? {};
  return { metadata: { namespace, name, uid, resourceVersion } as NonNullable<Service['metadata']> };
}

function versionOf(object: KubeObject): string {
  return object.metadata?.resourceVersion ?? '';
}

function preconditions(object: KubeObject): { readonly uid: string; readonly resourceVersion: string } {
  return { uid: object.metadata?.uid ?? '', resourceVersion: versionOf(object) };
}

async function expectFault(
  call: Promise<unknown>,
  code: KubeFaultCode,
  details: { readonly status?: number; readonly says?: string } = {},
): Promise<KubeFault> {
  const outcome = await call.then(
    (value: unknown) => new Error(`expected the fault ${code}, got ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(outcome instanceof KubeFault)) throw outcome;
  expect(`${outcome.code}: ${outcome.message}`).toMatch(new RegExp(`^${code}: `));
  if (details.says !== undefined) expect(outcome.message).toContain(details.says);
  return outcome;
}

/** Created now or by an earlier row. */
async function ensure(creating: Promise<unknown>): Promise<void> {
  try {
    await creating;
  } catch (error) {
    if (!isKubeFault(error, 'alreadyExists')) throw error;
  }
}

async function eventually(check: () => unknown): Promise<void> {
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > untilMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function drain<T>(events: AsyncIterable<WatchEvent<T>>): Promise<readonly WatchEvent<T>[]> {
  const seen: WatchEvent<T>[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

interface Collected<T> {
  /** Events so far of the object with this name. */
  ofName(name: string): readonly { readonly type: string; readonly object: T }[];
  stop(): Promise<void>;
}

/** Reads a watch in the background until stopped. */
function collect<T extends KubeObject>(kube: KubeApi, resource: Resource<T>, options: WatchOptions<T>): Collected<T> {
  const seen: { type: string; object: T }[] = [];
  const controller = new AbortController();
  const reading = (async () => {
    for await (const event of kube.watch(resource, { ...options, signal: controller.signal })) {
      if (event.type !== 'BOOKMARK') seen.push(event);
    }
  })();
  // Whatever ends it early shows in what it did not see, and in stop().
  reading.catch(() => {});
  return {
    ofName: (name) => seen.filter(({ object }) => object.metadata?.name === name),
    stop: async () => {
      controller.abort();
      await expectFault(reading, 'aborted');
    },
  };
}
