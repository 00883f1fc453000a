/**
 * A file system in memory behind the `FileSystem` port: fast, deterministic, with capacities, links, mounted volumes,
 * and power cuts. Passes the same conformance suite as the machine's own file system.
 */
import { constants } from "node:fs";
import type { DirectoryReader, FileStat, FileSystem, VolumeSpace } from "../../src/platform/file-system.ts";
import {
  applyDurably,
  Inode,
  type InodeKind,
  makeNamesDurable,
  PAGE_BYTES,
  roomOf,
  type Volume,
} from "./memory-inode.ts";

const {
  O_ACCMODE = 3,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} = constants as typeof constants & { O_ACCMODE?: number };
const KIND_BITS: Readonly<Record<InodeKind, number>> = { file: 0o100000, directory: 0o040000, link: 0o120000 };
const MAX_LINKS = 40;
const MAX_NAME_BYTES = 255;

interface Handle {
  inode: Inode;
  canRead: boolean;
  canWrite: boolean;
  appends: boolean;
  position: number;
}

export interface MemoryOptions {
  /** By path of the mount point; "/" is made with a terabyte when it is not named. */
  volumes?: Readonly<Record<string, number>>;
  nowNs?: () => bigint;
}

const TERABYTE = 2 ** 40;

export class MemoryFileSystem implements FileSystem {
  readonly #volumes: Volume[] = [];
  readonly #handles = new Map<number, Handle>();
  readonly #nowNs: () => bigint;
  #nextId = 2n;
  #nextFd = 3;
  #root: Inode;

  constructor(options: MemoryOptions = {}) {
    let ticks = 0n;
    this.#nowNs =
      options.nowNs ??
      (() => {
        ticks += 1_000_000n;
        return 1_700_000_000_000_000_000n + ticks;
      });
    const { "/": rootBytes = TERABYTE, ...mounts } = options.volumes ?? {};
    this.#root = this.#newVolume(rootBytes);
    for (const [path, sizeBytes] of Object.entries(mounts)) this.mount(path, sizeBytes);
  }

  // --- for tests

  /** Makes the directory with its parents and mounts an empty volume on it. */
  mount(path: string, sizeBytes: number): void {
    this.makeDirectories(path);
    const root = this.#newVolume(sizeBytes);
    const directory = this.#find(path, "mount", true);
    directory.mounted = root;
    root.parent = directory.parent;
  }

  /** Like `umount`: what lies below the mount point shows again. */
  unmount(path: string): void {
    const { parent } = this.#find(path, "umount", true);
    const name = path.slice(path.lastIndexOf("/") + 1);
    const below = parent?.entries.get(name);
    if (below !== undefined) below.mounted = undefined;
  }

  makeDirectories(path: string): void {
    let at = "";
    for (const name of path.split("/").filter((part) => part !== "")) {
      at += `/${name}`;
      try {
        this.mkdir(at);
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
      }
    }
  }

  writeFile(path: string, content: Uint8Array | string, mode = 0o644): void {
    this.makeDirectories(path.slice(0, path.lastIndexOf("/")));
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const fd = this.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    for (let done = 0; done < bytes.length; ) done += this.write(fd, bytes, done, bytes.length - done, done);
    this.close(fd);
  }

  readFile(path: string): Buffer {
    return Buffer.from(this.#find(path, "open", true).content());
  }

  symlink(target: string, path: string): void {
    const { directory, name } = this.#parent(path, "symlink");
    if (directory.entries.has(name)) throw errno("EEXIST", "symlink", path);
    const link = this.#newInode("link", directory.volume, 0o777);
    link.target = target;
    this.#setNames([{ directory, name, inode: link }]);
  }

  isThere(path: string): boolean {
    try {
      this.#find(path, "access", true);
      return true;
    } catch {
      return false;
    }
  }

  /** Every path below `path` with what is there: `null` for a directory. Links as `-> target`. */
  tree(path: string): Map<string, Buffer | string | null> {
    const found = new Map<string, Buffer | string | null>();
    const visit = (inode: Inode, prefix: string): void => {
      for (const name of [...inode.entries.keys()].sort()) {
        const child = (inode.entries.get(name) as Inode).mounted ?? (inode.entries.get(name) as Inode);
        const at = `${prefix}${name}`;
        if (child.kind === "directory") {
          found.set(at, null);
          visit(child, `${at}/`);
        } else found.set(at, child.kind === "link" ? `-> ${child.target}` : child.content());
      }
    };
    visit(this.#find(path, "scandir", true), "");
    return found;
  }

  /** Modes of files and directories below `path`. */
  modes(path: string): Map<string, number> {
    return new Map([...this.tree(path).keys()].map((name) => [name, this.lstat(`${path}/${name}`).mode & 0o777]));
  }

  /** Paths are not known any more; a leak is looked for by the kind of what is open. */
  get openHandles(): number {
    return this.#handles.size;
  }

  /** Whatever was written anywhere is safe. */
  flushAll(): void {
    for (const volume of this.#volumes) this.#flush(volume);
  }

  /** Makes everything on the volume of `path` durable. */
  flushVolume(path: string): void {
    this.#flush(this.#find(path, "syncfs", true).volume);
  }

  /** What is visible now as a file system of its own; nothing is open there and all of it is durable. */
  clone(): MemoryFileSystem {
    return this.#copy(
      (inode) => inode.entries,
      (inode) => inode.share(),
    );
  }

  /**
   * The state after a power cut. `random` decides, per name change and page that was not flushed, whether it had
   * reached the disk: half of the cuts keep changes of names in order up to some moment, as a journaling file system
   * does; the other half keep or drop each by itself.
   */
  afterPowerCut(random: () => number): MemoryFileSystem {
    for (const volume of this.#volumes) {
      const isOrdered = random() < 0.5;
      const until = Math.floor(random() * (volume.pendingNames.length + 1));
      for (const [index, change] of volume.pendingNames.entries()) {
        if (isOrdered ? index < until : random() < 0.5) applyDurably(change);
      }
    }
    return this.#copy(
      (inode) => inode.durableEntries,
      (inode) => Buffer.from(inode.contentAfterPowerCut(random)),
    );
  }

  // --- the port

  open(path: string, flags: number, mode = 0o666): number {
    const access = flags & O_ACCMODE;
    const canWrite = access === O_WRONLY || access === O_RDWR;
    const inode = this.#openInode(path, flags, mode);
    if (inode.kind === "directory" && (canWrite || (flags & O_CREAT) !== 0)) throw errno("EISDIR", "open", path);
    if (inode.kind !== "directory" && (flags & O_DIRECTORY) !== 0) throw errno("ENOTDIR", "open", path);
    if ((flags & O_TRUNC) !== 0 && inode.sizeBytes > 0) this.#resize(inode, 0);
    inode.references += 1;
    const fd = this.#nextFd++;
    const canRead = access === O_RDONLY || access === O_RDWR;
    this.#handles.set(fd, { inode, canRead, canWrite, appends: (flags & O_APPEND) !== 0, position: 0 });
    return fd;
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    const handle = this.#handle(fd, "read");
    if (!handle.canRead) throw errno("EBADF", "read");
    const { inode } = handle;
    if (inode.kind === "directory") throw errno("EISDIR", "read");
    const at = position ?? handle.position;
    const count = Math.max(0, Math.min(length, inode.sizeBytes - at));
    if (count > 0) inode.content().copy(buffer, offset, at, at + count);
    if (position === null) handle.position += count;
    return count;
  }

  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    const handle = this.#handle(fd, "write");
    if (!handle.canWrite) throw errno("EBADF", "write");
    const { inode } = handle;
    const at = handle.appends ? inode.sizeBytes : (position ?? handle.position);
    const count = this.#allocate(inode, at, length);
    if (count === 0 && length > 0) throw errno("ENOSPC", "write");
    if (count > 0) inode.write(buffer.subarray(offset, offset + count), at);
    inode.mtimeNs = this.#nowNs();
    if (position === null) handle.position = at + count;
    return count;
  }

  close(fd: number): void {
    const { inode } = this.#handle(fd, "close");
    this.#handles.delete(fd);
    this.#release(inode);
  }

  fsync(fd: number): void {
    const { inode } = this.#handle(fd, "fsync");
    if (inode.kind === "directory") makeNamesDurable(inode);
    else inode.makeContentDurable();
  }

  ftruncate(fd: number, length: number): void {
    const handle = this.#handle(fd, "ftruncate");
    if (!handle.canWrite) throw errno("EINVAL", "ftruncate");
    if (roomOf(handle.inode, length) - roomOf(handle.inode) > freeBytesOf(handle.inode.volume)) {
      throw errno("ENOSPC", "ftruncate");
    }
    this.#resize(handle.inode, length);
    handle.inode.mtimeNs = this.#nowNs();
  }

  fchmod(fd: number, mode: number): void {
    this.#handle(fd, "fchmod").inode.mode = mode & 0o7777;
  }

  futimes(fd: number, timeNs: bigint): void {
    // As exact as the machine's own: microseconds.
    this.#handle(fd, "futimes").inode.mtimeNs = (timeNs / 1000n) * 1000n;
  }

  fstat(fd: number): FileStat {
    return statOf(this.#handle(fd, "fstat").inode);
  }

  lstat(path: string): FileStat {
    return statOf(this.#find(path, "lstat", false));
  }

  stat(path: string): FileStat {
    return statOf(this.#find(path, "stat", true));
  }

  readdir(path: string): { name: string; kind: InodeKind }[] {
    const directory = this.#directory(path, "scandir");
    return [...directory.entries].map(([name, inode]) => ({ name, kind: inode.kind }));
  }

  openDirectory(path: string): DirectoryReader {
    this.#directory(path, "opendir");
    const entries = this.readdir(path);
    let next = 0;
    return { read: () => entries[next++] ?? null, close: () => {} };
  }

  readNames(path: string): Uint8Array[] {
    return this.readdir(path).map(({ name }) => Buffer.from(name));
  }

  mkdir(path: string, mode = 0o777): void {
    const { directory, name } = this.#parent(path, "mkdir");
    if (name === "" || directory.entries.has(name)) throw errno("EEXIST", "mkdir", path);
    if (freeBytesOf(directory.volume) < PAGE_BYTES) throw errno("ENOSPC", "mkdir", path);
    const made = this.#newInode("directory", directory.volume, mode & 0o777);
    made.parent = directory;
    this.#setNames([{ directory, name, inode: made }]);
  }

  rmdir(path: string): void {
    const { directory, name } = this.#parent(path, "rmdir");
    const inode = this.#existing(directory, name, "rmdir", path);
    if (inode.kind !== "directory") throw errno("ENOTDIR", "rmdir", path);
    if (inode.mounted !== undefined) throw errno("EBUSY", "rmdir", path);
    if (inode.entries.size > 0) throw errno("ENOTEMPTY", "rmdir", path);
    this.#setNames([{ directory, name, inode: undefined }]);
  }

  unlink(path: string): void {
    const { directory, name } = this.#parent(path, "unlink");
    const inode = this.#existing(directory, name, "unlink", path);
    if (inode.kind === "directory") throw errno("EISDIR", "unlink", path);
    this.#setNames([{ directory, name, inode: undefined }]);
  }

  rename(from: string, to: string): void {
    const source = this.#parent(from, "rename");
    const target = this.#parent(to, "rename");
    const inode = this.#existing(source.directory, source.name, "rename", from);
    if (inode.mounted !== undefined) throw errno("EBUSY", "rename", from);
    if (source.directory.volume !== target.directory.volume) throw errno("EXDEV", "rename", from);
    const replaced = target.directory.entries.get(target.name);
    if (replaced === inode) return;
    for (let up: Inode | undefined = target.directory; up !== undefined; up = up.parent) {
      if (up === inode) throw errno("EINVAL", "rename", from);
    }
    if (replaced !== undefined) refuseReplacement(inode, replaced, from);
    this.#setNames([
      { directory: source.directory, name: source.name, inode: undefined },
      { directory: target.directory, name: target.name, inode },
    ]);
    if (inode.kind === "directory") inode.parent = target.directory;
  }

  realpath(path: string): string {
    const names: string[] = [];
    this.#walk(path, "realpath", true, names);
    return `/${names.join("/")}`;
  }

  statfs(path: string): VolumeSpace {
    const { volume } = this.#find(path, "statfs", true);
    return { sizeBytes: volume.sizeBytes, freeBytes: freeBytesOf(volume), blockBytes: PAGE_BYTES };
  }

  // --- names and inodes

  #openInode(path: string, flags: number, mode: number): Inode {
    const isExclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0;
    const follows = !isExclusive && (flags & O_NOFOLLOW) === 0;
    const { directory, name } = this.#parent(path, "open", follows);
    const found = name === "" ? directory : this.#child(directory, name);
    if (found === undefined) {
      if ((flags & O_CREAT) === 0) throw errno("ENOENT", "open", path);
      const made = this.#newInode("file", directory.volume, mode & 0o777);
      made.mtimeNs = this.#nowNs();
      this.#setNames([{ directory, name, inode: made }]);
      return made;
    }
    if (isExclusive) throw errno("EEXIST", "open", path);
    if (found.kind === "link") throw errno("ELOOP", "open", path);
    return found;
  }

  /** Directory and last name of a path; `follows`: a link at the end is resolved first. Name "" is the root. */
  #parent(path: string, call: string, follows = false): { directory: Inode; name: string } {
    let current = path;
    for (let links = 0; ; links++) {
      if (links > MAX_LINKS) throw errno("ELOOP", call, path);
      const trimmed = current.replace(/\/+$/, "");
      if (trimmed === "") return { directory: this.#root, name: "" };
      const slash = trimmed.lastIndexOf("/");
      const name = trimmed.slice(slash + 1);
      if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw errno("ENAMETOOLONG", call, path);
      const directory = this.#find(trimmed.slice(0, slash) || "/", call, true, path);
      if (directory.kind !== "directory") throw errno("ENOTDIR", call, path);
      const found = this.#child(directory, name);
      if (name === "." || name === "..") return { directory: found ?? directory, name: "" };
      if (!follows || found?.kind !== "link") return { directory, name };
      current = found.target.startsWith("/") ? found.target : `${trimmed.slice(0, slash)}/${found.target}`;
    }
  }

  #find(path: string, call: string, follows: boolean, shown = path): Inode {
    return this.#walk(path, call, follows, [], shown);
  }

  /** Follows a path name by name; `names` receives the real ones. */
  #walk(path: string, call: string, follows: boolean, names: string[], shown = path): Inode {
    if (!path.startsWith("/")) throw errno("ENOENT", call, shown);
    if (path.includes("\0")) throw errno("EINVAL", call, shown);
    const rest = path.split("/").filter((name) => name !== "");
    let current = this.#root;
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift() as string;
      if (current.kind !== "directory") throw errno("ENOTDIR", call, shown);
      if (name === ".") continue;
      if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw errno("ENAMETOOLONG", call, shown);
      const next = this.#child(current, name);
      if (next === undefined) throw errno("ENOENT", call, shown);
      if (next.kind === "link" && (follows || rest.length > 0)) {
        if (++links > MAX_LINKS) throw errno("ELOOP", call, shown);
        const target = next.target.split("/").filter((part) => part !== "");
        rest.unshift(...target);
        if (next.target.startsWith("/")) {
          current = this.#root;
          names.length = 0;
        }
        continue;
      }
      if (name === "..") names.pop();
      else names.push(name);
      current = next;
    }
    if (path.endsWith("/") && path !== "/" && current.kind === "file") throw errno("ENOTDIR", call, shown);
    return current;
  }

  #child(directory: Inode, name: string): Inode | undefined {
    if (name === ".") return directory;
    if (name === "..") return directory.parent ?? directory;
    const child = directory.entries.get(name);
    return child?.mounted ?? child;
  }

  #directory(path: string, call: string): Inode {
    const inode = this.#find(path, call, true);
    if (inode.kind !== "directory") throw errno("ENOTDIR", call, path);
    return inode;
  }

  #existing(directory: Inode, name: string, call: string, path: string): Inode {
    if (name === "") throw errno("EBUSY", call, path);
    const inode = directory.entries.get(name);
    if (inode === undefined) throw errno("ENOENT", call, path);
    return inode;
  }

  #handle(fd: number, call: string): Handle {
    const handle = this.#handles.get(fd);
    if (handle === undefined) throw errno("EBADF", call);
    return handle;
  }

  #setNames(parts: readonly { directory: Inode; name: string; inode: Inode | undefined }[]): void {
    for (const { inode } of parts) if (inode !== undefined) inode.references += 1;
    for (const { directory, name, inode } of parts) {
      const before = directory.entries.get(name);
      if (inode === undefined) directory.entries.delete(name);
      else directory.entries.set(name, inode);
      if (before !== undefined) this.#release(before);
      directory.mtimeNs = this.#nowNs();
    }
    parts[0]?.directory.volume.pendingNames.push({ parts });
  }

  #release(inode: Inode): void {
    inode.references -= 1;
    if (inode.references === 0) inode.volume.usedBytes -= roomOf(inode);
  }

  #newInode(kind: InodeKind, volume: Volume, mode: number, id = this.#nextId++): Inode {
    const inode = new Inode(id, kind, volume, mode);
    volume.usedBytes += roomOf(inode);
    return inode;
  }

  #newVolume(sizeBytes: number): Inode {
    const volume = {
      device: BigInt(this.#volumes.length + 1),
      sizeBytes,
      usedBytes: 0,
      pendingNames: [],
    } as unknown as Volume;
    volume.root = this.#newInode("directory", volume, 0o755);
    this.#volumes.push(volume);
    return volume.root;
  }

  #resize(inode: Inode, length: number): void {
    inode.volume.usedBytes += roomOf(inode, length) - roomOf(inode);
    inode.truncate(length);
  }

  /** Takes the room for a write; returns how many of its bytes fit. */
  #allocate(inode: Inode, at: number, length: number): number {
    const grows = roomOf(inode, Math.max(inode.sizeBytes, at + length)) - roomOf(inode);
    const free = freeBytesOf(inode.volume);
    if (grows <= free) {
      inode.volume.usedBytes += grows;
      return length;
    }
    const fits = Math.max(0, Math.min(length, roomOf(inode) + free - at));
    inode.volume.usedBytes += fits > 0 ? roomOf(inode, Math.max(inode.sizeBytes, at + fits)) - roomOf(inode) : 0;
    return fits;
  }

  #flush(volume: Volume): void {
    for (const change of volume.pendingNames) applyDurably(change);
    volume.pendingNames = [];
    const visit = (inode: Inode): void => {
      if (inode.kind === "file") inode.makeContentDurable();
      for (const child of inode.entries.values()) if (child.volume === volume) visit(child);
    };
    visit(volume.root);
  }

  #copy(namesOf: (inode: Inode) => ReadonlyMap<string, Inode>, contentOf: (inode: Inode) => Buffer): MemoryFileSystem {
    const copy = new MemoryFileSystem({ nowNs: this.#nowNs });
    copy.#volumes.length = 0;
    copy.#nextId = this.#nextId;
    const volumes = new Map<Volume, Volume>();
    const inodes = new Map<Inode, Inode>();
    for (const volume of this.#volumes) {
      const { device, sizeBytes } = volume;
      const made = { device, sizeBytes, usedBytes: 0, pendingNames: [] } as unknown as Volume;
      volumes.set(volume, made);
      copy.#volumes.push(made);
    }
    const take = (inode: Inode, parent: Inode | undefined): Inode => {
      const known = inodes.get(inode);
      if (known !== undefined) return known;
      const made = copy.#newInode(inode.kind, volumes.get(inode.volume) as Volume, inode.mode, inode.id);
      inodes.set(inode, made);
      made.mtimeNs = inode.mtimeNs;
      made.target = inode.target;
      made.parent = parent;
      if (inode.kind === "file") {
        made.adopt(contentOf(inode));
        made.volume.usedBytes += roomOf(made) - roomOf(made, 0);
      }
      for (const [name, child] of namesOf(inode)) {
        const taken = take(child, made);
        taken.references += 1;
        made.entries.set(name, taken);
        made.durableEntries.set(name, taken);
      }
      if (inode.mounted !== undefined) made.mounted = take(inode.mounted, parent);
      return made;
    };
    copy.#root = take(this.#root, undefined);
    for (const [volume, made] of volumes) made.root = inodes.get(volume.root) ?? take(volume.root, undefined);
    return copy;
  }
}

function refuseReplacement(inode: Inode, replaced: Inode, from: string): void {
  if (replaced.kind === "directory") {
    if (inode.kind !== "directory") throw errno("EISDIR", "rename", from);
    if (replaced.mounted !== undefined) throw errno("EBUSY", "rename", from);
    if (replaced.entries.size > 0) throw errno("ENOTEMPTY", "rename", from);
  } else if (inode.kind === "directory") throw errno("ENOTDIR", "rename", from);
}

function freeBytesOf(volume: Volume): number {
  return Math.max(0, volume.sizeBytes - volume.usedBytes);
}

function statOf(inode: Inode): FileStat {
  const { kind, mtimeNs, id, mode, volume } = inode;
  const sizeBytes =
    kind === "directory" ? PAGE_BYTES : kind === "link" ? Buffer.byteLength(inode.target) : inode.sizeBytes;
  return { kind, sizeBytes, mtimeNs, fileId: id, device: volume.device, mode: KIND_BITS[kind] | mode };
}

/** An exception as Node makes them. */
export function errno(code: string, syscall: string, path?: string): NodeJS.ErrnoException {
  const where = path === undefined ? "" : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${syscall}${where}`), {
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
  });
}
