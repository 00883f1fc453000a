/** A file that is copied in ranges: which of them are handed out and answered, and what is known of it so far. */
import { MD5_BYTES } from "./md5/lane-hasher.ts";
import type { PlannedFile } from "./plan-record.ts";
import type { FileIdentity, RangeDone, RangeResult, RangeUnit } from "./work-unit.ts";

/** Segments per range: one for each lane of the MD5 kernel. */
export const RANGE_SEGMENTS = 12;
const MAX_CHANGES = 3;

/** Files above one range are handed out in ranges. */
export function isLarge(sizeBytes: number, segmentBytes: number): boolean {
  return sizeBytes > RANGE_SEGMENTS * segmentBytes;
}

export class LargeFile {
  /** Ranges that are out. */
  outstanding = 0;
  /** The same, but not at the owner. */
  outstandingElsewhere = 0;
  /** Set when a range told why the file cannot be done as it is; no further range is handed out. */
  trouble: Exclude<RangeResult, RangeDone> | undefined;
  extraBytes = 0;
  identity: FileIdentity | undefined;
  digests = new Uint8Array(0);
  #nextSegment = 0;
  #endSegment: number;
  #begun = false;
  #changes = 0;
  #isFinalOut = false;

  constructor(
    readonly drive: number,
    readonly owner: number,
    readonly record: Uint8Array,
    readonly planned: PlannedFile,
    readonly startedMs: number,
  ) {
    this.#endSegment = this.#segments(planned.sizeBytes);
  }

  /** The first range is out; until it is answered there is no other. */
  get isBeginning(): boolean {
    return this.#begun && this.identity === undefined;
  }

  /** Nothing more will be handed out unless the file is restarted. */
  get isFinalOut(): boolean {
    return this.#isFinalOut;
  }

  get bytesLeft(): number {
    return (this.#endSegment - this.#nextSegment) * this.planned.segmentBytes;
  }

  /**
   * The next range for `worker`, or undefined when it has to wait: for the first range, which makes the target; or, with
   * everything handed out, for the other workers before the owner ends the file.
   */
  next(worker: number): Omit<RangeUnit, "id"> | undefined {
    if (this.trouble !== undefined || this.#isFinalOut) return undefined;
    const isFirst = !this.#begun;
    if (isFirst && this.outstanding > 0) return undefined;
    if (!isFirst && this.identity === undefined) return undefined;
    const left = this.#endSegment - this.#nextSegment;
    const mayEnd = worker === this.owner && this.outstandingElsewhere === 0;
    if (left === 0 && !mayEnd) return undefined;
    const firstSegment = this.#nextSegment;
    const endSegment = Math.min(firstSegment + RANGE_SEGMENTS, this.#endSegment);
    this.#nextSegment = endSegment;
    // The first range never ends the file: only its answer tells how long the file is.
    const isFinal = !isFirst && mayEnd && endSegment === this.#endSegment;
    this.#begun = true;
    this.#isFinalOut = isFinal;
    this.outstanding++;
    if (worker !== this.owner) this.outstandingElsewhere++;
    return {
      kind: "range",
      drive: this.drive,
      record: this.record,
      firstSegment,
      endSegment,
      isFirst,
      isFinal,
      extraBytes: this.extraBytes,
      ...(this.identity === undefined ? {} : { identity: this.identity }),
    };
  }

  /** Takes the answer of a range; true when the file is done. */
  take(range: RangeDone): boolean {
    if (this.identity === undefined) {
      this.identity = range.identity;
      this.#endSegment = this.#segments(range.identity.sizeBytes);
      this.#nextSegment = Math.min(this.#nextSegment, this.#endSegment);
      this.digests = new Uint8Array(MD5_BYTES * this.#endSegment);
    }
    this.digests.set(range.digests, MD5_BYTES * range.firstSegment);
    return this.#isFinalOut && this.outstanding === 0;
  }

  /** Begins again; false when it has been begun too often. */
  restart(): boolean {
    this.trouble = undefined;
    this.identity = undefined;
    this.#begun = false;
    this.#isFinalOut = false;
    this.#nextSegment = 0;
    this.#endSegment = this.#segments(this.planned.sizeBytes);
    return ++this.#changes <= MAX_CHANGES;
  }

  #segments(sizeBytes: number): number {
    return Math.ceil(sizeBytes / this.planned.segmentBytes);
  }
}
