/**
 * What an unfinished transfer has done: JSON lines, only ever appended to, one per blob that ended and one before each
 * step that could not be told apart from someone else's after a kill. A torn last line is dropped. The file is the only
 * truth; an index of it is made when the logs are written.
 *
 * Kept in a directory named after manifest and account, so that the same command finds it and another does not.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { DamagedError, describeErrno, errnoOf } from "../platform/app-error.ts";
import type { Clock } from "../platform/clock.ts";
import { makeDirectories, unlinkQuietly, writeAll } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { TransferPorts } from "./import-contract.ts";
import { forEachLine } from "./line-reader.ts";

const OWNER_ONLY = 0o600;
/** A power cut costs at most what was done in this time. */
const SYNC_INTERVAL_MS = 2_000;
const WINDOW_BYTES = 256 * 1024;

/** What every line says of which blob; the rest is the owner's. */
export interface StateRecord {
  /** Index of the blob. */
  i: number;
}

export class TransferState<R extends StateRecord> {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  #fd: number;
  #sizeBytes: number;
  #syncedMs: number;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  /** `onRecord` gets everything that an earlier run has written, in its order. */
  constructor(fs: FileSystem, clock: Clock, path: string, onRecord: (record: R, offset: number) => void) {
    this.path = path;
    this.#fs = fs;
    this.#clock = clock;
    this.#fd = fs.open(path, constants.O_RDWR | constants.O_CREAT, OWNER_ONLY);
    this.#sizeBytes = readRecords(fs, this.#fd, path, onRecord);
    fs.ftruncate(this.#fd, this.#sizeBytes);
    this.#syncedMs = clock.monotonicMs();
  }

  append(record: R): void {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`, "utf8");
    writeAll(this.#fs, this.#fd, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#syncedMs < SYNC_INTERVAL_MS) return;
    this.#fs.fsync(this.#fd);
    this.#syncedMs = nowMs;
  }

  /** Everything so far once more. */
  replay(onRecord: (record: R, offset: number) => void): void {
    readRecords(this.#fs, this.#fd, this.path, onRecord);
  }

  /** The record at an offset that `replay` has given. Cheap when records are asked for roughly in their order. */
  read(offset: number): R {
    const windowOffset = offset - this.#windowStart;
    const end = windowOffset < 0 ? -1 : this.#window.indexOf("\n", windowOffset);
    if (end >= 0) return parse<R>(this.#window.toString("utf8", windowOffset, end), this.path, offset);
    this.#loadWindow(offset);
    let found: R | undefined;
    forEachLine(this.#fs, this.#fd, offset, (line) => {
      found = parse<R>(line, this.path, offset);
      return false;
    });
    if (found === undefined) throw damaged(this.path, offset);
    return found;
  }

  #loadWindow(offset: number): void {
    const buffer = Buffer.allocUnsafe(WINDOW_BYTES);
    this.#window = buffer.subarray(0, this.#fs.read(this.#fd, buffer, 0, WINDOW_BYTES, offset));
    this.#windowStart = offset;
  }

  close(): void {
    if (this.#fd < 0) return;
    try {
      this.#fs.fsync(this.#fd);
    } finally {
      this.#fs.close(this.#fd);
      this.#fd = -1;
    }
  }
}

/** Where the state of this manifest, going to or coming from this account, is kept; made when missing. */
function openTransferDirectory(fs: FileSystem, stateDirectory: string, identity: readonly string[]): string {
  const name = createHash("sha256").update(identity.join("\n")).digest("hex").slice(0, 32);
  const path = joinPath(stateDirectory, name);
  makeDirectories(fs, path, 0o700);
  return path;
}

/** The directory, locked, for as long as `use` runs. It goes only when `use` has come to its end. */
export async function withTransferDirectory<T>(
  ports: Pick<TransferPorts, "fs" | "stateDirectory" | "lock">,
  identity: readonly string[],
  purpose: string,
  isRestart: boolean,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const { fs, stateDirectory } = ports;
  const directory = openTransferDirectory(fs, stateDirectory, identity);
  const lock = ports.lock(transferLockPath(directory), purpose);
  try {
    if (isRestart) removeTransferDirectory(fs, directory);
    openTransferDirectory(fs, stateDirectory, identity);
    const result = await use(directory);
    removeTransferDirectory(fs, directory);
    return result;
  } finally {
    lock.release();
  }
}

/** Beside the directory, which may be removed and made again while the lock is held. */
function transferLockPath(directory: string): string {
  return `${directory}.lock`;
}

/** Removes the directory with the plain files in it. What does not go is left: nothing depends on it. */
function removeTransferDirectory(fs: FileSystem, path: string): void {
  try {
    for (const { name, kind } of fs.readdir(path)) if (kind === "file") unlinkQuietly(fs, joinPath(path, name));
    fs.rmdir(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/** Returns the size of the whole lines. */
function readRecords<R extends StateRecord>(
  fs: FileSystem,
  fd: number,
  path: string,
  onRecord: (record: R, offset: number) => void,
): number {
  try {
    return forEachLine(fs, fd, 0, (line, offset) => {
      onRecord(parse<R>(line, path, offset), offset);
      return true;
    });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new DamagedError("STATE_DAMAGED", `cannot read the transfer's state "${path}": ${describeErrno(error)}`, {
      cause: error,
    });
  }
}

function parse<R extends StateRecord>(line: string, path: string, offset: number): R {
  try {
    const record = JSON.parse(line) as R;
    if (Number.isSafeInteger(record?.i) && record.i >= 0) return record;
  } catch {
    // Told below.
  }
  throw damaged(path, offset);
}

function damaged(path: string, offset: number): DamagedError {
  return new DamagedError("STATE_DAMAGED", `the transfer's state "${path}" is damaged at byte ${offset}`, {
    hint: "give --restart to forget it and begin again",
    facts: { path, offset },
  });
}
