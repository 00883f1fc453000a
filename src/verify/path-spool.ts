/**
 * A set of paths on disk, by a number of 52 bits each: which files the manifest names, which lie on the drive. Two such
 * sets are compared part by part, so that memory stays the same for any number of files. Two paths get the same number
 * once in 4.5e15: then one unnamed file goes unnoticed, which costs a warning.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";

const NUMBER_BYTES = 8;
const BUFFERED_NUMBERS = 8 * 1024;
/** Numbers of one part: 8 MiB. */
export const MAX_PART_NUMBERS = 1024 * 1024;

/** `path` from the drive's root, with backslashes, without a leading one. */
export function toPathNumber(path: string): number {
  const digest = createHash("md5").update(path, "utf8").digest();
  return digest.readUIntLE(0, 6) * 16 + ((digest[6] ?? 0) & 15);
}

export class PathSpool {
  count = 0;
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer = new Float64Array(BUFFERED_NUMBERS);
  #buffered = 0;

  /** Creates `path`, which must not exist; `remove` takes it away. */
  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#path = path;
    this.#fd = fs.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  }

  add(path: string): void {
    this.#buffer[this.#buffered++] = toPathNumber(path);
    this.count += 1;
    if (this.#buffered === BUFFERED_NUMBERS) this.#flush();
  }

  /** The numbers of one of `parts` parts, sorted. */
  part(index: number, parts: number): Float64Array {
    this.#flush();
    let numbers = new Float64Array(Math.ceil((this.count / parts) * 1.25) + 1024);
    let found = 0;
    const chunk = new Float64Array(BUFFERED_NUMBERS);
    const bytes = new Uint8Array(chunk.buffer);
    for (let position = 0; ; ) {
      const count = this.#fs.read(this.#fd, bytes, 0, this.#toWhole(bytes.length, position), position);
      if (count === 0) break;
      position += count;
      for (let at = 0; at < count / NUMBER_BYTES; at++) {
        const number = chunk[at] ?? 0;
        if (number % parts !== index) continue;
        if (found === numbers.length) numbers = enlarged(numbers);
        numbers[found++] = number;
      }
    }
    return numbers.subarray(0, found).sort();
  }

  remove(): void {
    this.#fs.close(this.#fd);
    this.#fs.unlink(this.#path);
  }

  #toWhole(length: number, position: number): number {
    return Math.min(length, this.count * NUMBER_BYTES - position);
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#buffered * NUMBER_BYTES);
    writeAll(this.#fs, this.#fd, bytes, (this.count - this.#buffered) * NUMBER_BYTES);
    this.#buffered = 0;
  }
}

function enlarged(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
