/** The files of one dataset row: of a directory its walk, of a file that file. */
import { posix, win32 } from "node:path";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { DatasetRow } from "./dataset-row.ts";
import { storedName } from "./stored-name.ts";
import { type WalkEntry, type WalkOptions, walkDirectory } from "./walk.ts";

/** Filters apply to directory rows only: a file that is named by itself is wanted. */
export function walkRow(
  fileSystem: FileSystem,
  row: DatasetRow,
  options: WalkOptions,
): Generator<WalkEntry, void, void> {
  // No generator around the walk: each layer would cost a million-file walk another tenth of a second.
  return row.kind === "directory"
    ? walkDirectory(fileSystem, row.basePath, options)
    : walkFile(fileSystem, row.basePath, options);
}

function* walkFile(fileSystem: FileSystem, path: string, options: WalkOptions): Generator<WalkEntry, void, void> {
  const relativePath = (options.platform === "win32" ? win32 : posix).basename(path);
  try {
    const stat = fileSystem.stat(path);
    if (stat.kind === "file") {
      const limits = options.maxComponentBytes === undefined ? {} : { maxComponentBytes: options.maxComponentBytes };
      yield { kind: "file", relativePath, storedPath: storedName(relativePath, 0, limits), stat };
    } else {
      yield { kind: "left-out", relativePath, code: "FILE_SPECIAL", reason: "no file any more" };
    }
  } catch (error) {
    const code = errnoOf(error) === "ENOENT" ? "FILE_VANISHED" : "FILE_UNREADABLE";
    yield { kind: "left-out", relativePath, code, reason: describeErrno(error) };
  }
}
