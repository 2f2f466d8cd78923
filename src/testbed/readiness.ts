import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { ApiAccess } from './api-access.ts';
import { buildFakeNode } from './fake-nodes.ts';
import { TestbedError } from './testbed-error.ts';

const pollMs = 40;

const nodeListSchema = z.object({
  items: z.array(
    z.object({
      spec: z.object({ podCIDR: z.optional(z.string()), taints: z.optional(z.array(z.unknown())) }),
      status: z.object({ conditions: z.optional(z.array(z.object({ type: z.string(), status: z.string() }))) }),
    }),
  ),
});

/** Waits until `check` is true. @throws TestbedError after `timeoutMs`; the signal's reason when it aborts */
export async function waitUntil(what: string, check: () => Promise<boolean>, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  for (;;) {
    signal.throwIfAborted();
    // Whoever took the port of the API server may accept calls and never answer them.
    const met = await Promise.race([check(), aborted]);
    signal.throwIfAborted();
    if (met === true) return;
    if (performance.now() > deadline)
      throw new TestbedError(`${what}: not within ${Math.round(timeoutMs / 1000)} s; is the machine very busy?`);
    await sleep(pollMs);
  }
}

export async function isApiReady(api: ApiAccess): Promise<boolean> {
  return (await api.call('GET', '/readyz'))?.status === 200;
}

/** Pods are refused until their namespace has its service account. */
export async function hasDefaultServiceAccount(api: ApiAccess): Promise<boolean> {
  return (await api.call('GET', '/api/v1/namespaces/default/serviceaccounts/default'))?.status === 200;
}

/** Makes the fake nodes that are not there yet. */
export async function createFakeNodes(api: ApiAccess, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const answer = await api.call('POST', '/api/v1/nodes', buildFakeNode(index, count));
    if (answer === undefined || (answer.status !== 201 && answer.status !== 409)) {
      throw new TestbedError(
        `creating fake node ${index}: ${answer === undefined ? 'no answer from the API server' : answer.body.slice(0, 300)}`,
      );
    }
  }
}

/** Whether the scheduler would place a pod on each of the `count` nodes: Ready, without a taint, with pod addresses. */
export async function areNodesReady(api: ApiAccess, count: number): Promise<boolean> {
  const answer = await api.call('GET', '/api/v1/nodes?resourceVersion=0');
  if (answer?.status !== 200) return false;
  const nodes = nodeListSchema.safeParse(JSON.parse(answer.body));
  if (!nodes.success) return false;
  const ready = nodes.data.items.filter(
    (node) =>
      (node.spec.taints ?? []).length === 0 &&
      node.spec.podCIDR !== undefined &&
      (node.status.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True'),
  );
  return ready.length >= count;
}
