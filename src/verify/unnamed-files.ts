/**
 * Files on the drive that the manifest does not name. First only their numbers are compared (path-spool.ts); the drive
 * is walked a second time when there are any, to tell their names.
 */
import { MANIFEST_FILE_NAME } from "../manifest/manifest-model.ts";
import { describeErrno } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { MAX_PART_NUMBERS, type PathSpool, toPathNumber } from "./path-spool.ts";
import type { VerifyTally } from "./verify-tally.ts";

/** What operating systems keep in the root of a volume, in lower case. */
const SYSTEM_NAMES: ReadonlySet<string> = new Set([
  "system volume information",
  "$recycle.bin",
  "recycler",
  "found.000",
  "lost+found",
  ".trashes",
  ".fseventsd",
  ".spotlight-v100",
  ".temporaryitems",
  ".ds_store",
]);
/** Names that are told; of further ones only the number. */
const MAX_TOLD = 1_000;

/** Calls `onFile` with the path of every entry that is no folder, backslashes, without a leading one. */
export function walkDrive(
  fs: FileSystem,
  root: string,
  onFile: (filePath: string) => void,
  onUnreadable: (folder: string, reason: string) => void,
  signal?: AbortSignal,
): void {
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (signal?.aborted === true) return;
    const prefix = folder === "" ? "" : `${folder}\\`;
    try {
      const reader = fs.openDirectory(folder === "" ? root : `${root}/${folder.replaceAll("\\", "/")}`);
      try {
        for (let entry = reader.read(); entry !== null; entry = reader.read()) {
          if (folder === "" && isOfTheSystem(entry.name)) continue;
          if (entry.kind === "directory") folders.push(prefix + entry.name);
          else onFile(prefix + entry.name);
        }
      } finally {
        reader.close();
      }
    } catch (error) {
      onUnreadable(`\\${folder}`, describeErrno(error));
    }
  }
}

/** Tells the files of `present` (all of the drive) that are not in `named`. */
export function tellUnnamedFiles(
  fs: FileSystem,
  root: string,
  named: PathSpool,
  present: PathSpool,
  tally: VerifyTally,
): void {
  const parts = Math.max(1, Math.ceil(Math.max(named.count, present.count) / MAX_PART_NUMBERS));
  const told = new Set<number>();
  let count = 0;
  for (let index = 0; index < parts; index++) {
    for (const number of missingFrom(named.part(index, parts), present.part(index, parts))) {
      count += 1;
      if (told.size < MAX_TOLD) told.add(number);
    }
  }
  if (count === 0) return;
  walkDrive(
    fs,
    root,
    (filePath) => {
      if (told.delete(toPathNumber(filePath))) tally.unnamed(`\\${filePath}`);
    },
    () => undefined,
  );
  tally.unnamedFiles = Math.max(count, tally.unnamedFiles);
}

/** Numbers of `present` that are not in `named`; both sorted. */
function* missingFrom(named: Float64Array, present: Float64Array): Generator<number> {
  let at = 0;
  for (const number of present) {
    while (at < named.length && (named[at] as number) < number) at += 1;
    if (named[at] !== number) yield number;
  }
}

function isOfTheSystem(name: string): boolean {
  return name === MANIFEST_FILE_NAME || SYSTEM_NAMES.has(name.toLowerCase());
}
