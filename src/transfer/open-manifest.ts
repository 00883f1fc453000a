/** The steps before the first blob: drive, manifest, hash, form, drive id, each with its documented status. */
import type { DriveStatus } from "../copy-log/status-codes.ts";
import { findPathProblem, splitDrivePath } from "../manifest/drive-file-path.ts";
import { hashFile } from "../manifest/manifest-extension.ts";
import { MANIFEST_FILE_PATH, type ManifestHead } from "../manifest/manifest-model.ts";
import { readManifest } from "../manifest/manifest-reader.ts";
import { AppError, describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";

export interface OpenedManifest {
  path: string;
  /** Upper-case Base16 MD5, as it is on the drive. */
  hash: string;
  head: ManifestHead;
  blobs: number;
  bytes: number;
}

/** Why the drive cannot be processed. */
export interface DriveProblem {
  driveStatus: DriveStatus;
  reason: string;
  /** Where it could be read. */
  driveId?: string;
  hash?: string;
}

export interface ManifestQuery {
  driveRoot: string;
  manifestFile?: string;
  expectedHash?: string;
  expectedDriveId?: string;
}

const MAX_PATH_UNITS = 32_767;

/** Reads the manifest from beginning to end, so that nothing is sent when any of it is wrong. */
export function openManifest(fs: FileSystem, query: ManifestQuery): OpenedManifest | DriveProblem {
  const place = locate(fs, query);
  if (typeof place !== "string") return place;
  const hash = hashOf(fs, place);
  if (typeof hash !== "string") return hash;
  const expected = query.expectedHash?.trim().toUpperCase();
  if (expected !== undefined && expected !== hash) {
    return {
      driveStatus: "ManifestCorrupted",
      reason: `the MD5 of the manifest is ${hash}, expected is ${expected}`,
      hash,
    };
  }
  try {
    const { head, blobs, bytes } = readManifest(fs, place, {});
    const { expectedDriveId } = query;
    if (expectedDriveId !== undefined && expectedDriveId !== head.driveId) {
      const reason = `the manifest is of drive "${head.driveId}", expected is "${expectedDriveId}"`;
      return { driveStatus: "ManifestDriveIdMismatch", reason, driveId: head.driveId, hash };
    }
    return { path: place, hash, head, blobs, bytes };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const driveStatus = error.code === "MANIFEST_INVALID" ? "ManifestFormatInvalid" : "ReadManifestFailed";
    return { driveStatus, reason: error.message, hash };
  }
}

export function isDriveProblem(result: OpenedManifest | DriveProblem): result is DriveProblem {
  return "driveStatus" in result;
}

function locate(
  fs: FileSystem,
  { driveRoot, manifestFile = MANIFEST_FILE_PATH }: ManifestQuery,
): string | DriveProblem {
  if (manifestFile.length > MAX_PATH_UNITS) {
    return { driveStatus: "ManifestNameTooLong", reason: "the path of the manifest is too long" };
  }
  const problem = findPathProblem(manifestFile);
  if (problem !== undefined) {
    return { driveStatus: "ManifestNameInvalid", reason: `the path of the manifest cannot be used: ${problem}` };
  }
  try {
    if (fs.stat(driveRoot).kind !== "directory") {
      return { driveStatus: "DiskNotFound", reason: `"${driveRoot}" is not a drive's root directory` };
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return { driveStatus: "DiskNotFound", reason: `cannot look at the drive "${driveRoot}": ${describeErrno(error)}` };
  }
  const root = /[/\\]$/.test(driveRoot) ? driveRoot : `${driveRoot}/`;
  return root + splitDrivePath(manifestFile).join("/");
}

function hashOf(fs: FileSystem, path: string): string | DriveProblem {
  try {
    return hashFile(fs, path).hash;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    const driveStatus =
      errno === "ENOENT" || errno === "ENOTDIR"
        ? "ManifestNotFound"
        : errno === "EACCES" || errno === "EPERM" || errno === "EISDIR"
          ? "ManifestAccessDenied"
          : errno === "ENAMETOOLONG"
            ? "ManifestNameTooLong"
            : "ReadManifestFailed";
    return { driveStatus, reason: `cannot read the manifest "${path}": ${describeErrno(error)}` };
  }
}
