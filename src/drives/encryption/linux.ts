/**
 * BitLocker written and opened on Linux. Drive images in regular files need no root and nothing of the kernel but FUSE;
 * partitions are mapped by the kernel; volumes that the user has opened and mounted are only checked.
 */
import { generateBitLockerKey, validateBitLockerKey } from "../../bitlocker/recovery-password.ts";
import { AppError, DriveRefusedError } from "../../platform/app-error.ts";
import type { Drive } from "../drive.ts";
import { abilitiesFor } from "../linux/abilities.ts";
import { DriveImages } from "../linux/drive-image.ts";
import { DrivePartitions } from "../linux/drive-partition.ts";
import type { LinuxPorts } from "../linux/linux-ports.ts";
import { MountedVolumes } from "../linux/mounted-volume.ts";
import type { DriveEncryption } from "./encryption.ts";

export function createLinuxEncryption(ports: LinuxPorts): DriveEncryption {
  const images = new DriveImages(ports);
  const partitions = new DrivePartitions(ports);
  const mounted = new MountedVolumes(ports);
  /** The one that opens and closes such a drive; undefined for one that is mounted. */
  const keeperOf = (drive: Drive): DriveImages | DrivePartitions | undefined => {
    if (drive.kind === "image") return images;
    if (drive.kind === "partition") return partitions;
    if (drive.kind === "volume") return undefined;
    const message = `cannot use BitLocker on drive ${drive.driveId} at "${drive.place}": it is a ${drive.model}`;
    throw new DriveRefusedError("ENCRYPTION_UNAVAILABLE", message);
  };
  const adopt = async (drive: Drive, key: string): Promise<void> =>
    (keeperOf(drive) ?? mounted).adopt(drive, requireValid(key));
  return {
    kind: "linux",
    capabilities: (drive) => abilitiesFor(ports, drive),
    newKey: (random) => generateBitLockerKey(random),
    status: async (drive) => (keeperOf(drive) ?? mounted).status(drive),
    encrypt: async (drive, key, options = {}) => {
      const keeper = keeperOf(drive);
      if (keeper === undefined) throw mounted.refuseEncrypt(drive);
      await keeper.encrypt(drive, requireValid(key), options);
    },
    adopt,
    unlock: adopt,
    lock: async (drive) => keeperOf(drive)?.release(drive),
    formats: (drive) => keeperOf(drive) !== undefined,
    inspect: async (drive, wish) =>
      keeperOf(drive)?.inspect(drive, "key" in wish ? { key: requireValid(wish.key) } : wish),
    open: async (drive, key, options = {}) =>
      (await keeperOf(drive)?.open(drive, requireValid(key), options)) ?? { root: drive.root },
    close: async (drive, key, options = {}) =>
      (await keeperOf(drive)?.close(drive, requireValid(key), options)) ?? { checks: [], missing: [] },
    release: async (drive) => keeperOf(drive)?.release(drive),
  };
}

/** The key in its one written form. */
function requireValid(text: string): string {
  const check = validateBitLockerKey(text);
  if (check.ok) return check.key;
  throw new AppError("BITLOCKER_KEY_INVALID", `this is not a BitLocker key: ${check.reason}`);
}
