/**
 * Drives on Linux. What is mounted where comes from mountinfo, what it stands on from sysfs, model and serial number from
 * udev and lsblk. Nothing here needs to be root, except that a few serial numbers are hidden from others.
 */
import { posix } from "node:path";
import { AppError } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { ProcessRunner } from "../platform/processes.ts";
import { describeContents } from "./contents.ts";
import type { Drive, DriveKind } from "./drive.ts";
import { pathToDriveId } from "./drive-id.ts";
import { notNtfs, serialOfEnclosure, serialUnknown } from "./drive-warnings.ts";
import type { BlockDevice } from "./linux/block-devices.ts";
import { identifyDisk, rotationalOf } from "./linux/disk-facts.ts";
import { isSystemMountPoint, otherUse } from "./linux/disk-guard.ts";
import {
  candidateMounts,
  type LinuxPaths,
  lookAtMachine,
  lookAtPlace,
  REAL_PATHS,
  type Snapshot,
} from "./linux/machine.ts";
import { MAPPING_PREFIX } from "./linux/mapping.ts";
import { isNtfs, kindOf, volumeKey } from "./linux/mount-kind.ts";
import { type Mount, mountOf } from "./linux/mountinfo.ts";
import type { DriveProbe } from "./probe.ts";
import {
  type FoundPlace,
  findPlace,
  imageDrive,
  plainDrive,
  readSpace,
  unsupportedKind,
  withDriveId,
} from "./probe-place.ts";
import { sizeToWords } from "./size-words.ts";

export function createLinuxProbe(fs: FileSystem, runner: ProcessRunner, paths: LinuxPaths = REAL_PATHS): DriveProbe {
  const linux = new LinuxDrives(fs, paths.udevData);
  return {
    async probe(place, options = {}) {
      const found = findPlace(fs, place, place, posix.isAbsolute(place));
      const isBlockDevice = found.stat.kind === "block-device";
      const snapshot = await lookAtPlace(fs, runner, paths, { root: found.root, isBlockDevice });
      return withDriveId(linux.describe(found, snapshot), options.idOverride);
    },
    async list() {
      const snapshot = await lookAtMachine(fs, runner, paths);
      const places = [...candidateMounts(snapshot).map((mount) => mount.mountPoint), ...lockedPartitions(snapshot)];
      return places.flatMap((place) => {
        try {
          const drive = linux.describe(findPlace(fs, place, place, true), snapshot);
          // Bind mounts of directories and files, as containers have them, are no volumes.
          return ["directory", "image"].includes(drive.kind) ? [] : [drive];
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          // Unmounted meanwhile, or not reachable: not a drive to offer.
          return [];
        }
      });
    },
  };
}

class LinuxDrives {
  readonly #fs: FileSystem;
  readonly #udevData: string;

  constructor(fs: FileSystem, udevData: string) {
    this.#fs = fs;
    this.#udevData = udevData;
  }

  describe(found: FoundPlace, snapshot: Snapshot): Drive {
    if (found.stat.kind === "file") return imageDrive(found);
    if (found.stat.kind === "block-device") return this.#partition(found, snapshot);
    if (found.stat.kind !== "directory") throw unsupportedKind(found.place, `it is a ${found.stat.kind}`);
    const mount = mountOf(snapshot.mounts, found.root);
    const device = mount === undefined ? undefined : snapshot.devices.ofMount(mount);
    const kind = kindOf(found.root, mount, device, snapshot.mounts);
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
      volumeKey: volumeKey(found.stat.device, mount, device),
      rotational: rotationalOf(bottom, snapshot.devices),
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

  /** A partition that nobody has mounted, named by its device. */
  #partition(found: FoundPlace, snapshot: Snapshot): Drive {
    const { devices, facts, mounts, system } = snapshot;
    const device = devices.byPath(found.root);
    if (device === undefined) throw unsupportedKind(found.place, "nothing is known of this device");
    if (device.disk === device.name) {
      const hint = "name one of its partitions, or make one: docs/bitlocker-on-linux.md shows how";
      throw unsupportedKind(found.place, "it is a whole disk", hint);
    }
    const disks = devices.disksBelow(device, false);
    const diskFacts = facts.get(disks[0]?.name ?? "");
    const { label = "", signature = "" } = facts.get(device.name) ?? {};
    const identity = identifyDisk(this.#fs, this.#udevData, disks[0], diskFacts, devices);
    // A mapping of ours that a killed run left is taken down when the drive is opened.
    const isLeft = ({ path }: BlockDevice) => devices.text(`${path}/dm/name`)?.startsWith(MAPPING_PREFIX) === true;
    const inUseBy = otherUse(devices, mounts, facts, device, "", isLeft);
    const sectorBytes = Number(devices.text(`${device.diskPath}/queue/logical_block_size`) ?? 512);
    // sysfs counts in 512 bytes whatever the disk does.
    const sizeBytes = 512 * Number(devices.text(`${device.path}/size`) ?? 0);
    return {
      driveId: identity.serial === "" ? pathToDriveId(found.root) : identity.serial,
      place: found.place,
      root: found.root,
      kind: "partition",
      model: diskFacts?.model || device.disk,
      ...(identity.serial === "" ? {} : { serial: identity.serial }),
      sizeBytes,
      freeBytes: 0,
      clusterBytes: 4096,
      fileSystem: signature,
      startSector: Number(devices.text(`${device.path}/start`) ?? 0),
      volumeKey: `block ${device.device}`,
      rotational: rotationalOf(disks, devices),
      transport: identity.transport,
      ntfs: signature === "ntfs",
      removable: diskFacts?.removable === true || identity.transport === "usb",
      contents: `${signature === "" ? "no known file system" : signature}${label === "" ? "" : ` "${label}"`}, ${sizeToWords(sizeBytes)}`,
      isSystem: devices.stackOf(device, false).some(({ name }) => system.has(name)),
      ...(inUseBy === undefined ? {} : { inUseBy }),
      ...(sectorBytes === 512
        ? { encryptable: "bitlocker", reasons: [] }
        : { encryptable: "none", reasons: [`its sectors have ${sectorBytes} bytes, and only 512 are supported`] }),
      warnings: [
        ...(identity.serial === "" ? [serialUnknown(found.place)] : []),
        ...(identity.isEnclosures ? [serialOfEnclosure(found.place, identity.serial)] : []),
      ],
    };
  }

  #volume(found: FoundPlace, mount: Mount, device: BlockDevice, snapshot: Snapshot): Drive {
    const { devices, facts, mounts, system } = snapshot;
    const disks = devices.disksBelow(device, false);
    const disk = disks[0];
    const diskFacts = facts.get(disk?.name ?? "");
    const volumeFacts = facts.get(device.name);
    const space = readSpace(this.#fs, found);
    const identity = identifyDisk(this.#fs, this.#udevData, disk, diskFacts, devices);
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
      volumeKey: volumeKey(found.stat.device, mount, device),
      rotational: rotationalOf(disks, devices),
      transport: identity.transport,
      ntfs,
      removable: diskFacts?.removable === true || identity.transport === "usb",
      contents: describeContents(this.#fs, found.root, { ...space, fileSystem, label: volumeFacts?.label ?? "" }),
      isSystem: isSystemMountPoint(found.root) || devices.stackOf(device, false).some(({ name }) => system.has(name)),
      ...(inUseBy === undefined ? {} : { inUseBy }),
      encryptable: "bitlocker",
      reasons: [],
      warnings: [
        ...(identity.serial === "" ? [serialUnknown(found.place)] : []),
        ...(identity.isEnclosures ? [serialOfEnclosure(found.place, identity.serial)] : []),
        ...(ntfs ? [] : [notNtfs(found.place, fileSystem)]),
      ],
    };
  }
}

/** Partitions with BitLocker that nobody has opened: drives of a journal are found again among them. */
function lockedPartitions({ facts, devices }: Snapshot): string[] {
  const locked = [...facts.values()].filter(({ signature }) => signature === "BitLocker");
  return locked.flatMap(({ name }) => ((devices.byName(name)?.holders.length ?? 1) === 0 ? [`/dev/${name}`] : []));
}

const MODEL: Readonly<Record<DriveKind, string>> = {
  volume: "volume",
  directory: "directory",
  loop: "loop device",
  tmpfs: "memory",
  network: "network share",
  container: "container file system",
  image: "drive image",
  partition: "partition",
};
