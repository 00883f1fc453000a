/** The 100 files that took longest, out of any number: a binary heap with the fastest of them on top. */

export interface SlowFile {
  path: string;
  bytes: number;
  elapsedMs: number;
}

const MAX_FILES = 100;

export class SlowestFiles {
  readonly #heap: SlowFile[] = [];

  add(file: SlowFile): void {
    if (this.#heap.length < MAX_FILES) {
      this.#heap.push(file);
      this.#rise(this.#heap.length - 1);
    } else if (file.elapsedMs > this.#at(0).elapsedMs) {
      this.#heap[0] = file;
      this.#sink(0);
    }
  }

  /** Slowest first. */
  sorted(): SlowFile[] {
    return [...this.#heap].sort((a, b) => b.elapsedMs - a.elapsedMs);
  }

  #at(index: number): SlowFile {
    return this.#heap[index] as SlowFile;
  }

  #rise(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = Math.floor((index - 1) / 2);
      if (this.#at(parent).elapsedMs <= this.#at(index).elapsedMs) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #sink(start: number): void {
    for (let index = start; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && this.#at(child).elapsedMs < this.#at(least).elapsedMs) least = child;
      }
      if (least === index) return;
      this.#swap(least, index);
      index = least;
    }
  }

  #swap(one: number, other: number): void {
    const file = this.#at(one);
    this.#heap[one] = this.#at(other);
    this.#heap[other] = file;
  }
}
