/**
 * From a path of the manifest to the bytes of the file on the drive, never leaving the drive: the manifest's reader
 * refuses paths that lead up or out, and here no link is followed on the way. Failures are the log's status codes.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { BlobStatus, SegmentStatus, SideStatus } from "../copy-log/status-codes.ts";
import { splitDrivePath } from "../manifest/drive-file-path.ts";
import { errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";

/** Folders that were seen to be folders; forgotten all at once when there are too many. */
const MAX_KNOWN_FOLDERS = 10_000;
/** Follows no link, and does not wait for someone to write into a pipe. Windows has neither flag. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export type FileProblem = Extract<
  BlobStatus & SideStatus,
  "FileNameInvalid" | "FileNameTooLong" | "FileNotFound" | "FileAccessDenied" | "IOFailed"
>;

export interface OpenFile {
  fd: number;
  sizeBytes: number;
}

export class DriveSource {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #folders = new Set<string>();

  /** `root` without a separator at its end, but for a root directory. */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** The caller closes it. */
  open(filePath: string): OpenFile | FileProblem {
    const names = splitDrivePath(filePath);
    try {
      const blocked = this.#checkFolders(names);
      if (blocked !== undefined) return blocked;
      const path = this.#pathOf(names);
      const fd = this.#fs.open(path, OPEN_FLAGS);
      const stat = this.#fs.fstat(fd);
      if (stat.kind === "file") return { fd, sizeBytes: stat.sizeBytes };
      this.#fs.close(fd);
      return "FileAccessDenied";
    } catch (error) {
      return toFileProblem(error);
    }
  }

  close(file: OpenFile): void {
    this.#fs.close(file.fd);
  }

  /** The whole file if it is not longer than `maxBytes`. */
  readSmall(filePath: string, maxBytes: number): Buffer | FileProblem | "XmlReadFailed" {
    const file = this.open(filePath);
    if (typeof file === "string") return file;
    try {
      if (file.sizeBytes > maxBytes) return "XmlReadFailed";
      const bytes = Buffer.allocUnsafe(file.sizeBytes);
      return this.#fill(file.fd, bytes, 0) === bytes.length ? bytes : "IOFailed";
    } catch {
      return "IOFailed";
    } finally {
      this.close(file);
    }
  }

  /**
   * Fills `bytes` from `offset` on, hashes them into `digest` and compares with `expected` where there is one.
   */
  readSegment(
    file: OpenFile,
    offset: number,
    bytes: Uint8Array,
    expected: Uint8Array | undefined,
  ): { status: SegmentStatus; digest: Buffer | undefined } {
    try {
      const count = this.#fill(file.fd, bytes, offset);
      if (count < bytes.length) return { status: "FileUnexpectedEnd", digest: undefined };
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return { status: "IOFailed", digest: undefined };
    }
    const digest = createHash("md5").update(bytes).digest();
    const isEqual = expected === undefined || digest.equals(expected);
    return { status: isEqual ? "Completed" : "Corrupted", digest };
  }

  #fill(fd: number, bytes: Uint8Array, position: number): number {
    let filled = 0;
    while (filled < bytes.length) {
      const count = this.#fs.read(fd, bytes, filled, bytes.length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  #checkFolders(names: readonly string[]): FileProblem | undefined {
    const folder = names.slice(0, -1).join("/");
    if (folder === "" || this.#folders.has(folder)) return undefined;
    for (let depth = 1; depth < names.length; depth++) {
      const prefix = names.slice(0, depth).join("/");
      if (this.#folders.has(prefix)) continue;
      if (this.#fs.lstat(this.#pathOf(names.slice(0, depth))).kind !== "directory") return "FileAccessDenied";
      if (this.#folders.size >= MAX_KNOWN_FOLDERS) this.#folders.clear();
      this.#folders.add(prefix);
    }
    return undefined;
  }

  #pathOf(names: readonly string[]): string {
    const relative = names.join("/");
    return /[/\\]$/.test(this.#root) ? this.#root + relative : `${this.#root}/${relative}`;
  }
}

function toFileProblem(error: unknown): FileProblem {
  switch (errnoOf(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return "FileNotFound";
    case "ENAMETOOLONG":
      return "FileNameTooLong";
    case "EINVAL":
      return "FileNameInvalid";
    case "EACCES":
    case "EPERM":
    // A link in the file's place, or a directory.
    case "ELOOP":
    case "EMLINK":
    case "EISDIR":
      return "FileAccessDenied";
    case undefined:
      throw error;
    default:
      return "IOFailed";
  }
}
