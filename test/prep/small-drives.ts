/** A file system on which some directories hold only so many bytes, whatever the disk below them has. */
import type { FileSystem } from "../../src/platform/file-system.ts";
import { unflushedFileSystem } from "./workbench.ts";

interface SmallDrive {
  root: string;
  sizeBytes: number;
  /** Length of each file, by path. */
  files: Map<string, number>;
}

const BLOCK_BYTES = 4096;

/** `sizes`: bytes by root directory. Files that lie there already do not count. */
export function withSmallDrives(
  sizes: ReadonlyMap<string, number>,
  base: FileSystem = unflushedFileSystem,
): FileSystem {
  const drives: SmallDrive[] = [...sizes].map(([root, sizeBytes]) => ({ root, sizeBytes, files: new Map() }));
  const driveOf = (path: string): SmallDrive | undefined => drives.find(({ root }) => path.startsWith(`${root}/`));
  const usedBytes = (drive: SmallDrive): number =>
    [...drive.files.values()].reduce((sum, bytes) => sum + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES, 0);
  const paths = new Map<number, string>();
  const grow = (path: string, bytes: number): void => {
    const drive = driveOf(path);
    if (drive === undefined) return;
    const before = drive.files.get(path) ?? 0;
    drive.files.set(path, Math.max(before, bytes));
    if (usedBytes(drive) <= drive.sizeBytes) return;
    drive.files.set(path, before);
    throw Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
  };
  const forget = (path: string): void => {
    driveOf(path)?.files.delete(path);
  };
  return {
    ...base,
    open: (path, flags, mode) => {
      const fd = base.open(path, flags, mode);
      paths.set(fd, path);
      return fd;
    },
    write: (fd, buffer, offset, length, position) => {
      const path = paths.get(fd) ?? "";
      if (driveOf(path) !== undefined) grow(path, (position ?? base.fstat(fd).sizeBytes) + length);
      return base.write(fd, buffer, offset, length, position);
    },
    unlink: (path) => {
      base.unlink(path);
      forget(path);
    },
    rename: (from, to) => {
      base.rename(from, to);
      const bytes = driveOf(from)?.files.get(from);
      forget(from);
      if (bytes !== undefined) driveOf(to)?.files.set(to, bytes);
    },
    statfs: (path) => {
      const drive = drives.find(({ root }) => path === root || path.startsWith(`${root}/`));
      if (drive === undefined) return base.statfs(path);
      const freeBytes = Math.max(0, drive.sizeBytes - usedBytes(drive));
      return { sizeBytes: drive.sizeBytes, freeBytes, blockBytes: BLOCK_BYTES };
    },
  };
}
