import { describe, expect, test } from "vitest";
import type { Drive } from "../../src/drives/drive.ts";
import { pathToDriveId } from "../../src/drives/drive-id.ts";
import { linuxMachine, type Machine, type MachineDisk, type MachineMount } from "./linux-machine.ts";

const systemDisk: MachineDisk[] = [
  { name: "sda", device: "8:0", rotational: false, serial: "SYS1", model: "System SSD", transport: "sata" },
  { name: "sda1", device: "8:1", disk: "sda", signature: "ext4" },
  { name: "sda2", device: "8:2", disk: "sda" },
];
const root: MachineMount = { at: "/", device: "8:1", source: "/dev/sda1", fileSystem: "ext4" };
const dataDisk: MachineDisk[] = [
  { name: "sdb", device: "8:16", rotational: true, serial: "WD-WMATV 123456", model: "Data HDD", transport: "sata" },
  { name: "sdb1", device: "8:17", disk: "sdb", signature: "ntfs" },
];
const dataMount: MachineMount = { at: "/mnt/data disk", device: "8:17", source: "/dev/sdb1", fileSystem: "ntfs3" };

async function probe(machine: Machine, place = dataMount.at): Promise<Drive> {
  return linuxMachine(machine).probe(place);
}

describe("a volume on a disk of its own", () => {
  test("is described with what the disk says", async () => {
    const drive = await probe({
      disks: [...systemDisk, ...dataDisk],
      mounts: [root, dataMount],
      files: { "/mnt/data disk/photos/a.jpg": "x" },
    });
    expect(drive).toMatchObject({
      driveId: "WD-WMATV123456",
      serial: "WD-WMATV123456",
      place: "/mnt/data disk",
      root: "/mnt/data disk",
      kind: "volume",
      model: "Data HDD",
      fileSystem: "ntfs3",
      volumeKey: "block 8:17",
      rotational: true,
      transport: "sata",
      ntfs: true,
      isSystem: false,
      encryptable: "bitlocker",
      reasons: [],
      warnings: [],
      contents: expect.stringMatching(/^ntfs3, .* used of .*; in its root: "photos"$/),
    });
    expect(drive.inUseBy).toBeUndefined();
  });

  test("the id can be given", async () => {
    const machine = linuxMachine({ disks: [...systemDisk, ...dataDisk], mounts: [root, dataMount] });
    expect(await machine.probe(dataMount.at, { idOverride: "OWN" })).toMatchObject({ driveId: "OWN" });
    const nameless = linuxMachine({
      disks: [...systemDisk, ...dataDisk.map(({ serial: _serial, ...disk }) => disk)],
      mounts: [root, { ...dataMount, fileSystem: "ext4" }],
    });
    const drive = await nameless.probe(dataMount.at, { idOverride: "OWN" });
    expect(drive.warnings).toEqual([expect.stringContaining("NTFS only")]);
  });

  test("without a serial number the id comes from the place, with a warning", async () => {
    const disks = dataDisk.map(({ serial: _serial, ...disk }) => disk);
    const drive = await probe({ disks: [...systemDisk, ...disks], mounts: [root, dataMount] });
    expect(drive).toMatchObject({ driveId: pathToDriveId(dataMount.at), kind: "volume" });
    expect(drive.serial).toBeUndefined();
    expect(drive.warnings).toEqual([expect.stringContaining("--drive-id")]);
  });

  test.each([
    [{ ID_BUS: "usb", ID_SERIAL_SHORT: "ENCLOSURE7" }, "ENCLOSURE7", 1],
    [{ ID_BUS: "ata", ID_ATA: "1", ID_SERIAL_SHORT: "WD-1" }, "WD-1", 0],
  ])("on USB the ATA serial number is told from the enclosure's (%o)", async (udev, driveId, warnings) => {
    const [disk, ...parts] = dataDisk as [MachineDisk, ...MachineDisk[]];
    const usb = { ...disk, serial: "LSBLK", transport: "usb", udev: udev as Record<string, string> };
    const drive = await probe({ disks: [...systemDisk, usb, ...parts], mounts: [root, dataMount] });
    expect(drive).toMatchObject({ driveId, transport: "usb", removable: true });
    expect(drive.warnings).toHaveLength(warnings);
  });

  test("fuseblk is NTFS unless the signature says otherwise", async () => {
    const fuse = { ...dataMount, fileSystem: "fuseblk" };
    const asked = async (signature: string) =>
      probe({
        disks: [...systemDisk, ...dataDisk.map((disk) => (disk.disk ? { ...disk, signature } : disk))],
        mounts: [root, fuse],
      });
    expect((await asked("ntfs")).ntfs).toBe(true);
    expect((await asked("exfat")).ntfs).toBe(false);
  });
});

describe("the disk of the running system is recognised", () => {
  const second: MachineMount = { at: "/mnt/x", device: "8:2", fileSystem: "ext4" };

  test("when another partition of it is mounted", async () => {
    expect((await probe({ disks: systemDisk, mounts: [root, second] }, "/mnt/x")).isSystem).toBe(true);
  });

  test.each(["/boot", "/boot/efi", "/usr", "/home", "/etc/hosts"])("when it carries %s", async (at) => {
    const overlay: MachineMount = { at: "/", fileSystem: "overlay" };
    const mounts = [overlay, { at, device: "8:1", fileSystem: "ext4" }, second];
    expect((await probe({ disks: systemDisk, mounts }, "/mnt/x")).isSystem).toBe(true);
  });

  test("when only its swap gives it away", async () => {
    const memory: MachineMount = { at: "/", fileSystem: "tmpfs" };
    const swaps = ["/dev/sda1                partition 1 0 -2"];
    expect((await probe({ disks: systemDisk, mounts: [memory, second], swaps }, "/mnt/x")).isSystem).toBe(true);
    expect((await probe({ disks: systemDisk, mounts: [memory, second] }, "/mnt/x")).isSystem).toBe(false);
  });

  test("through LVM on LUKS on RAID", async () => {
    const disks: MachineDisk[] = [
      ...systemDisk,
      { name: "sdc", device: "8:32" },
      { name: "sdc1", device: "8:33", disk: "sdc" },
      { name: "md0", device: "9:0", slaves: ["sda1", "sdc1"], raid: true },
      { name: "dm-0", device: "252:0", slaves: ["md0"], mapping: "CRYPT-LUKS2-abc" },
      { name: "dm-1", device: "252:1", slaves: ["dm-0"], mapping: "LVM-xyz" },
      { name: "sdc2", device: "8:34", disk: "sdc" },
    ];
    const mounts: MachineMount[] = [
      { at: "/", device: "252:1", source: "/dev/mapper/vg-root", fileSystem: "ext4" },
      { at: "/mnt/x", device: "8:34", fileSystem: "ntfs3" },
    ];
    expect((await probe({ disks, mounts }, "/mnt/x")).isSystem).toBe(true);
  });

  test("through the other devices of a btrfs", async () => {
    const disks: MachineDisk[] = [...systemDisk, ...dataDisk, { name: "sdb2", device: "8:18", disk: "sdb" }];
    const mounts: MachineMount[] = [
      { at: "/", source: "/dev/mapper/pool", fileSystem: "btrfs", root: "/@" },
      { at: "/mnt/x", device: "8:18", fileSystem: "ntfs3" },
    ];
    const machine = { disks, mounts, mappings: { pool: "sda1" } };
    expect((await probe({ ...machine, btrfs: ["sda1", "sdb1"] }, "/mnt/x")).isSystem).toBe(true);
    expect((await probe(machine, "/mnt/x")).isSystem).toBe(false);
  });

  test("below a live system that runs from a file on it", async () => {
    const disks: MachineDisk[] = [
      ...dataDisk,
      { name: "loop0", device: "7:0", backingFile: "/run/medium/live.squashfs" },
      { name: "sdb2", device: "8:18", disk: "sdb" },
    ];
    const mounts: MachineMount[] = [
      { at: "/", device: "7:0", fileSystem: "squashfs" },
      { at: "/run/medium", device: "8:17", fileSystem: "vfat" },
      { at: "/mnt/x", device: "8:18", fileSystem: "ntfs3" },
    ];
    expect((await probe({ disks, mounts }, "/mnt/x")).isSystem).toBe(true);
  });
});

test("a drive that somebody attached below a home directory is not the system", async () => {
  const at = "/home/me/usb";
  const mounts = [root, { ...dataMount, at }];
  expect(await probe({ disks: [...systemDisk, ...dataDisk], mounts }, at)).toMatchObject({ isSystem: false });
});

describe("a disk in use is recognised", () => {
  const cases: [string, Partial<Machine>, RegExp][] = [
    ["mounted a second time", { mounts: [{ ...dataMount, at: "/srv2" }] }, /^mounted at "\/srv2"$/],
    [
      "another partition mounted",
      {
        disks: [{ name: "sdb2", device: "8:18", disk: "sdb" }],
        mounts: [{ at: "/media/b", device: "8:18", fileSystem: "ext4" }],
      },
      /^mounted at "\/media\/b"$/,
    ],
    [
      "another partition with a mounted LUKS volume",
      {
        disks: [
          { name: "sdb2", device: "8:18", disk: "sdb" },
          { name: "dm-0", device: "252:0", slaves: ["sdb2"], mapping: "CRYPT-LUKS2-a" },
        ],
      },
      /^"sdb2" is used by "dm-0"$/,
    ],
    [
      "another partition with a closed LUKS volume",
      { disks: [{ name: "sdb2", device: "8:18", disk: "sdb", signature: "crypto_LUKS" }] },
      /^"sdb2" is part of LUKS$/,
    ],
    [
      "a member of an LVM that is not active",
      { disks: [{ name: "sdb2", device: "8:18", disk: "sdb", signature: "LVM2_member" }] },
      /^"sdb2" is part of LVM$/,
    ],
  ];
  test.each(cases)("%s", async (_what, extra, expected) => {
    const drive = await probe({
      disks: [...systemDisk, ...dataDisk, ...(extra.disks ?? [])],
      mounts: [root, dataMount, ...(extra.mounts ?? [])],
    });
    expect(drive.inUseBy).toMatch(expected);
  });

  test.each([
    ["LUKS", { mapping: "CRYPT-LUKS2-a" }],
    ["LVM", { mapping: "LVM-a" }],
    ["device mapper", { mapping: "something-else" }],
    ["RAID", { raid: true }],
  ])("the mount itself lies on %s", async (kind, top) => {
    const disks = [...systemDisk, ...dataDisk, { name: "dm-0", device: "252:0", slaves: ["sdb1"], ...top }];
    const mounts = [root, { ...dataMount, device: "252:0" }];
    expect((await probe({ disks, mounts })).inUseBy).toBe(`part of ${kind} ("dm-0")`);
  });

  test("but an open BitLocker mapping is the drive itself", async () => {
    const mapped = { name: "dm-0", device: "252:0", slaves: ["sdb1"], mapping: "CRYPT-BITLK-a" };
    const drive = await probe({
      disks: [...systemDisk, ...dataDisk, mapped],
      mounts: [root, { ...dataMount, device: "252:0" }],
    });
    expect(drive).toMatchObject({ kind: "volume", driveId: "WD-WMATV123456", isSystem: false, rotational: true });
    expect(drive.inUseBy).toBeUndefined();
  });
});

test("a BitLocker volume in an image is not the disk that the image lies on", async () => {
  const disks: MachineDisk[] = [
    ...systemDisk,
    { name: "loop0", device: "7:0", backingFile: "/images/a.img" },
    { name: "dm-0", device: "252:0", slaves: ["loop0"], mapping: "CRYPT-BITLK-a" },
  ];
  const drive = await probe({ disks, mounts: [root, { ...dataMount, device: "252:0" }] });
  expect(drive).toMatchObject({ kind: "volume", isSystem: false, driveId: pathToDriveId("/images/a.img") });
});

describe("what has no disk of its own", () => {
  const disks: MachineDisk[] = [
    ...systemDisk,
    { name: "loop0", device: "7:0", backingFile: "/images/a.img", rotational: true },
    { name: "loop1", device: "7:1", backingFile: "/dev/sda2" },
    { name: "zram0", device: "253:0" },
  ];
  const mounts: MachineMount[] = [
    root,
    { at: "/m/loop", device: "7:0", fileSystem: "ext4" },
    { at: "/m/loop-on-disk", device: "7:1", fileSystem: "ext4" },
    { at: "/m/memory", fileSystem: "tmpfs" },
    { at: "/m/zram", device: "253:0", fileSystem: "ext4" },
    { at: "/m/nfs", fileSystem: "nfs4", source: "server:/export" },
    { at: "/m/nfs-again", fileSystem: "nfs4", source: "server:/export" },
    { at: "/m/layers", fileSystem: "overlay" },
    { at: "/m/bound", device: "8:1", root: "/somewhere", fileSystem: "ext4" },
    { at: "/m/pool", fileSystem: "zfs", source: "pool/data" },
  ];
  const machine = { disks, mounts, files: { "/dir/sub/f": "", "/images/a.img": "1234" } };

  test.each([
    ["/m/loop", "loop", "/images/a.img", "block 7:0"],
    ["/m/memory", "tmpfs", "/m/memory", /^device /],
    ["/m/zram", "tmpfs", "/m/zram", "block 253:0"],
    ["/m/nfs", "network", "/m/nfs", "share server:/export"],
    ["/m/nfs-again", "network", "/m/nfs-again", "share server:/export"],
    ["/m/layers", "container", "/m/layers", /^device /],
    ["/m/bound", "directory", "/m/bound", "block 8:1"],
    ["/dir/sub", "directory", "/dir/sub", "block 8:1"],
    ["/m/loop/", "loop", "/images/a.img", "block 7:0"],
  ])("%s is a %s with an id from %s", async (place, kind, idPath, volumeKey) => {
    const drive = await probe(machine, place);
    expect(drive).toMatchObject({ kind, driveId: pathToDriveId(idPath), encryptable: "mock", isSystem: false });
    expect(drive.volumeKey).toEqual(typeof volumeKey === "string" ? volumeKey : expect.stringMatching(volumeKey));
    expect(drive.serial).toBeUndefined();
  });

  test("a loop device or directory is as fast as the disk below it", async () => {
    expect(await probe(machine, "/m/loop")).toMatchObject({ rotational: false });
    expect(await probe(machine, "/dir")).toMatchObject({ rotational: false, transport: "sata" });
    expect(await probe(machine, "/m/memory")).toMatchObject({ rotational: "unknown" });
  });

  test("a file is an image", async () => {
    const drive = await probe(machine, "/images/a.img");
    expect(drive).toMatchObject({ kind: "image", sizeBytes: 4, encryptable: "bitlocker" });
    expect(drive.driveId).toBe(pathToDriveId("/images/a.img"));
  });

  test("a mount whose disks cannot be found is not taken for a directory", async () => {
    expect(await probe(machine, "/m/pool")).toMatchObject({
      encryptable: "none",
      reasons: [expect.stringMatching("zfs")],
    });
  });

  test("the root directory is the system, whatever it lies on", async () => {
    expect(await probe({ mounts: [{ at: "/", fileSystem: "overlay" }] }, "/")).toMatchObject({ isSystem: true });
  });

  test("a dislocker mount is a volume, not a rehearsal", async () => {
    const drive = await probe(
      {
        disks: [{ name: "loop0", device: "7:0", backingFile: "/mnt/open/dislocker-file" }],
        mounts: [
          { at: "/", fileSystem: "overlay" },
          { at: "/mnt/open", fileSystem: "fuse.dislocker-fuse", source: "dislocker" },
          { at: "/mnt/drive", device: "7:0", fileSystem: "fuseblk" },
        ],
      },
      "/mnt/drive",
    );
    expect(drive).toMatchObject({ kind: "volume", encryptable: "bitlocker", ntfs: true });
  });
});

describe("refused outright", () => {
  const machine: Machine = { disks: systemDisk, mounts: [root], files: { "/f/x": "" } };

  test.each([
    ["relative/path", /not an absolute path/],
    ["/missing", /does not exist/],
    ["/f/x/below-a-file", /does not exist/],
  ])("%s", async (place, message) => {
    await expect(probe(machine, place)).rejects.toMatchObject({
      code: "DRIVE_NOT_FOUND",
      message: expect.stringMatching(message),
    });
  });

  test("everything, when the mounts cannot be seen", async () => {
    await expect(probe({ mounts: [], files: { "/d/x": "" } }, "/d")).rejects.toMatchObject({
      code: "DRIVE_KIND_UNSUPPORTED",
    });
  });
});

test("the list has each mounted volume once, by its whole mount", async () => {
  const machine = linuxMachine({
    disks: [...systemDisk, ...dataDisk],
    mounts: [
      root,
      { ...dataMount, at: "/bound", root: "/sub" },
      dataMount,
      { at: "/m", fileSystem: "tmpfs" },
      { at: "/etc/hosts", device: "8:2", root: "/hosts", fileSystem: "ext4" },
    ],
  });
  const drives = await machine.list();
  expect(drives.map(({ place, isSystem }) => [place, isSystem])).toEqual([
    ["/", true],
    ["/mnt/data disk", false],
  ]);
});
