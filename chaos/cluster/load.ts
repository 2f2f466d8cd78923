import { grpcEndpoint, performerPodsSelector } from '../../src/api/v1alpha1/naming.ts';
import { controllerOf, type Pod, pods } from '../../src/kube/objects.ts';
import type { Change } from '../../src/oracle/kit.ts';
import { callerLabels, chaosNamespace, load, ours, performerNames } from '../experiment.ts';
import type { Call, LoadCall, Observations } from '../observations.ts';
import { ensure, find, type Lab, remove } from './lab.ts';
import { PodLogs } from './pod-logs.ts';
import { buildCaller } from './workloads.ts';

/** Callers say something each tenth of a second: a kubelet whose stream brings nothing for so long may have forgotten it. */
const callerSilentMs = 6_000;
/** What counts as steady: nothing failed for so long, and everybody was heard. */
const steadyMs = 3_000;
/** Callers on a node that is lost say their part once it is back. */
const staysOnLostNodes = [{ operator: 'Exists', effect: 'NoExecute' }];

/** Tasks at a steady rate from a pod on each node to each Performer, and which pod began which task. */
export class Load {
  readonly #lab: Lab;
  readonly #nodes: readonly string[];
  readonly #logs: PodLogs;
  readonly #calls: LoadCall[] = [];
  readonly #begun: { readonly id: string; readonly uid: string; readonly heardMs: number }[] = [];
  readonly #hangUps: Observations['hangUps'][number][] = [];
  #made = 0;

  /** @param nodes those that callers run on */
  constructor(lab: Lab, nodes: readonly string[]) {
    this.#lab = lab;
    this.#nodes = nodes;
    this.#logs = new PodLogs(lab.config);
  }

  /** Starts the callers that are not there, or have ended; returns without waiting for them. */
  async ensure(): Promise<void> {
    for (const node of this.#nodes) for (const performer of performerNames) await this.#ensureCaller(node, performer);
  }

  async #ensureCaller(node: string, performer: string): Promise<void> {
    const name = `caller-${performer}-${node}`;
    const key = { metadata: { name, namespace: chaosNamespace } };
    const there = await find<Pod>(this.#lab, pods, key);
    const hasEnded = /Succeeded|Failed/.test(there?.status?.phase ?? '') || there?.metadata?.deletionTimestamp !== undefined;
    if (there !== undefined && !hasEnded) {
      this.#listen(there, node, performer);
      return;
    }
    if (there !== undefined) await remove(this.#lab, pods, there, { gracePeriodSeconds: 0 });
    this.#made += 1;
    const env = {
      TARGET: `${grpcEndpoint(performer, chaosNamespace)}:8080`,
      RATE: String(load.perSecond),
      MODE: 'dial',
      PREFIX: `${performer}-${node}-${Date.now().toString(36)}-${this.#made}`,
      DEADLINE_MS: String(load.deadlineMs),
    };
    const labels = { ...callerLabels, ...ours };
    const caller = buildCaller({ namespace: chaosNamespace, name, image: this.#lab.performerImage, env, node, labels });
    await ensure(this.#lab, pods, {
      ...caller,
      spec: { ...caller.spec, containers: caller.spec?.containers ?? [], tolerations: staysOnLostNodes },
    });
  }

  #listen({ metadata }: Pod, from: string, performer: string): void {
    const { name = '', uid = '' } = metadata ?? {};
    this.#logs.follow(
      { namespace: chaosNamespace, name, uid },
      (line) => {
        if (line.kind === 'answered' || line.kind === 'failed') this.#calls.push({ ...(line as unknown as Call), performer, from });
      },
      () => this.#hangUps.push({ node: from, atMs: Date.now() }),
      callerSilentMs,
    );
  }

  /** Hears what a pod of a Performer says, from its first task on. */
  onChange({ kind, after }: Change): void {
    const pod = kind === 'pods' ? (after as Pod | undefined) : undefined;
    const { name = '', uid = '', labels = {} } = pod?.metadata ?? {};
    const [key = '', value] = performerPodsSelector.split('=');
    if (pod === undefined || labels[key] !== value || controllerOf(pod) === undefined || pod.status?.phase !== 'Running') return;
    this.#logs.follow({ namespace: chaosNamespace, name, uid }, (line) => {
      if (line.kind === 'begun' && typeof line.id === 'string') this.#begun.push({ id: line.id, uid, heardMs: Date.now() });
    });
  }

  calls(sinceMs: number): readonly LoadCall[] {
    return this.#calls.filter(({ atMs }) => atMs >= sinceMs).toSorted((a, b) => a.atMs - b.atMs);
  }

  /** Tasks that were begun since then; what an earlier experiment heard of may be among them, which makes no task begin twice. */
  begun(sinceMs: number): readonly { readonly id: string; readonly uid: string }[] {
    return this.#begun.filter(({ heardMs }) => heardMs >= sinceMs);
  }

  hangUps(sinceMs: number): Observations['hangUps'] {
    return this.#hangUps.filter(({ atMs }) => atMs >= sinceMs);
  }

  /** Who is not heard, or was not answered; empty when all is well. */
  unrest(nowMs = Date.now()): readonly string[] {
    const recent = this.calls(nowMs - steadyMs - load.deadlineMs).filter(({ atMs, tookMs }) => atMs + tookMs >= nowMs - steadyMs);
    return this.#nodes.flatMap((node) =>
      performerNames.flatMap((performer) => {
        const own = recent.filter((call) => call.from === node && call.performer === performer);
        const failed = own.filter(({ kind }) => kind === 'failed');
        if (own.length < load.perSecond) return [`${node} → ${performer}: not heard`];
        return failed.length > 0
          ? [`${node} → ${performer}: ${failed.length} of ${own.length} failed (${failed[0]?.details ?? `code ${failed[0]?.code}`})`]
          : [];
      }),
    );
  }

  catchUp(sinceMs: number): Promise<void> {
    return this.#logs.catchUp(sinceMs);
  }

  close(): void {
    this.#logs.close();
  }
}
