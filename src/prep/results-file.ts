/**
 * Which files of a drive are finished, and their digests. One fixed-width record per position of the drive's plan, so
 * that answers can come in any order and still be read back in plan order; digests of files with more than one segment
 * go to a second file.
 *
 * A record is only written once its data has been flushed to the drive, and carries a check over everything it says:
 * a torn or never written record simply counts as "not finished" and that file is copied again.
 *
 *   @0  u8  1 = done
 *   @4  u32 number of segments
 *   @8  f64 size in bytes, as copied
 *   @16 i64 modification time as copied, nanoseconds since 1970
 *   @24 16 bytes: the MD5 of the only segment; or f64 offset in the digests file, u32 CRC-32 of the digests
 *   @40 u32 CRC-32 over the session's nonce, the position and bytes 0 to 39
 */
import { constants } from "node:fs";
import { crc32 } from "node:zlib";
import type { FileSystem } from "../platform/file-system.ts";

export const RESULT_BYTES = 48;
const DIGEST_BYTES = 16;
const READ_RECORDS = 4096;

export interface DoneFile {
  sizeBytes: number;
  mtimeNs: bigint;
  /** 16 bytes per segment; valid until the next read. */
  digests: Uint8Array;
}

/** Seed of the checks: a results file of another session or drive never passes for this one's. */
export function resultsSeed(nonce: string, driveId: string): number {
  return crc32(`${nonce}/${driveId}`);
}

function recordCheck(seed: number, position: number, record: Buffer, offset: number): number {
  return crc32(record.subarray(offset, offset + 40), (seed ^ position) >>> 0);
}

function openForUpdate(fs: FileSystem, path: string): number {
  return fs.open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
}

function writeFully(fs: FileSystem, fd: number, bytes: Uint8Array, length: number, position: number): void {
  let done = 0;
  while (done < length) done += fs.write(fd, bytes, done, length - done, position + done);
}

/** Collects finished files of one drive and writes them when told that their data is safe. */
export class ResultsWriter {
  readonly #fs: FileSystem;
  readonly #seed: number;
  readonly #fd: number;
  readonly #digestsFd: number;
  #digestsEnd: number;
  #pending: Pending = new Pending();

  constructor(fs: FileSystem, paths: { results: string; digests: string }, seed: number) {
    this.#fs = fs;
    this.#seed = seed;
    this.#fd = openForUpdate(fs, paths.results);
    this.#digestsFd = openForUpdate(fs, paths.digests);
    this.#digestsEnd = fs.fstat(this.#digestsFd).sizeBytes;
  }

  get pendingFiles(): number {
    return this.#pending.count;
  }

  add(position: number, file: DoneFile): void {
    this.#pending.add(position, file);
  }

  /** Takes what has come so far; `write` it after the drive has been flushed. */
  takePending(): Pending {
    const taken = this.#pending;
    this.#pending = new Pending();
    return taken;
  }

  /** Makes `taken` durable. Everything in it must already be safe on the drive. */
  write(taken: Pending): void {
    if (taken.count === 0) return;
    if (taken.digestsUsed > 0) {
      writeFully(this.#fs, this.#digestsFd, taken.digests, taken.digestsUsed, this.#digestsEnd);
      this.#fs.fsync(this.#digestsFd);
    }
    taken.writeRecords(this.#seed, this.#digestsEnd, (bytes, length, position) =>
      writeFully(this.#fs, this.#fd, bytes, length, position),
    );
    this.#digestsEnd += taken.digestsUsed;
    this.#fs.fsync(this.#fd);
  }

  /** Takes back that files are finished (their source has changed), durably, before they are touched again. */
  forget(positions: readonly number[]): void {
    const zeros = Buffer.alloc(RESULT_BYTES);
    for (const position of positions) writeFully(this.#fs, this.#fd, zeros, RESULT_BYTES, position * RESULT_BYTES);
    if (positions.length > 0) this.#fs.fsync(this.#fd);
  }

  close(): void {
    this.#fs.close(this.#fd);
    this.#fs.close(this.#digestsFd);
  }
}

/** Finished files whose data is not yet known to be safe. Packed, so that a hundred thousand of them cost 5 MB. */
export class Pending {
  count = 0;
  #records = Buffer.alloc(256 * RESULT_BYTES);
  #positions = new Float64Array(256);
  digests = Buffer.alloc(0);
  digestsUsed = 0;

  add(position: number, file: DoneFile): void {
    if (this.count === this.#positions.length) this.#grow();
    const segments = file.digests.length / DIGEST_BYTES;
    const at = this.count * RESULT_BYTES;
    const record = this.#records;
    record.fill(0, at, at + RESULT_BYTES);
    record[at] = 1;
    record.writeUInt32LE(segments, at + 4);
    record.writeDoubleLE(file.sizeBytes, at + 8);
    record.writeBigInt64LE(file.mtimeNs, at + 16);
    if (segments === 1) record.set(file.digests, at + 24);
    else if (segments > 1) {
      record.writeDoubleLE(this.digestsUsed, at + 24);
      record.writeUInt32LE(crc32(file.digests), at + 32);
      this.#addDigests(file.digests);
    }
    this.#positions[this.count] = position;
    this.count += 1;
  }

  /** Hands out the records in runs of neighbouring positions, checks filled in. */
  writeRecords(seed: number, digestsBase: number, write: (b: Uint8Array, length: number, at: number) => void): void {
    const positions = this.#positions.subarray(0, this.count);
    const order = new Uint32Array(this.count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    order.sort((a, b) => (positions[a] as number) - (positions[b] as number));
    const run = Buffer.allocUnsafe(Math.min(this.count, READ_RECORDS) * RESULT_BYTES);
    let runStart = -1;
    let runLength = 0;
    for (const index of order) {
      const position = positions[index] as number;
      if (runLength > 0 && (position !== runStart + runLength || runLength * RESULT_BYTES === run.length)) {
        write(run, runLength * RESULT_BYTES, runStart * RESULT_BYTES);
        runLength = 0;
      }
      if (runLength === 0) runStart = position;
      const at = runLength * RESULT_BYTES;
      this.#records.copy(run, at, index * RESULT_BYTES, (index + 1) * RESULT_BYTES);
      if (run.readUInt32LE(at + 4) > 1) run.writeDoubleLE(digestsBase + run.readDoubleLE(at + 24), at + 24);
      run.writeUInt32LE(recordCheck(seed, position, run, at), at + 40);
      runLength += 1;
    }
    if (runLength > 0) write(run, runLength * RESULT_BYTES, runStart * RESULT_BYTES);
  }

  #addDigests(digests: Uint8Array): void {
    if (this.digestsUsed + digests.length > this.digests.length) {
      const larger = Buffer.alloc(Math.max(64 * 1024, 2 * (this.digestsUsed + digests.length)));
      this.digests.copy(larger, 0, 0, this.digestsUsed);
      this.digests = larger;
    }
    this.digests.set(digests, this.digestsUsed);
    this.digestsUsed += digests.length;
  }

  #grow(): void {
    const records = Buffer.alloc(this.#records.length * 2);
    this.#records.copy(records);
    this.#records = records;
    const positions = new Float64Array(this.#positions.length * 2);
    positions.set(this.#positions);
    this.#positions = positions;
  }
}

/** Reads results in plan order. `next()` must be called once per position, from 0. */
export class ResultsReader {
  readonly #fs: FileSystem;
  readonly #seed: number;
  readonly #fd: number | undefined;
  readonly #digestsFd: number | undefined;
  readonly #buffer = Buffer.allocUnsafe(READ_RECORDS * RESULT_BYTES);
  #position = 0;
  #bufferStart = 0;
  #bufferRecords = 0;
  #digests = Buffer.alloc(DIGEST_BYTES);

  constructor(fs: FileSystem, paths: { results: string; digests: string }, seed: number) {
    this.#fs = fs;
    this.#seed = seed;
    this.#fd = openIfThere(fs, paths.results);
    this.#digestsFd = openIfThere(fs, paths.digests);
  }

  /** The finished file at the next position, or undefined if it is not finished. */
  next(): DoneFile | undefined {
    const position = this.#position++;
    const at = this.#locate(position);
    if (at < 0) return undefined;
    const record = this.#buffer;
    if (record[at] !== 1 || record.readUInt32LE(at + 40) !== recordCheck(this.#seed, position, record, at)) {
      return undefined;
    }
    const digests = this.#readDigests(at, record.readUInt32LE(at + 4));
    if (digests === undefined) return undefined;
    return { sizeBytes: record.readDoubleLE(at + 8), mtimeNs: record.readBigInt64LE(at + 16), digests };
  }

  close(): void {
    if (this.#fd !== undefined) this.#fs.close(this.#fd);
    if (this.#digestsFd !== undefined) this.#fs.close(this.#digestsFd);
  }

  #locate(position: number): number {
    if (this.#fd === undefined) return -1;
    if (position >= this.#bufferStart + this.#bufferRecords || position < this.#bufferStart) {
      const bytes = readFully(this.#fs, this.#fd, this.#buffer, this.#buffer.length, position * RESULT_BYTES);
      this.#bufferStart = position;
      this.#bufferRecords = Math.floor(bytes / RESULT_BYTES);
      if (this.#bufferRecords === 0) return -1;
    }
    return (position - this.#bufferStart) * RESULT_BYTES;
  }

  #readDigests(at: number, segments: number): Uint8Array | undefined {
    if (segments === 0) return this.#digests.subarray(0, 0);
    if (segments === 1) return this.#buffer.subarray(at + 24, at + 40);
    if (this.#digestsFd === undefined) return undefined;
    const length = segments * DIGEST_BYTES;
    if (this.#digests.length < length) this.#digests = Buffer.alloc(length * 2);
    const offset = this.#buffer.readDoubleLE(at + 24);
    if (readFully(this.#fs, this.#digestsFd, this.#digests, length, offset) < length) return undefined;
    const digests = this.#digests.subarray(0, length);
    return crc32(digests) === this.#buffer.readUInt32LE(at + 32) ? digests : undefined;
  }
}

function openIfThere(fs: FileSystem, path: string): number | undefined {
  try {
    return fs.open(path, constants.O_RDONLY);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

function readFully(fs: FileSystem, fd: number, buffer: Uint8Array, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const n = fs.read(fd, buffer, done, length - done, position + done);
    if (n === 0) break;
    done += n;
  }
  return done;
}
