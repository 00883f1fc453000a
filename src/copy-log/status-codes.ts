/** The closed sets of status codes of a drive log, version 2014-11-01. Their letter case is part of the format. */

export const DRIVE_STATUSES = [
  "Completed",
  "CompletedWithWarnings",
  "CompletedWithErrors",
  "DiskNotFound",
  "VolumeNotNtfs",
  "DiskOperationFailed",
  "BitLockerVolumeNotFound",
  "BitLockerNotActivated",
  "BitLockerProtectorNotFound",
  "BitLockerKeyInvalid",
  "BitLockerUnlockVolumeFailed",
  "BitLockerFailed",
  "ManifestNameInvalid",
  "ManifestNameTooLong",
  "ManifestNotFound",
  "ManifestAccessDenied",
  "ManifestCorrupted",
  "ManifestFormatInvalid",
  "ManifestDriveIdMismatch",
  "ReadManifestFailed",
  "BlobListFormatInvalid",
  "BlobRequestForbidden",
  "InternalError",
] as const;
export type DriveStatus = (typeof DRIVE_STATUSES)[number];

export const BLOB_STATUSES = [
  "Completed",
  "CompletedWithErrors",
  "FileNameInvalid",
  "FileNameTooLong",
  "FileNotFound",
  "FileAccessDenied",
  "BlobRequestFailed",
  "BlobRequestForbidden",
  "RenameFailed",
  "BlobUnexpectedChange",
  "LeasePresent",
  "IOFailed",
  "Failed",
] as const;
export type BlobStatus = (typeof BLOB_STATUSES)[number];

export const DISPOSITION_STATUSES = ["Created", "Renamed", "Skipped", "Overwritten", "Cancelled"] as const;
export type DispositionStatus = (typeof DISPOSITION_STATUSES)[number];

/** Of a block or a page range. */
export const SEGMENT_STATUSES = [
  "Completed",
  "Committed",
  "Uncommitted",
  "Corrupted",
  "FileUnexpectedEnd",
  "BlobUnexpectedEnd",
  "BlobRequestFailed",
  "IOFailed",
  "Failed",
  "Cancelled",
] as const;
export type SegmentStatus = (typeof SEGMENT_STATUSES)[number];

/** Of metadata and of properties. */
export const SIDE_STATUSES = [
  "Completed",
  "FileNameInvalid",
  "FileNameTooLong",
  "FileNotFound",
  "FileAccessDenied",
  "Corrupted",
  "XmlReadFailed",
  "XmlWriteFailed",
  "BlobRequestFailed",
  "IOFailed",
  "Failed",
  "Cancelled",
] as const;
export type SideStatus = (typeof SIDE_STATUSES)[number];
