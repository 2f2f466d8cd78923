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

/** Says nothing; for callers whose output is for a program. */
export const silentProgress: ProgressReporter = { step: () => {}, update: () => {}, done: () => {}, warn: () => {} };

/** A line that moves on a terminal; elsewhere one line per event and a sign of life every 15 s. A forgotten step does not keep the process alive. */
export function createProgress(stream: ProgressStream): ProgressReporter {
  const moves = stream.isTTY === true;
  const erase = moves ? eraseLine : '';
  let step: { readonly text: string; detail: string; readonly startedMs: number; readonly timer: NodeJS.Timeout } | undefined;
  let frame = 0;

  const elapsed = (): string => formatElapsed(performance.now() - (step?.startedMs ?? 0));
  const show = (): void => {
    if (step === undefined) return;
    const { text, detail } = step;
    const state = detail === '' ? elapsed() : `${elapsed()} · ${detail}`;
    if (!moves) {
      stream.write(`  ${state}\n`);
      return;
    }
    frame += 1;
    // A line that wraps cannot be erased again; what moves matters more than the title, which was long enough to read once.
    const width = (stream.columns || 80) - 3;
    const room = Math.max(width - state.length - 3, 10);
    const title = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
    stream.write(`${eraseLine}${spinner[frame % spinner.length]} ${`${title} · ${state}`.slice(0, width)}`);
  };
  /** Returns the words for how long the step took. */
  const end = (): string => {
    if (step === undefined) return '';
    const took = ` (${elapsed()})`;
    clearInterval(step.timer);
    step = undefined;
    stream.write(erase);
    return took;
  };
  return {
    step: (text) => {
      end();
      step = { text, detail: '', startedMs: performance.now(), timer: setInterval(show, moves ? redrawMs : plainEveryMs).unref() };
      if (moves) show();
      else stream.write(`${text} …\n`);
    },
    update: (text) => {
      if (step !== undefined) step.detail = text;
    },
    done: (text) => {
      const took = end();
      stream.write(`✓ ${text}${took}\n`);
    },
    warn: (text) => {
      stream.write(`${erase}! ${text}\n`);
      if (moves) show();
    },
  };
}

/** `0.4 s`, `12 s`, `3 min 5 s`. Pure. */
export function formatElapsed(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
