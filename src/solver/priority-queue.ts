/** A binary heap: the entry of least key comes out first. */
export class PriorityQueue<T> {
  readonly #keyOf: (entry: T) => number;
  readonly #entries: T[] = [];

  constructor(keyOf: (entry: T) => number) {
    this.#keyOf = keyOf;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The least key, +∞ when empty. */
  get leastKey(): number {
    const first = this.#entries[0];
    return first === undefined ? Number.POSITIVE_INFINITY : this.#keyOf(first);
  }

  push(entry: T): void {
    let index = this.#entries.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#key(parent) <= this.#key(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  pop(): T | undefined {
    const first = this.#entries[0];
    const last = this.#entries.pop();
    if (this.#entries.length === 0 || last === undefined) return first;
    this.#entries[0] = last;
    this.#sink();
    return first;
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      let least = index;
      if (left < this.#entries.length && this.#key(left) < this.#key(least)) least = left;
      if (left + 1 < this.#entries.length && this.#key(left + 1) < this.#key(least)) least = left + 1;
      if (least === index) return;
      this.#swap(least, index);
      index = least;
    }
  }

  #key(index: number): number {
    return this.#keyOf(this.#entries[index]!);
  }

  #swap(first: number, second: number): void {
    [this.#entries[first], this.#entries[second]] = [this.#entries[second]!, this.#entries[first]!];
  }
}
