/**
 * Removes a directory tree: any depth (explicit stack; directories too deep for one path are moved up first), any number
 * of entries (a directory is listed and emptied part by part), links are removed and never followed.
 */
import { errnoOf } from "./app-error.ts";
import { joinPath } from "./file-path.ts";
import type { FileKind, FileSystem } from "./file-system.ts";

/** Below the root, in UTF-16 units (up to 3 bytes each); Linux takes 4,096 bytes for a path, one more name included. */
const MAX_PATH_LENGTH = 900;
/** Entries that are listed before they are removed: about 5 MB. Removing while listing skips entries on some systems. */
const MAX_PART_ENTRIES = 20_000;

/** A directory on the way down. */
interface Frame {
  path: string;
  /** Names of directories of the current part that are still to be removed. */
  directories: string[];
  /** Nothing is left to be listed. */
  isListed: boolean;
}

/** Removes `root` and everything below it; one that is not there is fine. */
export function removeTree(fs: FileSystem, root: string, maxPartEntries = MAX_PART_ENTRIES): void {
  const kind = kindAt(fs, root);
  if (kind === undefined) return;
  if (kind !== "directory") {
    remove(() => fs.unlink(root));
    return;
  }
  const open: Frame[] = [{ path: root, directories: [], isListed: false }];
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    const name = frame.directories.pop();
    if (name !== undefined) {
      open.push({ path: shortPath(fs, root, joinPath(frame.path, name)), directories: [], isListed: false });
    } else if (!frame.isListed) {
      emptyPart(fs, frame, maxPartEntries);
    } else {
      const { path } = frame;
      remove(() => fs.rmdir(path));
      open.pop();
    }
  }
}

/** Lists the next part of a directory, removes its files and leaves its directories in the frame. */
function emptyPart(fs: FileSystem, frame: Frame, maxEntries: number): void {
  const files: string[] = [];
  frame.isListed = list(fs, frame.path, maxEntries, (name, kind) => {
    if (kind === "directory") frame.directories.push(name);
    else files.push(name);
  });
  let removed = 0;
  for (const name of files) {
    if (remove(() => fs.unlink(joinPath(frame.path, name)))) removed++;
  }
  // Names that cannot be said (not UTF-8) stay; another look would find the same ones for ever.
  if (removed === 0 && frame.directories.length === 0) frame.isListed = true;
}

/** False when there may be more entries than `maxEntries`. */
function list(fs: FileSystem, path: string, maxEntries: number, take: (name: string, kind: FileKind) => void): boolean {
  const directory = ignoringMissing(() => fs.openDirectory(path));
  if (directory === undefined) return true;
  try {
    for (let count = 0; count < maxEntries; count++) {
      const entry = directory.read();
      if (entry === null) return true;
      const kind = entry.kind === "unknown" ? kindAt(fs, joinPath(path, entry.name)) : entry.kind;
      take(entry.name, kind ?? "file");
    }
    return false;
  } finally {
    directory.close();
  }
}

/** Where the directory is, or has been moved to because its path grew too long. */
function shortPath(fs: FileSystem, root: string, path: string): string {
  if (path.length <= root.length + MAX_PATH_LENGTH) return path;
  for (let number = 0; ; number++) {
    const shorter = joinPath(root, `.removing-${number}`);
    if (kindAt(fs, shorter) !== undefined) continue;
    remove(() => fs.rename(path, shorter));
    return shorter;
  }
}

function kindAt(fs: FileSystem, path: string): FileKind | undefined {
  return ignoringMissing(() => fs.lstat(path))?.kind;
}

/** False when it was not there any more. */
function remove(call: () => void): boolean {
  return (
    ignoringMissing(() => {
      call();
      return true;
    }) ?? false
  );
}

function ignoringMissing<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
