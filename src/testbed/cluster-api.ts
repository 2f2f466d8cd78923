import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Node } from '../kube/objects.ts';
import type { KeyPair } from './certificates.ts';
import { buildFakeNode } from './fake-nodes.ts';
import { buildClusterDns } from './nodes/cluster-dns.ts';
import { TestbedError } from './testbed-error.ts';

const callTimeoutMs = 5_000;
const pollMs = 40;

/** What starting a cluster asks of an API server that may not answer yet: one attempt per call, and no answer is no. */
export interface ClusterApi {
  isReady(): Promise<boolean>;
  /** Pods are refused until their namespace has its service account. */
  hasDefaultServiceAccount(): Promise<boolean>;
  /** Makes the fake nodes that are not there yet. @throws TestbedError when one cannot be made */
  createFakeNodes(count: number): Promise<void>;
  /** Makes the Service under which pods find CoreDNS, which is no pod itself. @throws TestbedError when it cannot be made */
  createClusterDns(): Promise<void>;
  /** Whether the scheduler would place a pod on each of the `count` nodes: Ready, without a taint, fake ones with pod addresses. */
  areNodesReady(count: number): Promise<boolean>;
  /** By name, what each node's kubelet says about its being Ready; none where the API server does not answer. */
  tellNodes(): Promise<ReadonlyMap<string, string>>;
  close(): void;
}

export function openClusterApi(port: number, authority: string, client: KeyPair): ClusterApi {
  const agent = new Agent({ keepAlive: true, ca: authority, cert: client.certificate, key: client.privateKey });
  const call = async (method: 'GET' | 'POST', path: string, body?: object): Promise<{ status: number; body: string } | undefined> => {
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'hourglass-testbed' };
    const signal = AbortSignal.timeout(callTimeoutMs);
    try {
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent, signal });
      sent.on('error', () => undefined); // told to whoever waits below; one that comes later fails the reading
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 0, body: await text(response) };
    } catch {
      return undefined;
    }
  };
  const listNodes = async (): Promise<readonly Node[]> => {
    const answer = await call('GET', '/api/v1/nodes?resourceVersion=0');
    return answer?.status === 200 ? (JSON.parse(answer.body) as { readonly items: readonly Node[] }).items : [];
  };
  const isThere = async (path: string): Promise<boolean> => (await call('GET', path))?.status === 200;
  return {
    isReady: () => isThere('/readyz'),
    hasDefaultServiceAccount: () => isThere('/api/v1/namespaces/default/serviceaccounts/default'),
    createFakeNodes: async (count) => {
      for (let index = 0; index < count; index += 1) {
        const answer = await call('POST', '/api/v1/nodes', buildFakeNode(index, count));
        if (answer?.status === 201 || answer?.status === 409) continue;
        throw new TestbedError(`creating fake node ${index}: ${answer?.body.slice(0, 300) ?? 'no answer from the API server'}`);
      }
    },
    createClusterDns: async () => {
      for (const [kind, object] of Object.entries(buildClusterDns())) {
        const group = kind === 'services' ? '/api/v1' : '/apis/discovery.k8s.io/v1';
        const answer = await call('POST', `${group}/namespaces/kube-system/${kind}`, object);
        if (answer?.status === 201 || answer?.status === 409) continue;
        throw new TestbedError(`creating the Service of the cluster DNS: ${answer?.body.slice(0, 300) ?? 'no answer from the API server'}`);
      }
    },
    areNodesReady: async (count) => (await listNodes()).filter(isUsable).length >= count,
    tellNodes: async () => new Map((await listNodes()).map((node) => [node.metadata?.name ?? '', tellReady(node)])),
    close: () => agent.destroy(),
  };
}

function tellReady(node: Node): string {
  const { status = 'not told', message = 'its kubelet has not reported' } =
    node.status?.conditions?.find(({ type }) => type === 'Ready') ?? {};
  return isUsable(node) ? 'Ready' : `Ready is ${status}: ${message}`;
}

function isUsable({ metadata, spec, status }: Node): boolean {
  const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
  const isFake = metadata?.annotations?.['kwok.x-k8s.io/node'] !== undefined;
  return isReady && (spec?.taints ?? []).length === 0 && (!isFake || spec?.podCIDR !== undefined);
}

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
