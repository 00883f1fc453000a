import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pathToDriveId } from "../../src/drives/drive-id.ts";
import { createDriveProbe } from "../../src/drives/probe.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { systemProcessRunner } from "../../src/platform/processes.ts";
import { flushVolume } from "../../src/platform/volume-flush.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { canMount, mountBind, mountLoop, mountTmpfs } from "./real-mounts.ts";

const MIB = 1024 ** 2;
const probe = createDriveProbe(process.platform, nodeFileSystem, systemProcessRunner);

test("a plain directory, on whatever machine this is", async () => {
  const place = realpathSync(temporaryDirectory());
  writeFileSync(join(place, "a"), "x");
  const drive = await probe.probe(place);
  expect(drive).toMatchObject({
    driveId: pathToDriveId(place),
    place,
    root: place,
    kind: "directory",
    encryptable: "mock",
    isSystem: false,
    contents: expect.stringContaining('in its root: "a"'),
  });
  expect(drive.freeBytes).toBeGreaterThan(0);
  expect(drive.clusterBytes).toBeGreaterThan(0);
});

test.runIf(process.platform === "linux")("the root directory is the system (Linux)", async () => {
  expect(await probe.probe("/")).toMatchObject({ isSystem: true });
});

describe.runIf(canMount)("real mounts (Linux, root, loop devices)", () => {
  test("a loop mount is known by its image", async () => {
    const { image, mountPoint } = mountLoop(32 * MIB);
    const drive = await probe.probe(mountPoint);
    expect(drive).toMatchObject({ kind: "loop", driveId: pathToDriveId(image), fileSystem: "ext4", isSystem: false });
    expect(drive.contents).toMatch(/; empty$/);
    expect(drive.sizeBytes).toBeLessThan(32 * MIB);
    expect(drive.sizeBytes).toBeGreaterThan(20 * MIB);
    expect((await probe.list()).map(({ place }) => place)).toContain(mountPoint);
    const inside = join(mountPoint, "sub");
    mkdirSync(inside);
    expect(await probe.probe(inside)).toMatchObject({ kind: "directory", volumeKey: drive.volumeKey });
  });

  test("a tmpfs", async () => {
    const mountPoint = mountTmpfs(8 * MIB);
    const drive = await probe.probe(mountPoint);
    expect(drive).toMatchObject({ kind: "tmpfs", driveId: pathToDriveId(mountPoint), sizeBytes: 8 * MIB });
  });

  test("two places of one volume share its key", async () => {
    const { mountPoint } = mountLoop(16 * MIB);
    const again = mountBind(mountPoint);
    expect((await probe.probe(again)).volumeKey).toBe((await probe.probe(mountPoint)).volumeKey);
  });

  test("a flush of the volume puts the bytes into the image", async () => {
    const { image, mountPoint } = mountLoop(16 * MIB);
    // Split, so that it is found in the image only where the file system has put it.
    const marker = `${"flushed-"}${"to-the-medium-".repeat(50)}`;
    writeFileSync(join(mountPoint, "f"), marker);
    expect(readFileSync(image).includes(marker)).toBe(false);
    await flushVolume(systemProcessRunner, nodeFileSystem, mountPoint);
    expect(readFileSync(image).includes(marker)).toBe(true);
  });

  test("a flush of a tmpfs succeeds", async () => {
    await flushVolume(systemProcessRunner, nodeFileSystem, mountTmpfs(MIB));
  });
});
