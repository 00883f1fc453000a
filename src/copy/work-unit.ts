/**
 * What the scheduler hands to a copy loop and what comes back: small messages that cross threads. File data never does.
 */
import type { DriveFailure, NotDoneCode } from "./copy-contract.ts";

/** What tells one state of a source file from another. */
export interface FileIdentity {
  sizeBytes: number;
  mtimeNs: bigint;
  fileId: bigint;
}

/** Whole files: read, written and finished by one worker. */
export interface FilesUnit {
  kind: "files";
  id: number;
  drive: number;
  /** Packed plan records (plan-record.ts). */
  records: Uint8Array;
  /** How much each of these files may have grown since planning, beyond its last cluster. */
  extraBytes: number;
}

/** Segments `firstSegment` up to `endSegment` (not included) of one large file. Only one range at a time opens it. */
export interface RangeUnit {
  kind: "range";
  id: number;
  drive: number;
  record: Uint8Array;
  firstSegment: number;
  endSegment: number;
  /** The first range of the file: makes the target and finds the identity that the other ranges are held to. */
  isFirst: boolean;
  /** Nothing of the file is left after this range: sets its times and closes it. The range may be empty. */
  isFinal: boolean;
  /** Of every range but the first. */
  identity?: FileIdentity;
  extraBytes: number;
}

/** Removes the partial target of a large file that was given up. */
export interface DiscardUnit {
  kind: "discard";
  id: number;
  drive: number;
  record: Uint8Array;
}

/** Reads files that a sequential drive will get next, so that they are in the page cache when its writer comes. */
export interface WarmUnit {
  kind: "warm";
  id: number;
  drive: number;
  records: Uint8Array;
}

export type WorkUnit = FilesUnit | RangeUnit | DiscardUnit | WarmUnit;

export interface RangeDone {
  outcome: "done";
  identity: FileIdentity;
  firstSegment: number;
  /** 16 bytes per segment of this range. */
  digests: Uint8Array;
}

/** How a range ended. `changed`: the file is not what the plan or the first range saw. `stopped`: by abort or failure. */
export type RangeResult =
  | RangeDone
  | { outcome: "changed"; reason: string }
  | { outcome: "grew"; sizeBytes: number }
  | { outcome: "not-done"; code: NotDoneCode; reason: string }
  | { outcome: "stopped" };

export interface UnitResult {
  id: number;
  drive: number;
  /** Of whole files: packed by file-results.ts. */
  files: Uint8Array;
  range?: RangeResult;
  /** The drive failed during this unit. */
  failure?: Omit<DriveFailure, "position">;
  /** Lowest position of this unit that was left undone by a failure or an abort. */
  stoppedAt?: number;
  /** Milliseconds spent waiting for the source, and in all. */
  readMs: number;
  busyMs: number;
  /** Files opened past the page cache, and through it. */
  directFiles: number;
  bufferedFiles: number;
}
