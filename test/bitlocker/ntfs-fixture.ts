import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import type { ReadAt } from "../../src/bitlocker/open-volume.ts";

/** What is in it: fixtures/ntfs/README.md. */
export function ntfsFixture(): Buffer {
  return brotliDecompressSync(readFileSync(new URL("../../fixtures/ntfs/volume-16m.img.br", import.meta.url)));
}

/** Reads like a file: zeros beyond the end. */
export function readerOf(bytes: Buffer): ReadAt {
  return (at, length) => {
    const part = Buffer.alloc(length);
    bytes.copy(part, 0, Math.min(at, bytes.length), Math.min(at + length, bytes.length));
    return part;
  };
}
