/** What a copy loop knows of the units and files it is working on. */

import { FileResultWriter } from "./file-results.ts";
import { MD5_BYTES } from "./md5/lane-hasher.ts";
import { PlanFlag, type PlannedFile, planRecordLength, planRecordPosition, readPlanRecord } from "./plan-record.ts";
import type { FileIdentity, RangeResult, RangeUnit, UnitResult, WorkUnit } from "./work-unit.ts";

/** A unit of work in progress. */
export class OpenUnit {
  readonly results = new FileResultWriter();
  range: RangeResult | undefined;
  failure: UnitResult["failure"];
  stoppedAt: number | undefined;
  /** Files taken from it and not answered yet. */
  openFiles = 0;
  /** Of small files: went through and not counted as progress yet. */
  uncountedBytes = 0;
  readonly #records: Buffer;
  #cursor = 0;

  constructor(readonly unit: WorkUnit) {
    const bytes = unit.kind === "range" || unit.kind === "discard" ? unit.record : unit.records;
    this.#records = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isExhausted(): boolean {
    return this.#cursor >= this.#records.length;
  }

  /** The next file; only when not exhausted. */
  take(): PlannedFile {
    const file = readPlanRecord(this.#records, this.#cursor);
    this.#cursor += planRecordLength(this.#records, this.#cursor);
    return file;
  }

  /** Leaves the files that were not taken yet undone. */
  stop(): void {
    if (!this.isExhausted) this.stopAt(planRecordPosition(this.#records, this.#cursor));
    this.#cursor = this.#records.length;
  }

  stopAt(position: number): void {
    if (this.stoppedAt === undefined || position < this.stoppedAt) this.stoppedAt = position;
    if (this.unit.kind === "range") this.range = { outcome: "stopped" };
  }
}

/** A file, or a range of one, that is to be copied: perhaps not for the first time. */
export interface FileTask {
  unit: OpenUnit;
  planned: PlannedFile;
  range: RangeUnit | undefined;
  /** What the file is expected to be: the plan's word at first, then what the last try saw. */
  expected: FileIdentity;
  /** Tries so far that found the file changing. */
  changes: number;
}

/** A file, or a range of one, with its handles open. */
export class OpenFile {
  /** The target was made by this task and is removed when the task fails. */
  ownsTarget: boolean;
  /** One past the last segment of this task, and the first that no lane has taken. */
  endSegment = 0;
  nextSegment = 0;
  /** Segments in a lane. */
  piecesOpen = 0;
  /** Not read yet, of this task. */
  bytesLeft = 0;
  /** Counted as progress; taken back when the task fails. */
  countedBytes = 0;
  digests = new Uint8Array(0);
  digestView = new DataView(this.digests.buffer);
  contentMd5: Uint8Array | undefined = undefined;
  isDead = false;
  readonly firstSegment: number;

  constructor(
    readonly task: FileTask,
    readonly startedMs: number,
    public source = -1,
    public target = -1,
    public targetPath = "",
  ) {
    this.ownsTarget = targetPath !== "";
    this.firstSegment = task.range?.firstSegment ?? 0;
  }

  get drive(): number {
    return this.task.unit.unit.drive;
  }

  /** Lays out the segments of this task in a file of `sizeBytes`. */
  layOut(sizeBytes: number): void {
    const { segmentBytes } = this.task.planned;
    const total = Math.ceil(sizeBytes / segmentBytes);
    this.endSegment = Math.max(this.firstSegment, Math.min(this.task.range?.endSegment ?? total, total));
    this.nextSegment = this.firstSegment;
    const endBytes = Math.min(sizeBytes, this.endSegment * segmentBytes);
    this.bytesLeft = Math.max(0, endBytes - this.firstSegment * segmentBytes);
    this.digests = new Uint8Array(MD5_BYTES * (this.endSegment - this.firstSegment));
    this.digestView = new DataView(this.digests.buffer);
  }
}

/** A file in a lane that is written and closed, and only waits for its sum. */
export interface SmallPiece {
  task: FileTask;
  startedMs: number;
}

/** A segment in a lane. Offsets are bytes in the file. */
export interface Piece {
  file: OpenFile;
  segment: number;
  position: number;
  end: number;
}

/** A sum over the whole file is wanted beside those of its segments. */
export function needsContentMd5(file: PlannedFile): boolean {
  return (file.flags & PlanFlag.ContentMd5) !== 0;
}
