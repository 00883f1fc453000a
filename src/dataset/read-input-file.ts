/** Reads a small input file (CSV, metadata, properties) whole, with a bound: these may name any file by mistake. */
import { constants } from "node:fs";
import { AppError, describeErrno, InputError } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";

/** Over a hundred thousand rows of long paths. */
export const MAX_CSV_BYTES = 64 * 1024 * 1024;

/** Throws CSV_UNREADABLE. */
export function readCsvFile(fileSystem: FileSystem, path: string): Uint8Array {
  try {
    return readInputFile(fileSystem, path, MAX_CSV_BYTES);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = describeErrno(error);
    throw new InputError("CSV_UNREADABLE", `cannot read "${path}": ${reason}`, [{ file: path, message: reason }], {
      cause: error,
    });
  }
}

/** Throws the system's error, or a plain Error in words when `path` is no regular file or longer than `maxBytes`. */
export function readInputFile(fileSystem: FileSystem, path: string, maxBytes: number): Uint8Array {
  // A pipe would block the open for ever; its kind is therefore asked first.
  if (fileSystem.stat(path).kind !== "file") throw new Error("not a regular file");
  const fd = fileSystem.open(path, constants.O_RDONLY);
  try {
    const { sizeBytes } = fileSystem.fstat(fd);
    if (sizeBytes > maxBytes) throw new Error(`the file has ${sizeBytes} bytes, more than the ${maxBytes} allowed`);
    const content = Buffer.alloc(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const got = fileSystem.read(fd, content, filled, sizeBytes - filled, filled);
      if (got === 0) break;
      filled += got;
    }
    return content.subarray(0, filled);
  } finally {
    fileSystem.close(fd);
  }
}
