/**
 * The things the service's logs are made of, for all three generations:
 *
 *   2014-11-01  one `<DriveLog>` with a `<Blob>` per blob, its blocks or page ranges, metadata and properties
 *   2018-10-01  the same with a `<Summary>`, entries of Azure Files and entries of renamed things
 *   2021-08-01  a row of `<File>`, `<ErroredEntity>` and one `<CopyLog>` without a common root
 *
 * Values that were read keep what the log says, known or not; what is written uses the closed sets of `status-codes.ts`.
 */

export const COPY_LOG_VERSION = "2014-11-01";

export type LogGeneration = "2014-11-01" | "2018-10-01" | "2021-08-01";

/** A block, a page range, or a range of a file share. */
export interface LogSegment {
  offset: number;
  length: number;
  /** Blocks only, and not in every log. */
  id?: string;
  /** Upper-case Base16 MD5. */
  hash?: string;
  status: string;
}

/** A metadata or properties file that was used. */
export interface LogSideFile {
  path: string;
  hash?: string;
}

export interface LogSide {
  status: string;
  /** The list's default. */
  globalPath?: LogSideFile;
  path?: LogSideFile;
}

/** A blob, or (since 2018) a file of a share, with its segments. */
export interface LogBlob {
  kind: "blob" | "share-file";
  status: string;
  /** After a rename: the new one. Of a share file: share and path. */
  blobPath: string;
  /** From the drive's root. Empty where the log has none. */
  filePath: string;
  snapshot?: string;
  sizeBytes?: number;
  lastModified?: string;
  disposition?: { rule: string; status: string };
  /** Absent when the entry has no list. */
  segments?: { type: "block" | "page" | "share"; items: readonly LogSegment[] };
  metadata?: LogSide;
  properties?: LogSide;
}

/** 2021: something that failed. */
export interface LogErroredEntity {
  kind: "errored-entity";
  /** `BlockBlob`, `PageBlob`, `AzureFile`; not in every log. */
  cloudFormat?: string;
  path: string;
  category: string;
  errorCode?: string;
  errorMessage?: string;
  /** `File` or `Container`. */
  entityType?: string;
  etag?: string;
}

/** 2021, verbose log: something that went well. */
export interface LogDoneFile {
  kind: "done-file";
  cloudFormat?: string;
  path: string;
  sizeBytes?: number;
  /** Unsigned decimal. */
  crc64?: string;
  etag?: string;
}

export type LogEntry = LogBlob | LogErroredEntity | LogDoneFile;

/** One line of a summary (2018, 2021). */
export interface LogSummaryLine {
  /** `ValidationErrors` or `CopyErrors`. */
  group: string;
  code: string;
  count: number;
  description?: string;
}

/** What was read, once all of it was. */
export interface CopyLogFacts {
  generation: LogGeneration;
  /** Empty where the log has none. */
  driveId: string;
  /** Empty where the log has none (a verbose log of 2021). */
  driveStatus: string;
  entries: number;
  summary: readonly LogSummaryLine[];
  /** 2021 only. */
  totalItems?: number;
  itemsErrored?: number;
}
