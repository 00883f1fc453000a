import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compileFilter } from "../../src/dataset/filters.ts";
import { type WalkEntry, type WalkOptions, walkDirectory } from "../../src/dataset/walk.ts";
import { walkRow } from "../../src/dataset/walk-row.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";

const isRoot = process.getuid?.() === 0;
const isPosix = process.platform !== "win32";

let base: string;
let root: string;
let options: WalkOptions;

beforeEach(() => {
  base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "waie-walk-")));
  root = join(base, "source");
  fs.mkdirSync(root);
  fs.mkdirSync(join(base, "spill"));
  options = { platform: isPosix ? "posix" : "win32", spillDirectory: join(base, "spill") };
});

afterEach(() => {
  expect(fs.readdirSync(join(base, "spill")), "spill files left behind").toEqual([]);
  fs.rmSync(base, { recursive: true });
});

function put(path: string, content = ""): void {
  const full = join(root, path);
  fs.mkdirSync(join(full, ".."), { recursive: true });
  fs.writeFileSync(full, content);
}

function walk(more: Partial<WalkOptions> = {}, fileSystem: FileSystem = nodeFileSystem, from = root): WalkEntry[] {
  return [...walkDirectory(fileSystem, from, { ...options, ...more })];
}

const files = (entries: readonly WalkEntry[]): string[] =>
  entries.flatMap((entry) => (entry.kind === "file" ? entry.relativePath : []));
const leftOut = (entries: readonly WalkEntry[]): string[] =>
  entries.flatMap((entry) => (entry.kind === "file" ? [] : `${entry.code} ${entry.relativePath}: ${entry.reason}`));

function failing(call: keyof FileSystem, path: string, code: string): FileSystem {
  const original = nodeFileSystem[call] as (...args: unknown[]) => unknown;
  return {
    ...nodeFileSystem,
    [call]: (...args: unknown[]) => {
      if (args[0] === path) throw Object.assign(new Error(code), { code });
      return original(...args);
    },
  };
}

describe("order", () => {
  test("full paths by bytes, directories compared as name/", () => {
    for (const path of ["a/b", "a.txt", "a-1", "a/a/c", "b", "ab", "a0/x", "Z", "é", "z"]) put(path);
    expect(files(walk())).toEqual(["Z", "a-1", "a.txt", "a/a/c", "a/b", "a0/x", "ab", "b", "z", "é"]);
  });

  test("characters beyond U+FFFF come last, as their bytes do", () => {
    for (const path of ["\u{1f600}", "\ue000", "\uff5e", "x"]) put(path);
    expect(files(walk())).toEqual(["x", "\ue000", "\uff5e", "\u{1f600}"]);
  });

  test("a spilled directory gives what one in memory gives", () => {
    for (let i = 0; i < 300; i++) put(`${i % 7 === 0 ? "N" : "n"}${i % 50}${i % 3 === 0 ? "é" : ""}-${i}`);
    for (const name of ["README", "readme", "Readme", "d/x", "D/x", "trailing.", "trailing%2E"]) put(name);
    const expected = walk();
    for (const spillThreshold of [1, 2, 7, 100]) expect(walk({ spillThreshold })).toEqual(expected);
    expect(expected).toHaveLength(307);
  });

  test("a walk that is left early removes its spill files", () => {
    for (let i = 0; i < 10; i++) put(`f${i}`);
    for (const entry of walkDirectory(nodeFileSystem, root, { ...options, spillThreshold: 2 })) {
      expect(entry.relativePath).toBe("f0");
      break;
    }
  });
});

describe("what is found", () => {
  test("sizes and times travel along; empty directories give nothing", () => {
    put("a", "12345");
    fs.mkdirSync(join(root, "empty/inner"), { recursive: true });
    const entries = walk();
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ kind: "file", relativePath: "a", storedPath: "a", stat: { sizeBytes: 5 } });
  });

  test("a source that is itself a link is followed", () => {
    put("a");
    fs.symlinkSync(root, join(base, "link"), "junction");
    expect(files(walk({}, nodeFileSystem, join(base, "link")))).toEqual(["a"]);
  });

  test.runIf(isPosix)("links, pipes and sockets are left out in their place", async () => {
    put("dir/file");
    fs.symlinkSync("dir", join(root, "link-to-dir"));
    fs.symlinkSync("nowhere", join(root, "link-broken"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    const server = createServer().listen(join(root, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      expect(leftOut(walk())).toEqual([
        "FILE_SPECIAL link-broken: a link",
        "FILE_SPECIAL link-to-dir: a link",
        "FILE_SPECIAL pipe: a pipe",
        "FILE_SPECIAL socket: a socket",
      ]);
      expect(files(walk())).toEqual(["dir/file"]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test("hard links are files of their own", () => {
    put("a", "x");
    fs.linkSync(join(root, "a"), join(root, "b"));
    expect(files(walk())).toEqual(["a", "b"]);
  });

  test.runIf(isPosix)("very deep trees", () => {
    const depth = 400;
    const path = `${"d/".repeat(depth)}f`;
    put(path);
    put("z");
    expect(files(walk())).toEqual([path, "z"]);
  });

  test.runIf(process.platform === "linux")("a path over the system's limit is reported, the rest is walked", () => {
    const name = "d".repeat(250);
    const half = `${name}/`.repeat(10);
    put(`${half}z`);
    put(`other/${half}z`);
    // Two halves that can be named are put together to a whole that cannot.
    const joined = join(root, half, name);
    fs.renameSync(join(root, "other", name), joined);
    const entries = walk();
    fs.renameSync(joined, join(root, "other", name));
    expect(files(entries)).toEqual([`${half}z`]);
    expect(leftOut(entries)).toEqual([expect.stringMatching(/^FILE_UNREADABLE (d{250}\/){15,}d{250}: name too long$/)]);
  });
});

describe("what cannot be read", () => {
  test.runIf(isPosix && !isRoot)("unreadable directories (not as root)", () => {
    put("locked/a");
    fs.chmodSync(join(root, "locked"), 0);
    expect(leftOut(walk())).toEqual(["FILE_UNREADABLE locked: permission denied"]);
    fs.chmodSync(join(root, "locked"), 0o700);
  });

  test("a directory that cannot be listed", () => {
    put("a/x");
    put("b");
    const entries = walk({}, failing("readdir", join(root, "a"), "EACCES"));
    expect(leftOut(entries)).toEqual(["FILE_UNREADABLE a: permission denied"]);
    expect(files(entries)).toEqual(["b"]);
  });

  test("a file that cannot be looked at, and one that vanished", () => {
    for (const name of ["a", "b", "c"]) put(name);
    expect(leftOut(walk({}, failing("lstat", join(root, "b"), "EIO")))).toEqual([
      "FILE_UNREADABLE b: input/output error",
    ]);
    expect(leftOut(walk({}, failing("lstat", join(root, "b"), "ENOENT")))[0]).toMatch(/^FILE_VANISHED b: /);
  });

  test("the source itself", () => {
    expect(leftOut(walk({}, nodeFileSystem, join(base, "nowhere")))[0]).toMatch(/^FILE_VANISHED : /);
  });

  test("a directory read piece by piece that fails half-way is left out whole", () => {
    put("a/x");
    put("a/y");
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      stat: (path) => ({ ...nodeFileSystem.stat(path), sizeBytes: 0 }),
      lstat: (path) => ({ ...nodeFileSystem.lstat(path), sizeBytes: 0 }),
      openDirectory: (path) => {
        const reader = nodeFileSystem.openDirectory(path);
        let count = 0;
        return {
          read: () => {
            if (path.endsWith("a") && count++ > 0) throw Object.assign(new Error("EIO"), { code: "EIO" });
            return reader.read();
          },
          close: () => reader.close(),
        };
      },
    };
    expect(walk({}, fileSystem)).toEqual([
      { kind: "left-out", relativePath: "a", code: "FILE_UNREADABLE", reason: "input/output error" },
    ]);
  });

  test("a full disk under the spill files ends the walk", () => {
    for (let i = 0; i < 10; i++) put(`f${i}`);
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      write: () => {
        throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      },
    };
    expect(() => walk({ spillThreshold: 3 }, fileSystem)).toThrow("ENOSPC");
  });
});

describe("names", () => {
  test.runIf(process.platform === "linux")("bytes that are not UTF-8 are told from U+FFFD itself", () => {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]), "");
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe8])]), "");
    fs.mkdirSync(Buffer.concat([Buffer.from(`${root}/dir`), Buffer.from([0xff])]));
    put("caf\ufffd");
    const entries = walk();
    expect(files(entries)).toEqual(["caf\ufffd"]);
    expect(leftOut(entries)).toEqual([
      "FILE_NAME_INVALID caf\\xE8: the name is not UTF-8",
      "FILE_NAME_INVALID caf\\xE9: the name is not UTF-8",
      "FILE_NAME_INVALID dir\\xFF: the name is not UTF-8",
    ]);
  });

  test.runIf(isPosix)("backslash, control and non-characters", () => {
    put("a\\b");
    put("line\nbreak");
    put("del\u007f");
    put("non\ufffe");
    put("bad\u0001dir/x");
    put("good");
    const entries = walk();
    expect(files(entries)).toEqual(["good"]);
    expect(leftOut(entries).map((line) => line.split(": ")[1])).toEqual([
      "the name holds a backslash",
      "the name holds the control character U+0001",
      "the name holds the control character U+007F",
      "the name holds the control character U+000A",
      "the name holds U+FFFE, which is no character",
    ]);
  });

  test.runIf(process.platform === "linux")("what NTFS cannot hold is stored escaped, directories included", () => {
    for (const path of ["a:b/c?d", "a:b/plain", "end./x", "nul.txt", "50% off", "50% <off>", "blank "]) put(path);
    const stored = walk().map((entry) => (entry.kind === "file" ? [entry.relativePath, entry.storedPath] : []));
    expect(stored).toEqual([
      ["50% <off>", "50%25 %3Coff%3E"],
      ["50% off", "50% off"],
      ["a:b/c?d", "a%3Ab/c%3Fd"],
      ["a:b/plain", "a%3Ab/plain"],
      ["blank ", "blank%20"],
      ["end./x", "end%2E/x"],
      ["nul.txt", "%6Eul.txt"],
    ]);
  });

  test.runIf(process.platform === "linux")("siblings that differ in letter case alone get names of their own", () => {
    for (const path of ["README", "readme", "Dir/a", "dir/a", "dir/b", "straße", "STRASSE", "x/straße"]) put(path);
    const stored = new Map(walk().map((entry) => [entry.relativePath, entry.kind === "file" ? entry.storedPath : ""]));
    expect(stored.get("README")).toBe("README");
    expect(stored.get("readme")).toMatch(/^readme~[0-9a-f]{8}$/);
    expect(stored.get("Dir/a")).toBe("Dir/a");
    expect(stored.get("dir/a")).toMatch(/^dir~[0-9a-f]{8}\/a$/);
    expect(stored.get("dir/b")?.slice(0, -2)).toBe(stored.get("dir/a")?.slice(0, -2));
    expect(stored.get("straße")).toBe("straße");
    expect(stored.get("STRASSE")).toBe("STRASSE");
  });

  test.runIf(process.platform === "linux")("the one that needs no change keeps its name, wherever it is sorted", () => {
    put("a:b");
    put("a%3Ab");
    const stored = new Map(walk().map((entry) => [entry.relativePath, entry.kind === "file" ? entry.storedPath : ""]));
    expect(stored.get("a%3Ab")).toBe("a%3Ab");
    expect(stored.get("a:b")).toMatch(/^a%3Ab~[0-9a-f]{8}$/);
  });
});

describe("filters", () => {
  test("are counted, and prune without reading", () => {
    for (const path of ["keep/a.jpg", "keep/b.tmp", "cache/x/y", "cache/z", "c.tmp"]) put(path);
    const counters = { directories: 0, filteredFiles: 0, prunedDirectories: 0 };
    const filter = compileFilter([], ["**/*.tmp", "cache/**"]);
    if (filter === undefined) throw new Error("no filter");
    const entries = walk({ filter, counters }, failing("readdir", join(root, "cache"), "EACCES"));
    expect(files(entries)).toEqual(["keep/a.jpg"]);
    expect(leftOut(entries)).toEqual([]);
    expect(counters).toEqual({ directories: 2, filteredFiles: 2, prunedDirectories: 1 });
  });

  test("links that a filter leaves out are not reported", () => {
    put("a");
    fs.symlinkSync(root, join(root, "link"), "junction");
    const filter = compileFilter([], ["link"]);
    if (filter === undefined) throw new Error("no filter");
    expect(walk({ filter }).map((entry) => entry.relativePath)).toEqual(["a"]);
  });
});

test("targets and journal inside the source are left out with a warning", () => {
  for (const path of ["a", "drive/x", "journals/j.jrn", "journals/note.txt"]) put(path);
  const excluded = [
    { realPath: join(root, "drive"), reason: "the target drive lies inside the source" },
    { realPath: join(root, "journals/j.jrn"), reason: "the journal lies inside the source" },
    { realPath: join(base, "elsewhere"), reason: "never" },
  ];
  const entries = walk({ excluded });
  expect(files(entries)).toEqual(["a", "journals/note.txt"]);
  expect(entries.filter((entry) => entry.kind === "excluded")).toEqual([
    {
      kind: "excluded",
      relativePath: "drive",
      code: "FILE_EXCLUDED",
      reason: "the target drive lies inside the source",
    },
    {
      kind: "excluded",
      relativePath: "journals/j.jrn",
      code: "FILE_EXCLUDED",
      reason: "the journal lies inside the source",
    },
  ]);
});

describe("a tree that changes, a file system that tells little", () => {
  test("a link that took a directory's place is not entered", () => {
    put("dir/x");
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      lstat: (path) => ({ ...nodeFileSystem.lstat(path), ...(path.endsWith("dir") ? { kind: "link" } : {}) }),
    };
    expect(leftOut(walk({}, fileSystem))).toEqual(["FILE_UNREADABLE dir: something else took the directory's place"]);
  });

  test("kinds that listing does not tell are looked up", () => {
    put("dir/x");
    fs.symlinkSync(root, join(root, "link"), "junction");
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      readdir: (path) => nodeFileSystem.readdir(path).map((entry) => ({ ...entry, kind: "unknown" })),
    };
    expect(walk({}, fileSystem)).toEqual(walk());
  });

  test("spill files of a killed run are overwritten", () => {
    for (let i = 0; i < 20; i++) put(`f${i}`);
    const expected = walk();
    const spill = join(base, "spill");
    const leftOver: string[] = [];
    const fileSystem: FileSystem = {
      ...nodeFileSystem,
      open: (path, flags, mode) => {
        if (path.startsWith(spill)) {
          fs.writeFileSync(path, "left over");
          leftOver.push(path);
        }
        return nodeFileSystem.open(path, flags, mode);
      },
    };
    expect(walk({ spillThreshold: 3 }, fileSystem)).toEqual(expected);
    expect(leftOver.length).toBeGreaterThan(0);
  });
});

test("a file row gives that file, filters aside", () => {
  put("dir/Disk 0.vhd", "123");
  const row = {
    index: 0,
    line: 2,
    basePath: join(root, "dir/Disk 0.vhd"),
    kind: "file",
    destination: "images/disk0.vhd",
    container: "images",
    blobType: "PageBlob",
    disposition: "rename",
  } as const;
  const filter = compileFilter(["nothing"], []);
  if (filter === undefined) throw new Error("no filter");
  expect([...walkRow(nodeFileSystem, row, { ...options, filter })]).toMatchObject([
    { kind: "file", relativePath: "Disk 0.vhd", storedPath: "Disk 0.vhd", stat: { sizeBytes: 3 } },
  ]);
  fs.rmSync(join(root, "dir/Disk 0.vhd"));
  expect([...walkRow(nodeFileSystem, row, options)]).toMatchObject([{ kind: "left-out", code: "FILE_VANISHED" }]);
});
