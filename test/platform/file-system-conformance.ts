/** What every FileSystem must do. Run over the machine's own and over the one in memory, so that tests may trust the latter. */
import { constants } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FileSystem } from "../../src/platform/file-system.ts";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

export interface FileSystemHarness {
  fs: FileSystem;
  /** An empty directory, real path. */
  root: string;
  /** Not part of the port. */
  symlink(target: string, path: string): void;
  remove(): void;
}

export function describeFileSystem(name: string, create: () => FileSystemHarness): void {
  describe(name, () => {
    let harness: FileSystemHarness;
    let fs: FileSystem;
    beforeEach(() => {
      harness = create();
      fs = harness.fs;
    });
    afterEach(() => harness.remove());

    const at = (path: string): string => `${harness.root}/${path}`;
    const errnoOf = (call: () => unknown): string | undefined => {
      try {
        call();
        return undefined;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    const write = (path: string, text: string, flags = O_WRONLY | O_CREAT | O_TRUNC): void => {
      const fd = fs.open(at(path), flags, 0o644);
      fs.write(fd, Buffer.from(text), 0, Buffer.byteLength(text), null);
      fs.close(fd);
    };
    const read = (path: string): string => {
      const fd = fs.open(at(path), O_RDONLY);
      const buffer = Buffer.alloc(64 * 1024);
      const count = fs.read(fd, buffer, 0, buffer.length, 0);
      fs.close(fd);
      return buffer.toString("latin1", 0, count);
    };

    describe("open", () => {
      it("makes a file only with O_CREAT, and only once with O_EXCL", () => {
        expect(errnoOf(() => fs.open(at("a"), O_RDWR))).toBe("ENOENT");
        fs.close(fs.open(at("a"), O_RDWR | O_CREAT | O_EXCL, 0o600));
        expect(errnoOf(() => fs.open(at("a"), O_RDWR | O_CREAT | O_EXCL, 0o600))).toBe("EEXIST");
        expect(fs.stat(at("a")).mode & 0o777).toBe(0o600);
      });

      it("empties a file with O_TRUNC and keeps it without", () => {
        write("a", "alpha");
        write("a", "be", O_WRONLY);
        expect(read("a")).toBe("bepha");
        fs.close(fs.open(at("a"), O_WRONLY | O_TRUNC));
        expect(fs.stat(at("a")).sizeBytes).toBe(0);
      });

      it("appends with O_APPEND whatever the position", () => {
        write("a", "one");
        write("a", "two", O_WRONLY | O_APPEND);
        expect(read("a")).toBe("onetwo");
      });

      it("tells directories from files", () => {
        fs.mkdir(at("d"));
        write("f", "");
        expect(errnoOf(() => fs.open(at("d"), O_WRONLY))).toBe("EISDIR");
        expect(errnoOf(() => fs.open(at("f"), O_RDONLY | O_DIRECTORY))).toBe("ENOTDIR");
        expect(errnoOf(() => fs.open(at("f/x"), O_RDONLY))).toBe("ENOTDIR");
        expect(errnoOf(() => fs.open(at("no/x"), O_WRONLY | O_CREAT))).toBe("ENOENT");
        const fd = fs.open(at("d"), O_RDONLY);
        expect(errnoOf(() => fs.read(fd, Buffer.alloc(8), 0, 8, 0))).toBe("EISDIR");
        fs.fsync(fd);
        fs.close(fd);
      });

      it("follows a link unless told not to", () => {
        write("real", "text");
        harness.symlink("real", at("link"));
        harness.symlink("nowhere", at("dangling"));
        expect(read("link")).toBe("text");
        expect(errnoOf(() => fs.open(at("link"), O_RDONLY | O_NOFOLLOW))).toBe("ELOOP");
        expect(errnoOf(() => fs.open(at("link"), O_WRONLY | O_CREAT | O_NOFOLLOW))).toBe("ELOOP");
        expect(errnoOf(() => fs.open(at("dangling"), O_RDONLY))).toBe("ENOENT");
        expect(errnoOf(() => fs.open(at("dangling"), O_WRONLY | O_CREAT | O_EXCL))).toBe("EEXIST");
        write("dangling", "made");
        expect(read("nowhere")).toBe("made");
      });

      it("refuses handles opened for the other thing", () => {
        write("a", "x");
        const reader = fs.open(at("a"), O_RDONLY);
        expect(errnoOf(() => fs.write(reader, Buffer.from("y"), 0, 1, 0))).toBe("EBADF");
        fs.close(reader);
        const writer = fs.open(at("a"), O_WRONLY);
        expect(errnoOf(() => fs.read(writer, Buffer.alloc(1), 0, 1, 0))).toBe("EBADF");
        fs.close(writer);
      });
    });

    describe("read and write", () => {
      it("fill the gap before a write behind the end with zeros", () => {
        const fd = fs.open(at("a"), O_RDWR | O_CREAT);
        fs.write(fd, Buffer.from("end"), 0, 3, 5000);
        expect(fs.fstat(fd).sizeBytes).toBe(5003);
        const buffer = Buffer.alloc(5003, 1);
        expect(fs.read(fd, buffer, 0, 5003, 0)).toBe(5003);
        expect(buffer.subarray(0, 5000).every((byte) => byte === 0)).toBe(true);
        expect(fs.read(fd, buffer, 0, 10, 5003)).toBe(0);
        fs.close(fd);
      });

      it("move the position of the handle only without one of their own", () => {
        const fd = fs.open(at("a"), O_RDWR | O_CREAT);
        fs.write(fd, Buffer.from("abcdef"), 0, 6, null);
        fs.write(fd, Buffer.from("XX"), 0, 2, 1);
        fs.write(fd, Buffer.from("gh"), 0, 2, null);
        fs.close(fd);
        expect(read("a")).toBe("aXXdefgh");
      });

      it("use the given part of the buffer", () => {
        const fd = fs.open(at("a"), O_RDWR | O_CREAT);
        fs.write(fd, Buffer.from("0123456789"), 3, 4, 0);
        const buffer = Buffer.from("..........");
        expect(fs.read(fd, buffer, 2, 3, 1)).toBe(3);
        expect(buffer.toString()).toBe("..456.....");
        fs.close(fd);
      });

      it("keep what was read when the source of a write changes later", () => {
        const bytes = Buffer.from("before");
        const fd = fs.open(at("a"), O_WRONLY | O_CREAT);
        fs.write(fd, bytes, 0, 6, 0);
        bytes.fill("x");
        fs.close(fd);
        expect(read("a")).toBe("before");
      });

      it("truncate to shorter and longer", () => {
        const fd = fs.open(at("a"), O_RDWR | O_CREAT);
        fs.write(fd, Buffer.from("abcdef"), 0, 6, 0);
        fs.ftruncate(fd, 3);
        fs.ftruncate(fd, 6);
        fs.close(fd);
        expect(read("a")).toBe("abc\0\0\0");
      });

      it("go on in a file that was removed meanwhile", () => {
        write("a", "still");
        const fd = fs.open(at("a"), O_RDWR);
        fs.unlink(at("a"));
        const buffer = Buffer.alloc(5);
        expect(fs.read(fd, buffer, 0, 5, 0)).toBe(5);
        expect(buffer.toString()).toBe("still");
        fs.close(fd);
      });
    });

    describe("stat", () => {
      it("tells kind, size, times and identity", () => {
        fs.mkdir(at("d"), 0o750);
        write("f", "12345");
        harness.symlink("f", at("l"));
        expect(fs.stat(at("d"))).toMatchObject({ kind: "directory" });
        expect(fs.stat(at("d")).mode & 0o777).toBe(0o750);
        expect(fs.lstat(at("f"))).toMatchObject({ kind: "file", sizeBytes: 5 });
        expect(fs.lstat(at("l")).kind).toBe("link");
        expect(fs.stat(at("l"))).toEqual(fs.lstat(at("f")));
        expect(fs.lstat(at("f")).device).toBe(fs.lstat(at("d")).device);
        expect(fs.lstat(at("f")).fileId).not.toBe(fs.lstat(at("d")).fileId);
        expect(errnoOf(() => fs.lstat(at("none")))).toBe("ENOENT");
      });

      it("sees times and modes that were set, and an identity that outlives a rename", () => {
        write("f", "x");
        const { fileId } = fs.stat(at("f"));
        const fd = fs.open(at("f"), O_RDWR);
        fs.futimes(fd, 1_600_000_000_123_456_000n);
        fs.fchmod(fd, 0o640);
        fs.close(fd);
        fs.rename(at("f"), at("g"));
        const stat = fs.stat(at("g"));
        expect(stat.fileId).toBe(fileId);
        expect(stat.mode & 0o777).toBe(0o640);
        // A double holds seconds to less than a microsecond.
        expect(Number(stat.mtimeNs - 1_600_000_000_123_456_000n)).toBeLessThan(1000);
        expect(Number(stat.mtimeNs - 1_600_000_000_123_456_000n)).toBeGreaterThan(-1000);
      });

      it("changes the time when a file is written", () => {
        write("f", "x");
        const fd = fs.open(at("f"), O_RDWR);
        fs.futimes(fd, 1_000_000_000n);
        fs.write(fd, Buffer.from("y"), 0, 1, 0);
        expect(fs.fstat(fd).mtimeNs).toBeGreaterThan(1_000_000_000n);
        fs.close(fd);
      });
    });

    describe("directories", () => {
      it("list what is in them, in all three ways", () => {
        fs.mkdir(at("d"));
        write("f ä", "");
        harness.symlink("x", at("l"));
        const expected = [
          { name: "d", kind: "directory" },
          { name: "f ä", kind: "file" },
          { name: "l", kind: "link" },
        ];
        const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
        expect(fs.readdir(harness.root).sort(byName)).toEqual(expected);
        const reader = fs.openDirectory(harness.root);
        const found = [];
        for (let entry = reader.read(); entry !== null; entry = reader.read()) found.push(entry);
        reader.close();
        expect(found.sort(byName)).toEqual(expected);
        const names = fs.readNames(harness.root).map((name) => Buffer.from(name).toString("utf8"));
        expect(names.sort()).toEqual(["d", "f ä", "l"]);
      });

      it("are told from files when listed", () => {
        write("f", "");
        for (const call of ["readdir", "openDirectory", "readNames"] as const) {
          expect(errnoOf(() => fs[call](at("f")))).toBe("ENOTDIR");
          expect(errnoOf(() => fs[call](at("none")))).toBe("ENOENT");
        }
      });

      it("are made once, and removed only when empty", () => {
        fs.mkdir(at("d"));
        expect(errnoOf(() => fs.mkdir(at("d")))).toBe("EEXIST");
        expect(errnoOf(() => fs.mkdir(at("no/d")))).toBe("ENOENT");
        write("d/f", "");
        expect(errnoOf(() => fs.rmdir(at("d")))).toBe("ENOTEMPTY");
        fs.unlink(at("d/f"));
        expect(errnoOf(() => fs.unlink(at("d")))).toMatch(/^(EISDIR|EPERM)$/);
        fs.rmdir(at("d"));
        expect(errnoOf(() => fs.rmdir(at("d")))).toBe("ENOENT");
        write("f", "");
        expect(errnoOf(() => fs.rmdir(at("f")))).toBe("ENOTDIR");
        expect(errnoOf(() => fs.unlink(at("none")))).toBe("ENOENT");
      });
    });

    describe("rename", () => {
      it("replaces files, and empty directories by directories", () => {
        write("a", "a");
        write("b", "b");
        fs.rename(at("a"), at("b"));
        expect(read("b")).toBe("a");
        expect(errnoOf(() => fs.lstat(at("a")))).toBe("ENOENT");
        fs.mkdir(at("d"));
        write("d/in", "in");
        fs.mkdir(at("e"));
        fs.rename(at("d"), at("e"));
        expect(read("e/in")).toBe("in");
      });

      it("refuses what does not go together", () => {
        write("f", "");
        fs.mkdir(at("d"));
        fs.mkdir(at("d/e"));
        fs.mkdir(at("g"));
        expect(errnoOf(() => fs.rename(at("none"), at("x")))).toBe("ENOENT");
        expect(errnoOf(() => fs.rename(at("f"), at("d")))).toBe("EISDIR");
        expect(errnoOf(() => fs.rename(at("d"), at("f")))).toBe("ENOTDIR");
        expect(errnoOf(() => fs.rename(at("g"), at("d")))).toBe("ENOTEMPTY");
        expect(errnoOf(() => fs.rename(at("d"), at("d/e/x")))).toBe("EINVAL");
        expect(errnoOf(() => fs.rename(at("f"), at("f")))).toBeUndefined();
      });

      it("moves a link itself", () => {
        write("f", "x");
        harness.symlink("f", at("l"));
        fs.rename(at("l"), at("m"));
        expect(fs.lstat(at("m")).kind).toBe("link");
        expect(read("m")).toBe("x");
      });
    });

    it("resolves links, dots and loops in paths", () => {
      fs.mkdir(at("d"));
      fs.mkdir(at("d/e"));
      write("d/e/f", "x");
      harness.symlink("d/e", at("short"));
      harness.symlink(at("d"), at("full"));
      harness.symlink("loop", at("loop"));
      expect(fs.realpath(at("short/../e/./f"))).toBe(at("d/e/f"));
      expect(fs.realpath(at("full/e"))).toBe(at("d/e"));
      expect(read("full/e/f")).toBe("x");
      expect(errnoOf(() => fs.stat(at("loop")))).toBe("ELOOP");
      expect(errnoOf(() => fs.realpath(at("none")))).toBe("ENOENT");
      expect(errnoOf(() => fs.mkdir(at("x".repeat(256))))).toBe("ENAMETOOLONG");
    });

    it("tells the room on the volume", () => {
      const { sizeBytes, freeBytes, blockBytes } = fs.statfs(harness.root);
      expect(sizeBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(sizeBytes);
      expect(blockBytes).toBeGreaterThan(0);
    });
  });
}
