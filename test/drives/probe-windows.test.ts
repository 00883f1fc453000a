import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createWindowsProbe } from "../../src/drives/probe-windows.ts";
import { parseWindowsListing } from "../../src/drives/windows/disk-listing.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import type { ProcessResult, ProcessRunner } from "../../src/platform/processes.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

const volumes = readFileSync(
  join(import.meta.dirname, "../../fixtures/tools/constructed-windows/volumes.json"),
  "utf8",
);

/** Every path is one empty directory. */
function anyDirectory(): FileSystem {
  const directory = temporaryDirectory();
  return {
    ...nodeFileSystem,
    realpath: (path) => path,
    stat: () => nodeFileSystem.stat(directory),
    openDirectory: () => nodeFileSystem.openDirectory(directory),
    statfs: () => nodeFileSystem.statfs(directory),
  };
}

function probe(result: Partial<ProcessResult> = {}) {
  const inputs: string[] = [];
  const runner: ProcessRunner = {
    run: async (command, _args, options) => {
      expect(command).toBe("powershell.exe");
      inputs.push(options?.input ?? "");
      return { exitCode: 0, stdout: volumes, stderr: "", ...result };
    },
  };
  return { ...createWindowsProbe(anyDirectory(), runner), inputs };
}

describe("a letter (constructed output)", () => {
  test.each(["G", "g:", "G:\\"])("%s", async (place) => {
    expect(await probe().probe(place)).toMatchObject({
      driveId: "WD-WCC7K1234567",
      place,
      root: "G:\\",
      kind: "volume",
      model: "WDC WD40EFRX-68N32N0",
      sizeBytes: 4_000_650_883_072,
      clusterBytes: 4096,
      rotational: true,
      transport: "sata",
      ntfs: true,
      isSystem: false,
      encryptable: "bitlocker",
      warnings: [],
    });
  });

  test("the system's disk", async () => {
    expect(await probe().probe("C")).toMatchObject({ isSystem: true, rotational: false });
  });

  test("a USB disk with 4096-byte sectors and a second letter", async () => {
    expect(await probe().probe("H")).toMatchObject({
      encryptable: "none",
      reasons: ["its sectors have 4096 bytes, not 512"],
      inUseBy: "its disk also holds I:",
      removable: true,
      warnings: [expect.stringContaining("enclosure"), expect.stringContaining("NTFS only")],
    });
  });

  test.each([["Z"], ["Q"]])("%s is no volume on a disk", async (place) => {
    await expect(probe().probe(place)).rejects.toMatchObject({ code: "DRIVE_KIND_UNSUPPORTED" });
  });

  test("the list leaves out what has no disk", async () => {
    expect((await probe().list()).map((drive) => drive.place)).toEqual(["C:\\", "G:\\", "H:\\"]);
  });
});

test("a directory is a rehearsal and needs no PowerShell", async () => {
  const { inputs, ...windows } = probe();
  expect(await windows.probe("C:\\work\\drive1")).toMatchObject({ kind: "directory", encryptable: "mock" });
  expect(inputs).toEqual([]);
  for (const place of ["work\\drive1", "\\work", "C:work"]) {
    await expect(windows.probe(place)).rejects.toMatchObject({ code: "DRIVE_NOT_FOUND" });
  }
});

test.each([
  [{ exitCode: -1, failure: "missing" as const }, "PowerShell is not installed"],
  [{ stdout: "" }, "PowerShell did not print JSON"],
  [{ stdout: '{"ok":false,"message":"Access denied\\r\\nat line 3"}' }, "Access denied"],
  [{ stdout: '{"ok":true}' }, undefined],
])("PowerShell's failure is told (%#)", async (result, message) => {
  const windows = probe(result);
  await expect(windows.probe("G")).rejects.toMatchObject({
    code: "DRIVE_KIND_UNSUPPORTED",
    ...(message === undefined ? {} : { message: expect.stringContaining(message) }),
  });
});

test("an array of one element, as Windows PowerShell prints it", () => {
  const listing = parseWindowsListing(`\uFEFF${volumes}`);
  expect(listing).toMatchObject({ pageFileLetters: new Set(["C"]) });
});
