/** Text and bytes on their way into one file: gathered, hashed while they pass, written in large pieces. */
import { createHash } from "node:crypto";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { toBase16 } from "./manifest-model.ts";

/** Strings are encoded in pieces this long: short enough for their parts to die young (a fifth less time than 256 Ki). */
const PIECE_CHARACTERS = 16 * 1024;
const FLUSH_BYTES = 256 * 1024;
/** UTF-8 takes at most three bytes per UTF-16 unit. */
const MAX_BYTES_PER_CHARACTER = 3;

export class HashedOutput {
  readonly #fs: Pick<FileSystem, "write">;
  readonly #fd: number;
  readonly #md5 = createHash("md5");
  readonly #buffer = Buffer.allocUnsafe(FLUSH_BYTES + PIECE_CHARACTERS * MAX_BYTES_PER_CHARACTER);
  #text = "";
  #buffered = 0;
  #sizeBytes = 0;

  /** Writes from the start of `fd` on. */
  constructor(fs: Pick<FileSystem, "write">, fd: number) {
    this.#fs = fs;
    this.#fd = fd;
  }

  text(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_CHARACTERS) this.#encode();
  }

  bytes(bytes: Uint8Array): void {
    this.#flush();
    this.#put(bytes);
  }

  /** Writes what is left. The file is complete, not yet durable. */
  end(): { hash: string; sizeBytes: number } {
    this.#flush();
    return { hash: toBase16(this.#md5.digest()), sizeBytes: this.#sizeBytes };
  }

  #encode(): void {
    const text = this.#text;
    this.#text = "";
    for (let start = 0; start < text.length; ) {
      let end = Math.min(start + PIECE_CHARACTERS, text.length);
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
      const piece = start === 0 && end === text.length ? text : text.slice(start, end);
      this.#buffered += this.#buffer.write(piece, this.#buffered, "utf8");
      start = end;
      if (this.#buffered >= FLUSH_BYTES) this.#putBuffered();
    }
  }

  #flush(): void {
    this.#encode();
    this.#putBuffered();
  }

  #putBuffered(): void {
    if (this.#buffered > 0) this.#put(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#md5.update(bytes);
    writeAll(this.#fs, this.#fd, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
