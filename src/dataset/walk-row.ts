/** The files of one dataset row: of a directory its walk, of a file that file. */
import { posix, win32 } from "node:path";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { DatasetRow } from "./dataset-row.ts";
import { storedName } from "./stored-name.ts";
import { type WalkEntry, type WalkOptions, walkDirectory } from "./walk.ts";

/** Filters apply to directory rows only: a file that is named by itself is wanted. */
export function* walkRow(
  fileSystem: FileSystem,
  row: DatasetRow,
  options: WalkOptions,
): Generator<WalkEntry, void, void> {
  if (row.kind === "directory") {
    yield* walkDirectory(fileSystem, row.basePath, options);
    return;
  }
  const relativePath = (options.platform === "win32" ? win32 : posix).basename(row.basePath);
  try {
    const stat = fileSystem.stat(row.basePath);
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
