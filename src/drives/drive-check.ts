/** What keeps a drive from being prepared, each as one refusal; the set of drives is checked in `find-drives.ts`. */
import { constants } from "node:fs";
import { type AppError, DriveRefusedError, describeErrno, errnoOf } from "../platform/app-error.ts";
import { fsyncDirectory } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type Drive, isUnmounted } from "./drive.ts";

export const MANIFEST_NAME = "DriveManifest.xml";
const PROBE_NAME = ".waimportexport-write-test";
const MAX_PROBE_NAMES = 100;

/** Refusals that nothing overrides: the system's disk, a disk in use, a kind that is not understood. */
export function refusalOf(drive: Drive): AppError | undefined {
  const named = `drive ${drive.driveId} at "${drive.place}"`;
  const facts = { driveId: drive.driveId, place: drive.place };
  if (drive.isSystem) {
    return new DriveRefusedError("DRIVE_IS_SYSTEM", `${named} belongs to the running system`, { facts });
  }
  if (drive.inUseBy !== undefined) {
    return new DriveRefusedError("DRIVE_IN_USE", `${named} is in use: ${drive.inUseBy}`, { facts });
  }
  if (drive.encryptable === "none") {
    return new DriveRefusedError("DRIVE_KIND_UNSUPPORTED", `${named} cannot be prepared: ${drive.reasons.join(", ")}`, {
      facts,
    });
  }
  return undefined;
}

/** Makes and removes a file in the root: permissions, read-only mounts and write protection in one test. */
export function checkWritable(fs: FileSystem, drive: Drive): void {
  for (let attempt = 0; ; attempt++) {
    const path = joinPath(drive.root, attempt === 0 ? PROBE_NAME : `${PROBE_NAME}-${attempt}`);
    try {
      fs.close(fs.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
      fs.unlink(path);
      // It must not come back with a power cut.
      fsyncDirectory(fs, drive.root);
      return;
    } catch (error) {
      if (errnoOf(error) === "EEXIST" && attempt < MAX_PROBE_NAMES) {
        removeLeftProbe(fs, path);
        continue;
      }
      throw new DriveRefusedError("DRIVE_NOT_WRITABLE", `cannot write on "${drive.place}": ${describeErrno(error)}`, {
        cause: error,
      });
    }
  }
}

/** A killed run leaves an empty file. Anything else of this name is not ours and is not touched. */
function removeLeftProbe(fs: FileSystem, path: string): void {
  try {
    const { kind, sizeBytes } = fs.lstat(path);
    if (kind === "file" && sizeBytes === 0) fs.unlink(path);
  } catch {
    // The next name shows whether the drive can be written.
  }
}

/** For drives that are new to a journal: they must not carry the manifest of another one. */
export function checkNoManifest(fs: FileSystem, drive: Drive): void {
  if (isUnmounted(drive)) {
    // Windows' file system does not tell names apart by case.
    if (drive.rootNames?.some((name) => name.toLowerCase() === MANIFEST_NAME.toLowerCase())) throw hasManifest(drive);
    return;
  }
  try {
    fs.lstat(joinPath(drive.root, MANIFEST_NAME));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw new DriveRefusedError("DRIVE_NOT_FOUND", `cannot read "${drive.place}": ${describeErrno(error)}`, {
      cause: error,
    });
  }
  throw hasManifest(drive);
}

function hasManifest(drive: Drive): AppError {
  return new DriveRefusedError(
    "DRIVE_HAS_MANIFEST",
    // The sentence of the original tool: scripts look for it.
    `A DriveManifest.xml file exists on the target drive. Drive ${drive.driveId} at "${drive.place}" may have been prepared with a different journal file`,
    { facts: { driveId: drive.driveId, place: drive.place } },
  );
}
