/**
 * Removes a directory tree: any depth (explicit stack; directories too deep for one path are moved up first), links
 * are removed and never followed. Memory holds one directory's listing and the names of directories still to be visited.
 */
import { errnoOf } from "./app-error.ts";
import { joinPath } from "./file-path.ts";
import type { FileKind, FileSystem } from "./file-system.ts";

/** Below the root, in UTF-16 units (up to 3 bytes each); Linux takes 4,096 bytes for a path, one more name included. */
const MAX_PATH_LENGTH = 900;

/** Removes `root` and everything below it; one that is not there is fine. */
export function removeTree(fs: FileSystem, root: string): void {
  const kind = kindAt(fs, root);
  if (kind === undefined) return;
  if (kind !== "directory") {
    remove(() => fs.unlink(root));
    return;
  }

  const open = [{ path: root, directories: removeFiles(fs, root) }];
  let moved = 0;
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    const name = frame.directories.pop();
    if (name === undefined) {
      const { path } = frame;
      remove(() => fs.rmdir(path));
      open.pop();
      continue;
    }
    let path = joinPath(frame.path, name);
    if (path.length > root.length + MAX_PATH_LENGTH) {
      let shorter: string;
      do shorter = joinPath(root, `.removing-${moved++}`);
      while (kindAt(fs, shorter) !== undefined);
      remove(() => fs.rename(path, shorter));
      path = shorter;
    }
    open.push({ path, directories: removeFiles(fs, path) });
  }
}

/** Removes what is not a directory; returns the names of those that are. */
function removeFiles(fs: FileSystem, path: string): string[] {
  const directories: string[] = [];
  for (const entry of list(fs, path)) {
    const child = joinPath(path, entry.name);
    const kind = entry.kind === "unknown" ? kindAt(fs, child) : entry.kind;
    if (kind === "directory") directories.push(entry.name);
    else remove(() => fs.unlink(child));
  }
  return directories;
}

function list(fs: FileSystem, path: string): readonly { name: string; kind: FileKind }[] {
  try {
    return fs.readdir(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function kindAt(fs: FileSystem, path: string): FileKind | undefined {
  try {
    return fs.lstat(path).kind;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function remove(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
