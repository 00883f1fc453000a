/** Files that an export makes on a drive: never over one that is there, unless an interrupted run made it. */
import { constants } from "node:fs";
import { splitDrivePath } from "../manifest/drive-file-path.ts";
import { makeDirectories, unlinkQuietly, writeAll } from "../platform/durable-file.ts";
import { directoryOf, joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";

const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
const MAX_KNOWN_FOLDERS = 10_000;

export class DriveTarget {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #flushesFiles: boolean;
  readonly #folders = new Set<string>();

  /** `flushesFiles`: each file is durable when it is finished; otherwise its volume is flushed by the caller. */
  constructor(fs: FileSystem, root: string, flushesFiles: boolean) {
    this.#fs = fs;
    this.#root = root;
    this.#flushesFiles = flushesFiles;
  }

  /** Makes the folders on the way. `mayReplace`: a file there is our own, of an earlier run. */
  create(path: string, mayReplace: boolean): number {
    const place = this.#pathOf(path);
    const folder = directoryOf(place);
    if (!this.#folders.has(folder)) {
      makeDirectories(this.#fs, folder, FOLDER_MODE);
      if (this.#folders.size >= MAX_KNOWN_FOLDERS) this.#folders.clear();
      this.#folders.add(folder);
    }
    const exclusive = mayReplace ? constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0) : constants.O_EXCL;
    return this.#fs.open(place, constants.O_RDWR | constants.O_CREAT | exclusive, FILE_MODE);
  }

  write(fd: number, bytes: Uint8Array, position: number): void {
    writeAll(this.#fs, fd, bytes, position);
  }

  setLength(fd: number, length: number): void {
    this.#fs.ftruncate(fd, length);
  }

  finish(fd: number): void {
    try {
      if (this.#flushesFiles) this.#fs.fsync(fd);
    } finally {
      this.#fs.close(fd);
    }
  }

  /** Closes and removes what did not become whole. */
  discard(fd: number, path: string): void {
    this.#fs.close(fd);
    unlinkQuietly(this.#fs, this.#pathOf(path));
  }

  writeSmall(path: string, bytes: Uint8Array, mayReplace: boolean): void {
    const fd = this.create(path, mayReplace);
    try {
      this.write(fd, bytes, 0);
    } catch (error) {
      this.discard(fd, path);
      throw error;
    }
    this.finish(fd);
  }

  #pathOf(path: string): string {
    return splitDrivePath(path).reduce(joinPath, this.#root);
  }
}
