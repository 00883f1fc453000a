/**
 * What the threads of a run share: a few words of memory. The engine's thread must never wait on any of them; workers
 * sleep on their own wake counter, and on the token count while a bandwidth limit holds them back.
 */

export interface SharedBuffers {
  /** Int32: abort flag, then a stop flag per drive (set by abort too), then a wake counter per worker. */
  flags: SharedArrayBuffer;
  /** Int64: tokens of the bandwidth limit, then bytes done per drive. */
  counts: SharedArrayBuffer;
  drives: number;
  isLimited: boolean;
}

/** How long a worker sleeps before it looks again, should a wake-up be lost. */
const LOOK_AGAIN_MS = 100;

export class SharedState {
  readonly #flags: Int32Array;
  readonly #counts: BigInt64Array;
  readonly #drives: number;
  readonly #isLimited: boolean;

  constructor(readonly buffers: SharedBuffers) {
    this.#flags = new Int32Array(buffers.flags);
    this.#counts = new BigInt64Array(buffers.counts);
    this.#drives = buffers.drives;
    this.#isLimited = buffers.isLimited;
  }

  static create(drives: number, workers: number, isLimited: boolean): SharedState {
    return new SharedState({
      flags: new SharedArrayBuffer(4 * (1 + drives + workers)),
      counts: new SharedArrayBuffer(8 * (1 + drives)),
      drives,
      isLimited,
    });
  }

  get isAborted(): boolean {
    return Atomics.load(this.#flags, 0) !== 0;
  }

  abort(): void {
    for (let drive = -1; drive < this.#drives; drive++) Atomics.store(this.#flags, 1 + drive, 1);
    Atomics.notify(this.#counts, 0);
  }

  /** The run is aborted or the drive has failed. */
  shouldStop(drive: number): boolean {
    return Atomics.load(this.#flags, 1 + drive) !== 0;
  }

  setFailed(drive: number): void {
    Atomics.store(this.#flags, 1 + drive, 1);
  }

  wake(worker: number): void {
    Atomics.add(this.#flags, this.#wakeAt(worker), 1);
    Atomics.notify(this.#flags, this.#wakeAt(worker));
  }

  wakeCount(worker: number): number {
    return Atomics.load(this.#flags, this.#wakeAt(worker));
  }

  /** Sleeps until the wake counter is no longer `seen`. */
  sleep(worker: number, seen: number): void {
    Atomics.wait(this.#flags, this.#wakeAt(worker), seen);
  }

  bytes(drive: number): number {
    return Number(Atomics.load(this.#counts, 1 + drive));
  }

  addBytes(drive: number, bytes: number): void {
    Atomics.add(this.#counts, 1 + drive, BigInt(bytes));
  }

  /** Takes tokens for bytes that went through; where they were not there, waits until the debt is paid. */
  spendTokens(bytes: number): void {
    if (!this.#isLimited) return;
    Atomics.sub(this.#counts, 0, BigInt(bytes));
    for (;;) {
      const left = Atomics.load(this.#counts, 0);
      if (left >= 0n || this.isAborted) return;
      Atomics.wait(this.#counts, 0, left, LOOK_AGAIN_MS);
    }
  }

  /** Adds tokens, but never saves up more than `most`. */
  addTokens(bytes: number, most: number): void {
    const left = Atomics.add(this.#counts, 0, BigInt(bytes)) + BigInt(bytes);
    if (left > BigInt(most)) Atomics.sub(this.#counts, 0, left - BigInt(most));
    Atomics.notify(this.#counts, 0);
  }

  #wakeAt(worker: number): number {
    return 1 + this.#drives + worker;
  }
}
