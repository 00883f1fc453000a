/** A BitLocker implementation that is not there yet: says so, and refuses every step with the same reason. */

import { generateBitLockerKey } from "../../bitlocker/recovery-password.ts";
import { DriveRefusedError } from "../../platform/app-error.ts";
import type { Drive } from "../drive.ts";
import type { DriveEncryption } from "./encryption.ts";

export function createUnavailableEncryption(kind: "windows" | "linux", missing: readonly string[]): DriveEncryption {
  const refuse = async (drive: Drive): Promise<never> => {
    const message = `cannot use BitLocker on drive ${drive.driveId} at "${drive.place}": ${missing.join(", ")}`;
    throw new DriveRefusedError("ENCRYPTION_UNAVAILABLE", message);
  };
  return {
    kind,
    capabilities: async () => ({ canEncrypt: false, canUnlock: false, missing }),
    newKey: (random) => generateBitLockerKey(random),
    status: async () => ({ state: "unknown" }),
    encrypt: refuse,
    adopt: refuse,
    unlock: refuse,
    lock: refuse,
  };
}
