import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import { removeTree } from "../../src/platform/remove-tree.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test("removes files and directories, and links instead of what they point at", () => {
  const base = temporaryDirectory();
  mkdirSync(join(base, "kept"));
  writeFileSync(join(base, "kept", "file"), "precious");
  const root = join(base, "root");
  mkdirSync(join(root, "a", "b", "c"), { recursive: true });
  mkdirSync(join(root, "a", "empty"));
  writeFileSync(join(root, "a", "b", "f"), "");
  symlinkSync(join(base, "kept"), join(root, "a", "link"), "junction");
  symlinkSync(join(base, "nowhere"), join(root, "dangling"), "junction");
  removeTree(nodeFileSystem, root);
  expect(readdirSync(base)).toEqual(["kept"]);
  expect(readFileSync(join(base, "kept", "file"), "utf8")).toBe("precious");
});

test("a directory is emptied part by part", () => {
  const root = join(temporaryDirectory(), "root");
  for (let i = 0; i < 20; i++) mkdirSync(join(root, `d${i}`, "x"), { recursive: true });
  for (let i = 0; i < 20; i++) writeFileSync(join(root, `f${i}`), "");
  let most = 0;
  const counting: FileSystem = {
    ...nodeFileSystem,
    openDirectory: (path) => {
      const reader = nodeFileSystem.openDirectory(path);
      let count = 0;
      const read = () => {
        most = Math.max(most, ++count);
        return reader.read();
      };
      return { read, close: () => reader.close() };
    },
  };
  removeTree(counting, root, 3);
  expect(existsSync(root)).toBe(false);
  expect(most).toBe(3);
});

test("entries that cannot be removed by name end in an error, not in a loop", () => {
  const root = temporaryDirectory();
  for (let i = 0; i < 5; i++) writeFileSync(join(root, `f${i}`), "");
  const unnameable: FileSystem = {
    ...nodeFileSystem,
    unlink: () => {
      throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    },
  };
  expect(() => removeTree(unnameable, root, 2)).toThrow("ENOTEMPTY");
});

test("a root that is a link, a file or missing", () => {
  const base = temporaryDirectory();
  mkdirSync(join(base, "kept"));
  symlinkSync(join(base, "kept"), join(base, "link"), "junction");
  writeFileSync(join(base, "file"), "");
  for (const name of ["link", "file", "missing"]) removeTree(nodeFileSystem, join(base, name));
  expect(readdirSync(base)).toEqual(["kept"]);
});

test.runIf(process.platform === "linux")("a tree deeper than any path the system takes (Linux)", () => {
  const root = join(temporaryDirectory(), "root");
  mkdirSync(root);
  const name = "d".repeat(200);
  // Built by renaming a growing tree into a new top directory, so that no path is ever too long.
  for (let depth = 0; depth < 50; depth++) {
    mkdirSync(`${root}.next`);
    writeFileSync(`${root}.next/file`, "");
    nodeFileSystem.rename(root, `${root}.next/${name}`);
    nodeFileSystem.rename(`${root}.next`, root);
  }
  removeTree(nodeFileSystem, root);
  expect(existsSync(root)).toBe(false);
});

test("a tree that vanishes in between is fine; another failure is not", () => {
  const base = temporaryDirectory();
  const root = join(base, "root");
  mkdirSync(join(root, "a"), { recursive: true });
  writeFileSync(join(root, "f"), "");
  const fails = (code: string): FileSystem => ({
    ...nodeFileSystem,
    unlink: (path) => {
      nodeFileSystem.unlink(path);
      throw Object.assign(new Error(code), { code });
    },
  });
  removeTree(fails("ENOENT"), root);
  expect(existsSync(root)).toBe(false);
  mkdirSync(root);
  writeFileSync(join(root, "f"), "");
  expect(() => removeTree(fails("EACCES"), root)).toThrow("EACCES");
});
