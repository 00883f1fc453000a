/**
 * The copy engine without threads: the same scheduler and the same loop, one unit after another in the calling thread,
 * over any FileSystem. Fully deterministic, for tests that count or fail single calls.
 */
import { setImmediate, setTimeout } from "node:timers/promises";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { CopyEngine, CopyRequest, CopySummary, RunningCopy } from "./copy-contract.ts";
import { CHUNK_BYTES, CopyLoop, DIRECT_CHUNK_BYTES, SCRATCH_BYTES } from "./copy-loop.ts";
import { chooseKernel, createHasher, type Md5Kernel } from "./md5/md5-kernel.ts";
import { UnitScheduler } from "./unit-scheduler.ts";
import type { UnitResult } from "./work-unit.ts";

export interface InlineEngineOptions {
  clock?: Clock;
}

export function createInlineCopyEngine(fs: FileSystem, options: InlineEngineOptions = {}): CopyEngine {
  const clock = options.clock ?? systemClock;
  return (request) => {
    const kernel = chooseKernel(request.kernel);
    const bytes = new Float64Array(request.drives.length);
    const scheduler = new UnitScheduler(request, clock);
    return {
      finished: copyAll(request, scheduler, fs, clock, kernel, bytes),
      progress: () => scheduler.progress((drive) => bytes[drive] as number),
    } satisfies RunningCopy;
  };
}

async function copyAll(
  request: CopyRequest,
  scheduler: UnitScheduler,
  fs: FileSystem,
  clock: Clock,
  kernel: Md5Kernel,
  bytes: Float64Array,
): Promise<CopySummary> {
  const directRead = request.directRead === true;
  const hasher = createHasher(kernel, {
    chunkBytes: directRead ? DIRECT_CHUNK_BYTES : CHUNK_BYTES,
    pageAligned: directRead,
    scratchBytes: SCRATCH_BYTES,
  });
  const failedDrives = new Set<number>();
  const { signal } = request;
  let allBytes = 0;
  const loop = new CopyLoop(
    fs,
    clock,
    hasher,
    { ...request, directRead },
    {
      shouldStop: (drive) => signal?.aborted === true || failedDrives.has(drive),
      driveFailed: (drive) => failedDrives.add(drive),
      transferred: (drive, count) => {
        bytes[drive] = (bytes[drive] as number) + count;
        allBytes += count;
      },
    },
  );
  const startedMs = clock.monotonicMs();
  let isAborted = false;
  // The caller gets its RunningCopy before the first callback.
  await setImmediate();
  try {
    for (;;) {
      if (signal?.aborted === true && !isAborted) {
        isAborted = true;
        scheduler.abort();
      }
      let unit = scheduler.next(0);
      if (unit === undefined) break;
      const results: UnitResult[] = [];
      loop.run(
        () => {
          const own = unit;
          unit = undefined;
          return own;
        },
        (result) => results.push(result),
      );
      for (const result of results) scheduler.take(result);
      if (request.bandwidthLimit !== undefined) {
        const earlyMs = (1000 * allBytes) / request.bandwidthLimit - (clock.monotonicMs() - startedMs);
        if (earlyMs > 0) await setTimeout(earlyMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
      }
      await setImmediate();
    }
  } finally {
    loop.close();
  }
  if (!scheduler.isDone) throw new Error("the copy engine stopped with work left");
  return { aborted: isAborted, workers: 0, kernel: kernel.name, readMethod: scheduler.readMethod };
}
