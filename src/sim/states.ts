/** The different ways in which a Performer was seen to stand: its Ready condition, its Service and its pods, in words. */
export class States {
  readonly seen = new Set<string>();
  readonly #parts = new Map<string, Map<string, string>>();

  /** @param performer the key of the Performer that the part belongs to; empty: none @param state undefined when the part is gone */
  take(performer: string, part: string, state: string | undefined): void {
    if (performer === '') return;
    const parts = this.#parts.get(performer) ?? new Map<string, string>();
    this.#parts.set(performer, parts);
    if (state === undefined) parts.delete(part);
    else parts.set(part, state);
    this.seen.add([...parts.values()].toSorted().join(', '));
  }
}
