import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { namespaces } from '../../src/kube/objects.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { type ClusterTools, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { type FaultProxy, type FaultProxyStats, startFaultProxy } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { faultText } from '../../src/testbed/fault-proxy/faults.ts';
import { targetOf } from '../../src/testbed/fault-proxy/upstream.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { judge, type SoakVerdict } from './judge.ts';
import { startObserver } from './observer.ts';
import { type FaultSpan, type MemorySample, monotonicMs, type ObjectState, type Recording } from './recording.ts';
import { planSoakFaults } from './schedule.ts';
import type { SubjectMessage, SubjectName } from './subject.ts';
import { soakNamespace, writeUntil } from './writer.ts';

export interface SoakOptions {
  readonly tools: ClusterTools;
  readonly report: ProgressReporter;
  readonly minutes: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** How long clients may take to come to rest after the last fault; default 90 s: one silent stream, and what comes after it. */
  readonly settleMs?: number;
  /** Resets all connections at the end, so that a stream that is silent just then need not be waited for; for short runs. */
  readonly resetAtEnd?: boolean;
  /** Told now and then how it goes. */
  readonly progress?: (line: string) => void;
}

/** One client's part: what was recorded, what it means, and what it took. */
export interface SoakSide {
  readonly client: SubjectName;
  readonly recording: Recording;
  readonly verdict: SoakVerdict;
  /** Lists after the first of each kind. */
  readonly relists: number;
  /** Watches after the first of each kind. */
  readonly rewatches: number;
  readonly proxy: FaultProxyStats;
  readonly troubles: number;
  readonly lastTroubles: readonly string[];
  readonly crashes: number;
  /** From the last fault until the view was the truth; undefined: not within the time it had. */
  readonly settledMs: number | undefined;
}

export interface SoakResult {
  readonly seed: number;
  readonly minutes: number;
  readonly writes: number;
  readonly changes: number;
  /** Writes that were answered and that the observer never saw: they would make the truth doubtful. */
  readonly unobserved: number;
  readonly observerRelists: number;
  readonly sides: readonly SoakSide[];
}

const names: readonly SubjectName[] = ['ours', 'client-node'];
const program = fileURLToPath(new URL('./subject.ts', import.meta.url));
const progressEveryMs = 15_000;
const keptTroubles = 5;

/**
 * Changes objects on a real API server for some minutes while two clients, each in a process of its own behind a fault proxy of its own,
 * follow them under the same faults; an observer without a proxy holds the truth. Ends everything it started, also after a failure.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { tools, report, minutes, seed, signal, settleMs = 90_000, progress = () => undefined } = options;
  const cleanups: (() => unknown)[] = [];
  try {
    const scratch = await mkdtemp(join(tmpdir(), 'hourglass-soak-'));
    cleanups.push(() => rm(scratch, { recursive: true, force: true }));
    const cluster = await startEmbeddedCluster({ profile: 'none', tools, report, detach: false, signal });
    cleanups.push(() => cluster.stop());
    const { kubeconfig } = cluster;
    const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
    const kube = createKubeApi(config, { clock: systemClock, userAgent: 'soak-writer' });
    cleanups.push(() => kube.close());
    await createNamespace(kube, signal);

    const changes = new Map<string, ObjectState>();
    const idOf = ({ uid, version, gone }: ObjectState): string => `${uid} ${version} ${gone}`;
    const answers: ObjectState[] = [];
    // Known to the world from the moment that the writer or the observer knows it.
    const observer = await startObserver(kubeconfig, (state) => {
      const before = changes.get(idOf(state));
      if (before === undefined) changes.set(idOf(state), state);
    });
    cleanups.push(() => observer.stop());
    const target = await targetOf(config);
    const sides = await Promise.all(
      names.map(async (name) => {
        const proxy = await startFaultProxy({ target, seed });
        cleanups.push(() => proxy.close());
        const file = join(scratch, `${name}.kubeconfig`);
        await proxy.writeKubeconfig(file);
        const side = new Side(name, file, proxy);
        cleanups.push(() => side.end());
        return side;
      }),
    );

    const stopWriting = new AbortController();
    const onAbort = (): void => stopWriting.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    let writes = 0;
    const writing = writeUntil(stopWriting.signal, kube, seed, (state) => {
      writes += 1;
      answers.push(state);
    });
    // A writer that fails ends the soak where it is awaited.
    writing.catch(() => undefined);
    cleanups.push(() => stopWriting.abort());
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([Promise.all(sides.map((side) => side.synced)), aborted]);
    // Until the population has grown to its size.
    await sleep(systemClock, 3_000, signal);
    signal.throwIfAborted();

    const fromMs = monotonicMs();
    const lengthMs = minutes * 60_000;
    const faults: FaultSpan[] = [];
    const recordingOf = (side: Side, toMs: number, finalTruth = {}, finalView = {}): Recording => ({
      fromMs,
      toMs,
      changes: earliest([...changes.values()], answers, idOf),
      sightings: side.sightings,
      faults,
      finalTruth,
      finalView,
      memory: side.memory,
    });
    const tellProgress = (): void => {
      const nowMs = monotonicMs();
      const parts = sides.map((side) => `${side.name} blind ${(judge(recordingOf(side, nowMs)).blindMs / 1_000).toFixed(1)} s`);
      progress(`${clockText(nowMs - fromMs)}  ${changes.size} changes, ${faults.length} faults, ${parts.join(', ')}`);
    };
    const ticking = setInterval(tellProgress, progressEveryMs);
    cleanups.push(() => clearInterval(ticking));
    for (const { atMs, fault, injection, effect, kind } of planSoakFaults(seed, lengthMs)) {
      await sleepUntil(fromMs + atMs, signal);
      signal.throwIfAborted();
      const startMs = monotonicMs();
      for (const { proxy } of sides) proxy.inject(fault, injection);
      const toMs = startMs + (injection.durationMs ?? 0);
      faults.push({ name: fault.name, effect, ...(kind === undefined ? {} : { kind }), fromMs: startMs, toMs, text: faultText(fault) });
    }
    await sleepUntil(fromMs + lengthMs, signal);
    signal.throwIfAborted();
    const toMs = monotonicMs();
    clearInterval(ticking);
    stopWriting.abort();
    await writing;
    if (options.resetAtEnd === true)
      for (const { proxy } of sides) proxy.inject({ name: 'reset', variant: 'connection' }, { durationMs: 50 });

    progress(`${clockText(toMs - fromMs)}  the writer has stopped; waiting for the clients to come to rest`);
    const rests = await Promise.all(sides.map((side) => side.rest(() => observer.list(), settleMs, signal)));
    const truth = await observer.list();
    const seen = new Set([...changes.values()].map(({ uid, version }) => `${uid} ${version}`));
    return {
      seed,
      minutes,
      writes,
      changes: changes.size,
      unobserved: answers.filter(({ uid, version }) => !seen.has(`${uid} ${version}`)).length,
      observerRelists: observer.relists(),
      sides: sides.map((side, index) => {
        const recording = recordingOf(side, toMs, truth, rests[index]?.view ?? {});
        return side.describe(recording, judge(recording), rests[index]?.restedMs);
      }),
    };
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

/** A client in its process, behind its proxy. */
class Side {
  readonly name: SubjectName;
  readonly proxy: FaultProxy;
  readonly synced: Promise<void>;
  readonly sightings: ObjectState[] = [];
  readonly memory: MemorySample[] = [];
  readonly #kubeconfig: string;
  readonly #lastTroubles: string[] = [];
  #troubles = 0;
  #crashes = 0;
  #lists = 0;
  /** Of processes that crashed. */
  #formerLists = 0;
  #child: ChildProcess;
  #ended = false;
  #onSynced: () => void = () => undefined;
  #onView: (view: Readonly<Record<string, number>>) => void = () => undefined;

  constructor(name: SubjectName, kubeconfig: string, proxy: FaultProxy) {
    this.name = name;
    this.proxy = proxy;
    this.#kubeconfig = kubeconfig;
    this.synced = new Promise((resolve) => {
      this.#onSynced = resolve;
    });
    this.#child = this.#start();
  }

  /** Asks for the view until it is the truth or the time is over. */
  async rest(
    list: () => Promise<Readonly<Record<string, number>>>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly view: Readonly<Record<string, number>>; readonly restedMs: number | undefined }> {
    const startedMs = monotonicMs();
    for (;;) {
      const [truth, view] = await Promise.all([list(), this.#view()]);
      const same = Object.keys(truth).length === Object.keys(view).length && Object.keys(truth).every((uid) => truth[uid] === view[uid]);
      const elapsedMs = monotonicMs() - startedMs;
      if (same) return { view, restedMs: elapsedMs };
      if (elapsedMs > timeoutMs || signal.aborted) return { view, restedMs: undefined };
      await sleep(systemClock, 500, signal);
    }
  }

  describe(recording: Recording, verdict: SoakVerdict, settledMs: number | undefined): SoakSide {
    const proxy = this.proxy.stats();
    return {
      client: this.name,
      recording,
      verdict,
      relists: Math.max(0, this.#formerLists + this.#lists - 2),
      rewatches: Math.max(0, proxy.streams - 2),
      proxy,
      troubles: this.#troubles,
      lastTroubles: this.#lastTroubles,
      crashes: this.#crashes,
      settledMs,
    };
  }

  async end(): Promise<void> {
    this.#ended = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }

  #start(): ChildProcess {
    const child = fork(program, [this.name, this.#kubeconfig], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#trouble(text.trim()));
    child.on('message', (message) => this.#hear(message as SubjectMessage));
    child.once('exit', (code, signal) => {
      if (this.#ended) return;
      // As a cluster would start it again.
      this.#crashes += 1;
      this.#trouble(`ended with ${signal ?? `exit code ${code}`}`);
      this.#formerLists += this.#lists;
      this.#lists = 0;
      setTimeout(() => {
        if (!this.#ended) this.#child = this.#start();
      }, 1_000);
    });
    return child;
  }

  #hear(message: SubjectMessage): void {
    if (message.type === 'seen') this.sightings.push(message.state);
    else if (message.type === 'synced') this.#onSynced();
    else if (message.type === 'view') this.#onView(message.view);
    else if (message.type === 'trouble') this.#trouble(message.text);
    else {
      this.memory.push({ atMs: message.atMs, rssBytes: message.rssBytes });
      this.#lists = message.lists;
    }
  }

  #trouble(text: string): void {
    this.#troubles += 1;
    this.#lastTroubles.push(text);
    if (this.#lastTroubles.length > keptTroubles) this.#lastTroubles.shift();
  }

  #view(): Promise<Readonly<Record<string, number>>> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve({}), 5_000);
      this.#onView = (view) => {
        clearTimeout(timer);
        resolve(view);
      };
      if (this.#child.connected) this.#child.send('view');
    });
  }
}

/** Each change at the time it was first known: to the one who made it, or to the observer. */
function earliest(
  changes: readonly ObjectState[],
  answers: readonly ObjectState[],
  idOf: (state: ObjectState) => string,
): readonly ObjectState[] {
  const answered = new Map(answers.map((state) => [idOf(state), state.atMs]));
  return changes.map((state) => ({ ...state, atMs: Math.min(state.atMs, answered.get(idOf(state)) ?? state.atMs) }));
}

async function createNamespace(kube: ReturnType<typeof createKubeApi>, signal: AbortSignal): Promise<void> {
  await kube.create(namespaces, { metadata: { name: soakNamespace } });
  // Pods are refused until the namespace has its service account.
  const accounts = { group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true };
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await kube.get(accounts, { namespace: soakNamespace, name: 'default' }).catch(() => undefined);
    if (found !== undefined) return;
    await sleep(systemClock, 100, signal);
  }
}

function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  return sleep(systemClock, Math.max(0, atMs - monotonicMs()), signal);
}

/** `03:05`. */
function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
