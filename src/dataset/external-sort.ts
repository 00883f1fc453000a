/**
 * Sorts more strings than memory should hold: runs of bounded length are sorted, written one behind the other into one
 * spill file, and merged while they are read back. A record in the file is its length (u32, little-endian) and its
 * UTF-8 form.
 */
import { constants } from "node:fs";
import type { FileSystem } from "../platform/file-system.ts";
import { compareUtf8, sortUtf8 } from "./byte-order.ts";
import { mergeSorted } from "./merge-sorted.ts";

const WRITE_BUFFER_BYTES = 256 * 1024;
/** Per run while merging: a hundred runs for a million names. */
const READ_BUFFER_BYTES = 8 * 1024;
const LENGTH_BYTES = 4;

interface Run {
  offset: number;
  end: number;
}

/** Strings in, strings out by their UTF-8 bytes, as often as wanted. `close` removes the spill file. */
export class ExternalSorter {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #runLength: number;
  readonly #runs: Run[] = [];
  #pending: string[] = [];
  #fd: number | undefined;
  #end = 0;

  /** `path`: of the spill file, created when the first run is full; one left by a killed run is overwritten. */
  constructor(fileSystem: FileSystem, path: string, runLength: number) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#runLength = runLength;
  }

  add(text: string): void {
    this.#pending.push(text);
    if (this.#pending.length >= this.#runLength) this.#writeRun();
  }

  *sorted(): Generator<string, void, void> {
    if (this.#fd === undefined) {
      yield* sortUtf8(this.#pending);
      return;
    }
    if (this.#pending.length > 0) this.#writeRun();
    const runs = this.#runs.map((run) => this.#readRun(run));
    for (const { item } of mergeSorted(runs, compareUtf8)) yield item;
  }

  close(): void {
    this.#pending = [];
    if (this.#fd === undefined) return;
    this.#fileSystem.close(this.#fd);
    this.#fd = undefined;
    this.#fileSystem.unlink(this.#path);
  }

  #writeRun(): void {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
    this.#fd ??= this.#fileSystem.open(this.#path, flags, 0o600);
    const run: Run = { offset: this.#end, end: this.#end };
    let buffer = Buffer.allocUnsafe(WRITE_BUFFER_BYTES);
    let filled = 0;
    for (const text of sortUtf8(this.#pending)) {
      const room = LENGTH_BYTES + 3 * text.length;
      if (filled + room > buffer.length) {
        this.#write(buffer, filled);
        filled = 0;
        if (room > buffer.length) buffer = Buffer.allocUnsafe(room);
      }
      const length = buffer.write(text, filled + LENGTH_BYTES, "utf8");
      buffer.writeUInt32LE(length, filled);
      filled += LENGTH_BYTES + length;
    }
    this.#write(buffer, filled);
    run.end = this.#end;
    this.#runs.push(run);
    this.#pending = [];
  }

  #write(buffer: Buffer, length: number): void {
    for (let done = 0; done < length; ) {
      const written = this.#fileSystem.write(this.#fd as number, buffer, done, length - done, this.#end);
      done += written;
      this.#end += written;
    }
  }

  *#readRun(run: Run): Generator<string, void, void> {
    let buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
    let filled = 0;
    let at = 0;
    let next = run.offset;
    for (;;) {
      const have = filled - at;
      const need = have < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + buffer.readUInt32LE(at);
      if (have >= need && have >= LENGTH_BYTES) {
        yield buffer.toString("utf8", at + LENGTH_BYTES, at + need);
        at += need;
        continue;
      }
      if (next >= run.end) return;
      const target = need > buffer.length ? Buffer.allocUnsafe(need) : buffer;
      buffer.copy(target, 0, at, filled);
      buffer = target;
      at = 0;
      filled = have;
      const wanted = Math.min(buffer.length - filled, run.end - next);
      const got = this.#fileSystem.read(this.#fd as number, buffer, filled, wanted, next);
      if (got === 0) throw new Error(`"${this.#path}" ended early`);
      filled += got;
      next += got;
    }
  }
}
