/** Encrypts, decrypts or copies a range of a volume from one file into another, at the same place. For worker threads. */
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type Extent, SECTOR_BYTES } from "./volume-layout.ts";
import type { SectorCipher } from "./xts.ts";

/** `copy`: neither; for a volume that was not encrypted before. */
export type Direction = "encrypt" | "decrypt" | "copy";

/** What one call handles at most: enough that calls do not count, little enough that many threads can hold one each. */
export const RANGE_BYTES = 4 * 1024 * 1024;

/** Thrown with the step that failed; `cause` is the system's error. */
export class ConvertError extends Error {
  readonly step: "read" | "write";

  constructor(step: "read" | "write", cause: unknown) {
    super(`cannot ${step}`, { cause });
    this.step = step;
  }
}

/** @param buffer scratch of at least `range.bytes` */
export function convertRange(
  fs: FileSystem,
  files: { fromFd: number; toFd: number },
  cipher: SectorCipher,
  direction: Direction,
  buffer: Buffer,
  range: Extent,
): void {
  const bytes = buffer.subarray(0, range.bytes);
  try {
    readFully(fs, files.fromFd, bytes, range.at);
  } catch (cause) {
    throw new ConvertError("read", cause);
  }
  if (direction === "encrypt") cipher.encrypt(bytes, range.at / SECTOR_BYTES);
  if (direction === "decrypt") cipher.decrypt(bytes, range.at / SECTOR_BYTES);
  try {
    writeAll(fs, files.toFd, bytes, range.at);
  } catch (cause) {
    throw new ConvertError("write", cause);
  }
}

/** Fills `bytes`; what lies beyond the end of the file reads as zeros. */
export function readFully(fs: FileSystem, fd: number, bytes: Buffer, at: number): void {
  let done = 0;
  while (done < bytes.length) {
    const count = fs.read(fd, bytes, done, bytes.length - done, at + done);
    if (count === 0) {
      bytes.fill(0, done);
      return;
    }
    done += count;
  }
}
