/** Partitions named by their device: described, and refused where anything speaks against erasing them. */
import { describe, expect, test } from "vitest";
import { refusalOf } from "../../src/drives/drive-check.ts";
import { formatErases } from "../../src/drives/format.ts";
import { linuxMachine, type MachineDisk, type MachineMount } from "./linux-machine.ts";

const systemDisk: MachineDisk[] = [
  { name: "sda", device: "8:0", serial: "SYS1", model: "System SSD", transport: "sata" },
  { name: "sda1", device: "8:1", disk: "sda", signature: "ext4" },
  { name: "sda2", device: "8:2", disk: "sda" },
];
const root: MachineMount = { at: "/", device: "8:1", source: "/dev/sda1", fileSystem: "ext4" };
const disk: MachineDisk = { name: "sdb", device: "8:16", serial: "WD-1 2", model: "Data HDD", transport: "usb" };
const partition: MachineDisk = {
  name: "sdb1",
  device: "8:17",
  disk: "sdb",
  signature: "ntfs",
  start: 2048,
  size: 4_000_000,
};

const machineWith = (disks: MachineDisk[], mounts: MachineMount[] = []) =>
  linuxMachine({ disks: [...systemDisk, ...disks], mounts: [root, ...mounts] });

async function refusal(disks: MachineDisk[], mounts: MachineMount[] = [], place = "/dev/sdb1") {
  return refusalOf(await machineWith(disks, mounts).probe(place));
}

describe("a partition that nothing uses", () => {
  test("is a drive with its disk's serial number", async () => {
    const drive = await machineWith([disk, partition]).probe("/dev/sdb1");
    expect(drive).toMatchObject({
      driveId: "WD-12",
      place: "/dev/sdb1",
      root: "/dev/sdb1",
      kind: "partition",
      model: "Data HDD",
      sizeBytes: 2_048_000_000,
      startSector: 2048,
      volumeKey: "block 8:17",
      contents: "ntfs, 1.9 GiB",
      encryptable: "bitlocker",
      isSystem: false,
    });
    expect(refusalOf(drive)).toBeUndefined();
    expect(formatErases(drive)).toBe(true);
  });

  test("is found again when it holds BitLocker, wherever the disk is attached", async () => {
    const locked = { ...partition, signature: "BitLocker" };
    const drives = await machineWith([disk, locked]).list();
    expect(drives.filter((drive) => drive.kind === "partition")).toMatchObject([
      { place: "/dev/sdb1", driveId: "WD-12" },
    ]);
    expect((await machineWith([disk, partition]).list()).filter((drive) => drive.kind === "partition")).toEqual([]);
  });

  test("stays usable when a killed run left it mapped", async () => {
    const mapping = { name: "dm-0", device: "253:0", slaves: ["sdb1"], mappingName: "waimportexport-WD-12" };
    expect(await refusal([disk, partition, mapping])).toBeUndefined();
  });
});

describe("refused", () => {
  test("a whole disk", async () => {
    await expect(machineWith([disk, partition]).probe("/dev/sdb")).rejects.toMatchObject({
      code: "DRIVE_KIND_UNSUPPORTED",
      message: expect.stringContaining("whole disk"),
      hint: expect.stringContaining("partition"),
    });
  });

  test("a partition of the system's disk", async () => {
    expect(await refusal([], [], "/dev/sda2")).toMatchObject({ code: "DRIVE_IS_SYSTEM" });
  });

  test.each([
    ["mounted", [partition], [{ at: "/mnt/x", device: "8:17", source: "/dev/sdb1", fileSystem: "ntfs3" }], '"/mnt/x"'],
    [
      "beside one that is mounted",
      [partition, { name: "sdb2", device: "8:18", disk: "sdb" }],
      [{ at: "/mnt/y", device: "8:18", source: "/dev/sdb2", fileSystem: "ext4" }],
      '"/mnt/y"',
    ],
    [
      "mapped by somebody",
      [partition, { name: "dm-0", device: "253:0", slaves: ["sdb1"], mappingName: "x" }],
      [],
      '"dm-0"',
    ],
    ["a part of LUKS", [{ ...partition, signature: "crypto_LUKS" }], [], "LUKS"],
    ["a part of LVM", [{ ...partition, signature: "LVM2_member" }], [], "LVM"],
    ["a part of RAID", [{ ...partition, signature: "linux_raid_member" }], [], "RAID"],
    ["swap", [{ ...partition, signature: "swap" }], [], "swap"],
  ] as [string, MachineDisk[], MachineMount[], string][])("%s", async (_what, parts, mounts, why) => {
    const refused = await refusal([disk, ...parts], mounts);
    expect(refused).toMatchObject({ code: "DRIVE_IN_USE" });
    expect(refused?.message).toContain(why);
  });

  test("sectors of 4096 bytes", async () => {
    const refused = await refusal([{ ...disk, sectorBytes: 4096 }, partition]);
    expect(refused).toMatchObject({ code: "DRIVE_KIND_UNSUPPORTED", message: expect.stringContaining("4096 bytes") });
  });
});
