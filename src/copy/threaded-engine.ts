/**
 * The copy engine with worker threads. This thread only schedules: it hands out units, takes results and calls back.
 * Each worker has units waiting, so that it never sleeps between two. Workers are started when there is work for them
 * (or before, by `warmUp`), and none is left when `finished` settles.
 *
 * While workers spend most of their time waiting for reads (a slow share), more are started, up to four per processor:
 * for drives in parallel mode they read several files at once, for drives in sequential mode they read ahead.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AppError } from "../platform/app-error.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { CopyEngine, CopyRequest, CopySummary, RunningCopy } from "./copy-contract.ts";
import { chooseKernel, type Md5Kernel } from "./md5/md5-kernel.ts";
import { SharedState } from "./shared-state.ts";
import { UnitScheduler } from "./unit-scheduler.ts";
import type { WorkUnit } from "./work-unit.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-messages.ts";

export interface ThreadedEngineOptions {
  clock?: Clock;
  /** Default: what the machine offers. */
  processors?: number;
}

/** One in hand and one waiting... */
const UNITS_PER_WORKER = 2;
/**
 * ...or more, until they hold enough segments to fill the lanes of the MD5 kernel: with two units of a few medium files
 * each, a third of the lanes were in use, and hashing took twice as long.
 */
const MAX_UNITS_PER_WORKER = 8;
const WORKER_BYTES = 48 * 1024 * 1024;
const MAX_WORKERS_PER_PROCESSOR = 4;
/** Another worker joins when reads take more than this share of the workers' time... */
const SLOW_READ_SHARE = 0.7;
/** ...measured over this many answers per worker. */
const ANSWERS_PER_LOOK = 4;
const TOKEN_INTERVAL_MS = 20;
/** A bandwidth limit saves up this much, for a worker that comes late. */
const TOKEN_SAVINGS_MS = 250;
/** Workers hold little in their JavaScript heap; file data lies in their WebAssembly memory. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

export function createThreadedCopyEngine(options: ThreadedEngineOptions = {}): CopyEngine {
  const { clock = systemClock, processors = availableParallelism() } = options;
  const spares = new SpareWorkers();
  const start = (request: CopyRequest) => new ThreadedCopy(request, clock, processors, spares).start();
  return Object.assign(start, { warmUp: () => spares.fill(processors) });
}

/** Threads that were started before there was work for them. */
class SpareWorkers {
  #threads: Worker[] = [];

  fill(count: number): void {
    while (this.#threads.length < count) {
      const thread = startThread();
      thread.unref();
      thread.on("error", this.#forget);
      this.#threads.push(thread);
    }
  }

  take(): Worker {
    const thread = this.#threads.shift();
    if (thread === undefined) return startThread();
    thread.off("error", this.#forget);
    thread.ref();
    return thread;
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.terminate()));
  }

  /** What keeps one from starting is told by the next, which is started when there is work. */
  readonly #forget = (): void => {
    this.#threads = [];
  };
}

function startThread(): Worker {
  return new Worker(workerPath(), { resourceLimits: RESOURCE_LIMITS, execArgv: [] });
}

interface Handle {
  thread: Worker | undefined;
  outstanding: number;
}

class ThreadedCopy {
  readonly #scheduler: UnitScheduler;
  readonly #kernel: Md5Kernel;
  readonly #shared: SharedState;
  readonly #workers: Handle[] = [];
  readonly #maxWorkers: number;
  #tokens: NodeJS.Timeout | undefined;
  #isAborted = false;
  #error: unknown;
  #isSettled = false;
  #readMs = 0;
  #busyMs = 0;
  #answers = 0;
  #resolve: (summary: CopySummary) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(
    private readonly request: CopyRequest,
    private readonly clock: Clock,
    processors: number,
    private readonly spares: SpareWorkers,
  ) {
    const sequential = request.drives.filter((drive) => drive.ioMode === "sequential").length;
    const workers = request.workers ?? Math.max(processors, sequential);
    this.#maxWorkers = request.workers ?? Math.max(workers, MAX_WORKERS_PER_PROCESSOR * processors);
    for (let index = 0; index < workers; index++) this.#workers.push({ thread: undefined, outstanding: 0 });
    this.#scheduler = new UnitScheduler(request, clock);
    this.#kernel = chooseKernel(request.kernel);
    const isLimited = request.bandwidthLimit !== undefined;
    this.#shared = SharedState.create(request.drives.length, this.#maxWorkers, isLimited);
  }

  start(): RunningCopy {
    const finished = new Promise<CopySummary>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { signal, bandwidthLimit } = this.request;
    signal?.addEventListener("abort", this.#onAbort);
    if (bandwidthLimit !== undefined) this.#startTokens(bandwidthLimit);
    // The caller gets its RunningCopy before the first callback.
    setImmediate(() => this.#guard(() => (signal?.aborted === true ? this.#abort() : undefined)));
    return { finished, progress: () => this.#scheduler.progress((drive) => this.#shared.bytes(drive)) };
  }

  readonly #onAbort = (): void => this.#guard(() => this.#abort());

  #abort(): void {
    if (this.#isAborted || this.#isSettled) return;
    this.#isAborted = true;
    this.#shared.abort();
    this.#scheduler.abort();
  }

  /** Runs a step, then hands out what can be handed out, and ends when nothing is left. */
  #guard(step: () => void): void {
    if (this.#isSettled) return;
    try {
      step();
      this.#pump();
    } catch (error) {
      // A callback of the room above, or a bug: workers stop cleanly before it is told.
      this.#error ??= error;
      this.#abort();
      this.#pump();
    }
    if (this.#scheduler.isDone) this.#settle();
  }

  #pump(): void {
    for (let depth = 1; depth <= MAX_UNITS_PER_WORKER; depth++) {
      for (const [index, worker] of this.#workers.entries()) {
        if (worker.outstanding >= depth) continue;
        if (depth > UNITS_PER_WORKER && this.#scheduler.outstandingBytes(index) >= WORKER_BYTES) continue;
        const unit = this.#scheduler.next(index);
        if (unit !== undefined) this.#send(index, worker, unit);
      }
    }
  }

  #send(index: number, worker: Handle, unit: WorkUnit): void {
    worker.thread ??= this.#startWorker(index, worker);
    worker.outstanding++;
    const own = ownCopy(unit);
    worker.thread.postMessage(own.unit, [own.buffer]);
    this.#shared.wake(index);
  }

  #startWorker(index: number, worker: Handle): Worker {
    const { mode, sourceRoots, drives, flush, directRead = false } = this.request;
    const thread = this.spares.take();
    thread.on("message", (result: FromWorker) => {
      worker.outstanding--;
      this.#guard(() => {
        this.#scheduler.take(result);
        this.#addWorkerForSlowSource(result.readMs, result.busyMs);
      });
    });
    thread.on("error", (error) => this.#crash(error));
    thread.on("exit", () => {
      worker.thread = undefined;
      if (!this.#isSettled) this.#crash(new Error("a copy worker ended early"));
    });
    thread.postMessage({
      worker: index,
      job: { mode, sourceRoots, drives, flush, directRead },
      kernel: this.#kernel,
      shared: this.#shared.buffers,
    } satisfies WorkerStart);
    return thread;
  }

  #addWorkerForSlowSource(readMs: number, busyMs: number): void {
    this.#readMs += readMs;
    this.#busyMs += busyMs;
    if (++this.#answers < ANSWERS_PER_LOOK * this.#workers.length) return;
    const isSlow = this.#readMs > SLOW_READ_SHARE * this.#busyMs;
    this.#answers = 0;
    this.#readMs = 0;
    this.#busyMs = 0;
    if (isSlow && this.#workers.length < this.#maxWorkers) this.#workers.push({ thread: undefined, outstanding: 0 });
  }

  #startTokens(bytesPerSecond: number): void {
    let lastMs = this.clock.monotonicMs();
    this.#tokens = setInterval(() => {
      const nowMs = this.clock.monotonicMs();
      const bytes = Math.floor(((nowMs - lastMs) * bytesPerSecond) / 1000);
      lastMs = nowMs;
      this.#shared.addTokens(bytes, Math.ceil((bytesPerSecond * TOKEN_SAVINGS_MS) / 1000));
    }, TOKEN_INTERVAL_MS);
  }

  #crash(cause: unknown): void {
    if (this.#isSettled) return;
    this.#error ??= new AppError("INTERNAL", "a copy worker failed", { cause });
    this.#settle();
  }

  #settle(): void {
    this.#isSettled = true;
    clearInterval(this.#tokens);
    this.request.signal?.removeEventListener("abort", this.#onAbort);
    void this.#stopWorkers().then(() => {
      if (this.#error !== undefined) this.#reject(this.#error);
      else {
        this.#resolve({
          aborted: this.#isAborted,
          workers: this.#workers.length,
          kernel: this.#kernel.name,
          readMethod: this.#scheduler.readMethod,
        });
      }
    });
  }

  async #stopWorkers(): Promise<void> {
    // After a crash workers may be in the middle of a file: they get the chance to stop at the next chunk.
    if (this.#error !== undefined) this.#shared.abort();
    const ended: Promise<unknown>[] = [];
    for (const [index, { thread }] of this.#workers.entries()) {
      if (thread === undefined) continue;
      ended.push(new Promise((resolve) => thread.once("exit", resolve)));
      thread.postMessage({ kind: "stop" } satisfies ToWorker);
      this.#shared.wake(index);
    }
    await Promise.all([...ended, this.spares.end()]);
  }
}

/** The unit with its records in a buffer of their own: posting a view would copy all of the batch it was cut from. */
function ownCopy(unit: WorkUnit): { unit: WorkUnit; buffer: ArrayBuffer } {
  if (unit.kind === "range" || unit.kind === "discard") {
    const record = new Uint8Array(unit.record);
    return { unit: { ...unit, record }, buffer: record.buffer };
  }
  const records = new Uint8Array(unit.records);
  return { unit: { ...unit, records }, buffer: records.buffer };
}

/** Beside the bundle; when this runs from its TypeScript source, the built one in `dist/` of the same checkout. */
function workerPath(): string {
  const own = import.meta.url.endsWith(".ts") ? "../../dist/copy-worker.js" : "./copy-worker.js";
  return fileURLToPath(new URL(own, import.meta.url));
}
