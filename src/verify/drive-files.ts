/**
 * From a path of the manifest to the file on the drive, never leaving the drive: the manifest's reader refuses paths
 * that lead up or out, and here no link is followed on the way.
 */
import { splitDrivePath } from "../manifest/drive-file-path.ts";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileStat, FileSystem } from "../platform/file-system.ts";
import type { VerifyProblemKind } from "./verify-contract.ts";

/** Folders that were seen to be folders; forgotten all at once when there are too many. */
const MAX_KNOWN_FOLDERS = 10_000;

export type FoundFile =
  /** `relativePath`: below the drive's root, with slashes. */
  { isFound: true; relativePath: string; stat: FileStat } | { isFound: false; kind: VerifyProblemKind; reason: string };

export class DriveFiles {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #folders = new Set<string>();

  /** `root` without a separator at its end, but for a root directory. */
  constructor(fs: FileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  /** The path of a file for the file system. */
  pathOf(relativePath: string): string {
    return /[/\\]$/.test(this.#root) ? this.#root + relativePath : `${this.#root}/${relativePath}`;
  }

  find(filePath: string): FoundFile {
    const names = splitDrivePath(filePath);
    const relativePath = names.join("/");
    try {
      const blocked = this.#findBlockedFolder(names, relativePath);
      if (blocked !== undefined) return blocked;
      const stat = this.#fs.lstat(this.pathOf(relativePath));
      if (stat.kind === "file") return { isFound: true, relativePath, stat };
      return { isFound: false, kind: "not-a-file", reason: `a ${stat.kind} is in its place` };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      const kind = errno === "ENOENT" || errno === "ENOTDIR" ? "missing" : "unreadable";
      return { isFound: false, kind, reason: describeErrno(error) };
    }
  }

  #findBlockedFolder(names: readonly string[], relativePath: string): FoundFile | undefined {
    const lastName = names.at(-1)?.length ?? 0;
    const folder = relativePath.slice(0, Math.max(0, relativePath.length - lastName - 1));
    if (folder === "" || this.#folders.has(folder)) return undefined;
    for (let depth = 1; depth < names.length; depth++) {
      const prefix = names.slice(0, depth).join("/");
      if (this.#folders.has(prefix)) continue;
      const { kind } = this.#fs.lstat(this.pathOf(prefix));
      if (kind !== "directory") {
        return { isFound: false, kind: "not-a-file", reason: `a ${kind} is on the way to it, at "${prefix}"` };
      }
      if (this.#folders.size >= MAX_KNOWN_FOLDERS) this.#folders.clear();
      this.#folders.add(prefix);
    }
    return undefined;
  }
}
