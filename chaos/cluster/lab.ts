import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isKubeFault } from '../../src/kube/faults.ts';
import { findObject } from '../../src/kube/find.ts';
import type { KubeObject, Resource } from '../../src/kube/objects.ts';
import { keyOf } from '../../src/kube/objects.ts';
import { createKubeApi, type KubeClient } from '../../src/kube-client/client.ts';
import type { ClusterConfig } from '../../src/kube-client/cluster-config.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { ComponentFault } from '../../src/testbed/component-faults.ts';
import { kubectl, untilEstablished } from '../../src/testbed/kubectl.ts';
import { ctr } from '../../src/testbed/nodes/node-plan.ts';
import type { RealNodes } from '../../src/testbed/nodes/real-nodes.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { findInCheckout } from '../../src/testbed/tools.ts';
import { operatorNamespace } from '../experiment.ts';
import type { Subject } from '../subject.ts';

/** A cluster that things are done to, and what is known of it. */
export interface Lab {
  readonly subject: Subject;
  readonly kube: KubeClient;
  readonly config: ClusterConfig;
  readonly kubeconfig: string;
  readonly kubectl: readonly string[];
  /** Where the API server is ours. */
  readonly auditLog?: string;
  /** Where the nodes are ours. */
  readonly nodes?: RealNodes;
  /** Where the testbed keeps what it knows of the cluster, where it is ours. */
  readonly registryDir?: string;
  /** What can befall the control plane, where it is ours. */
  readonly componentFaults?: Readonly<Record<'stop' | 'hang', ComponentFault>>;
  /** Of the image of performers and callers. */
  readonly performerImage: string;
  /** Of a program that does nothing, for pods that only hold a node's network. */
  readonly pauseImage: string;
}

export async function openLab(parts: Omit<Lab, 'kube' | 'config'>): Promise<Lab> {
  const { kubeconfig } = parts;
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: homedir() });
  return { ...parts, config, kube: createKubeApi(config, { clock: systemClock, userAgent: 'hourglass-chaos/1' }) };
}

/** Installs the operator from the file that users apply: `watch`, as a Deployment that is then available, or `once`, as a CronJob. */
export async function installOperator(cluster: { readonly kubectl: readonly string[] }, mode: 'watch' | 'once'): Promise<void> {
  const run = (...args: readonly string[]): Promise<string> => kubectl(cluster, args, { timeoutMs: 150_000 });
  await run('apply', '--server-side', '--force-conflicts', '-f', findInCheckout(`manifests/install-${mode}.yaml`));
  await run(...untilEstablished('crd/performers.hourglass.eigenlayer.io'));
  if (mode === 'watch') await run('rollout', 'status', '-n', operatorNamespace, 'deployment/hourglass-operator', '--timeout=120s');
}

/** Installs what is put to the test, and waits until its operator is available. */
export async function installSubject(cluster: { readonly kubectl: readonly string[] }, { manifests, operator }: Subject): Promise<void> {
  const run = (args: readonly string[], input = ''): Promise<string> => kubectl(cluster, args, { timeoutMs: 150_000, input });
  const apply = (input: string): Promise<string> => run(['apply', '--server-side', '--force-conflicts', '-f', '-'], input);
  await apply(await readFile(findInCheckout('manifests/crd/hourglass.eigenlayer.io_performers.yaml'), 'utf8'));
  await run(untilEstablished('crd/performers.hourglass.eigenlayer.io'));
  for (const manifest of manifests) await apply(manifest);
  if (operator === undefined) return;
  const { namespace, name } = operator.deployment;
  await run(['rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=120s']);
}

/** Makes it unless it is there. */
export async function ensure<T extends KubeObject>({ kube }: Pick<Lab, 'kube'>, resource: Resource<T>, object: T): Promise<void> {
  await kube.create(resource, object).catch((error: unknown) => {
    if (!isKubeFault(error, 'alreadyExists')) throw error;
  });
}

/** Deletes it, whoever writes it meanwhile; one that is not there is fine. */
export async function remove<T extends KubeObject>(
  { kube }: Pick<Lab, 'kube'>,
  resource: Resource<T>,
  object: T,
  options: { readonly gracePeriodSeconds?: number } = {},
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { uid = '', resourceVersion = '' } = (await find({ kube }, resource, object))?.metadata ?? {};
    if (uid === '') return;
    try {
      await kube.delete(resource, keyOf(object), { uid, resourceVersion, ...options });
      return;
    } catch (error) {
      if (isKubeFault(error, 'notFound')) return;
      if (!isKubeFault(error, 'conflict') || tries === 20) throw error;
    }
  }
}

/** The object of that name as it is now; undefined when there is none. */
export async function find<T extends KubeObject>(
  { kube }: Pick<Lab, 'kube'>,
  resource: Resource<T>,
  object: KubeObject,
): Promise<T | undefined> {
  return await findObject(kube, resource, keyOf(object), {});
}

/** Patches it as it is now, whoever writes it meanwhile. @returns false when there is none */
export async function patchNewest<T extends KubeObject>(
  { kube }: Pick<Lab, 'kube'>,
  resource: Resource<T>,
  object: KubeObject,
  patch: Json,
): Promise<boolean> {
  for (let tries = 0; ; tries += 1) {
    const resourceVersion = (await find({ kube }, resource, object))?.metadata?.resourceVersion;
    if (resourceVersion === undefined) return false;
    try {
      await kube.patch(resource, keyOf(object), patch, { resourceVersion });
      return true;
    } catch (error) {
      if (isKubeFault(error, 'notFound')) return false;
      if (!isKubeFault(error, 'conflict') || tries === 20) throw error;
    }
  }
}

/** Waits for the cluster; a question that fails is asked again. @throws TestbedError when the time is over, with what failed last, or the reason of `signal` */
export async function until(what: string, holds: () => Promise<boolean>, limitMs: number, signal?: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const answer = await holds().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    if (answer === true) return;
    if (performance.now() - startedMs > limitMs) {
      const cause = answer === false ? undefined : answer;
      throw new TestbedError(`waited ${limitMs / 1_000} s for ${what}${cause === undefined ? '' : `: ${cause.message}`}`, { cause });
    }
    await sleep(100, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Gives an image of the nodes a second name. */
export function tagImage(nodes: RealNodes, image: string, tag: string): void {
  for (const name of nodes.names) nodes.run(name, [...ctr, 'images', 'tag', '--force', image, tag]);
}
