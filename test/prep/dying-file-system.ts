/**
 * The machine's file system as a process sees it that is killed at its Nth change: from then on every call fails and
 * nothing on disk moves any more, so that whatever the code under test still tries to tidy up has no effect.
 */
import { constants } from "node:fs";
import type { FileSystem } from "../../src/platform/file-system.ts";
import { unflushedFileSystem } from "./workbench.ts";

export class Killed extends Error {
  constructor() {
    super("the process was killed");
  }
}

export interface DyingFileSystem extends FileSystem {
  /** Changes made, or tried, so far. */
  readonly changes: () => number;
}

/** `atChange` counts from 1; infinity only counts. With `tornWrites` a killed write has written its first half. */
export function dyingFileSystem(
  atChange = Number.POSITIVE_INFINITY,
  tornWrites = false,
  base: FileSystem = unflushedFileSystem,
): DyingFileSystem {
  let count = 0;
  const alive = (): void => {
    if (count >= atChange) throw new Killed();
  };
  const change = (): void => {
    alive();
    if (++count >= atChange) throw new Killed();
  };
  const looked = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      alive();
      return call(...args);
    };
  };
  const changed = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      change();
      return call(...args);
    };
  };
  return {
    changes: () => count,
    open: (path, flags, mode) => {
      if ((flags & (constants.O_CREAT | constants.O_TRUNC)) !== 0) change();
      else alive();
      return base.open(path, flags, mode);
    },
    write: (fd, buffer, offset, length, position) => {
      alive();
      if (++count >= atChange) {
        if (tornWrites && length > 1) base.write(fd, buffer, offset, length >> 1, position);
        throw new Killed();
      }
      return base.write(fd, buffer, offset, length, position);
    },
    // Descriptors of a dead process go away by themselves; here they must be closed.
    close: (fd) => base.close(fd),
    read: looked(base.read),
    fsync: looked(base.fsync),
    fstat: looked(base.fstat),
    lstat: looked(base.lstat),
    stat: looked(base.stat),
    readdir: looked(base.readdir),
    openDirectory: looked(base.openDirectory),
    readNames: looked(base.readNames),
    realpath: looked(base.realpath),
    statfs: looked(base.statfs),
    ftruncate: changed(base.ftruncate),
    fchmod: changed(base.fchmod),
    futimes: changed(base.futimes),
    mkdir: changed(base.mkdir),
    rmdir: changed(base.rmdir),
    unlink: changed(base.unlink),
    rename: changed(base.rename),
  };
}
