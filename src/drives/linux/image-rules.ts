/** What a file must be to become a drive image, each refusal with what to do instead. */
import { constants } from "node:fs";
import { SECTOR_BYTES } from "../../bitlocker/volume-layout.ts";
import { DriveRefusedError, EncryptionError } from "../../platform/app-error.ts";
import { fsyncDirectory } from "../../platform/durable-file.ts";
import { directoryOf } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { Drive } from "../drive.ts";
import { MIN_VOLUME_BYTES } from "./ntfs-format.ts";
import { named } from "./volume-keys.ts";

export function checkSize(drive: Drive): void {
  const { sizeBytes } = drive;
  if (sizeBytes >= MIN_VOLUME_BYTES && sizeBytes % SECTOR_BYTES === 0) return;
  throw new DriveRefusedError(
    "DRIVE_KIND_UNSUPPORTED",
    `${named(drive)} has ${sizeBytes} bytes; an image needs at least ${MIN_VOLUME_BYTES} and a multiple of ${SECTOR_BYTES}`,
    { hint: "choose another file, or have one made with --image-size <path>=<size>" },
  );
}

/** The image itself is there from now on, so that it is found again; its content is not touched yet. */
export function makeImageFile(fs: FileSystem, drive: Drive): void {
  const fd = fs.open(drive.root, constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
  try {
    if (fs.fstat(fd).sizeBytes < drive.sizeBytes) fs.ftruncate(fd, drive.sizeBytes);
    fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
  fsyncDirectory(fs, directoryOf(drive.root));
}

export function alreadyEncrypted(drive: Drive): EncryptionError {
  return new EncryptionError("ENCRYPTION_FAILED", `${named(drive)} is already encrypted with another key`, {
    hint: "use AlreadyEncrypted with its key, or Format to erase it",
  });
}

export function formatNeeded(drive: Drive, content: string): EncryptionError {
  if (content === "bitlocker") return alreadyEncrypted(drive);
  const what = content === "ntfs" ? "holds a volume that is not encrypted" : "holds no volume yet";
  return new EncryptionError("ENCRYPTION_FAILED", `${named(drive)} ${what}, and AlreadyFormatted was given`, {
    hint: "use Format, which makes an empty encrypted volume in the image",
  });
}
