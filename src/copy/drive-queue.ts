/**
 * The work of one drive: what was taken from the plan and is not handed out yet, what is out, and how it stands.
 * Small files travel in slices of a batch; large ones in ranges (large-file.ts).
 */
import type { CopyDrive, CopyRequest, DriveFailure } from "./copy-contract.ts";
import { isLarge, type LargeFile } from "./large-file.ts";
import { PlanFlag, planRecordLength, planRecordPosition, planRecordSizeBytes, readPlanRecord } from "./plan-record.ts";
import type { FilesUnit } from "./work-unit.ts";

/**
 * Some 2 ms of small files in memory: enough to make messages cheap, little enough to share out evenly. (20,000 files of
 * 4 KiB took 10 % longer in batches of 32, for the wake-ups; 256 was no better.)
 */
const BATCH_FILES = 128;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Batches that may be read ahead of a sequential drive's writer. */
const MAX_READ_AHEAD = 8;

/** Consecutive records: small files, or a single large one. */
export interface Slice {
  records: Uint8Array;
  sizeBytes: number;
  isLarge: boolean;
  /** Somebody reads, or has read, these files for the page cache. */
  isWarm: boolean;
}

export class DriveQueue {
  readonly isSequential: boolean;
  /** Taken from the plan, in plan order. */
  readonly slices: Slice[] = [];
  /** Files that are handed out again because they may grow. */
  readonly again: Omit<FilesUnit, "id">[] = [];
  readonly largeFiles: LargeFile[] = [];
  /** Records of large files whose partial target must go. */
  readonly discards: Uint8Array[] = [];
  /** The only worker that may write a sequential drive for now. */
  holder: number | undefined;
  outstandingUnits = 0;
  outstandingBytes = 0;
  /** When the drive last got a turn. */
  turn = 0;
  filesDone = 0;
  failure: Omit<DriveFailure, "position"> | undefined;
  isFailureTold = false;
  /** Batches to read ahead: grows while the writer waits for its source. */
  readAhead = 0;
  #isExhausted = false;
  #stoppedAt = Number.POSITIVE_INFINITY;
  #nextPosition = 0;

  constructor(
    readonly index: number,
    drive: CopyDrive,
    private readonly request: CopyRequest,
  ) {
    this.isSequential = drive.ioMode === "sequential";
  }

  get isDone(): boolean {
    if (this.outstandingUnits > 0) return false;
    if (this.failure !== undefined) return this.isFailureTold;
    return this.#isExhausted && this.#isEmpty && this.discards.length === 0;
  }

  get #isEmpty(): boolean {
    return this.slices.length === 0 && this.again.length === 0 && this.largeFiles.length === 0;
  }

  /** Takes the next batch from the plan; false when there are no more. */
  pull(): boolean {
    if (this.#isExhausted) return false;
    const batch = this.request.nextBatch(this.index, BATCH_FILES, BATCH_BYTES);
    if (batch === undefined || batch.count === 0) {
      this.#isExhausted = true;
      return false;
    }
    this.#slice(batch.records, batch.count);
    return true;
  }

  /** Takes nothing more and forgets what is not out yet, except partial targets to be removed. */
  stop(): void {
    this.#isExhausted = true;
    this.slices.length = 0;
    this.again.length = 0;
  }

  stoppedAt(position: number): void {
    this.#stoppedAt = Math.min(this.#stoppedAt, position);
  }

  /** First position that was left undone; what was not taken from the plan comes after what was. */
  firstUndone(): number {
    let first = Math.min(this.#stoppedAt, this.#nextPosition);
    for (const file of this.largeFiles) first = Math.min(first, file.planned.position);
    for (const { records } of [...this.slices, ...this.again]) first = Math.min(first, positionOf(records));
    return first;
  }

  /** Learns from a unit of this drive how long its writer waited for the source. */
  adaptReadAhead(readMs: number, busyMs: number): void {
    if (!this.isSequential || busyMs <= 0) return;
    const share = readMs / busyMs;
    if (share > 0.5) this.readAhead = Math.min(MAX_READ_AHEAD, this.readAhead + 1);
    else if (share < 0.1) this.readAhead = Math.max(0, this.readAhead - 1);
  }

  /** The next slice worth reading ahead. */
  nextCold(): Slice | undefined {
    while (this.slices.length < this.readAhead && this.pull());
    return this.slices.slice(0, this.readAhead).find((slice) => !slice.isWarm && !slice.isLarge);
  }

  /** Cuts a batch so that large files stand alone and the rest comes in pieces of bounded size. */
  #slice(batch: Buffer, count: number): void {
    // The caller may use its buffer again.
    const records = Buffer.from(batch);
    let start = 0;
    let sizeBytes = 0;
    let at = 0;
    const cut = (end: number): void => {
      if (end > start)
        this.slices.push({ records: records.subarray(start, end), sizeBytes, isLarge: false, isWarm: false });
      start = end;
      sizeBytes = 0;
    };
    for (let index = 0; index < count; index++) {
      const end = at + planRecordLength(records, at);
      const ownBytes = planRecordSizeBytes(records, at);
      if (isHandedOutInRanges(records, at)) {
        cut(at);
        this.slices.push({ records: records.subarray(at, end), sizeBytes: ownBytes, isLarge: true, isWarm: false });
        start = end;
      } else {
        if (sizeBytes + ownBytes > BATCH_BYTES) cut(at);
        sizeBytes += ownBytes;
      }
      this.#nextPosition = planRecordPosition(records, at) + 1;
      at = end;
    }
    cut(at);
  }
}

/** A sum over the whole file cannot be shared: such a file stays in one piece, however large. */
function isHandedOutInRanges(records: Buffer, at: number): boolean {
  const { sizeBytes, segmentBytes, flags } = readPlanRecord(records, at);
  return isLarge(sizeBytes, segmentBytes) && (flags & PlanFlag.ContentMd5) === 0;
}

function positionOf(records: Uint8Array): number {
  return planRecordPosition(Buffer.from(records.buffer, records.byteOffset, records.length), 0);
}
