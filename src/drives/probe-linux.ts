/**
 * Drives on Linux. What is mounted where comes from mountinfo, what it stands on from sysfs, model and serial number from
 * udev and lsblk. Nothing here needs to be root, except that a few serial numbers are hidden from others.
 */
import { posix } from "node:path";
import { DriveRefusedError } from "../platform/app-error.ts";
import { readWholeFile } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { ProcessRunner } from "../platform/processes.ts";
import { describeContents } from "./contents.ts";
import type { Drive, DriveKind } from "./drive.ts";
import { pathToDriveId, serialToDriveId } from "./drive-id.ts";
import { type BlockDevice, BlockDevices } from "./linux/block-devices.ts";
import { isBitLockerMapping, isSystemMountPoint, otherUse, systemDevices } from "./linux/disk-guard.ts";
import { type BlockFacts, runLsblk } from "./linux/lsblk.ts";
import { type Mount, mountOf, parseMountinfo, parseSwaps } from "./linux/mountinfo.ts";
import type { DriveProbe } from "./probe.ts";
import {
  type FoundPlace,
  findPlace,
  imageDrive,
  notNtfs,
  plainDrive,
  readSpace,
  unsupportedKind,
  withDriveId,
} from "./probe-place.ts";

/** Where the kernel and udev tell about themselves; tests put recorded trees in their place. */
export interface LinuxPaths {
  proc: string;
  sys: string;
  udevData: string;
}

const REAL_PATHS: LinuxPaths = { proc: "/proc", sys: "/sys", udevData: "/run/udev/data" };

const NETWORK_FILE_SYSTEMS =
  /^(nfs4?|cifs|smb3|smbfs|9p|drvfs|afs|ceph|glusterfs|lustre|virtiofs|vboxsf|prl_fs|fuse\.(sshfs|rclone|s3fs|glusterfs|davfs2?|blobfuse2?|vmhgfs-fuse))$/;
const CONTAINER_FILE_SYSTEMS = /^(overlay|aufs|fuse\.fuse-overlayfs|unionfs)$/;
const MEMORY_FILE_SYSTEMS = /^(tmpfs|ramfs)$/;
/** Disks behind these drivers do not exist; what they say about rotation is a default. */
const VIRTUAL_DISK = /^(vd|xvd|nbd|zram|ram)/;

/** One look at the whole machine. */
interface Snapshot {
  mounts: readonly Mount[];
  devices: BlockDevices;
  facts: ReadonlyMap<string, BlockFacts>;
  system: ReadonlySet<string>;
}

export function createLinuxProbe(fs: FileSystem, runner: ProcessRunner, paths: LinuxPaths = REAL_PATHS): DriveProbe {
  const look = async (): Promise<Snapshot> => {
    const mounts = readMounts(fs, `${paths.proc}/self/mountinfo`);
    const devices = new BlockDevices(fs, paths.sys, mounts);
    const swaps = parseSwaps(readText(fs, `${paths.proc}/swaps`));
    return { mounts, devices, facts: await runLsblk(runner), system: systemDevices(devices, mounts, swaps) };
  };
  const linux = new LinuxDrives(fs, paths);
  return {
    async probe(place, options = {}) {
      const found = findPlace(fs, place, place, posix.isAbsolute(place));
      return withDriveId(linux.describe(found, await look()), options.idOverride);
    },
    async list() {
      const snapshot = await look();
      return candidateMounts(snapshot).flatMap((mount) => {
        try {
          const drive = linux.describe(findPlace(fs, mount.mountPoint, mount.mountPoint, true), snapshot);
          // Bind mounts of directories and files, as containers have them, are no volumes.
          return ["directory", "image"].includes(drive.kind) ? [] : [drive];
        } catch {
          // Unmounted meanwhile, or not reachable: not a drive to offer.
          return [];
        }
      });
    },
  };
}

/** One mount of every mounted block device, the one of its whole file system where there is one. */
function candidateMounts({ mounts, devices }: Snapshot): Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const mount of mounts) {
    const device = devices.ofMount(mount);
    if (device === undefined) continue;
    const known = byDevice.get(device.name);
    if (known === undefined || (known.root !== "/" && mount.root === "/")) byDevice.set(device.name, mount);
  }
  return [...byDevice.values()];
}

class LinuxDrives {
  readonly #fs: FileSystem;
  readonly #paths: LinuxPaths;

  constructor(fs: FileSystem, paths: LinuxPaths) {
    this.#fs = fs;
    this.#paths = paths;
  }

  describe(found: FoundPlace, snapshot: Snapshot): Drive {
    if (found.stat.kind === "file") return imageDrive(found);
    if (found.stat.kind === "block-device") {
      throw unsupportedKind(found.place, "it is a device", "mount it and name the mount point");
    }
    if (found.stat.kind !== "directory") throw unsupportedKind(found.place, `it is a ${found.stat.kind}`);
    const mount = mountOf(snapshot.mounts, found.root);
    const device = mount === undefined ? undefined : snapshot.devices.ofMount(mount);
    const kind = kindOf(found, mount, device, snapshot);
    if (kind === "volume" && mount !== undefined && device !== undefined) {
      return this.#volume(found, mount, device, snapshot);
    }
    return this.#plain(found, kind, mount, device, snapshot);
  }

  /** A directory, or a mount without a disk that could be shipped. */
  #plain(
    found: FoundPlace,
    kind: DriveKind,
    mount: Mount | undefined,
    device: BlockDevice | undefined,
    snapshot: Snapshot,
  ): Drive {
    const bottom = device === undefined ? [] : snapshot.devices.disksBelow(device, true);
    const fileSystem = mount?.fileSystem ?? "unknown";
    const isUnknown = kind === "volume";
    const idPath = kind === "loop" ? device?.backingFile : undefined;
    const drive = plainDrive(this.#fs, found, {
      kind,
      model: MODEL[kind],
      fileSystem,
      volumeKey: volumeKey(found, mount, device),
      rotational: rotationalOf(bottom, snapshot),
      transport: bottom.length === 1 ? (snapshot.facts.get(bottom[0]?.name ?? "")?.transport ?? "") : "",
      ntfs: isNtfs(fileSystem, undefined),
      // Only whole mounts are erased or refused as such; a directory on the system disk is an ordinary directory.
      isSystem: kind !== "directory" && isSystemMountPoint(found.root),
      ...(idPath === undefined ? {} : { idPath }),
      ...(isUnknown ? { encryptable: "none", reasons: [`the disk below ${fileSystem} cannot be found`] } : {}),
    });
    // NFS reports its transfer size as block size, up to 1 MiB.
    return kind === "network" ? { ...drive, clusterBytes: Math.min(drive.clusterBytes, 64 * 1024) } : drive;
  }

  #volume(found: FoundPlace, mount: Mount, device: BlockDevice, snapshot: Snapshot): Drive {
    const { devices, facts, mounts, system } = snapshot;
    const disks = devices.disksBelow(device, false);
    const disk = disks[0];
    const diskFacts = facts.get(disk?.name ?? "");
    const volumeFacts = facts.get(device.name);
    const space = readSpace(this.#fs, found);
    const identity = this.#identity(disk, diskFacts, devices);
    const inUseBy = otherUse(devices, mounts, facts, device, mount.mountPoint);
    const fileSystem = mount.fileSystem;
    const ntfs = isNtfs(fileSystem, volumeFacts?.signature);
    return {
      driveId: identity.serial === "" ? pathToDriveId(disk?.backingFile ?? found.root) : identity.serial,
      place: found.place,
      root: found.root,
      kind: "volume",
      model: diskFacts?.model || disk?.name || device.name,
      ...(identity.serial === "" ? {} : { serial: identity.serial }),
      ...space,
      fileSystem,
      volumeKey: volumeKey(found, mount, device),
      rotational: rotationalOf(disks, snapshot),
      transport: identity.transport,
      ntfs,
      removable: diskFacts?.removable === true || identity.transport === "usb",
      contents: describeContents(this.#fs, found.root, { ...space, fileSystem, label: volumeFacts?.label ?? "" }),
      isSystem: isSystemMountPoint(found.root) || devices.stackOf(device, false).some(({ name }) => system.has(name)),
      ...(inUseBy === undefined ? {} : { inUseBy }),
      encryptable: "bitlocker",
      reasons: [],
      warnings: ntfs ? identity.warnings : [...identity.warnings, notNtfs(fileSystem)],
    };
  }

  #identity(
    disk: BlockDevice | undefined,
    facts: BlockFacts | undefined,
    devices: BlockDevices,
  ): { serial: string; transport: string; warnings: string[] } {
    const udev = disk === undefined ? new Map<string, string>() : this.#udevProperties(disk.device);
    const transport = facts?.transport || udev.get("ID_BUS") || "";
    const fromSysfs =
      disk === undefined
        ? undefined
        : (devices.text(`${disk.path}/device/serial`) ?? devices.text(`${disk.path}/serial`));
    const serial = serialToDriveId(
      udev.get("ID_SCSI_SERIAL") || udev.get("ID_SERIAL_SHORT") || facts?.serial || fromSysfs || "",
    );
    if (serial === "") {
      return { serial, transport, warnings: ["its serial number cannot be read; give it with --drive-id"] };
    }
    // udev marks disks that answered the ATA identification themselves; else it is the enclosure's number.
    const isEnclosures = transport === "usb" && udev.get("ID_ATA") !== "1";
    const warning = `its serial number ${serial} may be that of the USB enclosure; compare it with the label of the disk`;
    return { serial, transport, warnings: isEnclosures ? [warning] : [] };
  }

  /** udev's own record of a block device. */
  #udevProperties(device: string): Map<string, string> {
    const properties = new Map<string, string>();
    for (const line of readText(this.#fs, `${this.#paths.udevData}/b${device}`).split("\n")) {
      const match = /^E:([^=]+)=(.*)$/.exec(line);
      if (match?.[1] !== undefined) properties.set(match[1], match[2] ?? "");
    }
    return properties;
  }
}

const MODEL: Readonly<Record<DriveKind, string>> = {
  volume: "volume",
  directory: "directory",
  loop: "loop device",
  tmpfs: "memory",
  network: "network share",
  container: "container file system",
  image: "drive image",
};

function kindOf(
  found: FoundPlace,
  mount: Mount | undefined,
  device: BlockDevice | undefined,
  snapshot: Snapshot,
): DriveKind {
  if (mount === undefined || mount.mountPoint !== found.root || mount.root !== "/") return "directory";
  if (device !== undefined) {
    if (isBitLockerMapping(device)) return "volume";
    if (/^z?ram\d/.test(device.name)) return "tmpfs";
    if (/^(nbd|rbd)\d/.test(device.name)) return "network";
    return device.backingFile === undefined || isOnDislocker(device.backingFile, snapshot) ? "volume" : "loop";
  }
  if (MEMORY_FILE_SYSTEMS.test(mount.fileSystem)) return "tmpfs";
  if (NETWORK_FILE_SYSTEMS.test(mount.fileSystem)) return "network";
  if (CONTAINER_FILE_SYSTEMS.test(mount.fileSystem)) return "container";
  return "volume";
}

/** dislocker shows an opened BitLocker volume as a file, which is then mounted through a loop device. */
function isOnDislocker(backingFile: string, { mounts }: Snapshot): boolean {
  const mount = mountOf(mounts, backingFile);
  return mount?.fileSystem.startsWith("fuse") === true && /dislocker/.test(`${mount.source} ${mount.fileSystem}`);
}

function volumeKey(found: FoundPlace, mount: Mount | undefined, device: BlockDevice | undefined): string {
  if (device !== undefined) return `block ${device.device}`;
  if (mount !== undefined && NETWORK_FILE_SYSTEMS.test(mount.fileSystem)) return `share ${mount.source}`;
  return `device ${found.stat.device}`;
}

function rotationalOf(disks: readonly BlockDevice[], { devices }: Snapshot): boolean | "unknown" {
  let answer: boolean | "unknown" = "unknown";
  for (const disk of disks) {
    if (VIRTUAL_DISK.test(disk.name)) continue;
    const flag = devices.text(`${disk.path}/queue/rotational`);
    if (flag === "1") return true;
    if (flag === "0") answer = false;
  }
  return answer;
}

/** ntfs-3g shows as `fuseblk`, as does exfat-fuse; the signature tells them apart. */
function isNtfs(fileSystem: string, signature: string | undefined): boolean {
  if (fileSystem === "fuseblk") return signature === undefined || signature === "" || signature === "ntfs";
  return /^(ntfs|ntfs3|ufsd|fuse\.ntfs-3g)$/.test(fileSystem);
}

/** Without the mounts a real volume would pass for a plain directory: no guess is made. */
function readMounts(fs: FileSystem, path: string): Mount[] {
  const mounts = parseMountinfo(readText(fs, path));
  if (mounts.length > 0) return mounts;
  throw new DriveRefusedError(
    "DRIVE_KIND_UNSUPPORTED",
    `cannot see what is mounted on this machine: "${path}" is empty`,
  );
}

function readText(fs: FileSystem, path: string): string {
  try {
    return readWholeFile(fs, path, 16 * 1024 * 1024).toString("utf8");
  } catch {
    return "";
  }
}
