/**
 * Which encryption a drive gets. Volumes on physical disks and drive images: BitLocker, by the platform's implementation,
 * or a refusal with the reason; only an explicit wish lets the mock rehearse there. Everything without a disk of its own:
 * the mock.
 */
import { DriveRefusedError } from "../../platform/app-error.ts";
import { type Drive, isUnmounted } from "../drive.ts";
import type { DriveEncryption } from "./encryption.ts";

export type EncryptionWish = "auto" | "mock";

export interface ChosenEncryption {
  kind: "bitlocker" | "mock";
  encryption: DriveEncryption;
  /** For the plan: why this one. */
  reason: string;
}

/** What the drive set's row wants done; an implementation may be able to do only one of them. */
export type EncryptionTask = "encrypt" | "use-encrypted";

export type EncryptionChooser = (drive: Drive, wish: EncryptionWish, task: EncryptionTask) => Promise<ChosenEncryption>;

export interface Encryptions {
  mock: DriveEncryption;
  /** BitLocker on this platform; absent where there is none (macOS). */
  bitlocker?: DriveEncryption;
}

export function createEncryptionChooser(encryptions: Encryptions): EncryptionChooser {
  return (drive, wish, task) => chooseEncryption(encryptions, drive, wish, task);
}

export async function chooseEncryption(
  { mock, bitlocker }: Encryptions,
  drive: Drive,
  wish: EncryptionWish,
  task: EncryptionTask,
): Promise<ChosenEncryption> {
  if (drive.encryptable === "mock") {
    return { kind: "mock", encryption: mock, reason: `a ${drive.model} has no disk to encrypt` };
  }
  if (wish === "mock" && drive.kind === "volume") {
    return { kind: "mock", encryption: mock, reason: "--encryption mock was given" };
  }
  const missing = await whatIsMissing(drive, bitlocker, task);
  if (bitlocker !== undefined && missing === undefined) {
    return { kind: "bitlocker", encryption: bitlocker, reason: "a volume on a disk" };
  }
  const place = `drive ${drive.driveId} at "${drive.place}"`;
  const message = `cannot encrypt ${place} with BitLocker: ${missing ?? "this system has no BitLocker"}`;
  throw new DriveRefusedError("ENCRYPTION_UNAVAILABLE", message, {
    facts: { driveId: drive.driveId, place: drive.place },
    ...(isUnmounted(drive) ? { hint: "name a directory or a mounted volume instead" } : {}),
  });
}

async function whatIsMissing(
  drive: Drive,
  bitlocker: DriveEncryption | undefined,
  task: EncryptionTask,
): Promise<string | undefined> {
  if (drive.encryptable === "none") return drive.reasons.join(", ");
  if (bitlocker === undefined) return "this system has no BitLocker";
  const capabilities = await bitlocker.capabilities(drive);
  const can = task === "encrypt" ? capabilities.canEncrypt : capabilities.canUnlock;
  return can ? undefined : capabilities.missing.join(", ") || "it is not possible here";
}
