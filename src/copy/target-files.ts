/**
 * Writing on a drive: files below its session root, never through a link, never above it. A session root that is gone
 * means the drive is gone; it is not made again, because that would fill whatever lies below the mount point.
 */
import { constants } from "node:fs";
import { errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { CopyDrive } from "./copy-contract.ts";
import { TargetProblem, toTargetProblem } from "./copy-problems.ts";
import type { PlannedFile } from "./plan-record.ts";

/** A pipe planted at the target's name must neither be followed nor block. */
const CONTINUE_FLAGS = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CREATE_FLAGS = CONTINUE_FLAGS | constants.O_CREAT | constants.O_TRUNC;
/** Directories that are known to exist; forgotten all at once when there are this many. */
const MAX_KNOWN_DIRECTORIES = 4096;
/** Times and the like, where the file system has none. */
const UNSUPPORTED = new Set(["EPERM", "EACCES", "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

export class TargetFiles {
  readonly #known = new Set<string>();
  /** The directory of the last file: the next is mostly in the same. */
  #lastDirectory = "";

  constructor(
    private readonly fs: FileSystem,
    private readonly drives: readonly CopyDrive[],
  ) {}

  path(drive: number, file: PlannedFile): string {
    return `${this.#root(drive)}/${file.row}/${file.storedPath}`;
  }

  /** Makes the file, and the directories on the way. An earlier, partial one is emptied. */
  create(drive: number, path: string, mode: number): number {
    const slash = path.lastIndexOf("/");
    if (slash !== this.#lastDirectory.length || !path.startsWith(this.#lastDirectory)) {
      const directory = path.slice(0, slash);
      if (!this.#known.has(directory)) this.#makeDirectory(this.#root(drive), directory);
      this.#lastDirectory = directory;
    }
    try {
      return this.fs.open(path, CREATE_FLAGS, mode & 0o777);
    } catch (error) {
      return this.#createAgain(drive, path, mode, error);
    }
  }

  /** Opens a file that `create` made, perhaps in another thread. */
  reopen(path: string): number {
    try {
      return this.fs.open(path, CONTINUE_FLAGS);
    } catch (error) {
      throw toTargetProblem(error);
    }
  }

  write(fd: number, source: Uint8Array, offset: number, length: number, position: number): void {
    try {
      for (let done = 0; done < length; ) {
        const wrote = this.fs.write(fd, source, offset + done, length - done, position + done);
        if (wrote === 0) throw new TargetProblem("EIO", "the drive takes no more bytes");
        done += wrote;
      }
    } catch (error) {
      throw toTargetProblem(error);
    }
  }

  /** Sets the times, flushes when asked, closes. The handle is gone whatever happens. */
  finish(fd: number, mtimeNs: bigint, flush: boolean): void {
    try {
      this.fs.futimes(fd, mtimeNs);
    } catch (error) {
      if (!UNSUPPORTED.has(errnoOf(error) ?? "")) this.#failFinish(fd, error);
    }
    try {
      if (flush) this.fs.fsync(fd);
    } catch (error) {
      this.#failFinish(fd, error);
    }
    this.close(fd);
  }

  /** Network file systems tell of failed writes only now. */
  close(fd: number): void {
    try {
      this.fs.close(fd);
    } catch (error) {
      throw toTargetProblem(error);
    }
  }

  closeQuietly(fd: number): void {
    try {
      this.fs.close(fd);
    } catch {
      // The file is given up or its failure is known already.
    }
  }

  /** Removes a partial file. A failure is not told: the file is started anew, or the drive is lost, either way. */
  remove(drive: number, path: string): void {
    try {
      if (this.#isReallyBelow(this.#root(drive), path.slice(0, path.lastIndexOf("/")))) this.fs.unlink(path);
    } catch {
      // See above.
    }
  }

  #root(drive: number): string {
    const root = (this.drives[drive] as CopyDrive).sessionRoot;
    return root.endsWith("/") ? root.slice(0, -1) : root;
  }

  #failFinish(fd: number, error: unknown): never {
    this.closeQuietly(fd);
    throw toTargetProblem(error);
  }

  #createAgain(drive: number, path: string, mode: number, error: unknown): number {
    const errno = errnoOf(error);
    try {
      if (errno === "ENOENT") {
        this.#known.clear();
        this.#makeDirectory(this.#root(drive), path.slice(0, path.lastIndexOf("/")));
        return this.fs.open(path, CREATE_FLAGS, mode & 0o777);
      }
      if (errno === "EACCES" || errno === "EPERM") {
        // What an interrupted run left of a read-only file cannot be opened for writing again.
        this.remove(drive, path);
        return this.fs.open(path, CREATE_FLAGS | constants.O_EXCL, mode & 0o777);
      }
    } catch (again) {
      throw toTargetProblem(again);
    }
    throw toTargetProblem(error);
  }

  #makeDirectory(root: string, directory: string): void {
    const missing: string[] = [];
    for (let path = directory; path.length > root.length && !this.#known.has(path); ) {
      missing.push(path);
      path = path.slice(0, path.lastIndexOf("/"));
    }
    if (this.#known.size + missing.length > MAX_KNOWN_DIRECTORIES) this.#known.clear();
    for (const path of missing.reverse()) {
      this.#makeOne(path);
      this.#known.add(path);
    }
  }

  #makeOne(path: string): void {
    try {
      this.fs.mkdir(path);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw toTargetProblem(error);
      this.#checkDirectory(path);
    }
  }

  /** No link on the way: what lies behind one is not the drive's, and not ours to remove. */
  #isReallyBelow(root: string, directory: string): boolean {
    for (let path = directory; path.length > root.length && !this.#known.has(path); ) {
      if (this.fs.lstat(path).kind !== "directory") return false;
      path = path.slice(0, path.lastIndexOf("/"));
    }
    return true;
  }

  #checkDirectory(path: string): void {
    let kind: string;
    try {
      kind = this.fs.lstat(path).kind;
    } catch (error) {
      throw toTargetProblem(error);
    }
    if (kind !== "directory") throw new TargetProblem("ENOTDIR", `"${path}" on the drive is not a directory`);
  }
}
