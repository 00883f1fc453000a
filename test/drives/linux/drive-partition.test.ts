/**
 * Partitions: which programs run in which order, and that nothing stays mapped or mounted whatever fails. The device
 * mapper is played by the simulated machine; the volume on the partition is a real one.
 */
import { readFileSync, truncateSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { generateBitLockerKey } from "../../../src/bitlocker/recovery-password.ts";
import type { Drive } from "../../../src/drives/drive.ts";
import type { DriveEncryption } from "../../../src/drives/encryption/encryption.ts";
import { createLinuxEncryption } from "../../../src/drives/encryption/linux.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { temporaryDirectory } from "../../platform/temporary-directory.ts";
import { imageAt } from "./image-tools.ts";
import { SimulatedLinux, VOLUME_BYTES } from "./simulated-linux.ts";

const KEY = generateBitLockerKey(systemRandom);
const OTHER_KEY = generateBitLockerKey(systemRandom);
const FORMAT = { format: { label: "WAIMPORT" } };
const DRIVE: Drive = { ...imageAt("/dev/sdb1", VOLUME_BYTES), kind: "partition", driveId: "WD 1/2", startSector: 4096 };
const MAPPER = "/dev/mapper/waimportexport-WD_1_2";
const MOUNT = "/state/mounts/WD_1_2";

let machine: SimulatedLinux;
let encryption: DriveEncryption;
beforeEach(() => {
  machine = new SimulatedLinux(temporaryDirectory());
  machine.write("/dev/sdb1", "");
  truncateSync(machine.at("/dev/sdb1"), VOLUME_BYTES);
  encryption = createLinuxEncryption(machine.ports());
});

const expectTidy = (): void =>
  expect({ mounts: machine.mounts(), mappings: machine.mappings() }).toEqual({ mounts: [], mappings: [] });

describe("a session", () => {
  test("runs the programs in this order, and no key on a command line", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    expect(await encryption.status(DRIVE)).toEqual({ state: "locked" });
    const made = machine.runs.splice(0).filter((line) => !line.startsWith("setfattr"));
    const plain = "/state/volumes/WD_1_2.plain";
    expect(made).toEqual([
      "lsblk --json -O --bytes",
      `mkntfs -F -Q -c 4096 -s 512 -p 4096 -H 255 -S 63 -L WAIMPORT ${plain}`,
      `ntfs-3g -o umask=0077,windows_names,big_writes,noatime ${plain} ${MOUNT}`,
      `fusermount3 -u -- ${MOUNT}`,
    ]);
    expect(await encryption.open?.(DRIVE, KEY)).toEqual({ root: MOUNT });
    expect(await encryption.status(DRIVE)).toEqual({ state: "on" });
    const report = await encryption.close?.(DRIVE, KEY);
    expect(report).toMatchObject({ checks: [{ tool: "cryptsetup 2.6.1", ok: true }] });
    expect(machine.runs).toEqual([
      "cryptsetup open --type bitlk --key-file - -- /dev/sdb1 waimportexport-WD_1_2",
      `ntfs-3g -o umask=0077,windows_names,big_writes,noatime ${MAPPER} ${MOUNT}`,
      `fusermount3 -u -- ${MOUNT}`,
      "cryptsetup close -- waimportexport-WD_1_2",
      "cryptsetup open --type bitlk --test-passphrase --key-file - -- /dev/sdb1",
    ]);
    expect(machine.runs.join("\n")).not.toContain(KEY);
    expectTidy();
  });

  test("the header says of the partition's place what the file system says", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    expect(readFileSync(machine.at("/dev/sdb1")).readUInt32LE(28)).toBe(2048);
  });

  test("what a killed run left is taken down before the drive is opened again", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    await encryption.open?.(DRIVE, KEY);
    const next = createLinuxEncryption(machine.ports());
    await next.encrypt(DRIVE, KEY, FORMAT);
    expectTidy();
    await next.open?.(DRIVE, KEY);
    await next.release?.(DRIVE);
    expectTidy();
    expect(await next.close?.(DRIVE, KEY)).toEqual({ checks: [], missing: [] });
  });
});

describe("when a step fails", () => {
  test.each([
    ["mkntfs", 1, "cannot format"],
    ["ntfs-3g", 12, "cannot mount"],
    ["setfattr", 1, "cannot hide"],
  ])("%s while the volume is made: nothing stays, and it can be repeated", async (tool, exitCode, message) => {
    machine.failing.set(tool, exitCode);
    await expect(encryption.encrypt(DRIVE, KEY, FORMAT)).rejects.toThrow(message);
    expectTidy();
    expect(await encryption.status(DRIVE)).toEqual({ state: "off" });
    machine.failing.clear();
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    expect(await machine.opens("/dev/sdb1", KEY)).toBe(true);
  });

  test("a mount that fails takes the mapping down again", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    machine.failing.set(`ntfs-3g -o umask=0077,windows_names,big_writes,noatime ${MAPPER}`, 13);
    await expect(encryption.open?.(DRIVE, KEY)).rejects.toThrow("cannot mount");
    expectTidy();
  });

  test("a mapping that fails is told with what cryptsetup says", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    machine.failing.set("cryptsetup open", 4);
    await expect(encryption.open?.(DRIVE, KEY)).rejects.toThrow('cannot open "/dev/sdb1": cryptsetup says');
    expectTidy();
  });

  test("a volume that cryptsetup does not open with its key is not handed out", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    await encryption.open?.(DRIVE, KEY);
    machine.failing.set("--test-passphrase", 2);
    await expect(encryption.close?.(DRIVE, KEY)).rejects.toThrow("does not open drive");
    expectTidy();
  });
});

describe("keys and refusals", () => {
  test("another key opens nothing and erases nothing", async () => {
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    await expect(encryption.adopt(DRIVE, OTHER_KEY)).rejects.toMatchObject({
      code: "BITLOCKER_KEY_WRONG",
      exitCode: 8,
    });
    await expect(encryption.open?.(DRIVE, OTHER_KEY)).rejects.toMatchObject({ code: "BITLOCKER_KEY_WRONG" });
    await expect(encryption.encrypt(DRIVE, OTHER_KEY)).rejects.toThrow("already encrypted with another key");
    await encryption.adopt(DRIVE, KEY);
  });

  test("without Format a partition that is not encrypted is left alone", async () => {
    await expect(encryption.encrypt(DRIVE, KEY)).rejects.toThrow("is not encrypted, and AlreadyFormatted was given");
    await expect(encryption.inspect?.(DRIVE, { format: false })).rejects.toThrow("AlreadyFormatted");
    await expect(encryption.adopt(DRIVE, KEY)).rejects.toThrow("is not encrypted with BitLocker");
    expect(machine.runs).toEqual([]);
  });

  test("one that was mounted since the plan is left alone", async () => {
    machine.write("/sys/class/block/sdb1/dev", "8:17\n");
    machine.write("/sys/dev/block/8:17/dev", "8:17\n");
    machine.write("/sys/class/block/sdb1/holders/dm-7", "");
    await expect(encryption.encrypt(DRIVE, KEY, FORMAT)).rejects.toMatchObject({ code: "DRIVE_IN_USE" });
    expect(readFileSync(machine.at("/dev/sdb1")).every((byte) => byte === 0)).toBe(true);
  });

  test("planning sees what is free and what lies in the root", async () => {
    const empty = await encryption.inspect?.(DRIVE, { format: true });
    expect(empty).toMatchObject({ clusterBytes: 4096, rootNames: [] });
    await encryption.encrypt(DRIVE, KEY, FORMAT);
    const seen = await encryption.inspect?.(DRIVE, { key: KEY });
    expect(seen).toEqual({
      freeBytes: expect.any(Number),
      clusterBytes: 4096,
      rootNames: ["System Volume Information", "docs"],
    });
    // The promise made before was not too large: the recorded volume holds 800 KiB of files beside BitLocker's.
    expect(empty?.freeBytes).toBeLessThan((seen?.freeBytes ?? 0) + 1024 * 1024);
  });
});

describe("what is missing", () => {
  test("programs by their packages, the device mapper and FUSE by name", async () => {
    expect(await encryption.capabilities(DRIVE)).toEqual({ canEncrypt: true, canUnlock: true, missing: [] });
    for (const tool of ["mkntfs", "cryptsetup"]) machine.missing.add(tool);
    machine.write("/proc/devices", "Block devices:\n  8 sd\n");
    const { canEncrypt, missing } = await encryption.capabilities(DRIVE);
    expect(canEncrypt).toBe(false);
    expect(missing).toEqual([
      "mkntfs is not installed (package ntfs-3g)",
      "cryptsetup is not installed (package cryptsetup-bin)",
      expect.stringContaining("no device mapper"),
    ]);
  });

  test("an image needs neither cryptsetup nor the device mapper", async () => {
    machine.missing.add("cryptsetup");
    machine.write("/proc/devices", "");
    const image = imageAt("/data/disk.img", VOLUME_BYTES);
    expect(await encryption.capabilities(image)).toMatchObject({ canEncrypt: true });
  });

  test("a mounted volume is not encrypted, and its partition is named as the way", async () => {
    const mounted: Drive = { ...DRIVE, kind: "volume", root: "/mnt/a" };
    expect(await encryption.capabilities(mounted)).toMatchObject({ canEncrypt: false, canUnlock: true });
    await expect(encryption.encrypt(mounted, KEY, FORMAT)).rejects.toMatchObject({ code: "ENCRYPTION_UNAVAILABLE" });
    expect(await encryption.open?.(mounted, KEY)).toEqual({ root: "/mnt/a" });
  });
});
