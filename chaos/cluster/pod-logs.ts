import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConfig } from '../../src/kube-client/cluster-config.ts';

/** Containers of this test say one JSON object a line, and each says another. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly kind?: string };

const againMs = 500;
/** Kubelets are asked again from so long before what was heard last. */
const overlapS = 5;

interface Told {
  readonly onText?: () => void;
  readonly onEnd?: () => void;
}

/** What pods say, each line once, however often a connection to their kubelet breaks. */
export class PodLogs {
  readonly #config: ClusterConfig;
  readonly #stop = new AbortController();
  readonly #followed = new Map<
    string,
    {
      readonly path: string;
      readonly heard: Set<string>;
      readonly onLine: (line: LogLine) => void;
      readonly onEnd: () => void;
      lastMs: number;
    }
  >();

  constructor(config: ClusterConfig) {
    this.#config = config;
  }

  /**
   * Follows a pod from its first line to its end; a second time does nothing.
   *
   * @param onEnd told each time that a connection ends which had begun to tell
   * @param silentMs after so long without a word it is asked for anew; left out: a silent one is let be
   */
  follow(
    pod: { readonly namespace: string; readonly name: string; readonly uid: string },
    onLine: (line: LogLine) => void,
    onEnd: () => void = () => undefined,
    silentMs?: number,
  ): void {
    if (this.#followed.has(pod.uid)) return;
    const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/log`;
    // A log is asked for by name: under that of a pod that is gone it would be this one's.
    for (const [uid, other] of this.#followed) if (other.path === path) this.#followed.delete(uid);
    this.#followed.set(pod.uid, { path, heard: new Set(), onLine, onEnd, lastMs: 0 });
    void this.#follow(pod.uid, silentMs);
  }

  /** Reads again what the last seconds brought, for streams that a cut has left hanging. Pods that are gone are left out. */
  async catchUp(sinceMs: number): Promise<void> {
    const seconds = Math.ceil((Date.now() - sinceMs) / 1_000) + overlapS;
    await Promise.all(
      [...this.#followed.keys()].map((uid) =>
        this.#read(uid, `?sinceSeconds=${seconds}`, AbortSignal.timeout(5_000)).catch(() => undefined),
      ),
    );
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(uid: string, silentMs: number | undefined): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && this.#followed.has(uid)) {
      const lastMs = this.#followed.get(uid)?.lastMs ?? 0;
      const since = lastMs === 0 ? '' : `&sinceSeconds=${Math.ceil((Date.now() - lastMs) / 1_000) + overlapS}`;
      const silence = new AbortController();
      const watchdog = silentMs === undefined ? undefined : setTimeout(() => silence.abort(), silentMs);
      const onEnd = (): void => {
        if (!silence.signal.aborted) this.#followed.get(uid)?.onEnd();
      };
      const stop = AbortSignal.any([signal, silence.signal]);
      const status = await this.#read(uid, `?follow=true${since}`, stop, { onEnd, onText: () => watchdog?.refresh() }).catch(() => 0);
      clearTimeout(watchdog);
      // A kubelet that has just started knows no pod yet, and says so as one does whose pod is gone.
      if (status === 404 && (await this.#isGone(uid))) return;
      await sleep(againMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether the API server has no pod of the name; an answer that does not come leaves it open. */
  async #isGone(uid: string): Promise<boolean> {
    const path = this.#followed.get(uid)?.path.replace(/\/log$/, '');
    if (path === undefined) return true;
    const response = await this.#get(path, this.#stop.signal).catch(() => undefined);
    response?.resume();
    return response?.statusCode === 404;
  }

  async #get(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const headers = { ...(await this.#config.headers(false)), 'user-agent': 'hourglass-chaos' };
    const sent = request(`${this.#config.server}${path}`, { headers, signal, ...(await this.#config.tls()) });
    const answered = new Promise<IncomingMessage>((resolve, reject) => void sent.once('response', resolve).once('error', reject));
    sent.end();
    return await answered;
  }

  /** @returns the HTTP status */
  async #read(uid: string, query: string, signal: AbortSignal, { onEnd, onText }: Told = {}): Promise<number> {
    const pod = this.#followed.get(uid);
    if (pod === undefined) return 404;
    const response = await this.#get(`${pod.path}${query}`, signal);
    if (response.statusCode !== 200) {
      response.resume();
      return response.statusCode ?? 0;
    }
    try {
      for await (const text of createInterface({ input: response })) {
        onText?.();
        if (!text.startsWith('{') || pod.heard.has(text) || this.#followed.get(uid) !== pod) continue;
        pod.heard.add(text);
        pod.lastMs = Date.now();
        const line = parseLine(text);
        if (line !== undefined) pod.onLine(line);
      }
    } finally {
      onEnd?.();
    }
    return 200;
  }
}

/** One that is cut off comes again whole. */
function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
