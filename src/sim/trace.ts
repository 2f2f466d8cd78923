import { hashHex } from '../lib/hash.ts';

/** One thing that happened: when, in which lane of the story, to whom, what. */
export interface TraceLine {
  readonly atMs: number;
  readonly lane: 'user' | 'fault' | 'operator' | 'write' | 'performer' | 'pod' | 'service' | 'node' | 'violation';
  readonly who: string;
  readonly what: string;
  /** What `who` is from then on, in one word or two: a pod `serving`, a Performer `True (Serving)`, a node its taints; absent: as before, or gone. */
  readonly state?: string;
  /** What it concerns beside `who`: the Performer of a pod, a Service or a write, the target of a fault. */
  readonly of?: string;
  /** How long a fault lasts. */
  readonly forMs?: number;
}

/** What happened in a run, in order, and a hash over all of it. */
export class Trace {
  readonly #keeps: number;
  readonly #lines: TraceLine[] = [];
  #hash = '';
  #block = '';

  /** @param keeps so many of the newest lines stay readable; all of them count in the hash */
  constructor(keeps: number) {
    this.#keeps = keeps;
  }

  add(line: TraceLine): void {
    this.#block += `${line.atMs} ${line.lane} ${line.who} ${line.what}\n`;
    // In blocks: hashing line by line would cost more than the run.
    if (this.#block.length > 16_384) this.#fold();
    if (this.#keeps === 0) return;
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#keeps) this.#lines.splice(0, this.#lines.length - this.#keeps);
  }

  lines(): readonly TraceLine[] {
    return this.#lines.slice(-this.#keeps);
  }

  /** 16 hex digits over everything so far. */
  hash(): string {
    this.#fold();
    return this.#hash;
  }

  #fold(): void {
    if (this.#block !== '') this.#hash = hashHex(this.#hash + this.#block);
    this.#block = '';
  }
}
