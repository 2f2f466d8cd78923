export interface AnswerLimits {
  readonly count: number;
  readonly ageMs: number;
  /** Of all results together. */
  readonly bytes: number;
}

export interface Answer {
  readonly payloadDigest: string;
  readonly result: Uint8Array;
}

/** The results of finished tasks, by task id: the ones not asked for longest go first. Holds no failure, so that a retry tries again. */
export class Answers {
  readonly #limits: AnswerLimits;
  readonly #answers = new Map<string, Answer & { readonly bornMs: number }>();
  #bytes = 0;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
  }

  /** @param nowMs monotonic */
  find(id: string, nowMs: number): Answer | undefined {
    const answer = this.#answers.get(id);
    if (answer === undefined) return undefined;
    this.#forget(id);
    if (nowMs - answer.bornMs >= this.#limits.ageMs) return undefined;
    this.#keep(id, answer);
    return answer;
  }

  /** @param nowMs monotonic */
  remember(id: string, answer: Answer, nowMs: number): void {
    this.#forget(id);
    this.#keep(id, { ...answer, bornMs: nowMs });
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#limits.count && this.#bytes <= this.#limits.bytes) break;
      this.#forget(oldest);
    }
  }

  #keep(id: string, answer: Answer & { readonly bornMs: number }): void {
    this.#answers.set(id, answer);
    this.#bytes += answer.result.byteLength;
  }

  #forget(id: string): void {
    this.#bytes -= this.#answers.get(id)?.result.byteLength ?? 0;
    this.#answers.delete(id);
  }
}
