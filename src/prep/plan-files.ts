/**
 * The frozen plan on disk: packed plan records (copy/plan-record.ts) one after another, one file per drive in plan order
 * plus one for the files that fit nowhere. Written once, then only read, front to back, a buffer at a time.
 */
import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import {
  planRecordLength,
  planRecordPosition,
  planRecordRow,
  planRecordSequence,
  planRecordSizeBytes,
} from "../copy/plan-record.ts";
import { DamagedError, errnoOf } from "../platform/app-error.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";

import type { PlanBatch } from "./plan-batch.ts";

const BUFFER_BYTES = 256 * 1024;

/** What the plan index remembers of a plan file, to notice damage before anything is trusted. */
export interface PlanFileFacts {
  files: number;
  /** Sum of the planned sizes. */
  bytes: number;
  lengthBytes: number;
  /** Lower-case hex. */
  sha256: string;
  /** Where each dataset row begins in the file: [row, offset in bytes]. Rows without files are absent. */
  rowOffsets: [number, number][];
}

export class PlanFileWriter {
  readonly #fs: FileSystem;
  readonly #fd: number;
  readonly #hash: Hash = createHash("sha256");
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  #files = 0;
  #bytes = 0;
  #lengthBytes = 0;
  #isClosed = false;
  #row = -1;
  readonly #rowOffsets: [number, number][] = [];

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#fd = fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  }

  /** Number of records so far, which is the position of the next one. */
  get files(): number {
    return this.#files;
  }

  /**
   * Appends a whole batch as it is; its records must already carry the positions from `files` on. One write instead of
   * a copy per record: most batches go to one drive whole.
   */
  addBatch(batch: PlanBatch): void {
    this.#flush();
    for (const run of batch.runs()) {
      for (let offset = 0; offset < run.length; offset += planRecordLength(run, offset)) {
        this.#noteRow(planRecordRow(run, offset), offset);
        this.#bytes += planRecordSizeBytes(run, offset);
      }
      this.#write(run);
    }
    this.#files += batch.count;
  }

  /** Appends a record packed elsewhere, giving it the next position of this file. */
  addPacked(source: Buffer, offset: number, sizeBytes: number): void {
    const length = planRecordLength(source, offset);
    this.#makeRoom(length);
    this.#noteRow(planRecordRow(source, offset), this.#used);
    source.copy(this.#buffer, this.#used, offset, offset + length);
    this.#buffer.writeUInt32LE(this.#files, this.#used + 4);
    this.#used += length;
    this.#files += 1;
    this.#bytes += sizeBytes;
  }

  /** Makes the file durable and closes it. */
  finish(): PlanFileFacts {
    this.#flush();
    this.#fs.fsync(this.#fd);
    this.#close();
    return {
      files: this.#files,
      bytes: this.#bytes,
      lengthBytes: this.#lengthBytes,
      sha256: this.#hash.digest("hex"),
      rowOffsets: this.#rowOffsets,
    };
  }

  /** Closes without promising anything; the caller throws the file away. */
  discard(): void {
    try {
      this.#close();
    } catch {
      // What made the caller give up is the error to tell.
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fs.close(this.#fd);
  }

  #noteRow(row: number, offsetInBuffer: number): void {
    if (row === this.#row) return;
    this.#row = row;
    this.#rowOffsets.push([row, this.#lengthBytes + offsetInBuffer]);
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    this.#flush();
    if (bytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(bytes * 2);
  }

  #flush(): void {
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #write(bytes: Buffer): void {
    this.#hash.update(bytes);
    writeAll(this.#fs, this.#fd, bytes, null);
    this.#lengthBytes += bytes.length;
  }
}

/** Reads a plan file front to back. The records handed out share one buffer: valid until the next call. */
export class PlanFileReader {
  readonly #fs: FileSystem;
  readonly #fd: number;
  readonly #path: string;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #start = 0;
  #end = 0;
  #isAtEnd = false;
  #filePosition: number;

  /** Starts at `offsetBytes`, which must be the beginning of a record. */
  constructor(fs: FileSystem, path: string, offsetBytes = 0) {
    this.#fs = fs;
    this.#path = path;
    this.#filePosition = offsetBytes;
    this.#fd = fs.open(path, constants.O_RDONLY);
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Offset in `buffer` of the next record, or -1 at the end. Does not move on. */
  peek(): number {
    if (!this.#ensure(8)) return this.#fail(this.#end - this.#start === 0);
    const length = planRecordLength(this.#buffer, this.#start);
    if (length < 56 || length > 1024 * 1024) return this.#fail(false);
    if (!this.#ensure(length)) return this.#fail(false);
    return this.#start;
  }

  /** Sequence number of the next record; infinity at the end. */
  peekSequence(): number {
    const offset = this.peek();
    return offset < 0 ? Number.POSITIVE_INFINITY : planRecordSequence(this.#buffer, offset);
  }

  /** Position of the next record, or -1 at the end. */
  peekPosition(): number {
    const offset = this.peek();
    return offset < 0 ? -1 : planRecordPosition(this.#buffer, offset);
  }

  skip(): void {
    this.#start += planRecordLength(this.#buffer, this.#start);
  }

  close(): void {
    this.#fs.close(this.#fd);
  }

  #fail(isCleanEnd: boolean): -1 {
    if (isCleanEnd) return -1;
    throw new DamagedError("STATE_DAMAGED", `the plan in "${this.#path}" is damaged`);
  }

  #ensure(bytes: number): boolean {
    if (this.#end - this.#start >= bytes) return true;
    if (this.#isAtEnd) return false;
    this.#buffer.copy(this.#buffer, 0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    if (bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(bytes * 2);
      this.#buffer.copy(larger, 0, 0, this.#end);
      this.#buffer = larger;
    }
    while (!this.#isAtEnd && this.#end < this.#buffer.length) {
      const n = this.#fs.read(this.#fd, this.#buffer, this.#end, this.#buffer.length - this.#end, this.#filePosition);
      if (n === 0) this.#isAtEnd = true;
      this.#end += n;
      this.#filePosition += n;
    }
    return this.#end - this.#start >= bytes;
  }
}

function openPlan(fs: FileSystem, path: string): number {
  try {
    return fs.open(path, constants.O_RDONLY);
  } catch (cause) {
    if (errnoOf(cause) !== "ENOENT") throw cause;
    throw new DamagedError("STATE_DAMAGED", `the plan in "${path}" is missing`, { cause });
  }
}

/** Checks a plan file against the index; damage is told before a single byte is trusted. */
export function checkPlanFile(fs: FileSystem, path: string, facts: PlanFileFacts): void {
  const fd = openPlan(fs, path);
  try {
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    let length = 0;
    for (let n = fs.read(fd, buffer, 0, buffer.length, null); n > 0; n = fs.read(fd, buffer, 0, buffer.length, null)) {
      hash.update(buffer.subarray(0, n));
      length += n;
    }
    if (length !== facts.lengthBytes || hash.digest("hex") !== facts.sha256) {
      throw new DamagedError("STATE_DAMAGED", `the plan in "${path}" is not what was frozen`);
    }
  } finally {
    fs.close(fd);
  }
}

/**
 * Several plan files as one stream in the order of the walk. Yields the reader whose next record is due; it is moved on
 * when the consumer asks for the next. `until[i]` ends reader i before that position. Closes the readers.
 */
export function* mergePlans(
  readers: readonly PlanFileReader[],
  until: readonly number[] = [],
): Generator<{ reader: PlanFileReader; index: number }> {
  try {
    for (;;) {
      let due = -1;
      let lowest = Number.POSITIVE_INFINITY;
      for (let i = 0; i < readers.length; i++) {
        const reader = readers[i] as PlanFileReader;
        const sequence = reader.peekSequence();
        if (sequence >= lowest || reader.peekPosition() >= (until[i] ?? Number.POSITIVE_INFINITY)) continue;
        lowest = sequence;
        due = i;
      }
      if (due < 0) return;
      const reader = readers[due] as PlanFileReader;
      yield { reader, index: due };
      reader.skip();
    }
  } finally {
    for (const reader of readers) reader.close();
  }
}
