/**
 * Results of whole files, packed: one buffer per unit of work crosses threads instead of an object per file or segment.
 *
 *   @0  u8  kind: 0 done, 1 not done, 2 grew beyond what its drive has for it
 *   @1  u8  done: 1 when a whole-file MD5 follows; not done: index of the code
 *   @2  u32 position
 *   @6  u32 length of the digests or the reason
 *   @10 f64 size in bytes
 *   @18 i64 modification time, nanoseconds
 *   @26 f64 milliseconds taken
 *   @34 u32 length of the source path in bytes, 0: not told
 *   @38     digests (then 16 bytes of whole-file MD5), or the reason in UTF-8; then the source path in UTF-8
 */
import type { FileDone, FileNotDone, FileResult, NotDoneCode } from "./copy-contract.ts";
import { type LaneHasher, MD5_BYTES } from "./md5/lane-hasher.ts";
import { viewOf } from "./plan-record.ts";

const HEADER_BYTES = 38;
const CODES: readonly NotDoneCode[] = ["FILE_UNREADABLE", "FILE_VANISHED", "FILE_CHANGED", "FILE_GREW"];

/** A file that is larger than its drive has room set aside for; asked of the room above. */
export interface FileGrew {
  outcome: "grew";
  position: number;
  sizeBytes: number;
}

export class FileResultWriter {
  #buffer = Buffer.allocUnsafe(4096);
  /** Of the same bytes: its setters cost a quarter of Buffer's. */
  #view = viewOf(this.#buffer);
  #length = 0;

  done(file: FileDone): void {
    const { contentMd5, digests } = file;
    const at = this.#header(0, contentMd5 === undefined ? 0 : 1, file.position, digests.length);
    this.#setDone(at, file.sizeBytes, file.mtimeNs, file.elapsedMs);
    this.#append(digests);
    if (contentMd5 !== undefined) this.#append(contentMd5);
    if (file.sourcePath !== undefined) this.#appendPath(at, file.sourcePath);
  }

  /** A file of one segment, whose digest `hasher` holds in `lane`: the short way for the many small ones. */
  doneInLane(
    position: number,
    sizeBytes: number,
    mtimeNs: bigint,
    elapsedMs: number,
    hasher: LaneHasher,
    lane: number,
  ) {
    const at = this.#header(0, 0, position, MD5_BYTES);
    this.#setDone(at, sizeBytes, mtimeNs, elapsedMs);
    this.#grow(MD5_BYTES);
    hasher.digest(lane, this.#view, this.#length);
    this.#length += MD5_BYTES;
  }

  notDone(file: Omit<FileNotDone, "outcome">): void {
    const reason = Buffer.from(file.reason, "utf8");
    const at = this.#header(1, CODES.indexOf(file.code), file.position, reason.length);
    this.#append(reason);
    this.#appendPath(at, file.sourcePath);
  }

  grew(position: number, sizeBytes: number): void {
    const at = this.#header(2, 0, position, 0);
    this.#view.setFloat64(at + 10, sizeBytes, true);
  }

  /** What was packed, in a buffer of its own that can be transferred. */
  take(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  #header(kind: number, detail: number, position: number, payloadBytes: number): number {
    this.#grow(HEADER_BYTES);
    const at = this.#length;
    const view = this.#view;
    view.setUint8(at, kind);
    view.setUint8(at + 1, detail);
    view.setUint32(at + 2, position, true);
    view.setUint32(at + 6, payloadBytes, true);
    view.setUint32(at + 34, 0, true);
    this.#length = at + HEADER_BYTES;
    return at;
  }

  #setDone(at: number, sizeBytes: number, mtimeNs: bigint, elapsedMs: number): void {
    const view = this.#view;
    view.setFloat64(at + 10, sizeBytes, true);
    view.setBigInt64(at + 18, mtimeNs, true);
    view.setFloat64(at + 26, elapsedMs, true);
  }

  #appendPath(at: number, path: string): void {
    const bytes = Buffer.from(path, "utf8");
    this.#append(bytes);
    this.#view.setUint32(at + 34, bytes.length, true);
  }

  #append(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #grow(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + bytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

/** Unpacks what `FileResultWriter.take` gave. Digests are views of `packed`. */
export function readFileResults(packed: Uint8Array): (FileResult | FileGrew)[] {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  const view = viewOf(buffer);
  const results: (FileResult | FileGrew)[] = [];
  for (let at = 0; at < buffer.length; ) {
    const kind = view.getUint8(at);
    const detail = view.getUint8(at + 1);
    const position = view.getUint32(at + 2, true);
    const sizeBytes = view.getFloat64(at + 10, true);
    const start = at + HEADER_BYTES;
    const end = start + view.getUint32(at + 6, true);
    const pathStart = end + (kind === 0 ? detail * MD5_BYTES : 0);
    const pathEnd = pathStart + view.getUint32(at + 34, true);
    if (kind === 0) {
      const done: FileDone = {
        outcome: "done",
        position,
        sizeBytes,
        mtimeNs: view.getBigInt64(at + 18, true),
        digests: packed.subarray(start, end),
        elapsedMs: view.getFloat64(at + 26, true),
      };
      if (detail !== 0) done.contentMd5 = packed.subarray(end, pathStart);
      if (pathEnd > pathStart) done.sourcePath = buffer.toString("utf8", pathStart, pathEnd);
      results.push(done);
    } else if (kind === 1) {
      const code = CODES[detail] as NotDoneCode;
      const reason = buffer.toString("utf8", start, end);
      const sourcePath = buffer.toString("utf8", pathStart, pathEnd);
      results.push({ outcome: "not-done", position, sourcePath, code, reason });
    } else {
      results.push({ outcome: "grew", position, sizeBytes });
    }
    at = pathEnd;
  }
  return results;
}
