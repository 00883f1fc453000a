/**
 * What each code of a copy log means, what usually causes it, and what to do next. One row per place and code; the same
 * word (`Corrupted`) means different things of a block and of a metadata file.
 */

/** Where in a log a code stands. `category`: of the generation of 2021, and what earlier ones call a renamed thing. */
export type CodePlace = "drive" | "blob" | "disposition" | "segment" | "metadata" | "properties" | "category";

export interface CodeMeaning {
  /** `ok` codes are counted, not explained. */
  level: "ok" | "warning" | "error";
  meaning: string;
  cause: string;
  next: string;
}

const NOTHING = "nothing to do";
const PREPARE_AGAIN = "prepare the files again from their sources and send or transfer them once more";
const REPAIR_SIDE = "repair the import with the log, or set them on the blob yourself";
const REPAIR = "repair the import with this log: only what failed is uploaded again from the sources";

const ok = (meaning: string): CodeMeaning => ({ level: "ok", meaning, cause: "", next: NOTHING });
const error = (meaning: string, cause: string, next: string): CodeMeaning => ({ level: "error", meaning, cause, next });
const warning = (meaning: string, cause: string, next: string): CodeMeaning => ({
  level: "warning",
  meaning,
  cause,
  next,
});

const MANIFEST_PATH = "the job names a manifest that is not where and what the drive has";
const BITLOCKER_NEXT = "check the key of this drive in the journal; create the job again with the right one";

const DRIVE: Readonly<Record<string, CodeMeaning>> = {
  Completed: ok("the drive was processed without errors"),
  CompletedWithWarnings: warning(
    "the drive was processed; some blobs were renamed, skipped or overwritten",
    "blobs of these names existed already, and the import disposition says what to do then",
    "check the blobs listed under the dispositions",
  ),
  CompletedWithErrors: error(
    "the drive was processed, with errors in some blobs",
    "see the causes of the blobs",
    "follow the advice for the blobs",
  ),
  Failed: error(
    "the drive could not be processed",
    "see the causes of the entries",
    "follow the advice for the entries",
  ),
  DiskNotFound: error(
    "no disk was found",
    "the disk is dead, or not the one of the job",
    "test the disk; send another",
  ),
  VolumeNotNtfs: error(
    "the first data volume is not NTFS",
    "the drive has another file system, or the data lies on a later volume",
    "prepare the drive again with one NTFS volume",
  ),
  DiskOperationFailed: error(
    "operating the disk failed",
    "a defect of the disk or its cable",
    "test the disk; prepare the data on another one",
  ),
  BitLockerVolumeNotFound: error(
    "no volume that BitLocker could open was found",
    "the drive was not encrypted",
    "prepare the drive again with encryption",
  ),
  BitLockerNotActivated: error(
    "BitLocker is off on the volume",
    "the drive was not encrypted, or a mock drive was sent",
    "prepare the drive again with encryption",
  ),
  BitLockerProtectorNotFound: error(
    "the volume has no numerical password",
    "the volume was encrypted with another kind of protector only",
    "add a numerical password and create the job again",
  ),
  BitLockerKeyInvalid: error(
    "the numerical password does not open the volume",
    "the job has another drive's key",
    BITLOCKER_NEXT,
  ),
  BitLockerUnlockVolumeFailed: error("the volume could not be opened", "not known", BITLOCKER_NEXT),
  BitLockerFailed: error("BitLocker failed", "not known", BITLOCKER_NEXT),
  ManifestNameInvalid: error("the manifest's path is not valid", MANIFEST_PATH, "correct manifestFile of the job"),
  ManifestNameTooLong: error("the manifest's path is too long", MANIFEST_PATH, "correct manifestFile of the job"),
  ManifestNotFound: error("there is no manifest at its path", MANIFEST_PATH, "check that the right drive was sent"),
  ManifestAccessDenied: error("the manifest may not be read", "its permissions", "prepare the drive again"),
  ManifestCorrupted: error(
    "the manifest does not match its hash",
    "the manifest was changed after sealing, is damaged, or the job has an older hash",
    "verify the drive; create the job with the hash of the journal's last session",
  ),
  ManifestFormatInvalid: error(
    "the manifest does not follow the format",
    "it was edited, or written by a tool that does not keep to the format",
    "prepare the drive again",
  ),
  ManifestDriveIdMismatch: error(
    "the drive id in the manifest is not the disk's",
    "the manifest was copied from another drive, or a USB adapter told another serial",
    "prepare the drive again, connected in a way that shows its serial",
  ),
  ReadManifestFailed: error(
    "reading the manifest failed",
    "a defect of the disk",
    "test the disk; prepare another one",
  ),
  BlobListFormatInvalid: error(
    "the blob list of the export is not valid",
    "the list is not XML of the documented form",
    "correct the list and create the job again",
  ),
  BlobRequestForbidden: error(
    "the storage account refused access",
    "a wrong or regenerated account key, or a SAS that expired or lacks permissions",
    "give a valid credential and process the drive again",
  ),
  InternalError: error(
    "an internal error of the service",
    "not known",
    "create the job again; ask support if it stays",
  ),
};

const FILE_CODES: Readonly<Record<string, CodeMeaning>> = {
  FileNameInvalid: error("the file's path on the drive is not valid", "the manifest was edited", PREPARE_AGAIN),
  FileNameTooLong: error("the file's path on the drive is too long", "deep folders below the root", PREPARE_AGAIN),
  FileNotFound: error(
    "the file is not on the drive",
    "it was deleted or renamed after preparation, or the drive is not the one of the manifest",
    "verify the drive; then repair the import from the sources, or prepare the files again",
  ),
  FileAccessDenied: error(
    "the file on the drive may not be read, or is no plain file",
    "permissions, or a link or directory in its place",
    "verify the drive; then repair the import from the sources",
  ),
};

const REQUEST_CODES: Readonly<Record<string, CodeMeaning>> = {
  BlobRequestFailed: error(
    "the blob service refused a request",
    "a name or value that the service does not accept, or a fault of the service",
    "check the name; then repair the import with this log",
  ),
  IOFailed: error("reading or sending failed", "a bad place on the disk, or the network", REPAIR),
  Failed: error("it failed", "not known", REPAIR),
};

const BLOB: Readonly<Record<string, CodeMeaning>> = {
  ...FILE_CODES,
  ...REQUEST_CODES,
  Completed: ok("the blob is complete"),
  CompletedWithErrors: error(
    "the blob was processed, but not all of its blocks, ranges, metadata or properties",
    "see the causes of its parts",
    REPAIR,
  ),
  BlobRequestForbidden: error(
    "the storage account refused access to the blob",
    "the SAS does not cover this container or operation, or the key is wrong",
    "give a credential that covers it; then repair the import with this log",
  ),
  RenameFailed: error(
    "no new name could be found",
    "the name with its number would be longer than 1,024 characters, or too many numbers are taken",
    "remove or rename blobs at the destination, or use another disposition",
  ),
  BlobUnexpectedChange: error(
    "the blob changed while it was exported",
    "something writes to it, and no snapshot could be taken",
    "export it again while nothing writes to it",
  ),
  LeasePresent: error(
    "the blob is leased",
    "a virtual machine or another program holds a lease on it",
    "break or wait for the lease; then repair the import with this log",
  ),
};

const SEGMENT: Readonly<Record<string, CodeMeaning>> = {
  ...REQUEST_CODES,
  Completed: ok("the segment is complete"),
  Committed: warning(
    "the block is in the blob, but the blob is not whole",
    "other blocks of the blob failed",
    "follow the advice for the blocks that failed",
  ),
  Uncommitted: warning(
    "the block was uploaded, but is not part of the blob",
    "other blocks failed, and an existing blob is not replaced by a part of the new one, or the final commit failed",
    REPAIR,
  ),
  Corrupted: error(
    "the content does not match its hash",
    "the data on the drive is damaged, or was changed after preparation",
    "verify the drive to see all such places; then repair the import from the sources",
  ),
  FileUnexpectedEnd: error(
    "the file on the drive ends too early",
    "the file was cut or changed after preparation",
    "verify the drive; then repair the import from the sources",
  ),
  BlobUnexpectedEnd: error("the blob ends too early", "it became shorter while it was exported", "export it again"),
  Cancelled: warning(
    "it was not tried",
    "an earlier failure of the same blob made it pointless",
    "follow the advice for the blob",
  ),
};

const DISPOSITION: Readonly<Record<string, CodeMeaning>> = {
  Created: ok("the blob is new"),
  Renamed: warning(
    "the blob was stored under a new name",
    "a blob of this name existed, and the disposition is rename",
    "check whether you wanted a second copy; BlobPath in the log is the new name",
  ),
  Skipped: warning(
    "the blob was left as it was",
    "a blob of this name existed, and the disposition is no-overwrite",
    "nothing, if the existing blob is the one you want",
  ),
  Overwritten: warning(
    "an existing blob was replaced",
    "a blob of this name existed, and the disposition is overwrite",
    "nothing, if that was intended",
  ),
  Cancelled: warning(
    "the destination was not touched",
    "an earlier failure of the blob",
    "follow the advice for the blob",
  ),
};

function sideCodes(what: string): Readonly<Record<string, CodeMeaning>> {
  return {
    Completed: ok(`the ${what} are set`),
    FileNameInvalid: error(`the path of the ${what} file is not valid`, "the manifest was edited", REPAIR_SIDE),
    FileNameTooLong: error(`the path of the ${what} file is too long`, "deep folders", REPAIR_SIDE),
    FileNotFound: error(`the ${what} file is not on the drive`, "it was deleted after preparation", REPAIR_SIDE),
    FileAccessDenied: error(`the ${what} file may not be read`, "its permissions", REPAIR_SIDE),
    Corrupted: error(`the ${what} file does not match its hash`, "it was changed after preparation", REPAIR_SIDE),
    XmlReadFailed: error(`the ${what} file is not of the documented form`, "it was edited by hand", REPAIR_SIDE),
    XmlWriteFailed: error(
      `the ${what} file could not be written`,
      "values that XML cannot carry, or a full drive",
      `read the ${what} from the blob itself`,
    ),
    BlobRequestFailed: error(`the service refused the ${what}`, "a name or value that it does not accept", REPAIR_SIDE),
    IOFailed: error(`reading the ${what} file failed`, "a bad place on the disk", REPAIR_SIDE),
    Failed: error(`the ${what} could not be handled`, "not known", REPAIR_SIDE),
    Cancelled: warning(
      `the ${what} were not tried`,
      "an earlier failure of the blob",
      "follow the advice for the blob",
    ),
  };
}

const INVALID_TYPE_CAUSE = "the folder on the disk asks for a blob type that the file cannot have";
const INVALID_TYPE_NEXT = "move the files into the folder of the right blob type, or correct their sizes";
const renamed = (what: string): CodeMeaning =>
  warning(
    `the ${what} was stored under a new name`,
    `the name of the ${what} breaks Azure's naming rules`,
    "find the new name in the log; rename it, or copy it to where it belongs",
  );

const CATEGORY: Readonly<Record<string, CodeMeaning>> = {
  None: ok("no error"),
  UploadErrorWin32: error(
    "the file system refused the name",
    "a name that NTFS cannot hold (codes 123 and 267)",
    "rename the files or blobs, then send them again",
  ),
  UploadErrorCloudHttp: error(
    "the storage service refused the data",
    "a blob type that is not supported there, or a fault of the service",
    "check the kind of the account; then transfer the files over the network",
  ),
  UploadErrorDataValidationError: error(
    "the data that arrived is not the data that was read",
    "a defect on the way",
    "transfer these files again",
  ),
  UploadErrorManagedConversionError: error(
    "the file cannot become a managed disk",
    "its size is not between 20,971,520 bytes and 8,192 GiB",
    "correct the size of the disk image",
  ),
  UploadErrorUnknownType: error("it failed", "not known", "transfer these files again"),
  StorageRequestFailed: error(
    "the storage service refused a request",
    "a fault of the service",
    "transfer these files again",
  ),
  StorageRequestForbidden: error("the storage account refused access", "a wrong credential", "give a valid credential"),
  ManagedDiskCreationTerminalFailure: error(
    "no managed disk could be made",
    "a fault of the service",
    "create the disk yourself",
  ),
  DiskConversionNotStartedTierInfoMissing: error(
    "the disk image was not converted",
    "it lies outside the folders that name a tier",
    "convert it yourself from the page blob",
  ),
  InvalidWorkitem: error("the data was not taken", "an internal error of the service", "transfer these files again"),
  InvalidPageBlobUploadAsBlockBlob: warning(
    "a page blob was stored as a block blob in a container databoxdisk-invalid-pb-*",
    INVALID_TYPE_CAUSE,
    INVALID_TYPE_NEXT,
  ),
  InvalidAzureFileUploadAsBlockBlob: warning(
    "a file of a share was stored as a block blob in a container databoxdisk-invalid-af-*",
    INVALID_TYPE_CAUSE,
    INVALID_TYPE_NEXT,
  ),
  InvalidManagedDiskUploadAsBlockBlob: warning(
    "a disk image was stored as a block blob in a container databoxdisk-invalid-md-*",
    INVALID_TYPE_CAUSE,
    INVALID_TYPE_NEXT,
  ),
  InvalidManagedDiskUploadAsPageBlob: warning(
    "a disk image was stored as a page blob in a container databoxdisk-invalid-md-*",
    INVALID_TYPE_CAUSE,
    INVALID_TYPE_NEXT,
  ),
  MovedToOverflowShare: warning(
    "the file went to an overflow share",
    "the share was full",
    "look in the share named -2",
  ),
  MovedToDefaultAzureShare: warning(
    "the file went to a default share",
    "it lay outside of any folder that names a share",
    "look in the share whose name begins with databox-",
  ),
  Renamed: renamed("item"),
  ContainerRenamed: renamed("container"),
  ShareRenamed: renamed("share"),
  BlobRenamed: renamed("blob"),
  FileRenamed: renamed("file"),
  DiskRenamed: renamed("disk"),
  FileNameTrailsWithSlash: error(
    "the blob was not exported",
    "its name ends in a slash, which no file can have",
    "rename the blob, or download it over the network",
  ),
  ExportCloudHttp: error("the blob was not exported", "its type is not supported", "download it over the network"),
};

const MEANINGS: Readonly<Record<CodePlace, Readonly<Record<string, CodeMeaning>>>> = {
  drive: DRIVE,
  blob: BLOB,
  disposition: DISPOSITION,
  segment: SEGMENT,
  metadata: sideCodes("metadata"),
  properties: sideCodes("properties"),
  category: CATEGORY,
};

const UNKNOWN: CodeMeaning = error(
  "this code is not documented",
  "the log was written by a release of the service that is not known here",
  "look the code up in the service's documentation",
);

/** Codes of the later generations stand where the earlier ones have a blob's status, and the other way round. */
export function meaningOf(place: CodePlace, code: string): CodeMeaning {
  const own = MEANINGS[place];
  if (Object.hasOwn(own, code)) return own[code] ?? UNKNOWN;
  const other = place === "blob" ? CATEGORY : place === "category" ? BLOB : {};
  return (Object.hasOwn(other, code) ? other[code] : undefined) ?? UNKNOWN;
}
