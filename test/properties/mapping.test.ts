import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { findBlobPathClashes, groupOverlappingRows } from "../../src/dataset/blob-clashes.ts";
import { compareUtf8, sortUtf8 } from "../../src/dataset/byte-order.ts";
import type { DatasetRow } from "../../src/dataset/dataset-row.ts";
import { ExternalSorter } from "../../src/dataset/external-sort.ts";
import { compileFilter } from "../../src/dataset/filters.ts";
import { mapEntry } from "../../src/dataset/map-entry.ts";
import { clashKey, storedName } from "../../src/dataset/stored-name.ts";
import { type WalkOptions, walkDirectory } from "../../src/dataset/walk.ts";
import type { DirectoryEntry, FileStat, FileSystem } from "../../src/platform/file-system.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";

/** Directory trees in memory: any names at all, whatever the machine's file system would say to them. */
interface Tree {
  [name: string]: Tree | null;
}

const nasty = fc.constantFrom(
  "a",
  "A",
  "b",
  ".",
  " ",
  "-",
  "~",
  "%",
  ":",
  "?",
  "é",
  "É",
  "e\u0301",
  "ß",
  "\u{1f600}",
  "\ue000",
);
const name = fc
  .oneof(fc.string({ unit: nasty, minLength: 1, maxLength: 4 }), fc.constantFrom("NUL", "nul.txt", "x".repeat(300)))
  .filter((text) => text !== "." && text !== "..");
const { tree } = fc.letrec<{ tree: Tree; node: Tree | null }>((tie) => ({
  tree: fc.dictionary(name, tie("node"), { maxKeys: 8, noNullPrototype: true }),
  node: fc.oneof({ depthSize: "small", withCrossShrink: true }, fc.constant(null), tie("tree")),
}));

function inMemory(root: Tree): FileSystem {
  const find = (path: string): Tree | null => {
    let at: Tree | null = root;
    for (const part of path
      .split("/")
      .slice(2)
      .filter((text) => text !== ""))
      at = (at as Tree)[part] as Tree | null;
    return at;
  };
  const stat = (path: string): FileStat => ({
    kind: find(path) === null ? "file" : "directory",
    sizeBytes: 100,
    mtimeNs: 0n,
    fileId: 0n,
    device: 0n,
    mode: 0,
  });
  const readdir = (path: string): DirectoryEntry[] =>
    Object.entries(find(path) as Tree).map(([entry, child]) => ({
      name: entry,
      kind: child === null ? "file" : "directory",
    }));
  return { ...nodeFileSystem, stat, lstat: stat, readdir };
}

function allFiles(from: Tree, prefix = ""): string[] {
  return Object.entries(from).flatMap(([entry, child]) =>
    child === null ? prefix + entry : allFiles(child, `${prefix}${entry}/`),
  );
}

function walk(from: Tree, more: Partial<WalkOptions> = {}) {
  const options: WalkOptions = { platform: "posix", spillDirectory: "/nowhere", ...more };
  return [...walkDirectory(inMemory(from), "/source", options)].map((entry) => {
    if (entry.kind !== "file") throw new Error(`${entry.relativePath}: ${entry.reason}`);
    return entry;
  });
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

test("a walk gives every file once, sorted by the bytes of the full paths", () => {
  fc.assert(
    fc.property(tree, (from) => {
      expect(walk(from).map((entry) => entry.relativePath)).toEqual(allFiles(from).sort(byBytes));
    }),
  );
});

test("stored names fit NTFS, and no two of a directory are the same to it", () => {
  fc.assert(
    fc.property(tree, fc.constantFrom(undefined, 255), (from, maxComponentBytes) => {
      const seen = new Map<string, string>();
      for (const { relativePath, storedPath } of walk(
        from,
        maxComponentBytes === undefined ? {} : { maxComponentBytes },
      )) {
        const relative = relativePath.split("/");
        const stored = storedPath.split("/");
        expect(stored).toHaveLength(relative.length);
        for (const [depth, component] of stored.entries()) {
          expect(component).not.toMatch(/[<>:"|?*\\]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d) *(\.|$)/i);
          expect(component.length).toBeLessThanOrEqual(255);
          if (maxComponentBytes !== undefined)
            expect(Buffer.byteLength(component)).toBeLessThanOrEqual(maxComponentBytes);
          const place = stored
            .slice(0, depth + 1)
            .map(clashKey)
            .join("/");
          const owner = relative.slice(0, depth + 1).join("/");
          expect(seen.get(place) ?? owner).toBe(owner);
          seen.set(place, owner);
        }
      }
    }),
  );
});

test("spilling changes nothing", () => {
  const spillDirectory = fs.mkdtempSync(join(tmpdir(), "waie-mapping-"));
  try {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 6 }), (from, spillThreshold) => {
        expect(walk(from, { spillDirectory, spillThreshold })).toEqual(walk(from));
      }),
      { numRuns: 60 },
    );
    expect(fs.readdirSync(spillDirectory)).toEqual([]);
  } finally {
    fs.rmSync(spillDirectory, { recursive: true });
  }
});

test("a stored name depends on the name alone, and attempts differ", () => {
  fc.assert(
    fc.property(name, (text) => {
      const attempts = [0, 1, 2].map((attempt) => storedName(text, attempt));
      expect([0, 1, 2].map((attempt) => storedName(text, attempt))).toEqual(attempts);
      expect(new Set(attempts.map(clashKey)).size).toBe(3);
    }),
  );
});

test("the mapping is injective, or every clash is found", () => {
  const destination = fc.constantFrom("c-1/", "c-1/a/", "c-1/a/b/", "c-2/", "$root/");
  fc.assert(
    fc.property(fc.array(fc.tuple(tree, destination), { minLength: 1, maxLength: 4 }), (sources) => {
      const rows = sources.map(([, to], index): DatasetRow => {
        const container = to.slice(0, to.indexOf("/"));
        const fixed = { kind: "directory", blobType: "BlockBlob", disposition: "rename" } as const;
        return { index, line: index + 2, basePath: `/s${index}`, destination: to, container, ...fixed };
      });
      const mapped = sources.map(([from], index) =>
        walk(from).flatMap((entry) => {
          const row = rows[index] as DatasetRow;
          const result = mapEntry(row, { ...entry, sizeBytes: 0 }, { largeBlocks: false });
          return result.ok ? [{ blobPath: result.blobPath, sourcePath: `${row.basePath}/${entry.relativePath}` }] : [];
        }),
      );
      const owners = new Map<string, string[]>();
      for (const { blobPath, sourcePath } of mapped.flat()) {
        owners.set(blobPath, [...(owners.get(blobPath) ?? []), sourcePath]);
      }
      const expected = [...owners].filter(([, paths]) => paths.length > 1).sort(([a], [b]) => byBytes(a, b));
      const found = groupOverlappingRows(rows)
        .flatMap((group) => [...findBlobPathClashes(group.map((index) => mapped[index] ?? []))])
        .map((clash): [string, string[]] => [clash.blobPath, clash.sources])
        .sort(([a], [b]) => byBytes(a, b));
      expect(found).toEqual(expected);
    }),
  );
});

test("string order is byte order", () => {
  const text = fc.string({ unit: fc.oneof(nasty, fc.constantFrom("\ud7ff", "\uffff", "\u{10ffff}", "\u{10000}")) });
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      expect(sortUtf8([...texts])).toEqual([...texts].sort(byBytes));
      for (const [i, a] of texts.entries()) {
        expect(Math.sign(compareUtf8(a, texts[i - 1] ?? ""))).toBe(Math.sign(byBytes(a, texts[i - 1] ?? "")));
      }
    }),
  );
});

test("an external sort is a sort, whatever the lengths", () => {
  const directory = fs.mkdtempSync(join(tmpdir(), "waie-sort-"));
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.integer({ min: 0, max: 90_000 }).map((n) => "é".repeat(n)),
  );
  try {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 30 }), fc.integer({ min: 1, max: 10 }), (texts, runLength) => {
        const sorter = new ExternalSorter(nodeFileSystem, join(directory, "run"), runLength);
        for (const item of texts) sorter.add(item);
        const expected = [...texts].sort(byBytes);
        expect([...sorter.sorted()]).toEqual(expected);
        expect([...sorter.sorted()]).toEqual(expected);
        sorter.close();
      }),
      { numRuns: 60 },
    );
    expect(fs.readdirSync(directory)).toEqual([]);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});

test("what a filter prunes, it would have refused file by file", () => {
  const part = fc.constantFrom("a", "b", "*", "**", "a*", "{a,b}", "?", ".a", "!(a)", "@(a|b)");
  const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const path = fc.array(fc.constantFrom("a", "b", ".a", "ab", "c"), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(pattern, path, path, (exclude, directory, below) => {
      const filter = compileFilter([], [exclude, `${exclude}/**`]);
      if (filter?.excludesAllBelow(directory.join("/")) === true) {
        expect(filter.acceptsFile([...directory, ...below].join("/"))).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});
