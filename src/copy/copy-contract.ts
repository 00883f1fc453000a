/**
 * What the copy engine is asked and what it answers. The room above (preparation, verification) hands out packed plan
 * records and takes packed results; it never sees threads. Two implementations pass the same tests: worker threads, and
 * one in the calling thread over any FileSystem (for fault injection).
 */

/** How a drive wants to be written. */
export type IoMode =
  /** One writer, files in plan order: rotating disks, NTFS, USB bridges. */
  | "sequential"
  /** Several writers at several places at once: solid state, tmpfs. */
  | "parallel";

export interface CopyDrive {
  /** Directory on the drive that receives the files: `<mount>/<SessionId>`; rows go below it as `<row>/<storedPath>`. */
  sessionRoot: string;
  ioMode: IoMode;
}

/** Consecutive packed plan records (plan-record.ts) of one drive. */
export interface WorkBatch {
  records: Buffer;
  count: number;
}

export interface CopyRequest {
  /** `copy` reads, hashes and writes; `hash` reads and hashes only (verification, data that is already on the drive). */
  mode: "copy" | "hash";
  /** By dataset row: the directory, or for a file row the file itself. */
  sourceRoots: readonly string[];
  drives: readonly CopyDrive[];
  /** Worker threads; default: the number of processors, at least one per sequential drive. */
  workers?: number;
  /** Bytes per second over all drives; absent: no limit. */
  bandwidthLimit?: number;
  /** How MD5 is computed; default `auto`: SIMD where it can run. For tests and for finding faults. */
  kernel?: "auto" | "simd" | "crypto";
  /** Read past the page cache where the platform and file system allow. */
  directRead?: boolean;
  /** `per-file`: each file is fsynced by its worker, where a whole volume cannot be flushed at once. */
  flush: "none" | "per-file";
  /**
   * The next records of a drive in plan order, at most `maxFiles` of them and, unless it is a single one, `maxBytes` of
   * planned size; undefined when there are no more. Called synchronously, from the engine's thread.
   */
  nextBatch(drive: number, maxFiles: number, maxBytes: number): WorkBatch | undefined;
  /**
   * A file grew after planning by `extraBytes` beyond the clusters it was planned for: true sets that much room of the
   * drive aside and copies it, false makes it FILE_GREW. Without this function no file may grow.
   */
  allowGrowth?(drive: number, position: number, extraBytes: number): boolean;
  /** Finished files of one drive, in any order. Called between turns of the event loop. */
  onResults(drive: number, results: readonly FileResult[]): void;
  /** The drive cannot be written any more (full, gone, dying); no further batch of it is taken. Others go on. */
  onDriveFailed(drive: number, failure: DriveFailure): void;
  signal?: AbortSignal;
}

/** Why a file was not done; each is a per-file code of the error table. */
export type NotDoneCode = "FILE_UNREADABLE" | "FILE_VANISHED" | "FILE_CHANGED" | "FILE_GREW";

export interface FileDone {
  outcome: "done";
  position: number;
  /** What was read, hashed and written: may differ from the plan when the file changed in between. */
  sizeBytes: number;
  mtimeNs: bigint;
  /** 16 bytes of MD5 per segment, in order. Valid only during the callback: copy what must be kept. */
  digests: Uint8Array;
  /** 16 bytes, when asked for. */
  contentMd5?: Uint8Array;
  elapsedMs: number;
  /** Given for files that took longer than SLOW_FILE_MS: they are candidates for the list of the slowest. */
  sourcePath?: string;
}

/** Only files slower than this come back with their path; all others are spared the message. */
export const SLOW_FILE_MS = 50;

export interface FileNotDone {
  outcome: "not-done";
  position: number;
  /** The source, for the report. */
  sourcePath: string;
  code: NotDoneCode;
  /** In plain words, without the path. */
  reason: string;
}

/** A file result. */
export type FileResult = FileDone | FileNotDone;

export interface DriveFailure {
  /** errno name of the call that failed. */
  errno: string;
  /** `no-space`: the drive is full; `failed`: it is gone, read-only or dying. */
  kind: "no-space" | "failed";
  /** First position of the plan that is not on the drive for this reason. */
  position: number;
  reason: string;
}

/** Running totals, readable at any time. Bytes count while a file is still in the middle. */
export interface DriveProgress {
  bytes: number;
  files: number;
}

export interface RunningCopy {
  /** Resolves when every batch is answered or the signal has fired and all workers have stopped cleanly. */
  finished: Promise<CopySummary>;
  progress(): readonly DriveProgress[];
}

export interface CopySummary {
  aborted: boolean;
  workers: number;
  kernel: "simd" | "crypto";
  /** With `directRead`: how the bytes were really read. */
  readMethod: "direct" | "buffered" | "mixed";
}

export interface CopyEngine {
  /** Starts copying. */
  (request: CopyRequest): RunningCopy;
  /**
   * Copying is likely to follow soon: starts what takes time to start, beside what the caller does meanwhile. Costs
   * nothing but memory when no copying follows, and does not keep the process alive.
   */
  warmUp?(): void;
}
