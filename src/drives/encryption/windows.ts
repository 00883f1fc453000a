/** BitLocker through Windows' own tools (PowerShell, manage-bde). Not there yet: every drive is refused. */
import type { DriveEncryption } from "./encryption.ts";
import { createUnavailableEncryption } from "./unavailable.ts";

export function createWindowsEncryption(): DriveEncryption {
  return createUnavailableEncryption("windows", ["this release cannot drive Windows' BitLocker tools yet"]);
}
