/**
 * Files that must survive a power cut, and the few tree operations that go with them. Everything goes through the
 * `FileSystem` port; each function is a fixed sequence of its calls.
 */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { errnoOf } from "./app-error.ts";
import { directoryOf, joinPath } from "./file-path.ts";
import type { FileSystem } from "./file-system.ts";

const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants;

/**
 * Replaces or creates `path` so that after a power cut either the old or the new content is there, whole: exclusively
 * created temporary file beside it, write, fsync, close, rename, fsync of the directory. The temporary file is removed
 * on failure; after a kill one may stay, its name begins with `.` and ends with `.tmp`. With a `temporaryName` of its own
 * the next call takes away what a killed one left; only one process may then write this file.
 */
export function writeFileDurably(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  mode: number,
  temporaryName?: string,
): void {
  const directory = directoryOf(path);
  const temporary = joinPath(directory, temporaryName ?? `.${randomBytes(6).toString("hex")}.tmp`);
  if (temporaryName !== undefined) unlinkQuietly(fs, temporary);
  const fd = fs.open(temporary, O_CREAT | O_EXCL | O_WRONLY, mode);
  try {
    try {
      writeAll(fs, fd, bytes, 0);
      fs.fsync(fd);
    } finally {
      fs.close(fd);
    }
    fs.rename(temporary, path);
  } catch (error) {
    unlinkQuietly(fs, temporary);
    throw error;
  }
  fsyncDirectory(fs, directory);
}

/** Writes every byte at `position`, however few a single call takes. */
export function writeAll(fs: Pick<FileSystem, "write">, fd: number, bytes: Uint8Array, position: number | null): void {
  let written = 0;
  while (written < bytes.length) {
    written += fs.write(fd, bytes, written, bytes.length - written, position === null ? null : position + written);
  }
}

/** Errors that say "directories cannot be fsynced here" (Windows, some network file systems), not "the disk is bad". */
const CANNOT_FSYNC_DIRECTORY: ReadonlySet<string | undefined> = new Set([
  "EISDIR",
  "EPERM",
  "EBADF",
  "EINVAL",
  "ENOTSUP",
  "ENOSYS",
]);

/** Makes the names in the directory durable; does nothing where the platform has no such call. */
export function fsyncDirectory(fs: FileSystem, path: string): void {
  let fd: number | undefined;
  try {
    fd = fs.open(path, O_RDONLY);
    fs.fsync(fd);
  } catch (error) {
    if (!CANNOT_FSYNC_DIRECTORY.has(errnoOf(error))) throw error;
  } finally {
    if (fd !== undefined) fs.close(fd);
  }
}

/** The file grew past what its reader allows. */
export class FileTooLongError extends Error {}

/** Reads a file to its end; throws FileTooLongError rather than return a part of it. */
export function readWholeFile(fs: FileSystem, path: string, maxBytes: number): Buffer {
  const fd = fs.open(path, O_RDONLY);
  try {
    const parts: Buffer[] = [];
    let total = 0;
    for (;;) {
      // Files of /proc and /sys say that they are empty: only reading tells the length.
      const part = Buffer.allocUnsafe(Math.min(64 * 1024, maxBytes - total + 1));
      const count = fs.read(fd, part, 0, part.length, null);
      if (count === 0) return Buffer.concat(parts, total);
      total += count;
      if (total > maxBytes) throw new FileTooLongError(`"${path}" is longer than ${maxBytes} bytes`);
      parts.push(part.subarray(0, count));
    }
  } finally {
    fs.close(fd);
  }
}

/** Makes the directory and its missing parents, durably. Existing ones keep their mode. */
export function makeDirectories(fs: FileSystem, path: string, mode: number): void {
  const missing: string[] = [];
  for (let current = path; !isDirectory(fs, current); current = directoryOf(current)) {
    if (directoryOf(current) === current) break;
    missing.push(current);
  }
  for (const directory of missing.reverse()) {
    try {
      fs.mkdir(directory, mode);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST" || !isDirectory(fs, directory)) throw error;
    }
    fsyncDirectory(fs, directoryOf(directory));
  }
}

function isDirectory(fs: FileSystem, path: string): boolean {
  try {
    return fs.stat(path).kind === "directory";
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Removes a name that may not be there and whose removal is only tidying up. */
export function unlinkQuietly(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path);
  } catch {
    // Whatever failed before is the error to tell.
  }
}
