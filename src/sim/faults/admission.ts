import { type KubeObject, namespaces, type ObjectKey, pods } from '../../kube/objects.ts';
import { kindIdOf } from '../kind-rules.ts';
import { enforceLabel } from '../pod-security.ts';
import { quotaUsage, resourceQuotas } from '../quota.ts';
import { leaseKey, type SimWorld } from '../sim-world.ts';
import type { Stage } from './moment.ts';
import { change, ignoreFault, pick } from './tamper.ts';

type Span = (stage: Stage, draw: number) => () => void;

/** A namespace with Performers says so for a while. */
const inNamespace =
  (begin: (world: SimWorld, name: string, draw: number) => () => void): Span =>
  ({ world, aim }, draw) => {
    const isUsers = ({ name = '', deletionTimestamp }: { readonly name?: string; readonly deletionTimestamp?: string }): boolean =>
      deletionTimestamp === undefined && name !== 'default' && name !== leaseKey.namespace;
    const found = pick(
      world.server.store.list(kindIdOf(namespaces)).filter(({ metadata }) => isUsers(metadata)),
      draw,
    );
    aim(found?.metadata.name);
    return found === undefined ? () => undefined : begin(world, found.metadata.name ?? '', draw);
  };

/** What admission says by what stands in a namespace, in the API server's own words. */
export const admissionFaults = {
  'quota-tight': inNamespace(({ server, clock }, namespace) => {
    const there = server.store.list(kindIdOf(pods)).filter(({ metadata }) => metadata.namespace === namespace);
    const key: ObjectKey = { namespace, name: 'tight' };
    const hard = { pods: String(quotaUsage(there, clock.nowMs())) };
    ignoreFault(() => server.create(resourceQuotas, { metadata: { ...key }, spec: { hard } } as KubeObject));
    return () => {
      const quota = server.find(resourceQuotas, key);
      if (quota !== undefined) server.remove(resourceQuotas, quota);
    };
  }),
  'security-enforced': inNamespace((world, name, draw) => {
    const level = (draw * 1_000) % 1 < 0.7 ? 'restricted' : 'baseline';
    const set = (wanted: Readonly<Record<string, string>>): void =>
      change(world, namespaces, { namespace: '', name }, (one) => {
        const { [enforceLabel]: _old, ...labels } = one.metadata.labels ?? {};
        return { ...one, metadata: { ...one.metadata, labels: { ...labels, ...wanted } } };
      });
    set({ [enforceLabel]: level });
    return () => set({});
  }),
} as const satisfies Record<string, Span>;
