/**
 * The file system as the rooms see it. Everything that reads sources, writes drives or keeps a session's state goes
 * through this port, so that tests can make the Nth call fail, cut the power, or count.
 *
 * The calls are synchronous on purpose: one Node thread of synchronous calls copies more than twice the small files per
 * second that promises do. All failures are Node's errno exceptions (`error.code === "ENOSPC"`).
 */
import * as fs from "node:fs";

export type FileKind =
  | "file"
  | "directory"
  | "link"
  | "socket"
  | "fifo"
  | "character-device"
  | "block-device"
  | "unknown";

export interface FileStat {
  kind: FileKind;
  sizeBytes: number;
  /** Nanoseconds since 1970, UTC. */
  mtimeNs: bigint;
  /** Inode or NTFS file id. */
  fileId: bigint;
  device: bigint;
  mode: number;
}

export interface DirectoryEntry {
  /** Decoded as UTF-8; bytes that are not UTF-8 come back as U+FFFD (see `readNames`). */
  name: string;
  kind: FileKind;
}

export interface DirectoryReader {
  /** The next entry; null at the end. */
  read(): DirectoryEntry | null;
  close(): void;
}

export interface VolumeSpace {
  sizeBytes: number;
  freeBytes: number;
  /** Cluster size. */
  blockBytes: number;
}

export interface FileSystem {
  /** `flags` are `node:fs` constants. */
  open(path: string, flags: number, mode?: number): number;
  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  close(fd: number): void;
  fsync(fd: number): void;
  ftruncate(fd: number, length: number): void;
  fchmod(fd: number, mode: number): void;
  /** Sets access and modification time, nanoseconds since 1970. */
  futimes(fd: number, timeNs: bigint): void;
  fstat(fd: number): FileStat;
  lstat(path: string): FileStat;
  stat(path: string): FileStat;
  readdir(path: string): DirectoryEntry[];
  /**
   * Reads a directory piece by piece, in no order: for directories too big for `readdir`. Costs 8 µs more than it per
   * directory and a third less per entry.
   */
  openDirectory(path: string): DirectoryReader;
  /** Raw names, for telling a name that is not UTF-8 from one that holds U+FFFD itself. */
  readNames(path: string): Uint8Array[];
  /** Not recursive. */
  mkdir(path: string, mode?: number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  realpath(path: string): string;
  statfs(path: string): VolumeSpace;
}

function kindOf(entry: fs.Dirent): FileKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "link";
  if (entry.isSocket()) return "socket";
  if (entry.isFIFO()) return "fifo";
  if (entry.isCharacterDevice()) return "character-device";
  if (entry.isBlockDevice()) return "block-device";
  return "unknown";
}

const { S_IFMT, S_IFREG, S_IFDIR } = fs.constants;

const KIND_BY_TYPE_BITS: ReadonlyMap<number, FileKind> = new Map([
  [fs.constants.S_IFLNK, "link"],
  [fs.constants.S_IFSOCK, "socket"],
  [fs.constants.S_IFIFO, "fifo"],
  [fs.constants.S_IFCHR, "character-device"],
  [fs.constants.S_IFBLK, "block-device"],
]);

/** From the mode: `stat.isFile()` of a bigint stat allocates, which a walk of a million files notices. */
function kindOfMode(mode: number): FileKind {
  const type = mode & S_IFMT;
  if (type === S_IFREG) return "file";
  if (type === S_IFDIR) return "directory";
  return KIND_BY_TYPE_BITS.get(type) ?? "unknown";
}

function toFileStat(stat: fs.BigIntStats): FileStat {
  const mode = Number(stat.mode);
  return {
    kind: kindOfMode(mode),
    sizeBytes: Number(stat.size),
    mtimeNs: stat.mtimeNs,
    fileId: stat.ino,
    device: stat.dev,
    mode,
  };
}

/** `futimes` takes seconds as a double; a string would be parsed the same way. Loses less than a microsecond. */
function toSeconds(timeNs: bigint): number {
  return Number(timeNs / 1000n) / 1e6;
}

const BIGINT = { bigint: true } as const;
const WITH_TYPES = { withFileTypes: true } as const;
const AS_BUFFER = { encoding: "buffer" } as const;

/** The machine's own file system. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  read: (fd, buffer, offset, length, position) => fs.readSync(fd, buffer, offset, length, position),
  write: (fd, buffer, offset, length, position) => fs.writeSync(fd, buffer, offset, length, position),
  close: (fd) => fs.closeSync(fd),
  fsync: (fd) => fs.fsyncSync(fd),
  ftruncate: (fd, length) => fs.ftruncateSync(fd, length),
  fchmod: (fd, mode) => fs.fchmodSync(fd, mode),
  futimes: (fd, timeNs) => {
    const seconds = toSeconds(timeNs);
    fs.futimesSync(fd, seconds, seconds);
  },
  fstat: (fd) => toFileStat(fs.fstatSync(fd, BIGINT)),
  lstat: (path) => toFileStat(fs.lstatSync(path, BIGINT)),
  stat: (path) => toFileStat(fs.statSync(path, BIGINT)),
  readdir: (path) => fs.readdirSync(path, WITH_TYPES).map((entry) => ({ name: entry.name, kind: kindOf(entry) })),
  openDirectory: (path) => {
    const directory = fs.opendirSync(path);
    return {
      read: () => {
        const entry = directory.readSync();
        return entry === null ? null : { name: entry.name, kind: kindOf(entry) };
      },
      close: () => directory.closeSync(),
    };
  },
  readNames: (path) => fs.readdirSync(path, AS_BUFFER),
  mkdir: (path, mode) => {
    fs.mkdirSync(path, mode);
  },
  rmdir: (path) => fs.rmdirSync(path),
  unlink: (path) => fs.unlinkSync(path),
  rename: (from, to) => fs.renameSync(from, to),
  realpath: (path) => fs.realpathSync.native(path),
  statfs: (path) => {
    const s = fs.statfsSync(path);
    return { sizeBytes: s.blocks * s.bsize, freeBytes: s.bavail * s.bsize, blockBytes: s.bsize };
  },
};
