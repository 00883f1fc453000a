/**
 * Formatting. What has no disk is never erased: "formatting" a directory or such a mount only checks that it is empty.
 * Real volumes need the platform's tools; until a platform has an adapter they are refused.
 */
import { AppError, DriveRefusedError, describeErrno } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { firstNames } from "./contents.ts";
import { type Drive, isUnmounted } from "./drive.ts";

/** Formats real volumes; one per platform. The caller has asked the user and checked that it is the right drive. */
export interface VolumeFormatter {
  format(drive: Drive, options: { label: string; signal?: AbortSignal }): Promise<void>;
}

export interface FormatPorts {
  fs: FileSystem;
  /** Absent where no platform adapter exists. */
  volumes?: VolumeFormatter;
}

/** Whether formatting this drive erases a real volume, so that the user must confirm it. */
export function formatErases(drive: Drive): boolean {
  return drive.kind === "volume" || (isUnmounted(drive) && drive.isToBeMade !== true);
}

export async function formatDrive(
  ports: FormatPorts,
  drive: Drive,
  options: { label: string; signal?: AbortSignal },
): Promise<void> {
  checkFormattable(ports, drive);
  if (formatErases(drive)) await ports.volumes?.format(drive, options);
}

/** Throws when `formatDrive` would refuse; changes nothing. For planning and dry runs. */
export function checkFormattable(ports: FormatPorts, drive: Drive): void {
  if (formatErases(drive)) {
    if (ports.volumes !== undefined) return;
    throw new DriveRefusedError(
      "DRIVE_KIND_UNSUPPORTED",
      `cannot format drive ${drive.driveId} at "${drive.place}": formatting real volumes is not supported on this machine yet`,
      { hint: "format it as NTFS yourself and use AlreadyFormatted" },
    );
  }
  const names = namesIn(ports.fs, drive);
  if (names.length === 0) return;
  throw new DriveRefusedError(
    "DRIVE_NOT_EMPTY",
    `cannot format "${drive.place}": it holds ${names.map((name) => JSON.stringify(name)).join(", ")} and nothing is ever deleted there`,
    { facts: { driveId: drive.driveId, place: drive.place, names } },
  );
}

function namesIn(fs: FileSystem, drive: Drive): string[] {
  try {
    return firstNames(fs, drive.root, 3);
  } catch (error) {
    throw new AppError("DRIVE_NOT_FOUND", `cannot read "${drive.place}": ${describeErrno(error)}`, { cause: error });
  }
}
