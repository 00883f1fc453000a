/**
 * The copy engine without threads: the same scheduler and the same loop, one unit after another in the calling thread,
 * over any FileSystem. Fully deterministic, for tests that count or fail single calls.
 */
import { setImmediate, setTimeout } from "node:timers/promises";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { CopyEngine, CopyRequest, CopySummary, RunningCopy } from "./copy-contract.ts";
import { CopyLoop } from "./copy-loop.ts";
import { createLoopHasher } from "./loop-contract.ts";
import { chooseKernel } from "./md5/md5-kernel.ts";
import { UnitScheduler } from "./unit-scheduler.ts";
import type { UnitResult, WorkUnit } from "./work-unit.ts";

export interface InlineEngineOptions {
  clock?: Clock;
}

export function createInlineCopyEngine(fs: FileSystem, options: InlineEngineOptions = {}): CopyEngine {
  return (request) => {
    const copy = new InlineCopy(request, fs, options.clock ?? systemClock);
    return { finished: copy.run(), progress: () => copy.progress() } satisfies RunningCopy;
  };
}

class InlineCopy {
  readonly #scheduler: UnitScheduler;
  readonly #kernel;
  readonly #loop: CopyLoop;
  readonly #bytes: Float64Array;
  readonly #failedDrives = new Set<number>();
  #allBytes = 0;
  #isAborted = false;
  #error: unknown;

  constructor(
    private readonly request: CopyRequest,
    fs: FileSystem,
    private readonly clock: Clock,
  ) {
    const directRead = request.directRead === true;
    this.#scheduler = new UnitScheduler(request, clock);
    this.#kernel = chooseKernel(request.kernel);
    this.#bytes = new Float64Array(request.drives.length);
    const hasher = createLoopHasher(this.#kernel, directRead);
    this.#loop = new CopyLoop(
      fs,
      clock,
      hasher,
      { ...request, directRead },
      {
        shouldStop: (drive) => this.#mustAbort || this.#failedDrives.has(drive),
        driveFailed: (drive) => this.#failedDrives.add(drive),
        transferred: (drive, bytes) => {
          this.#bytes[drive] = (this.#bytes[drive] as number) + bytes;
          this.#allBytes += bytes;
        },
      },
    );
  }

  progress() {
    return this.#scheduler.progress((drive) => this.#bytes[drive] as number);
  }

  async run(): Promise<CopySummary> {
    const startedMs = this.clock.monotonicMs();
    // The caller gets its RunningCopy before the first callback.
    await setImmediate();
    for (;;) {
      if (this.#mustAbort && !this.#isAborted) {
        this.#isAborted = true;
        this.#scheduler.abort();
      }
      if (!this.#step()) break;
      await this.#keepToLimit(startedMs);
      await setImmediate();
    }
    this.#loop.close();
    if (this.#error !== undefined) throw this.#error;
    if (!this.#scheduler.isDone) throw new Error("the copy engine stopped with work left");
    const { readMethod } = this.#scheduler;
    return { aborted: this.#isAborted, workers: 0, kernel: this.#kernel.name, readMethod };
  }

  get #mustAbort(): boolean {
    return this.request.signal?.aborted === true || this.#error !== undefined;
  }

  /** One unit; false when there is none. What a callback throws is kept until all is stopped cleanly. */
  #step(): boolean {
    try {
      let unit: WorkUnit | undefined = this.#scheduler.next(0);
      if (unit === undefined) return this.#mustAbort && !this.#isAborted;
      const results: UnitResult[] = [];
      const poll = (): WorkUnit | undefined => {
        const own = unit;
        unit = undefined;
        return own;
      };
      this.#loop.run(poll, (result) => results.push(result));
      for (const result of results) this.#scheduler.take(result);
    } catch (error) {
      this.#error ??= error;
    }
    return true;
  }

  async #keepToLimit(startedMs: number): Promise<void> {
    const { bandwidthLimit, signal } = this.request;
    if (bandwidthLimit === undefined) return;
    const earlyMs = (1000 * this.#allBytes) / bandwidthLimit - (this.clock.monotonicMs() - startedMs);
    if (earlyMs <= 0) return;
    await setTimeout(earlyMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}
