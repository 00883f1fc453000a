import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { openStateDirectory, stateDirectoryPath } from "../../src/platform/state-directory.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test.each([
  ["linux", {}, "/home/u", "/home/u/.local/state/waimportexport"],
  ["linux", { XDG_STATE_HOME: "/x" }, "/home/u", "/x/waimportexport"],
  ["linux", { XDG_STATE_HOME: "relative" }, "/home/u", "/home/u/.local/state/waimportexport"],
  ["darwin", { XDG_STATE_HOME: "/x" }, "/Users/u", "/Users/u/Library/Application Support/waimportexport"],
  ["win32", { LOCALAPPDATA: "C:\\L" }, "C:\\Users\\u", "C:\\L\\waimportexport"],
  ["win32", {}, "C:\\Users\\u", "C:\\Users\\u\\AppData\\Local\\waimportexport"],
  ["linux", { WAIMPORTEXPORT_STATE_DIR: "/own", XDG_STATE_HOME: "/x" }, "/home/u", "/own"],
] as const)("on %s with %o the state directory of %s is %s", (platform, env, home, expected) => {
  expect(stateDirectoryPath(platform, env, home)).toBe(expected);
});

test("a relative WAIMPORTEXPORT_STATE_DIR is refused", () => {
  expect(() => stateDirectoryPath("linux", { WAIMPORTEXPORT_STATE_DIR: "x" }, "/h")).toThrow(
    expect.objectContaining({ code: "USAGE_BAD_VALUE" }),
  );
});

test("the directory is made for the user alone", () => {
  const path = join(temporaryDirectory(), "a", "b");
  expect(openStateDirectory(nodeFileSystem, path)).toBe(path);
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o700);
  openStateDirectory(nodeFileSystem, path);
});

test("a file in its place is named in the error", () => {
  const base = temporaryDirectory();
  mkdirSync(join(base, "a"));
  writeFileSync(join(base, "a", "b"), "");
  expect(() => openStateDirectory(nodeFileSystem, join(base, "a", "b", "c"))).toThrow(
    expect.objectContaining({ code: "STATE_DIR_UNUSABLE", message: expect.stringContaining("not a directory") }),
  );
});
