import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  FileTooLongError,
  fsyncDirectory,
  makeDirectories,
  readWholeFile,
  writeFileDurably,
} from "../../src/platform/durable-file.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The real file system, its calls noted; call number `failAt` (from 1) fails as a full or dying drive would. */
function tracing(failAt = 0): { fs: FileSystem; calls: string[] } {
  const calls: string[] = [];
  const fs = new Proxy(nodeFileSystem, {
    get: (target, name: keyof FileSystem) => {
      return (...args: never[]) => {
        calls.push(name);
        if (calls.length === failAt) throw Object.assign(new Error("injected"), { code: "EIO" });
        return (target[name] as (...args: never[]) => unknown)(...args);
      };
    },
  });
  return { fs, calls };
}

describe("writeFileDurably", () => {
  test("syncs the file before the rename and the directory after it", () => {
    const path = join(temporaryDirectory(), "state.json");
    const { fs, calls } = tracing();
    writeFileDurably(fs, path, Buffer.from("new"), 0o600);
    expect(calls).toEqual(["open", "write", "fsync", "close", "rename", "open", "fsync", "close"]);
    expect(readFileSync(path, "utf8")).toBe("new");
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("whichever call fails, the old or the new content is there whole and nothing else", () => {
    let failAt = 0;
    for (let isDone = false; !isDone; ) {
      failAt++;
      const directory = temporaryDirectory();
      const path = join(directory, "state.json");
      writeFileSync(path, "old");
      const { fs, calls } = tracing(failAt);
      try {
        writeFileDurably(fs, path, Buffer.from("new"), 0o600);
        isDone = calls.length < failAt;
      } catch (error) {
        expect(error).toMatchObject({ code: "EIO" });
      }
      expect(readdirSync(directory)).toEqual(["state.json"]);
      // Calls 1 to 5 end with the rename.
      expect(readFileSync(path, "utf8")).toBe(failAt <= 5 ? "old" : "new");
    }
    expect(failAt).toBe(9);
  });

  test("goes on after short writes", () => {
    const path = join(temporaryDirectory(), "f");
    const oneByOne: FileSystem = {
      ...nodeFileSystem,
      write: (fd, buffer, offset, _length, position) => nodeFileSystem.write(fd, buffer, offset, 1, position),
    };
    writeFileDurably(oneByOne, path, Buffer.from("several bytes"), 0o600);
    expect(readFileSync(path, "utf8")).toBe("several bytes");
  });
});

describe("fsyncDirectory", () => {
  const failing = (code: string): FileSystem => ({
    ...nodeFileSystem,
    fsync: () => {
      throw Object.assign(new Error(code), { code });
    },
  });

  test("passes over a file system that cannot, and reports a bad drive", () => {
    const directory = temporaryDirectory();
    fsyncDirectory(failing("EINVAL"), directory);
    expect(() => fsyncDirectory(failing("EIO"), directory)).toThrow("EIO");
    expect(() => fsyncDirectory(nodeFileSystem, join(directory, "missing"))).toThrow("ENOENT");
  });
});

describe("readWholeFile", () => {
  test("reads up to the limit and refuses one byte more", () => {
    const path = join(temporaryDirectory(), "f");
    const bytes = Buffer.alloc(150_000, "x");
    writeFileSync(path, bytes);
    expect(readWholeFile(nodeFileSystem, path, 150_000).equals(bytes)).toBe(true);
    expect(() => readWholeFile(nodeFileSystem, path, 149_999)).toThrow(FileTooLongError);
  });

  test.runIf(process.platform === "linux")("reads kernel files, which claim to be empty (Linux)", () => {
    expect(readWholeFile(nodeFileSystem, "/proc/self/stat", 65_536).length).toBeGreaterThan(10);
  });
});

describe("makeDirectories", () => {
  test("makes what is missing and syncs each parent", () => {
    const base = temporaryDirectory();
    const { fs, calls } = tracing();
    makeDirectories(fs, join(base, "a", "b"), 0o700);
    expect(calls.filter((call) => call === "mkdir" || call === "fsync")).toEqual(["mkdir", "fsync", "mkdir", "fsync"]);
    makeDirectories(nodeFileSystem, join(base, "a", "b"), 0o700);
    expect(statSync(join(base, "a", "b")).isDirectory()).toBe(true);
  });

  test("follows a link to a directory and stops at a file", () => {
    const base = temporaryDirectory();
    mkdirSync(join(base, "real"));
    symlinkSync(join(base, "real"), join(base, "link"), "junction");
    makeDirectories(nodeFileSystem, join(base, "link", "x"), 0o700);
    expect(readdirSync(join(base, "real"))).toEqual(["x"]);
    writeFileSync(join(base, "file"), "");
    expect(() => makeDirectories(nodeFileSystem, join(base, "file", "x"), 0o700)).toThrow();
  });
});
