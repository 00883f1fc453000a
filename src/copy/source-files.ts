/** Reading sources: opening without following links or hanging on pipes, direct reads, retries, identity. */
import { constants } from "node:fs";
import { errnoOf } from "../platform/app-error.ts";
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { SourceProblem, toSourceProblem } from "./copy-problems.ts";
import { PlanFlag, type PlannedFile } from "./plan-record.ts";
import type { FileIdentity } from "./work-unit.ts";

/** Windows knows neither; there links were already told apart when the file was planned. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const DIRECT_FLAG = constants.O_DIRECT ?? 0;
/** A failing disk sometimes answers at the second or third try. */
const EIO_TRIES = 3;

export class SourceFiles {
  /** Time spent in reads since the counter was last set to zero. */
  readMs = 0;
  directFiles = 0;
  bufferedFiles = 0;
  /** Dataset rows whose file system refused direct reads. */
  readonly #refused = new Set<number>();
  readonly #direct = new Set<number>();

  constructor(
    private readonly fs: FileSystem,
    private readonly clock: Clock,
    private readonly roots: readonly string[],
    private readonly wantDirect: boolean,
  ) {}

  path(file: PlannedFile): string {
    return sourcePath(this.roots, file);
  }

  /** Throws SourceProblem or NoHandles. */
  open(file: PlannedFile): number {
    const path = sourcePath(this.roots, file);
    if (this.wantDirect && DIRECT_FLAG !== 0 && !this.#refused.has(file.row)) {
      const fd = this.#openDirect(path, file.row);
      if (fd !== undefined) return fd;
    }
    this.bufferedFiles++;
    for (let tries = 1; ; tries++) {
      try {
        return this.fs.open(path, OPEN_FLAGS);
      } catch (error) {
        throwUnlessRetried(error, tries);
      }
    }
  }

  /**
   * Reads until `wanted` bytes are there or the file ends; returns how many. `room` (at least `wanted`) may be more than
   * that, so that one call shows whether the file is longer.
   */
  read(fd: number, target: Uint8Array, offset: number, wanted: number, room: number, position: number): number {
    const startedMs = this.clock.monotonicMs();
    let done = 0;
    for (let tries = 1; ; ) {
      try {
        const got = this.fs.read(fd, target, offset + done, room - done, position + done);
        done += got;
        if (got === 0 || done >= wanted) break;
        // A direct read that ends inside a sector has met the end; going on from there would be refused.
        if (this.wantDirect && done % 512 !== 0 && this.#direct.has(fd)) break;
        tries = 1;
      } catch (error) {
        throwUnlessRetried(error, tries++);
      }
    }
    this.readMs += this.clock.monotonicMs() - startedMs;
    return done;
  }

  /** Throws SourceProblem when it is no regular file. */
  identity(fd: number): FileIdentity {
    for (let tries = 1; ; tries++) {
      try {
        const stat = this.fs.fstat(fd);
        if (stat.kind === "file") return stat;
        break;
      } catch (error) {
        throwUnlessRetried(error, tries);
      }
    }
    throw new SourceProblem("FILE_CHANGED", "not a regular file any more");
  }

  close(fd: number): void {
    if (this.wantDirect) this.#direct.delete(fd);
    try {
      this.fs.close(fd);
    } catch {
      // Nothing was written through it.
    }
  }

  #openDirect(path: string, row: number): number | undefined {
    try {
      const fd = this.fs.open(path, OPEN_FLAGS | DIRECT_FLAG);
      this.#direct.add(fd);
      this.directFiles++;
      return fd;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EINVAL" || errno === "ENOTSUP") this.#refused.add(row);
      else if (errno !== "EIO") throw toSourceProblem(error);
      return undefined;
    }
  }
}

export function sourcePath(roots: readonly string[], file: PlannedFile): string {
  const root = roots[file.row] as string;
  if ((file.flags & PlanFlag.FileRow) !== 0) return root;
  return root.endsWith("/") || root.endsWith("\\") ? root + file.relativePath : `${root}/${file.relativePath}`;
}

export function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.fileId === b.fileId;
}

/** Returns when a failed call may be tried again. */
function throwUnlessRetried(error: unknown, tries: number): void {
  if (errnoOf(error) !== "EIO" || tries >= EIO_TRIES) throw toSourceProblem(error);
}
