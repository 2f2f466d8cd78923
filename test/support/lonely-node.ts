import { parse } from 'yaml';
import type { RealCluster } from '../parity/support/real-cluster.ts';
import { until } from '../parity/support/real-cluster.ts';

const name = 'lonely';

/** A node whose kubelet the test plays: KWOK leaves it alone, so it can be lost. */
export class LonelyNode {
  readonly #real: RealCluster;

  constructor(real: RealCluster) {
    this.#real = real;
  }

  /** Ready, and the only one that takes pods until `openOthers`. */
  async start(): Promise<void> {
    await this.#real.apply(
      parse(
        `{ apiVersion: v1, kind: Node, metadata: { name: ${name}, labels: { kubernetes.io/os: linux, kubernetes.io/hostname: ${name} } } }`,
      ),
    );
    await this.#report('True', { capacity: { cpu: '8', memory: '8Gi', pods: '10' }, allocatable: { cpu: '8', memory: '8Gi', pods: '10' } });
    await until('the node to be open', async () => !(await this.#taints()).includes('not-ready'));
    await this.#real.kubectl('cordon', '-l', 'type=kwok');
  }

  async openOthers(): Promise<void> {
    await this.#real.kubectl('uncordon', '-l', 'type=kwok');
  }

  /** Its kubelet says that the pod is ready, or the node controller in its place that it is not. */
  async tell(namespace: string, pod: string, ready: 'True' | 'False'): Promise<void> {
    const status = {
      phase: 'Running',
      podIP: '10.246.0.9',
      podIPs: [{ ip: '10.246.0.9' }],
      conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status: ready, lastTransitionTime: new Date().toISOString() })),
      containerStatuses: [
        { name: 'performer', ready: ready === 'True', started: true, image: 'avs:1', imageID: '', restartCount: 0, state: { running: {} } },
      ],
    };
    await this.#patchStatus('pod', pod, { status }, '-n', namespace);
  }

  /** No more is heard of it; the real node controller draws its conclusions. */
  async lose(): Promise<void> {
    await this.#report('Unknown');
    await until('its taint', async () => (await this.#taints()).includes('unreachable:NoExecute'));
  }

  #report(ready: string, more: object = {}): Promise<unknown> {
    const now = new Date().toISOString();
    const condition = { type: 'Ready', status: ready, reason: 'Told', message: '', lastHeartbeatTime: now, lastTransitionTime: now };
    return this.#patchStatus('node', name, { status: { ...more, conditions: [condition] } });
  }

  async #taints(): Promise<string> {
    return this.#real.kubectl('get', 'node', name, '-o', 'jsonpath={range .spec.taints[*]}{.key}:{.effect} {end}');
  }

  #patchStatus(kind: string, object: string, patch: object, ...where: readonly string[]): Promise<unknown> {
    return this.#real.kubectl('patch', kind, object, '--subresource=status', '--type', 'merge', '-p', JSON.stringify(patch), ...where);
  }
}
