/** MD5 of a whole file: of manifests, and of the metadata and properties files that they name. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { FileSystem } from "../platform/file-system.ts";
import { toBase16 } from "./manifest-model.ts";

const PIECE_BYTES = 1024 * 1024;

export interface HashedFile {
  /** Upper-case Base16 MD5. */
  hash: string;
  sizeBytes: number;
}

/** MD5 and length of a file as they are now. Errors of the system pass through. */
export function hashFile(fs: FileSystem, path: string): HashedFile {
  const fd = fs.open(path, constants.O_RDONLY);
  try {
    const md5 = createHash("md5");
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let sizeBytes = 0; ; ) {
      const count = fs.read(fd, buffer, 0, buffer.length, sizeBytes);
      if (count === 0) return { hash: toBase16(md5.digest()), sizeBytes };
      md5.update(buffer.subarray(0, count));
      sizeBytes += count;
    }
  } finally {
    fs.close(fd);
  }
}
