/**
 * A later session on a drive extends its manifest; aborting that session puts the earlier manifest back, byte for byte.
 * Both work because a manifest of this tool always ends in the same suffix: the earlier one without its suffix is the
 * beginning of the later one.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type AppError, DamagedError, describeErrno } from "../platform/app-error.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { MANIFEST_SUFFIX, toBase16 } from "./manifest-model.ts";
import type { ManifestWriter } from "./manifest-writer.ts";

const PIECE_BYTES = 1024 * 1024;
const SUFFIX = Buffer.from(MANIFEST_SUFFIX, "utf8");

/** What the journal knows of the earlier manifest. */
export interface EarlierManifest {
  /** Upper-case Base16 MD5; checked while copying, when given. */
  hash?: string;
  blobs?: number;
  bytes?: number;
}

export interface HashedFile {
  /** Upper-case Base16 MD5. */
  hash: string;
  sizeBytes: number;
}

/**
 * Begins a manifest with all of the one at `oldPath` but its end. `writer` then takes further lists of blobs.
 * Throws MANIFEST_DAMAGED when the old one does not end as this tool ends it, or has another hash.
 */
export function copyManifestHead(
  fs: FileSystem,
  oldPath: string,
  writer: ManifestWriter,
  earlier: EarlierManifest = {},
): HashedFile {
  return withFile(fs, oldPath, (fd) => {
    const sizeBytes = fs.fstat(fd).sizeBytes;
    const headBytes = sizeBytes - SUFFIX.length;
    expectSuffix(fs, fd, oldPath, headBytes);
    const md5 = createHash("md5");
    copyPieces(fs, fd, oldPath, headBytes, (piece) => {
      md5.update(piece);
      writer.copyEarlier(piece);
    });
    const hash = toBase16(md5.update(SUFFIX).digest());
    if (earlier.hash !== undefined && earlier.hash !== hash) {
      throw damaged(oldPath, `its MD5 is ${hash}, the journal says ${earlier.hash}`);
    }
    writer.countEarlier(earlier.blobs ?? 0, earlier.bytes ?? 0);
    return { hash, sizeBytes };
  });
}

/**
 * Writes to `targetPath` (replaced, durable, mode 0600) the manifest that the one at `newPath` was made from, which was
 * `oldSizeBytes` long. The caller compares the returned hash with the journal's before renaming it into place.
 */
export function restoreOldManifest(
  fs: FileSystem,
  newPath: string,
  targetPath: string,
  oldSizeBytes: number,
): HashedFile {
  return withFile(fs, newPath, (fd) => {
    const newHeadBytes = fs.fstat(fd).sizeBytes - SUFFIX.length;
    expectSuffix(fs, fd, newPath, newHeadBytes);
    const headBytes = oldSizeBytes - SUFFIX.length;
    if (headBytes < 0 || headBytes > newHeadBytes) throw damaged(newPath, "it is shorter than the one it extends");
    const md5 = createHash("md5");
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
    const target = fs.open(targetPath, flags, 0o600);
    try {
      copyPieces(fs, fd, newPath, headBytes, (piece, offset) => {
        md5.update(piece);
        writeAll(fs, target, piece, offset);
      });
      md5.update(SUFFIX);
      writeAll(fs, target, SUFFIX, headBytes);
      fs.fsync(target);
    } finally {
      fs.close(target);
    }
    return { hash: toBase16(md5.digest()), sizeBytes: oldSizeBytes };
  });
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

function copyPieces(
  fs: FileSystem,
  fd: number,
  path: string,
  length: number,
  onPiece: (piece: Uint8Array, offset: number) => void,
): void {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let offset = 0; offset < length; ) {
    const piece = buffer.subarray(0, Math.min(PIECE_BYTES, length - offset));
    if (readWhole(fs, fd, piece, offset) !== piece.length) throw damaged(path, "it became shorter while it was read");
    onPiece(piece, offset);
    offset += piece.length;
  }
}

function expectSuffix(fs: FileSystem, fd: number, path: string, headBytes: number): void {
  const found = Buffer.alloc(SUFFIX.length);
  if (headBytes < 0 || readWhole(fs, fd, found, headBytes) !== SUFFIX.length || !found.equals(SUFFIX)) {
    throw damaged(path, "it does not end as this tool ends a manifest");
  }
}

/** Fills `buffer` from `position` on; returns fewer bytes than its length only at the end of the file. */
function readWhole(fs: FileSystem, fd: number, buffer: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const count = fs.read(fd, buffer, filled, buffer.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function withFile<T>(fs: FileSystem, path: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    fd = fs.open(path, constants.O_RDONLY);
  } catch (error) {
    throw damaged(path, describeErrno(error), error);
  }
  try {
    return use(fd);
  } finally {
    fs.close(fd);
  }
}

function damaged(path: string, reason: string, cause?: unknown): AppError {
  return new DamagedError("MANIFEST_DAMAGED", `cannot use the manifest "${path}": ${reason}`, {
    facts: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
