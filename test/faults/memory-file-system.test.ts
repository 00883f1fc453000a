import { constants } from "node:fs";
import { describe, expect, it } from "vitest";
import { fsyncDirectory, writeFileDurably } from "../../src/platform/durable-file.ts";
import { describeFileSystem } from "../platform/file-system-conformance.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { seededRandom } from "./seeded-random.ts";

describeFileSystem("the file system in memory", () => {
  const fs = new MemoryFileSystem();
  fs.mkdir("/work");
  return { fs, root: "/work", symlink: (target, path) => fs.symlink(target, path), remove: () => {} };
});

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const EXISTING = constants.O_RDWR;

it("refuses a closed handle", () => {
  const fs = new MemoryFileSystem();
  fs.writeFile("/a", "x");
  const fd = fs.open("/a", constants.O_RDONLY);
  fs.close(fd);
  expect(() => fs.fstat(fd)).toThrow("EBADF");
  expect(() => fs.close(fd)).toThrow("EBADF");
});

describe("capacity", () => {
  it("takes what fits, then refuses, and gives room back", () => {
    const fs = new MemoryFileSystem({ volumes: { "/v": 40_960 } });
    const fd = fs.open("/v/a", constants.O_CREAT | constants.O_WRONLY);
    expect(fs.write(fd, Buffer.alloc(65_536), 0, 65_536, 0)).toBe(36_864);
    expect(() => fs.write(fd, Buffer.alloc(1), 0, 1, 36_864)).toThrow("ENOSPC");
    expect(() => fs.mkdir("/v/d")).toThrow("ENOSPC");
    expect(fs.statfs("/v").freeBytes).toBe(0);
    fs.unlink("/v/a");
    expect(fs.statfs("/v").freeBytes).toBe(0);
    fs.close(fd);
    expect(fs.statfs("/v").freeBytes).toBe(36_864);
  });

  it("keeps volumes apart", () => {
    const fs = new MemoryFileSystem({ volumes: { "/v": 1e6 } });
    fs.writeFile("/a", "x");
    expect(fs.stat("/v").device).not.toBe(fs.stat("/").device);
    expect(() => fs.rename("/a", "/v/a")).toThrow("EXDEV");
    fs.writeFile("/v/b", "below");
    fs.unmount("/v");
    expect(fs.readdir("/v")).toEqual([]);
  });
});

describe("a copy of it", () => {
  it("goes its own way", () => {
    const fs = new MemoryFileSystem({ volumes: { "/v": 1e6 } });
    fs.writeFile("/v/a", "one");
    const copy = fs.clone();
    fs.writeFile("/v/a", "two");
    copy.writeFile("/v/b", "new");
    expect(copy.readFile("/v/a").toString()).toBe("one");
    expect(fs.readFile("/v/a").toString()).toBe("two");
    expect(fs.tree("/v").has("b")).toBe(false);
    expect(copy.statfs("/v").freeBytes).toBe(fs.statfs("/v").freeBytes - 4096);
  });
});

describe("after a power cut", () => {
  const outcomes = (prepare: (fs: MemoryFileSystem) => void, look: (fs: MemoryFileSystem) => string): Set<string> => {
    const found = new Set<string>();
    for (const seed of SEEDS) {
      const fs = new MemoryFileSystem();
      fs.writeFile("/old", "old");
      fs.flushAll();
      prepare(fs);
      found.add(look(fs.afterPowerCut(seededRandom(seed))));
    }
    return found;
  };
  const content = (path: string) => (fs: MemoryFileSystem) => {
    const found = fs.tree("/").get(path);
    return found === undefined ? "none" : String(found);
  };

  it("a new file is there or not, empty, whole or zeros", () => {
    const found = outcomes((fs) => fs.writeFile("/new", "abc"), content("new"));
    expect(found).toEqual(new Set(["none", "", "abc", "\0\0\0"]));
  });

  it("fsync of the file keeps its content, fsync of the directory its name", () => {
    const found = outcomes((fs) => {
      fs.writeFile("/new", "abc");
      const fd = fs.open("/new", EXISTING);
      fs.fsync(fd);
      fs.close(fd);
    }, content("new"));
    expect(found).toEqual(new Set(["none", "abc"]));
    const both = outcomes((fs) => {
      fs.writeFile("/new", "abc");
      fs.fsync(fs.open("/new", EXISTING));
      fsyncDirectory(fs, "/");
    }, content("new"));
    expect(both).toEqual(new Set(["abc"]));
  });

  it("a volume that was flushed keeps everything", () => {
    const found = outcomes((fs) => {
      fs.writeFile("/d/e/new", "abc");
      fs.flushVolume("/");
    }, content("d/e/new"));
    expect(found).toEqual(new Set(["abc"]));
  });

  it("a rename is whole: one name or the other", () => {
    const found = outcomes(
      (fs) => fs.rename("/old", "/moved"),
      (fs) => [...fs.tree("/").keys()].join(),
    );
    expect(found).toEqual(new Set(["old", "moved"]));
  });

  it("a file replaced without fsync may be empty; replaced durably it is the old or the new one", () => {
    const careless = outcomes((fs) => {
      fs.writeFile("/tmp", "new");
      fs.rename("/tmp", "/old");
    }, content("old"));
    expect(careless).toContain("");
    const careful = outcomes((fs) => writeFileDurably(fs, "/old", Buffer.from("new"), 0o600), content("old"));
    expect(careful).toEqual(new Set(["new"]));
  });

  it("pages are lost one by one", () => {
    const found = outcomes(
      (fs) => {
        const fd = fs.open("/old", EXISTING);
        for (let page = 0; page < 3; page++) fs.write(fd, Buffer.alloc(4096, 65 + page), 0, 4096, page * 4096);
      },
      (fs) => {
        const bytes = fs.readFile("/old");
        return [0, 4096, 8192]
          .map((at) => (at < bytes.length ? (bytes[at] === 0 || bytes[at] === 111 ? "-" : "x") : "."))
          .join("");
      },
    );
    expect(found).toContain("-xx");
    expect(found).toContain("x-x");
    expect(found).toContain("x..");
    expect(found).toContain("xxx");
  });

  it("an overwritten page is one of its versions, or torn at a sector", () => {
    const found = outcomes(
      (fs) => {
        fs.writeFile("/p", Buffer.alloc(4096, "a"));
        fs.flushAll();
        const fd = fs.open("/p", EXISTING);
        fs.write(fd, Buffer.alloc(4096, "b"), 0, 4096, 0);
        fs.write(fd, Buffer.alloc(4096, "c"), 0, 4096, 0);
      },
      (fs) => [...new Set(fs.readFile("/p").toString())].sort().join(""),
    );
    expect([...found].sort()).toEqual(expect.arrayContaining(["a", "b", "c", "ac"]));
  });
});
