/** The machine's file system with one call that fails, for tests of what is left behind. */
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";

export interface Fault {
  call: "write" | "fsync" | "ftruncate" | "open" | "rename";
  /** 1: the first such call. */
  at: number;
  errno: string;
  /** For `write`: so many bytes are written before it fails. */
  partialBytes?: number;
  /** Every later call fails too. */
  isLasting?: boolean;
}

export function failingFileSystem(faults: readonly Fault[]): FileSystem {
  const counts = new Map<string, number>();
  const isDue = (call: Fault["call"]): Fault | undefined => {
    const count = (counts.get(call) ?? 0) + 1;
    counts.set(call, count);
    return faults.find((fault) => fault.call === call && (fault.at === count || (fault.isLasting && count > fault.at)));
  };
  const fail = (fault: Fault): never => {
    throw Object.assign(new Error(`${fault.errno}: injected`), { code: fault.errno });
  };
  return {
    ...nodeFileSystem,
    open: (path, flags, mode) => {
      const fault = isDue("open");
      return fault === undefined ? nodeFileSystem.open(path, flags, mode) : fail(fault);
    },
    write: (fd, buffer, offset, length, position) => {
      const fault = isDue("write");
      if (fault === undefined) return nodeFileSystem.write(fd, buffer, offset, length, position);
      if (fault.partialBytes !== undefined) {
        nodeFileSystem.write(fd, buffer, offset, Math.min(fault.partialBytes, length), position);
      }
      return fail(fault);
    },
    fsync: (fd) => {
      const fault = isDue("fsync");
      return fault === undefined ? nodeFileSystem.fsync(fd) : fail(fault);
    },
    ftruncate: (fd, length) => {
      const fault = isDue("ftruncate");
      return fault === undefined ? nodeFileSystem.ftruncate(fd, length) : fail(fault);
    },
    rename: (from, to) => {
      const fault = isDue("rename");
      return fault === undefined ? nodeFileSystem.rename(from, to) : fail(fault);
    },
  };
}
