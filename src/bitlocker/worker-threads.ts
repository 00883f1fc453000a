/** Starts the threads of `bitlocker-worker.ts` and hands out work to them. No thread is left when a call settles. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Direction } from "./convert-range.ts";
import type { Extent } from "./volume-layout.ts";
import type { RangeAnswer, WorkerTask } from "./worker-task.ts";

const STRETCHED_BYTES = 32;
/** Beyond this the disk is the limit. */
const MAX_THREADS = 8;
/** In hand and waiting, per thread. */
const RANGES_PER_THREAD = 2;

/** `stretchKey` on a thread of its own; the caller zeroes the result. */
export async function stretchOnThread(recoveryKey: Buffer, salt: Buffer): Promise<Buffer> {
  const shared = { recoveryKey: toShared(recoveryKey), result: new SharedArrayBuffer(STRETCHED_BYTES) };
  try {
    const worker = startWorker({ kind: "stretch", salt, ...shared });
    await new Promise<void>((resolve, reject) => {
      worker.on("message", () => resolve());
      worker.on("error", reject);
      worker.on("exit", () => reject(new Error("the thread that stretches a key ended early")));
    });
    await worker.terminate();
    return Buffer.from(new Uint8Array(shared.result));
  } finally {
    for (const memory of Object.values(shared)) Buffer.from(memory).fill(0);
  }
}

export interface ConvertJob {
  from: string;
  to: string;
  direction: Direction;
  dataKey: Buffer;
  /** In ascending order, none longer than `RANGE_BYTES`. */
  ranges: Iterable<Extent>;
  signal?: AbortSignal;
  /** Everything below `doneBelow` is written (not yet flushed). Throwing stops the job. */
  onProgress(doneBelow: number, convertedBytes: number): void;
}

/** A range could not be converted. */
export class ConversionFailed extends Error {
  readonly file: "from" | "to";
  readonly errno: string | undefined;

  constructor(answer: Extract<RangeAnswer, { failed: string }>) {
    super(answer.reason);
    this.file = answer.failed === "read" ? "from" : "to";
    this.errno = answer.errno;
  }
}

/** Resolves when every range is written. Rejects with ConversionFailed or the signal's reason. */
export async function convertOnThreads(job: ConvertJob): Promise<void> {
  const dataKey = toShared(job.dataKey);
  try {
    await new Conversion(job, dataKey).run();
  } finally {
    Buffer.from(dataKey).fill(0);
  }
}

class Conversion {
  readonly #job: ConvertJob;
  readonly #ranges: Iterator<Extent>;
  readonly #workers: Worker[];
  /** In flight, in the order they were handed out: the first one bounds what is done. */
  readonly #pending = new Set<number>();
  #next: Extent | undefined;
  #convertedBytes = 0;
  #error: unknown;
  /** Threads that end after this are ended by us. */
  #isSettled = false;
  #resolve: () => void = () => undefined;

  constructor(job: ConvertJob, dataKey: SharedArrayBuffer) {
    this.#job = job;
    this.#ranges = job.ranges[Symbol.iterator]();
    const { from, to, direction } = job;
    const threads = Math.min(MAX_THREADS, availableParallelism());
    this.#workers = Array.from({ length: threads }, () =>
      startWorker({ kind: "convert", from, to, direction, dataKey }),
    );
  }

  async run(): Promise<void> {
    const { signal } = this.#job;
    const stop = (): void => this.#fail(signal?.reason);
    try {
      signal?.addEventListener("abort", stop);
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        for (const worker of this.#workers) {
          worker.on("message", (answer: RangeAnswer) => this.#guard(() => this.#take(worker, answer)));
          worker.on("error", (error) => this.#fail(error, true));
          worker.on("exit", () => this.#fail(new Error("a thread that converts ended early"), true));
        }
        this.#guard(() => {
          signal?.throwIfAborted();
          this.#advance();
          for (let i = 0; i < RANGES_PER_THREAD; i++) for (const worker of this.#workers) this.#handOut(worker);
          this.#settleIfIdle();
        });
      });
    } finally {
      signal?.removeEventListener("abort", stop);
      await Promise.all(this.#workers.map((worker) => worker.terminate()));
    }
    if (this.#error !== undefined) throw this.#error;
  }

  #take(worker: Worker, answer: RangeAnswer): void {
    this.#pending.delete(answer.at);
    if (answer.failed !== undefined) throw new ConversionFailed(answer);
    this.#convertedBytes += answer.bytes;
    this.#handOut(worker);
    const [firstPending] = this.#pending;
    this.#job.onProgress(firstPending ?? answer.at + answer.bytes, this.#convertedBytes);
    this.#settleIfIdle();
  }

  #handOut(worker: Worker): void {
    const range = this.#next;
    if (range === undefined || this.#error !== undefined) return;
    this.#pending.add(range.at);
    worker.postMessage(range);
    this.#advance();
  }

  #advance(): void {
    const { done, value } = this.#ranges.next();
    this.#next = done === true ? undefined : value;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nothing more is handed out; what is in flight is waited for, unless its thread is gone. */
  #fail(error: unknown, isThreadGone = false): void {
    if (this.#isSettled) return;
    this.#error ??= error;
    if (isThreadGone) this.#settle();
    else this.#settleIfIdle();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#resolve();
  }

  #settleIfIdle(): void {
    if (this.#pending.size === 0 && (this.#next === undefined || this.#error !== undefined)) this.#settle();
  }
}

function startWorker(workerData: WorkerTask): Worker {
  return new Worker(workerPath(), { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 64 } });
}

function toShared(bytes: Buffer): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(bytes.length);
  bytes.copy(Buffer.from(shared));
  return shared;
}

/** Beside the bundle; when this runs from its TypeScript source, the built one in `dist/` of the same checkout. */
function workerPath(): string {
  const own = import.meta.url.endsWith(".ts") ? "../../dist/bitlocker-worker.js" : "./bitlocker-worker.js";
  return fileURLToPath(new URL(own, import.meta.url));
}
