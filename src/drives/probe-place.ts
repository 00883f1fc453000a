/** What all platforms share when they look at a place: does it exist, and the drive that a plain directory makes. */
import { type AppError, DriveRefusedError, describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileStat, FileSystem } from "../platform/file-system.ts";
import { describeContents } from "./contents.ts";
import type { Drive } from "./drive.ts";
import { pathToDriveId } from "./drive-id.ts";
import { isAboutSerial } from "./drive-warnings.ts";

export interface FoundPlace {
  place: string;
  /** Real path. */
  root: string;
  stat: FileStat;
}

/** The directory or file at an absolute path, or DRIVE_NOT_FOUND. */
export function findPlace(fs: FileSystem, place: string, path: string, isAbsolute: boolean): FoundPlace {
  if (!isAbsolute) {
    throw new DriveRefusedError("DRIVE_NOT_FOUND", `"${place}" is not an absolute path`, {
      hint: "write the full path of the drive's mount point or directory",
    });
  }
  try {
    const root = fs.realpath(path);
    return { place, root, stat: fs.stat(root) };
  } catch (error) {
    const isMissing = ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");
    const why = isMissing ? "does not exist" : `cannot be reached: ${describeErrno(error)}`;
    throw new DriveRefusedError("DRIVE_NOT_FOUND", `the drive "${place}" ${why}`, { cause: error });
  }
}

export function unsupportedKind(place: string, why: string, hint?: string): AppError {
  return new DriveRefusedError(
    "DRIVE_KIND_UNSUPPORTED",
    `"${place}" cannot be a drive: ${why}`,
    hint === undefined ? {} : { hint },
  );
}

/** Facts of the volume that holds a path. */
export function readSpace(fs: FileSystem, found: FoundPlace): Pick<Drive, "sizeBytes" | "freeBytes" | "clusterBytes"> {
  try {
    const { sizeBytes, freeBytes, blockBytes } = fs.statfs(found.root);
    return { sizeBytes, freeBytes, clusterBytes: Math.max(1, blockBytes) };
  } catch (error) {
    const message = `cannot read the free space of "${found.place}": ${describeErrno(error)}`;
    throw new DriveRefusedError("DRIVE_NOT_FOUND", message, { cause: error });
  }
}

/** A directory or mount without a disk of its own, for rehearsals. Platforms add what they know of what is below it. */
export function plainDrive(
  fs: FileSystem,
  found: FoundPlace,
  known: Partial<Drive> & Pick<Drive, "kind" | "model" | "fileSystem"> & { idPath?: string },
): Drive {
  const { idPath, ...facts } = known;
  const space = readSpace(fs, found);
  const drive: Drive = {
    driveId: pathToDriveId(idPath ?? found.root),
    place: found.place,
    root: found.root,
    ...space,
    volumeKey: `device ${found.stat.device}`,
    rotational: "unknown",
    transport: "",
    ntfs: false,
    removable: false,
    contents: "",
    isSystem: false,
    encryptable: "mock",
    reasons: [],
    warnings: [],
    ...facts,
  };
  const contents = describeContents(fs, found.root, { ...space, fileSystem: known.fileSystem });
  return drive.contents === "" ? { ...drive, contents } : drive;
}

/** A drive image: a regular file that holds, or will hold, a volume. */
export function imageDrive(found: FoundPlace): Drive {
  const { place, root, stat } = found;
  return {
    driveId: pathToDriveId(root),
    place,
    root,
    kind: "image",
    model: "drive image",
    sizeBytes: stat.sizeBytes,
    freeBytes: 0,
    clusterBytes: 4096,
    fileSystem: "",
    volumeKey: `image ${stat.device}:${stat.fileId}`,
    rotational: "unknown",
    transport: "",
    ntfs: false,
    removable: false,
    contents: "a file",
    isSystem: false,
    encryptable: "bitlocker",
    reasons: [],
    warnings: [],
  };
}

/** The drive under the id that the user gave; what was to be said about the one that was read falls away. */
export function withDriveId(drive: Drive, idOverride: string | undefined): Drive {
  if (idOverride === undefined) return drive;
  return { ...drive, driveId: idOverride, warnings: drive.warnings.filter((text) => !isAboutSerial(text)) };
}
