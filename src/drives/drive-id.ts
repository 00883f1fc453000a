/**
 * Drive ids. The service knows a drive by its hardware serial number without blanks. What has no hardware gets an id
 * made from where it lies: `MOCK` and the first 12 upper-case hexadecimal digits of the SHA-256 of that path.
 */
import { createHash } from "node:crypto";

/** Blanks of all kinds go, and the NUL bytes with which some disks fill their serial up. */
export function serialToDriveId(serial: string): string {
  return serial.replaceAll(/[\s\0]+/g, "");
}

/**
 * @param path real path of a directory or an image; backing file of a loop mount; mount point of a tmpfs or a share
 */
export function pathToDriveId(path: string): string {
  return `MOCK${createHash("sha256").update(path, "utf8").digest("hex").slice(0, 12).toUpperCase()}`;
}

/** The id as part of a file name. */
export function driveIdToFileName(driveId: string): string {
  const name = driveId.replaceAll(/[^A-Za-z0-9._-]/g, "_");
  // "." and ".." are names of directories.
  return /^\.+$/.test(name) ? name.replaceAll(".", "_") : name;
}
