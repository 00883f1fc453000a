/**
 * So much of something may be in use at once: requests, blobs, bytes of memory. First come, first served, so that one
 * large request is not overtaken for ever by small ones. What is asked for beyond the whole is given when all is free.
 */
/** Dropping the head of the queue one by one would be quadratic. */
const COMPACT_AFTER = 1024;

export class Budget {
  readonly #total: number;
  #free: number;
  readonly #waiting: { amount: number; start: () => void }[] = [];
  #first = 0;

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** Resolves when `amount` is reserved; give the same amount back. */
  async take(amount = 1): Promise<void> {
    const capped = Math.min(amount, this.#total);
    if (this.#first === this.#waiting.length && capped <= this.#free) {
      this.#free -= capped;
      return;
    }
    await new Promise<void>((start) => this.#waiting.push({ amount: capped, start }));
  }

  give(amount = 1): void {
    this.#free += Math.min(amount, this.#total);
    for (;;) {
      const next = this.#waiting[this.#first];
      if (next === undefined || next.amount > this.#free) return;
      this.#first += 1;
      if (this.#first === COMPACT_AFTER) {
        this.#waiting.splice(0, this.#first);
        this.#first = 0;
      }
      this.#free -= next.amount;
      next.start();
    }
  }
}
