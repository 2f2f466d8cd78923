interface Place<V> {
  readonly text: string;
  readonly value: V;
  before: Place<V> | undefined;
  after: Place<V> | undefined;
}

/**
 * Values by their text, in the order in which they came; each call takes the same time on average, however many wait and from wherever one is deleted.
 * Not the order of a bare Map: what was deleted stays at its front until it is rebuilt, and looking for its first entry walks over that.
 */
export class Lane<V> {
  readonly #places = new Map<string, Place<V>>();
  #first: Place<V> | undefined;
  #last: Place<V> | undefined;

  get size(): number {
    return this.#places.size;
  }

  get first(): { readonly text: string; readonly value: V } | undefined {
    return this.#first;
  }

  get(text: string): V | undefined {
    return this.#places.get(text)?.value;
  }

  has(text: string): boolean {
    return this.#places.has(text);
  }

  /** Puts it last; one that is there already keeps its place and its value. */
  add(text: string, value: V): void {
    if (this.#places.has(text)) return;
    const place: Place<V> = { text, value, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#places.set(text, place);
  }

  delete(text: string): boolean {
    const place = this.#places.get(text);
    if (place === undefined) return false;
    this.#places.delete(text);
    if (place.before === undefined) this.#first = place.after;
    else place.before.after = place.after;
    if (place.after === undefined) this.#last = place.before;
    else place.after.before = place.before;
    // A dead place that points at living ones would make the collector of young objects keep those longer.
    place.before = place.after = undefined;
    return true;
  }
}
