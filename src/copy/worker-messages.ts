/** What passes between the engine's thread and a copy worker. */
import type { CopyJob } from "./loop-contract.ts";
import type { Md5Kernel } from "./md5/md5-kernel.ts";
import type { SharedBuffers } from "./shared-state.ts";
import type { UnitResult, WorkUnit } from "./work-unit.ts";

/** The first message to a worker; it may have been started long before. */
export interface WorkerStart {
  worker: number;
  job: CopyJob;
  kernel: Md5Kernel;
  shared: SharedBuffers;
}

/** To a worker: a unit of work, or the end. */
export type ToWorker = WorkUnit | { kind: "stop" };

/** From a worker. */
export type FromWorker = UnitResult;
