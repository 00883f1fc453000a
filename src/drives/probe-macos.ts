/**
 * Drives on macOS, asked from diskutil. A first version, made from the documentation and tested with constructed output
 * only. macOS has no BitLocker: volumes can be used for rehearsals with `--encryption mock`, directories always.
 */
import { posix } from "node:path";
import type { FileSystem } from "../platform/file-system.ts";
import type { ProcessRunner } from "../platform/processes.ts";
import { describeContents } from "./contents.ts";
import type { Drive } from "./drive.ts";
import { pathToDriveId } from "./drive-id.ts";
import { serialUnknown } from "./drive-warnings.ts";
import { isDictionary, type PlistDictionary, parsePlist } from "./macos/plist.ts";
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

export function createMacosProbe(fs: FileSystem, runner: ProcessRunner): DriveProbe {
  const info = async (what: string): Promise<PlistDictionary> => {
    const result = await runner.run("diskutil", ["info", "-plist", what], { timeoutMs: 60_000 });
    return result.exitCode === 0 ? parsePlist(result.stdout) : {};
  };
  const describe = async (found: FoundPlace): Promise<Drive> => {
    if (found.stat.kind === "file") return imageDrive(found);
    if (found.stat.kind !== "directory") throw unsupportedKind(found.place, `it is a ${found.stat.kind}`);
    const volume = await info(found.root);
    const isMount = text(volume, "MountPoint") === found.root;
    if (!isMount || text(volume, "BusProtocol") === "Disk Image") {
      // diskutil knows the volume of any path that is on a disk; of a network share it knows nothing.
      const kind = isMount ? "loop" : "directory";
      const fileSystem = text(volume, "FilesystemType") || "unknown";
      return plainDrive(fs, found, { kind, model: isMount ? "disk image" : "directory", fileSystem });
    }
    return toDrive(fs, found, volume, await info("/"), await wholeDisk(runner, volume));
  };
  return {
    async probe(place, options = {}) {
      const found = findPlace(fs, place, place, posix.isAbsolute(place));
      return withDriveId(await describe(found), options.idOverride);
    },
    async list() {
      const result = await runner.run("diskutil", ["list", "-plist"], { timeoutMs: 60_000 });
      const drives: Drive[] = [];
      for (const mountPoint of mountPointsOf(result.exitCode === 0 ? parsePlist(result.stdout) : {})) {
        drives.push(await describe(findPlace(fs, mountPoint, mountPoint, true)));
      }
      return drives;
    },
  };
}

/** Mount points of all volumes that `diskutil list` names. */
export function mountPointsOf(list: PlistDictionary): string[] {
  const disks = dictionaries(list.AllDisksAndPartitions);
  const volumes = disks.flatMap((disk) => [disk, ...dictionaries(disk.Partitions), ...dictionaries(disk.APFSVolumes)]);
  return volumes.map((volume) => text(volume, "MountPoint")).filter((path) => path !== "");
}

/** The other mounted volumes of the same whole disk. */
async function wholeDisk(runner: ProcessRunner, volume: PlistDictionary): Promise<string[]> {
  const disk = text(volume, "ParentWholeDisk");
  const result = await runner.run("diskutil", ["list", "-plist", disk], { timeoutMs: 60_000 });
  const mounted = mountPointsOf(result.exitCode === 0 ? parsePlist(result.stdout) : {});
  return mounted.filter((path) => path !== text(volume, "MountPoint"));
}

function toDrive(
  fs: FileSystem,
  found: FoundPlace,
  volume: PlistDictionary,
  systemVolume: PlistDictionary,
  others: readonly string[],
): Drive {
  const space = readSpace(fs, found);
  const fileSystem = text(volume, "FilesystemType") || "unknown";
  const transport = text(volume, "BusProtocol").toLowerCase();
  const solidState = volume.SolidState;
  return {
    // diskutil does not tell serial numbers.
    driveId: pathToDriveId(found.root),
    place: found.place,
    root: found.root,
    kind: "volume",
    model: text(volume, "MediaName") || text(volume, "ParentWholeDisk"),
    ...space,
    fileSystem,
    volumeKey: `disk ${text(volume, "DeviceIdentifier")}`,
    rotational: typeof solidState === "boolean" ? !solidState : "unknown",
    transport,
    ntfs: fileSystem === "ntfs" || fileSystem.startsWith("ufsd"),
    removable: volume.Removable === true || volume.RemovableMedia === true || volume.Internal === false,
    contents: describeContents(fs, found.root, { ...space, fileSystem, label: text(volume, "VolumeName") }),
    isSystem: isOnSystemDisk(volume, systemVolume),
    ...(others.length === 0 ? {} : { inUseBy: `its disk also holds ${others.map((path) => `"${path}"`).join(", ")}` }),
    encryptable: "bitlocker",
    reasons: [],
    warnings: [serialUnknown(found.place)],
  };
}

/** Internal disks count as the system's: the container that macOS runs from may span several of them. */
function isOnSystemDisk(volume: PlistDictionary, systemVolume: PlistDictionary): boolean {
  if (volume.SystemImage === true || text(volume, "MountPoint") === "/") return true;
  const disks = (of: PlistDictionary): string[] => [
    text(of, "ParentWholeDisk"),
    ...dictionaries(of.APFSPhysicalStores).map((store) => text(store, "APFSPhysicalStore").replace(/s\d+$/, "")),
  ];
  const system = new Set(disks(systemVolume));
  return volume.Internal !== false || disks(volume).some((disk) => system.has(disk));
}

function text(dictionary: PlistDictionary, key: string): string {
  const value = dictionary[key];
  return typeof value === "string" ? value : "";
}

function dictionaries(value: PlistDictionary[string] | undefined): PlistDictionary[] {
  return Array.isArray(value) ? value.filter(isDictionary) : [];
}
