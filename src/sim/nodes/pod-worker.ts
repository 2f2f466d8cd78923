import { labels } from '../../api/v1alpha1/naming.ts';
import { controllerOf, keyOf, type ObjectKey, type Pod } from '../../kube/objects.ts';
import { formatTime } from '../../lib/time.ts';
import { type Behavior, behaviorOf, ends, imageOf } from './behavior.ts';
import { type NodeWorld, uidOf } from './node-world.ts';
import { buildPodStatus, type ContainerState, type PodFacts } from './pod-status.ts';
import type { Range } from './timings.ts';

/** The kubelet around a worker. */
interface Host {
  readonly world: NodeWorld;
  readonly hostIP: string;
  /** Writes the worker's status, where the API server can be reached. */
  report(worker: PodWorker): void;
  /** What runs has changed. */
  changed(): void;
  /** All containers have ended, for good. */
  stopped(worker: PodWorker): void;
}

/**
 * One pod on its node, as a state machine with at most one step ahead. All its containers share one state. It goes on without the API server:
 * only reports need that.
 */
export class PodWorker {
  readonly uid: string;
  /** The Performer the pod belongs to; undefined for any other pod. */
  readonly performer: ObjectKey | undefined;
  readonly #host: Host;
  readonly #world: NodeWorld;
  readonly #since = new Map<string, { readonly status: string; readonly since: string }>();
  #pod: Pod;
  #facts: PodFacts = { phase: 'Pending', state: waiting('ContainerCreating'), restartCount: 0, started: false, ready: false };
  #running = false;
  /** Probes fail, whatever the behavior. */
  #sick = false;
  #startedAtMs = 0;
  #waitMs: number | undefined;
  #stop: 'no' | 'begun' | 'done' = 'no';
  #stopsAtMs = 0;
  #cancel: () => void = () => undefined;

  constructor(host: Host, pod: Pod) {
    this.#host = host;
    this.#world = host.world;
    this.#pod = pod;
    this.uid = uidOf(pod);
    const name = pod.metadata?.labels?.[labels.instance] ?? pod.metadata?.labels?.[labels.performer] ?? controllerOf(pod)?.name;
    this.performer = name === undefined ? undefined : { namespace: keyOf(pod).namespace, name };
  }

  /** Whether its container runs. */
  get running(): boolean {
    return this.#running;
  }

  /** Whether it answers calls. */
  get answers(): boolean {
    return this.#running && this.#facts.started && !this.#sick;
  }

  get stopped(): boolean {
    return this.#stop === 'done';
  }

  /** The status as this kubelet knows it, on top of what others have set. */
  statusOver(pod: Pod): NonNullable<Pod['status']> {
    return buildPodStatus(pod, this.#facts, this.#since, this.#host.hostIP, this.#world.nowMs());
  }

  begin(): void {
    if (this.#behavior() === 'rejected') {
      this.fail('UnexpectedAdmissionError', 'Allocate failed due to no healthy devices present, which is unexpected');
      return;
    }
    this.#tell({ startTime: this.#facts.startTime ?? formatTime(this.#world.nowMs()) });
    this.#next(this.#world.timings.sandbox, () => {
      this.#tell({ podIP: this.#world.nextAddress() });
      this.#create();
    });
  }

  /** The pod as the API server has it now: what a person changed in place takes effect. */
  update(pod: Pod): void {
    const [image, behavior] = [imageOf(this.#pod), this.#behavior()];
    this.#pod = pod;
    if (this.#stop !== 'no' || this.#hasFinished()) return;
    if (image !== imageOf(pod)) {
      if (this.#running) this.#next(this.#world.timings.stop, () => this.#end(0, 'Completed'));
      else if (this.#facts.podIP !== undefined) this.#next(this.#world.timings.kubeletSync, () => this.#create());
    } else if (behavior !== this.#behavior()) {
      if (this.#running) this.#next(this.#world.timings.startup, () => this.#live());
      else if (isBlocked(this.#facts.state)) this.#next(this.#world.timings.kubeletSync, () => this.#create());
    }
  }

  /** Lets probes fail or pass again. */
  setSick(sick: boolean): void {
    this.#sick = sick;
    if (this.#running && this.#stop === 'no') this.#probe();
  }

  kill(): void {
    if (this.#running && this.#stop === 'no') this.#end(137, 'Error');
  }

  /** Ends the pod for good though nobody deleted it. */
  fail(reason: string, message: string): void {
    if (this.#stop !== 'no' || this.#hasFinished()) return;
    this.#halt();
    const state = this.#facts.state.running === undefined ? this.#facts.state : this.#terminated(137, 'Error');
    this.#tell({ phase: 'Failed', reason, message, state });
    this.#host.changed();
  }

  /** Stops the containers within the grace period. A later call can only shorten it. */
  stop(graceSeconds: number): void {
    const { timings } = this.#world;
    if (this.#stop === 'done') this.#host.stopped(this);
    if (this.#stop === 'done') return;
    const nowMs = this.#world.nowMs();
    const drawnMs = this.#running ? this.#world.draw('kubelet', timings.stop) : 0;
    const hangs = this.#running && this.#world.hits('kubelet', 0.05);
    const atMs = nowMs + (hangs ? graceSeconds * 1_000 : Math.min(drawnMs, graceSeconds * 1_000));
    this.#stopsAtMs = this.#stop === 'begun' ? Math.min(this.#stopsAtMs, atMs) : atMs;
    this.#stop = 'begun';
    this.#next([this.#stopsAtMs - nowMs, this.#stopsAtMs - nowMs], () => this.#finish());
  }

  /** The machine loses power. */
  crash(): void {
    this.#halt();
    this.#facts = { ...this.#facts, started: false, ready: false };
  }

  /** The machine is back, and nothing of the pod is left but its object. */
  reboot(pod: Pod): void {
    this.#pod = pod;
    if (this.#hasFinished()) return;
    if (this.#stop !== 'no' || pod.metadata?.deletionTimestamp !== undefined) {
      this.#finish();
      return;
    }
    const { state, podIP: _gone, ...facts } = this.#facts;
    const ran = state.running !== undefined;
    const last = ran ? { lastState: this.#terminated(255, 'Unknown'), restartCount: facts.restartCount + 1 } : {};
    this.#facts = { ...facts, ...last, state: waiting('ContainerCreating') };
    this.begin();
  }

  #behavior(): Behavior {
    return behaviorOf(this.#pod);
  }

  #hasFinished(): boolean {
    return this.#facts.phase === 'Failed' || this.#facts.phase === 'Succeeded';
  }

  /** Pulls the image and starts the container. */
  #create(): void {
    const behavior = this.#behavior();
    if (behavior === 'pull-fails') {
      const image = imageOf(this.#pod);
      const cause = `failed to pull and unpack image "${image}": not found`;
      this.#tell({ state: waiting('ErrImagePull', cause) });
      const waitMs = this.#backOff(this.#world.timings.backOffMs);
      this.#next(this.#world.timings.restart, () => {
        this.#tell({ state: waiting('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${cause}`) });
        this.#next([waitMs, waitMs], () => this.#create());
      });
    } else if (behavior === 'config-fails') {
      this.#tell({ state: waiting('CreateContainerConfigError', 'secret "performer-settings" not found') });
    } else {
      this.#startedAtMs = this.#world.nowMs();
      this.#running = true;
      this.#tell({ phase: 'Running', state: { running: { startedAt: formatTime(this.#startedAtMs) } } });
      this.#host.changed();
      const slowness = behavior === 'slow' ? 10 : 1;
      const [least, most] = this.#world.timings.startup;
      this.#next([least * slowness, most * slowness], () => this.#live());
    }
  }

  /** What a container does once it has come up. */
  #live(): void {
    const end = ends[this.#behavior()];
    if (end !== undefined) this.#end(...end);
    else this.#probe();
  }

  /** What its probes find: a step to the next state, if there is one. */
  #probe(): void {
    const { startup, readiness, unreadiness } = this.#world.timings;
    const { started, ready } = this.#facts;
    const probe = this.#pod.spec?.containers?.[0]?.startupProbe;
    const passes = !this.#sick && this.#behavior() !== 'never-ready';
    if (!started && passes) {
      this.#next(this.#world.nowMs() - this.#startedAtMs < startup[0] ? startup : [0, 0], () => {
        this.#tell({ started: true });
        this.#probe();
      });
    } else if (!started && probe !== undefined) {
      const budgetMs = (probe.failureThreshold ?? 3) * (probe.periodSeconds ?? 10) * 1_000;
      this.#next([budgetMs, budgetMs], () => this.#end(137, 'Error'));
    } else if (!started) {
      this.#tell({ started: true });
    } else if (ready !== passes) {
      this.#next(passes ? readiness : unreadiness, () => this.#tell({ ready: passes }));
    } else {
      this.#cancel();
    }
  }

  #end(exitCode: number, reason: string): void {
    const ended = this.#terminated(exitCode, reason);
    if (this.#world.nowMs() - this.#startedAtMs > this.#world.timings.backOffResetMs) this.#waitMs = undefined;
    const waitMs = this.#backOff(0);
    this.#halt();
    this.#tell({ state: ended, started: false, ready: false });
    this.#host.changed();
    const restart = (): void => {
      this.#facts = { ...this.#facts, lastState: ended, restartCount: this.#facts.restartCount + 1 };
      this.#create();
    };
    this.#next(this.#world.timings.restart, () => {
      if (waitMs === 0) return restart();
      const { namespace, name } = keyOf(this.#pod);
      const message = `back-off ${waitMs / 1_000}s restarting failed container=${this.#pod.spec?.containers?.[0]?.name} pod=${name}_${namespace}(${this.uid})`;
      this.#tell({ state: waiting('CrashLoopBackOff', message), lastState: ended });
      this.#next([waitMs, waitMs], restart);
    });
  }

  #finish(): void {
    const ran = this.#facts.state.running !== undefined;
    this.#halt();
    this.#stop = 'done';
    const phase = this.#hasFinished() ? this.#facts.phase : ran ? 'Succeeded' : 'Failed';
    this.#tell({ phase, started: false, ready: false, ...(ran ? { state: this.#terminated(0, 'Completed') } : {}) });
    this.#host.changed();
    this.#host.stopped(this);
  }

  /** Containers are gone, in this instant; nothing is ahead. */
  #halt(): void {
    this.#cancel();
    this.#running = false;
  }

  /** The wait before the next try: a first one, then doubling up to its cap. A first crash has none. */
  #backOff(firstMs: number): number {
    const { backOffMs, backOffCapMs } = this.#world.timings;
    this.#waitMs = this.#waitMs === undefined ? firstMs : Math.max(backOffMs, Math.min(backOffCapMs, 2 * this.#waitMs));
    return this.#waitMs;
  }

  #terminated(exitCode: number, reason: string): ContainerState {
    const [startedAt, finishedAt] = [formatTime(this.#startedAtMs), formatTime(this.#world.nowMs())];
    return { terminated: { exitCode, reason, startedAt, finishedAt } };
  }

  #tell(change: Partial<PodFacts>): void {
    this.#facts = { ...this.#facts, ...change };
    if (this.#facts.phase !== 'Running') this.#facts = { ...this.#facts, started: false, ready: false };
    // Kept also while nobody can be told, so that a late report has the times at which things happened.
    this.statusOver(this.#pod);
    this.#host.report(this);
  }

  #next(range: Range, step: () => void): void {
    this.#cancel();
    this.#cancel = this.#world.after('kubelet', range, step);
  }
}

function waiting(reason: string, message?: string): ContainerState {
  return { waiting: { reason, ...(message === undefined ? {} : { message }) } };
}

/** Waits for something outside it, not for its turn after a crash. */
function isBlocked({ waiting: wait }: ContainerState): boolean {
  return wait?.reason !== 'CrashLoopBackOff' && wait?.reason !== 'ContainerCreating' && wait !== undefined;
}
