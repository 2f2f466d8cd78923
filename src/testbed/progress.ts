/** Tells a person what a long piece of work is doing. One step at a time; `step` begins one, `done` ends it. */
export interface ProgressReporter {
  /** Begins a step, and ends the one before it. */
  step(text: string): void;
  /** What the step is at now, in a few words: replaces what the last `update` said. */
  update(text: string): void;
  /** Ends the step well. */
  done(text: string): void;
  /** A line of its own that stays; the step goes on. */
  warn(text: string): void;
}

/** What the reporter needs of a stream; `process.stderr` has it. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const redrawMs = 120;
const plainEveryMs = 15_000;
const eraseLine = '\r\u001b[2K';

/** A line that moves on a terminal; elsewhere one line per event and a sign of life every 15 s. A forgotten step does not keep the process alive. */
export function createProgress(stream: ProgressStream): ProgressReporter {
  return stream.isTTY === true ? new TerminalProgress(stream) : new PlainProgress(stream);
}

/** Says nothing; for callers whose output is for a program. */
export const silentProgress: ProgressReporter = { step: () => {}, update: () => {}, done: () => {}, warn: () => {} };

/** The step at hand: its words, since when, and the timer that shows it is alive. */
class Step {
  readonly text: string;
  detail = '';
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(text: string, everyMs: number, show: () => void) {
    this.text = text;
    this.#timer = setInterval(show, everyMs);
    this.#timer.unref();
  }

  elapsed(): string {
    return formatElapsed(performance.now() - this.#startedMs);
  }

  /** Since when and how far. */
  state(): string {
    return this.detail === '' ? this.elapsed() : `${this.elapsed()} · ${this.detail}`;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

class TerminalProgress implements ProgressReporter {
  readonly #stream: ProgressStream;
  #step: Step | undefined;
  #frame = 0;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  step(text: string): void {
    this.#end();
    this.#step = new Step(text, redrawMs, () => this.#draw());
    this.#draw();
  }

  update(text: string): void {
    if (this.#step !== undefined) this.#step.detail = text;
  }

  done(text: string): void {
    const elapsed = this.#step?.elapsed();
    this.#end();
    this.#stream.write(`✓ ${text}${elapsed === undefined ? '' : ` (${elapsed})`}\n`);
  }

  warn(text: string): void {
    this.#stream.write(`${eraseLine}! ${text}\n`);
    this.#draw();
  }

  #draw(): void {
    if (this.#step === undefined) return;
    this.#frame += 1;
    const state = ` · ${this.#step.state()}`;
    // A line that wraps cannot be erased again; what moves matters more than the title, which was long enough to read once.
    const width = (this.#stream.columns || 80) - 3;
    const room = Math.max(width - state.length, 10);
    const { text } = this.#step;
    const title = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
    const line = `${spinner[this.#frame % spinner.length]} ${`${title}${state}`.slice(0, width)}`;
    this.#stream.write(eraseLine + line);
  }

  #end(): void {
    if (this.#step === undefined) return;
    this.#step.end();
    this.#step = undefined;
    this.#stream.write(eraseLine);
  }
}

class PlainProgress implements ProgressReporter {
  readonly #stream: ProgressStream;
  #step: Step | undefined;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  step(text: string): void {
    this.#step?.end();
    const step = new Step(text, plainEveryMs, () => this.#stream.write(`  ${step.state()}\n`));
    this.#step = step;
    this.#stream.write(`${text} …\n`);
  }

  update(text: string): void {
    if (this.#step !== undefined) this.#step.detail = text;
  }

  done(text: string): void {
    const elapsed = this.#step?.elapsed();
    this.#step?.end();
    this.#step = undefined;
    this.#stream.write(`✓ ${text}${elapsed === undefined ? '' : ` (${elapsed})`}\n`);
  }

  warn(text: string): void {
    this.#stream.write(`! ${text}\n`);
  }
}

/** `0.4 s`, `12 s`, `3 min 5 s`. Pure. */
export function formatElapsed(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
