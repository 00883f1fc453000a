/** BitLocker written and opened on Linux (device mapper, cryptsetup, ntfs-3g). Not there yet: every drive is refused. */
import type { DriveEncryption } from "./encryption.ts";
import { createUnavailableEncryption } from "./unavailable.ts";

export function createLinuxEncryption(): DriveEncryption {
  return createUnavailableEncryption("linux", ["this release cannot write BitLocker volumes on Linux yet"]);
}
