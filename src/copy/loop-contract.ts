/** What a copy loop is told once, and what it shares with the other loops of the run. */
import type { CopyRequest } from "./copy-contract.ts";
import type { LaneHasher } from "./md5/lane-hasher.ts";
import { createHasher, type Md5Kernel } from "./md5/md5-kernel.ts";

export type CopyJob = Pick<CopyRequest, "mode" | "sourceRoots" | "drives" | "flush"> & { directRead: boolean };

export interface LoopControl {
  /** The run is aborted or the drive has failed: begin nothing more on it. */
  shouldStop(drive: number): boolean;
  driveFailed(drive: number): void;
  /** Counts bytes that went through (negative: taken back), and blocks while a bandwidth limit says so. */
  transferred(drive: number, bytes: number): void;
}

/** Per lane: twelve of them stay in the second-level cache. Larger was slower. */
const CHUNK_BYTES = 65_536;
/** The buffer of files that are copied in order. */
const SCRATCH_BYTES = 262_144;
/** Direct reads below this are slow. */
const DIRECT_BYTES = 1_048_576;

/** The hasher, and with it the memory, of one loop. */
export function createLoopHasher(kernel: Md5Kernel, directRead: boolean): LaneHasher {
  return createHasher(kernel, {
    chunkBytes: directRead ? DIRECT_BYTES : CHUNK_BYTES,
    pageAligned: directRead,
    scratchBytes: directRead ? DIRECT_BYTES : SCRATCH_BYTES,
  });
}
