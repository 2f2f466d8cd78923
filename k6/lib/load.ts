import { randomSeed } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { clearTimeout, setTimeout } from 'k6/timers';
import { type Arrivals, type BenchLine, buildPerformer, planArrivals } from '../../src/bench/bench-lines.ts';
import { type Ask, Observer, type Sample, type SeenEvent } from '../../src/bench/observer.ts';
import { Answers } from './answers.ts';
import { call, performerPath, performersPath, watchAll } from './cluster.ts';
import { settings } from './settings.ts';

const phases = {
  create: ['acknowledged', 'pod created', 'scheduled', 'running', 'pod ready', 'status ready', 'first answer'],
  delete: ['acknowledged', 'pod deleting', 'pod gone', 'service gone', 'performer gone'],
  update: ['acknowledged', 'new pod created', 'new pod ready', 'status ready', 'old pod gone', 'without a ready pod'],
} as const;

// k6 makes metrics only while a script is loaded.
const trends = new Map<string, Trend>(
  Object.entries(phases).flatMap(([ask, names]) =>
    names.map((name) => [`${ask} ${name}`, new Trend(metricName(ask, name), true)] as const),
  ),
);

/** One of them and k6 ends with 99. */
const troubles = new Counter('troubles');

function metricName(ask: string, phase: string): string {
  return `${ask}_${phase}`.replaceAll(' ', '_');
}

const runnerLooksMs = 250;
const atOnce = 500;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** For the runner of `hourglass bench`, which reads them; a person reads the summary. */
function tell(line: BenchLine): void {
  if (__ENV.BENCH_LINES) console.log(JSON.stringify(line));
}

/** One run of a scenario: a watched cluster, and requests whose phases are measured. */
export class Load {
  readonly #observer: Observer;
  readonly #answers: Answers;
  readonly #waiting = new Map<string, () => void>();
  #measured = false;
  #lateMs = 0;
  #gaveUp = false;
  #close: () => void;

  // k6's engine fails at a function that stands beside a field and says `this`.
  constructor() {
    // Seeds Math.random.
    randomSeed(settings.seed);
    this.#observer = new Observer((sample) => this.#finish(sample), settings.answerPort > 0);
    this.#answers = new Answers(settings.answerPort, (key) => this.#observer.answered(key, Date.now()));
    this.#close = () => undefined;
  }

  /** Watches from now on. @returns whether that can be done */
  async open(): Promise<boolean> {
    const trouble = (what: string): void => this.#giveUp(what);
    const see = (event: SeenEvent): void => {
      this.#observer.see(event, Date.now());
      this.#answers.see(event);
    };
    try {
      const watches = await watchAll(see, trouble);
      this.#close = () => watches.close();
    } catch (error) {
      trouble((error as Error).message);
    }
    return !this.#gaveUp;
  }

  /** Makes Performers without measuring them, and waits until they are ready. No more at once than an API server takes from one client. */
  async fill(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += atOnce) await this.#drive('create', keys.slice(from, from + atOnce), 'burst');
    await pause(settings.quietMs);
  }

  /** Says that the measuring begins, a moment before it does: the runner looks at the machine first. */
  async begin(requests: number): Promise<void> {
    this.#measured = true;
    tell({ line: 'begin', atMs: Date.now() + runnerLooksMs, requests });
    await pause(runnerLooksMs);
  }

  /** Sends one request for each key as they arrive, and resolves when all are carried out or the time is over. */
  drive(ask: Ask, keys: readonly string[]): Promise<void> {
    return this.#drive(ask, keys, settings.arrivals);
  }

  end(): void {
    for (const sample of this.#observer.unfinished()) this.#finish(sample);
    this.#close();
    this.#answers.close();
    tell({ line: 'end', atMs: Date.now(), lateMs: this.#lateMs });
  }

  async #drive(ask: Ask, keys: readonly string[], arrivals: Arrivals): Promise<void> {
    const startMs = Date.now();
    const all: Promise<void>[] = [];
    const due = typeof arrivals === 'string' ? [] : planArrivals(arrivals, keys.length, Math.random);
    for (const [index, key] of keys.entries()) {
      const offsetMs = due[index];
      if (offsetMs !== undefined) {
        const dueMs = startMs + offsetMs;
        if (dueMs > Date.now()) await pause(dueMs - Date.now());
        this.#lateMs = Math.max(this.#lateMs, Date.now() - dueMs);
      }
      if (this.#gaveUp) return;
      const done = this.#send(ask, key);
      if (arrivals === 'serial') await this.#within(done);
      else all.push(done);
    }
    await this.#within(Promise.all(all));
  }

  async #send(ask: Ask, key: string): Promise<void> {
    const done = new Promise<void>((resolve) => void this.#waiting.set(key, resolve));
    const [method, path, body] = this.#request(ask, key);
    const answer = await call(method, path, body);
    if (answer.status >= 200 && answer.status < 300) this.#observer.acknowledged(key, Date.now());
    else this.#giveUp(`${method} ${path}: ${answer.status} ${answer.error} ${String(answer.body).slice(0, 200)}`);
    await done;
  }

  #request(ask: Ask, key: string): readonly [method: string, path: string, body?: object] {
    const image = `${settings.image}-next`;
    const nowMs = Date.now();
    this.#observer.asked(ask, key, nowMs, image);
    if (ask === 'create') this.#answers.expect(key);
    if (ask === 'create') return ['POST', performersPath(key.split('/')[0] ?? ''), buildPerformer(key, settings.image, nowMs)];
    if (ask === 'delete') return ['DELETE', performerPath(key)];
    return ['PATCH', performerPath(key), { spec: { image } }];
  }

  async #within(done: Promise<unknown>): Promise<void> {
    let timer = 0;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        // What stands there before the load must be there; what the load asks for may be more than an operator can do.
        this.#giveUp(
          `not carried out within ${settings.timeoutMs / 1_000} s: ${this.#waiting.size} of the requests`,
          this.#measured ? 'late' : 'trouble',
        );
        resolve();
      }, settings.timeoutMs);
    });
    await Promise.race([done, late]);
    clearTimeout(timer);
  }

  #finish(sample: Sample): void {
    this.#waiting.get(sample.key)?.();
    this.#waiting.delete(sample.key);
    if (!this.#measured) return;
    for (const [phase, ms] of Object.entries(sample.phases)) trends.get(`${sample.ask} ${phase}`)?.add(ms);
    tell({ line: 'sample', ...sample });
  }

  /** Nobody waits any longer: what comes now would be measured by half. */
  #giveUp(what: string, line: 'late' | 'trouble' = 'trouble'): void {
    if (this.#gaveUp) return;
    this.#gaveUp = true;
    troubles.add(1);
    console.error(what);
    tell({ line, what });
    for (const resolve of this.#waiting.values()) resolve();
  }
}

/** The whole life of a scenario; what it made is deleted again unless it is to be kept. */
export async function runLoad(keys: readonly string[], body: (load: Load) => Promise<void>): Promise<void> {
  const load = new Load();
  const isOpen = await load.open();
  try {
    if (isOpen) await body(load);
  } finally {
    load.end();
    if (isOpen && !settings.keep) await Promise.all(keys.map((key) => call('DELETE', performerPath(key))));
  }
}
