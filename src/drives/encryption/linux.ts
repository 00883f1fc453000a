/**
 * BitLocker written and opened on Linux. Drive images in regular files need no root and nothing of the kernel but FUSE;
 * volumes on disks go through the device mapper.
 */
import { generateBitLockerKey, validateBitLockerKey } from "../../bitlocker/recovery-password.ts";
import { AppError, DriveRefusedError } from "../../platform/app-error.ts";
import type { Drive } from "../drive.ts";
import { DriveImages } from "../linux/drive-image.ts";
import type { LinuxPorts } from "../linux/linux-ports.ts";
import { missingTools, packageOf } from "../linux/tools.ts";
import type { DriveEncryption, EncryptionCapabilities } from "./encryption.ts";

const IMAGE_TOOLS = ["mkntfs", "ntfs-3g", "setfattr"];
const FUSE_DEVICE = "/dev/fuse";

export function createLinuxEncryption(ports: LinuxPorts): DriveEncryption {
  const images = new DriveImages(ports);
  return {
    kind: "linux",
    capabilities: (drive) => capabilitiesFor(ports, drive),
    newKey: (random) => generateBitLockerKey(random),
    status: async (drive) => images.status(requireImage(drive)),
    encrypt: (drive, key, options = {}) => images.encrypt(requireImage(drive), requireValid(key), options),
    adopt: (drive, key) => images.adopt(requireImage(drive), requireValid(key)),
    unlock: (drive, key) => images.adopt(requireImage(drive), requireValid(key)),
    lock: (drive) => images.release(requireImage(drive)),
    formats: (drive) => drive.kind === "image",
    inspect: (drive, wish) =>
      images.inspect(requireImage(drive), "key" in wish ? { key: requireValid(wish.key) } : wish),
    open: (drive, key, options = {}) => images.open(requireImage(drive), requireValid(key), options),
    close: (drive, key, options = {}) => images.close(requireImage(drive), requireValid(key), options),
    release: (drive) => images.release(requireImage(drive)),
  };
}

async function capabilitiesFor(ports: LinuxPorts, drive?: Drive): Promise<EncryptionCapabilities> {
  if (drive !== undefined && drive.kind !== "image") {
    const missing = ["this release writes BitLocker volumes on Linux into drive images only"];
    return { canEncrypt: false, canUnlock: false, missing };
  }
  const tools = await missingTools(ports.runner, IMAGE_TOOLS);
  const missing = tools.map((tool) => `${tool} is not installed (package ${packageOf(tool)})`);
  if (!exists(ports, FUSE_DEVICE)) missing.push(`this system has no FUSE ("${FUSE_DEVICE}" is missing)`);
  return { canEncrypt: missing.length === 0, canUnlock: missing.length === 0, missing };
}

function exists({ fs }: LinuxPorts, path: string): boolean {
  try {
    fs.stat(path);
    return true;
  } catch {
    return false;
  }
}

function requireImage(drive: Drive): Drive {
  if (drive.kind === "image") return drive;
  const message = `cannot use BitLocker on drive ${drive.driveId} at "${drive.place}" on this machine`;
  throw new DriveRefusedError("ENCRYPTION_UNAVAILABLE", message);
}

/** The key in its one written form. */
function requireValid(text: string): string {
  const check = validateBitLockerKey(text);
  if (check.ok) return check.key;
  throw new AppError("BITLOCKER_KEY_INVALID", `this is not a BitLocker key: ${check.reason}`);
}
