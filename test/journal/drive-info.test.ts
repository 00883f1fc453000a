import { readdirSync, readFileSync, statSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type DriveInfo,
  driveInfoFileName,
  driveInfoXml,
  parseDriveInfo,
  writeDriveInfoFile,
} from "../../src/journal/drive-info.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { expectGolden } from "../golden.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

const INFO: DriveInfo = {
  driveId: "WD-WMATV 1<&>",
  bitLockerKey: "111111-222222-333333-444444-555555-666666-077770-088880",
  manifestFile: "\\DriveManifest.xml",
  manifestHash: "D863FE44F861AE0DA4DCEAEEFFCCCE68",
};

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});

describe("the per-drive file", () => {
  it("is the record of the journal, for its owner only, and is replaced whole", () => {
    writeDriveInfoFile(nodeFileSystem, directory, { ...INFO, manifestHash: "0".repeat(32) }, 0);
    const path = writeDriveInfoFile(nodeFileSystem, directory, INFO, Date.UTC(2026, 2, 1, 10));
    expect(readdirSync(directory)).toEqual(["WD-WMATV_1___.xml"]);
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, "utf8");
    expectGolden("fixtures/golden/journal/drive-info.xml", text);
    expect(parseDriveInfo(text)).toEqual(INFO);
  });

  it("is also read as a bare document, with CR LF, a byte order mark and lower-case hash", () => {
    const bare = driveInfoXml(INFO).replaceAll("\n", "\r\n").replace("D863FE44", "d863fe44");
    expect(parseDriveInfo(`\ufeff${bare}\r\n`)).toEqual(INFO);
  });

  it("has a name without anything but letters, digits, dot, underscore and hyphen", () => {
    expect(driveInfoFileName("../A:B 😀ü")).toBe(".._A_B___.xml");
  });

  it.each([
    ["nothing", ""],
    ["another record", "[BeginUpdateRecord][2024/05/02 18:24:14.749][Type:ActivityRecord]\nA: b\n[EndUpdateRecord]\n"],
    ["a document type", `<!DOCTYPE a [<!ENTITY e "x">]>${driveInfoXml(INFO).slice(39)}`],
    ["broken XML", driveInfoXml(INFO).slice(0, -3)],
    ["another root", driveInfoXml(INFO).replaceAll("Drive>", "Disk>")],
    ["two ids", driveInfoXml(INFO).replace("<DriveId>", "<DriveId>1</DriveId><DriveId>")],
    ["no id", driveInfoXml({ ...INFO, driveId: "" })],
    ["a short hash", driveInfoXml({ ...INFO, manifestHash: "D863" })],
  ])("is refused when it holds %s", (_, text) => {
    expect(() => parseDriveInfo(text)).toThrow(expect.objectContaining({ code: "USAGE_BAD_VALUE" }));
  });
});
