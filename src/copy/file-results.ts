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
import { MD5_BYTES } from "./md5/lane-hasher.ts";

const HEADER_BYTES = 38;
const CODES: readonly NotDoneCode[] = ["FILE_UNREADABLE", "FILE_VANISHED", "FILE_CHANGED", "FILE_GREW"];

/** A file that is larger than its drive has room set aside for; asked of the room above. */
export interface FileGrew {
  outcome: "grew";
  position: number;
  sizeBytes: number;
}

export class FileResultWriter {
  #buffer = Buffer.allocUnsafe(2048);
  #length = 0;

  done(file: FileDone): void {
    const { contentMd5, digests } = file;
    const at = this.#header(0, contentMd5 === undefined ? 0 : 1, file.position, digests.length);
    this.#buffer.writeDoubleLE(file.sizeBytes, at + 10);
    this.#buffer.writeBigInt64LE(file.mtimeNs, at + 18);
    this.#buffer.writeDoubleLE(file.elapsedMs, at + 26);
    this.#append(digests);
    if (contentMd5 !== undefined) this.#append(contentMd5);
    if (file.sourcePath !== undefined) this.#appendPath(at, file.sourcePath);
  }

  notDone(file: Omit<FileNotDone, "outcome">): void {
    const reason = Buffer.from(file.reason, "utf8");
    const at = this.#header(1, CODES.indexOf(file.code), file.position, reason.length);
    this.#append(reason);
    this.#appendPath(at, file.sourcePath);
  }

  grew(position: number, sizeBytes: number): void {
    const at = this.#header(2, 0, position, 0);
    this.#buffer.writeDoubleLE(sizeBytes, at + 10);
  }

  /** What was packed, in a buffer of its own that can be transferred. */
  take(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  #header(kind: number, detail: number, position: number, payloadBytes: number): number {
    this.#grow(HEADER_BYTES);
    const at = this.#length;
    this.#buffer[at] = kind;
    this.#buffer[at + 1] = detail;
    this.#buffer.writeUInt32LE(position, at + 2);
    this.#buffer.writeUInt32LE(payloadBytes, at + 6);
    this.#buffer.writeUInt32LE(0, at + 34);
    this.#length += HEADER_BYTES;
    return at;
  }

  #appendPath(at: number, path: string): void {
    const bytes = Buffer.from(path, "utf8");
    this.#append(bytes);
    this.#buffer.writeUInt32LE(bytes.length, at + 34);
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
  }
}

/** Unpacks what `FileResultWriter.take` gave. Digests are views of `packed`. */
export function readFileResults(packed: Uint8Array): (FileResult | FileGrew)[] {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  const results: (FileResult | FileGrew)[] = [];
  for (let at = 0; at < buffer.length; ) {
    const kind = buffer[at] as number;
    const detail = buffer[at + 1] as number;
    const position = buffer.readUInt32LE(at + 2);
    const sizeBytes = buffer.readDoubleLE(at + 10);
    const start = at + HEADER_BYTES;
    const end = start + buffer.readUInt32LE(at + 6);
    const pathStart = end + (kind === 0 ? detail * MD5_BYTES : 0);
    const pathEnd = pathStart + buffer.readUInt32LE(at + 34);
    if (kind === 0) {
      const done: FileDone = {
        outcome: "done",
        position,
        sizeBytes,
        mtimeNs: buffer.readBigInt64LE(at + 18),
        digests: packed.subarray(start, end),
        elapsedMs: buffer.readDoubleLE(at + 26),
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
