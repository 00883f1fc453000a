/** Keys of a new volume, and the errors of the format room told with the drive they are about. */

import { toFileTime } from "../../bitlocker/filetime.ts";
import { BitLockerFormatError } from "../../bitlocker/format-error.ts";
import { SALT_BYTES } from "../../bitlocker/key-stretch.ts";
import { buildMetadataBlock } from "../../bitlocker/metadata-writer.ts";
import { keyToBytes } from "../../bitlocker/recovery-password.ts";
import type { ReservedAreas } from "../../bitlocker/reserved-files.ts";
import { type AppError, DriveRefusedError, EncryptionError } from "../../platform/app-error.ts";
import type { Random } from "../../platform/random.ts";
import type { Drive } from "../drive.ts";
import type { LinuxPorts } from "./linux-ports.ts";

/** Both halves of XTS-128: what Windows chooses by itself, and what every reader opens. */
const DATA_KEY_BYTES = 32;
const MASTER_KEY_BYTES = 32;

export interface NewVolumeKeys {
  /** Secret; the caller zeroes it. */
  dataKey: Buffer;
  metadata(areas: ReservedAreas): Buffer;
  /** Zeroes everything. */
  forget(): void;
}

/** Makes the keys of a volume that `password` opens. */
export async function makeVolumeKeys(ports: LinuxPorts, password: string, label: string): Promise<NewVolumeKeys> {
  const { random, clock, machine } = ports;
  const salt = random.bytes(SALT_BYTES);
  const recoveryKey = keyToBytes(password);
  const secrets = {
    recoveryKey,
    stretchedKey: await ports.stretch(recoveryKey, salt),
    volumeMasterKey: random.bytes(MASTER_KEY_BYTES),
    dataKey: random.bytes(DATA_KEY_BYTES),
  };
  const nowMs = clock.nowMs();
  const facts = {
    salt,
    description: `${machine.toUpperCase()} ${label} ${usDate(nowMs)}`,
    time: toFileTime(nowMs),
    volumeGuid: randomGuid(random),
    protectorGuid: randomGuid(random),
  };
  return {
    dataKey: secrets.dataKey,
    metadata: (areas) => buildMetadataBlock(secrets, { ...facts, ...areas }),
    forget: () => {
      for (const secret of Object.values(secrets)) secret.fill(0);
    },
  };
}

/** As Windows writes it there: month, day, year. */
function usDate(unixMs: number): string {
  const [year, month, day] = new Date(unixMs).toISOString().slice(0, 10).split("-");
  return `${month}/${day}/${year}`;
}

/** Version 4, in the byte order of the disk. */
function randomGuid(random: Random): Buffer {
  const guid = random.bytes(16);
  guid[7] = ((guid[7] as number) & 0x0f) | 0x40;
  guid[8] = ((guid[8] as number) & 0x3f) | 0x80;
  return guid;
}

export function named(drive: Drive): string {
  return `drive ${drive.driveId} at "${drive.place}"`;
}

/** What a failure of the format room means for a drive; anything else comes back as it is. */
export function toDriveError(drive: Drive, error: unknown): unknown {
  if (!(error instanceof BitLockerFormatError)) return error;
  const facts = { driveId: drive.driveId, place: drive.place };
  const told = (message: string, hint?: string): AppError =>
    new EncryptionError("ENCRYPTION_FAILED", message, { facts, ...(hint === undefined ? {} : { hint }), cause: error });
  switch (error.problem) {
    case "wrong-key":
      return new EncryptionError("BITLOCKER_KEY_WRONG", `the BitLocker key does not open ${named(drive)}`, { facts });
    case "not-bitlocker":
      return told(`${named(drive)} is not encrypted with BitLocker`, "use Encrypt, with Format for an empty image");
    case "unsupported":
      return new DriveRefusedError(
        "DRIVE_KIND_UNSUPPORTED",
        `${named(drive)} cannot be opened here: ${error.message}`,
        { facts },
      );
    case "damaged":
      return told(`${named(drive)} is damaged: ${error.message}`, "give the drive up, or prepare it again");
  }
}
