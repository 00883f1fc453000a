import { existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Drive } from "../../src/drives/drive.ts";
import { checkNoManifest, checkWritable } from "../../src/drives/drive-check.ts";
import { findDrives } from "../../src/drives/find-drives.ts";
import type { DriveProbe } from "../../src/drives/probe.ts";
import { createDriveProbe } from "../../src/drives/probe.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import { systemProcessRunner } from "../../src/platform/processes.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { sampleDrive } from "./sample-drive.ts";

const rows = (...places: string[]) => places.map((place, index) => ({ line: index + 2, written: place, place }));

/** Drives by place, without any disk. */
function fakeProbe(drives: Record<string, Partial<Drive>>): DriveProbe {
  return {
    probe: async (place, options) => {
      const drive = sampleDrive({ place, root: place, driveId: `ID-${place}`, ...drives[place] });
      return options?.idOverride === undefined ? drive : { ...drive, driveId: options.idOverride };
    },
    list: async () => [],
  };
}

const writable: FileSystem = { ...nodeFileSystem, open: () => 0, close: () => {}, unlink: () => {} };

async function refusal(drives: Record<string, Partial<Drive>>): Promise<unknown> {
  const ports = { fs: writable, probe: fakeProbe(drives) };
  return findDrives(ports, rows(...Object.keys(drives))).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("findDrives", () => {
  test("finds plain directories, in the order of the rows, and leaves nothing on them", async () => {
    const base = realpathSync(temporaryDirectory());
    const places = ["b", "a"].map((name) => join(base, name));
    for (const place of places) mkdirSync(place);
    const probe = createDriveProbe(process.platform, nodeFileSystem, systemProcessRunner);
    const ports = { fs: nodeFileSystem, probe };
    const found = await findDrives(ports, rows(...places), new Map([[places[1] as string, "GIVEN"]]));
    expect(found.map(({ row, drive }) => [row.line, drive.root, drive.kind])).toEqual([
      [2, places[0], "directory"],
      [3, places[1], "directory"],
    ]);
    expect(found.map(({ drive }) => drive.driveId)).toEqual([expect.stringMatching(/^MOCK/), "GIVEN"]);
    expect(found[0]?.drive.volumeKey).toBe(found[1]?.drive.volumeKey);
    for (const place of places) expect(readdirSync(place)).toEqual([]);
  });

  const cases: [string, Record<string, Partial<Drive>>, string][] = [
    ["the system's disk", { "/a": { isSystem: true, inUseBy: "something" } }, "DRIVE_IS_SYSTEM"],
    ["a disk in use", { "/a": { inUseBy: 'mounted at "/x"' } }, "DRIVE_IN_USE"],
    ["a kind not understood", { "/a": { encryptable: "none", reasons: ["odd"] } }, "DRIVE_KIND_UNSUPPORTED"],
    ["one place by two names", { "/a": {}, "/link": { root: "/a" } }, "DRIVE_DUPLICATE"],
    ["a place inside another", { "/a": {}, "/a/b": {} }, "DRIVE_DUPLICATE"],
    ["a place around another", { "/a/b": {}, "/a": {} }, "DRIVE_DUPLICATE"],
    ["one id twice", { "/a": { driveId: "X" }, "/b": { driveId: "x" } }, "DRIVE_DUPLICATE"],
    ["two ids that are one file name", { "/a": { driveId: "X 1" }, "/b": { driveId: "X#1" } }, "DRIVE_DUPLICATE"],
  ];
  test.each(cases)("refuses %s", async (_what, drives, code) => {
    expect(await refusal(drives)).toMatchObject({ code, exitCode: 5 });
  });

  test("does not take a common beginning of names for nesting", async () => {
    expect(await refusal({ "/a": {}, "/ab": {} })).toBeUndefined();
  });

  test("tells all problems at once, by line", async () => {
    const drives = { "/a": {}, "/b": { isSystem: true }, "/c": { root: "/a" }, "/d": { inUseBy: "LVM" } };
    expect(await refusal(drives)).toMatchObject({
      code: "DRIVE_IS_SYSTEM",
      message: expect.stringMatching(/^3 problems with the drives: line 3: .*; line 4: .*; line 5: /),
      facts: {
        problems: [
          { line: 3, place: "/b", code: "DRIVE_IS_SYSTEM" },
          { line: 4, place: "/c", code: "DRIVE_DUPLICATE" },
          { line: 5, place: "/d", code: "DRIVE_IN_USE" },
        ],
      },
    });
  });

  test("adds the caller's own check", async () => {
    const base = realpathSync(temporaryDirectory());
    writeFileSync(join(base, "DriveManifest.xml"), "<x/>");
    const ports = { fs: nodeFileSystem, probe: fakeProbe({}) };
    const found = findDrives(ports, rows(base), new Map(), (drive) => checkNoManifest(nodeFileSystem, drive));
    await expect(found).rejects.toMatchObject({
      code: "DRIVE_HAS_MANIFEST",
      message: expect.stringMatching(/^A DriveManifest\.xml file exists on the target drive\./),
    });
  });

  test("writes nothing when told so", async () => {
    const fs: FileSystem = {
      ...nodeFileSystem,
      open: () => {
        throw new Error("written");
      },
    };
    const ports = { fs, probe: fakeProbe({}) };
    expect(await findDrives(ports, rows("/a"), new Map(), undefined, false)).toHaveLength(1);
  });

  test("an unexpected error is not taken for a refusal", async () => {
    const probe: DriveProbe = { probe: () => Promise.reject(new TypeError("bug")), list: async () => [] };
    await expect(findDrives({ fs: writable, probe }, rows("/a"))).rejects.toThrow(TypeError);
  });
});

describe("checks of one drive", () => {
  test("no manifest", () => {
    expect(() => checkNoManifest(nodeFileSystem, sampleDrive({ root: temporaryDirectory() }))).not.toThrow();
  });

  test("nothing can be written", () => {
    const fs: FileSystem = {
      ...nodeFileSystem,
      open: () => {
        throw Object.assign(new Error("x"), { code: "EROFS" });
      },
    };
    expect(() => checkWritable(fs, sampleDrive())).toThrow(
      expect.objectContaining({ code: "DRIVE_NOT_WRITABLE", message: expect.stringContaining("read-only") }),
    );
  });

  test("the write test does not follow or replace what lies there", () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, ".waimportexport-write-test"), "mine");
    checkWritable(nodeFileSystem, sampleDrive({ root }));
    expect(existsSync(join(root, ".waimportexport-write-test"))).toBe(true);
  });

  test("the write test of a killed run goes", () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, ".waimportexport-write-test"), "");
    checkWritable(nodeFileSystem, sampleDrive({ root }));
    expect(readdirSync(root)).toEqual([]);
  });
});
