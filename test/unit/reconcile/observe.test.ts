import { describe, expect, it } from 'vitest';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../../src/kube/faults.ts';
import { type ObjectKey, type Resource, services } from '../../../src/kube/objects.ts';
import { createDeps } from '../../../src/reconcile/deps.ts';
import { refresh } from '../../../src/reconcile/observe.ts';
import { createWorld } from '../../../src/reconcile/world.ts';
import { TestOperator } from '../../support/operator.ts';
import { settings } from '../../support/snapshots.ts';

const key = { namespace: 'default', name: 'x' };
const never = new AbortController().signal;

/** A look at `x` while `meanwhile` happens between the API server's answer about Performers, which is that there is none, and its arrival. */
async function refreshed(known: boolean, meanwhile: 'comes' | 'nothing') {
  const operator = new TestOperator();
  const kube = operator.cluster.api();
  await operator.ask('x');
  const found = await kube.get(performers, key);
  const world = createWorld();
  if (known) world.performers.wrote(found);
  const get = async (resource: Resource<never>, at: ObjectKey): Promise<never> => {
    if (resource.plural === services.plural) return await kube.get(resource, at);
    if (meanwhile === 'comes') world.performers.apply({ type: 'ADDED', object: found });
    throw new KubeFault('notFound', 'there is none', { status: 404 });
  };
  const deps = createDeps({ kube: { ...kube, get: get as typeof kube.get }, world, settings, mayWrite: () => true, log: () => undefined });
  await refresh(key, deps, never).catch(() => undefined);
  return world.performers.get(key)?.metadata?.uid === found.metadata?.uid;
}

describe('a look at what the API server has', () => {
  it('forgets what is gone', async () => expect(await refreshed(true, 'nothing')).toBe(false));

  it('keeps what came while the answer that there is none was on its way', async () => expect(await refreshed(false, 'comes')).toBe(true));
});
