import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pathToDriveId } from "../../src/drives/drive-id.ts";
import { parsePlist } from "../../src/drives/macos/plist.ts";
import { createMacosProbe, mountPointsOf } from "../../src/drives/probe-macos.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import type { ProcessRunner } from "../../src/platform/processes.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../fixtures/tools/constructed-macos", name), "utf8");
}

/** A Mac on which `mountPoint` is a USB volume. */
function macWith(mountPoint: string, change: (plist: string) => string = (plist) => plist): ProcessRunner {
  return {
    run: async (_command, args) => {
      const answer = (stdout: string) => ({ exitCode: 0, stdout, stderr: "" });
      if (args[0] === "list") return answer(fixture("list.plist").replace("/Volumes/SHIP", mountPoint));
      if (args[2] === "/") return answer(fixture("info-root.plist"));
      if (args[2] === mountPoint) return answer(change(fixture("info-usb.plist").replace("@MOUNT@", mountPoint)));
      return { exitCode: 1, stdout: "", stderr: "Could not find disk" };
    },
  };
}

describe.skipIf(process.platform === "win32")("on macOS (constructed output; not on Windows)", () => {
  test("a USB volume", async () => {
    const mountPoint = realpathSync(temporaryDirectory());
    const drive = await createMacosProbe(nodeFileSystem, macWith(mountPoint)).probe(mountPoint);
    expect(drive).toMatchObject({
      driveId: pathToDriveId(mountPoint),
      kind: "volume",
      model: "Elements & Co",
      fileSystem: "exfat",
      volumeKey: "disk disk4s1",
      rotational: true,
      transport: "usb",
      removable: true,
      isSystem: false,
      inUseBy: 'its disk also holds "/System/Volumes/Data"',
    });
  });

  test.each([
    ["an internal disk", (plist: string) => plist.replace("<false/>", "<true/>")],
    ["the container's disk", (plist: string) => plist.replace(">disk4<", ">disk0<")],
  ])("%s counts as the system's", async (_what, change) => {
    const mountPoint = realpathSync(temporaryDirectory());
    const drive = await createMacosProbe(nodeFileSystem, macWith(mountPoint, change)).probe(mountPoint);
    expect(drive.isSystem).toBe(true);
  });

  test("a disk image and a directory are rehearsals", async () => {
    const place = realpathSync(temporaryDirectory());
    const image = macWith(place, (plist) => plist.replace(">USB<", ">Disk Image<"));
    expect(await createMacosProbe(nodeFileSystem, image).probe(place)).toMatchObject({ kind: "loop" });
    expect(await createMacosProbe(nodeFileSystem, macWith("/elsewhere")).probe(place)).toMatchObject({
      kind: "directory",
      encryptable: "mock",
    });
  });
});

test("property lists", () => {
  expect(mountPointsOf(parsePlist(fixture("list.plist")))).toEqual(["/System/Volumes/Data", "/Volumes/SHIP"]);
  expect(
    parsePlist("<plist><dict><key>a</key><real>1.5</real><key>b</key><string> x </string></dict></plist>"),
  ).toEqual({
    a: 1.5,
    b: " x ",
  });
  for (const wrong of ["", "no plist", "<plist></plist>", "<plist><array/></plist>"])
    expect(parsePlist(wrong)).toEqual({});
});
