/** What an export is asked, what it tells on its way, and what it returns. */
import type { BlobSelector } from "../blobs/blob-list.ts";
import type { SelectionCounts } from "../blobs/select-blobs.ts";
import type { BlobStatus, DriveStatus } from "../copy-log/status-codes.ts";
import type { ExitCode } from "../platform/exit-codes.ts";
import type { FlushMethod } from "../platform/volume-flush.ts";
import type { LogKind } from "./import-contract.ts";

export interface ExportDrive {
  driveId: string;
  /** Mount point, letter with its backslash, or directory. */
  root: string;
  /** What may be used of it. */
  capacityBytes: number;
  clusterBytes: number;
  /** How what was written is made durable: the whole volume from time to time, or (the default) each file. */
  flushMethod?: FlushMethod;
}

export interface TransferExportRequest {
  selectors: readonly BlobSelector[];
  drives: readonly ExportDrive[];
  /** Part of the names of logs. */
  jobName: string;
  /** Container, or container and directory, of the logs. Default: `waimportexport`. */
  diagnosticsPath?: string;
  logLevel: "error" | "verbose";
  backupDriveManifest: boolean;
  /** Where the list of blobs that were not exported is written too, when there are any. */
  incompleteListPath?: string;
  parallel?: number;
  memoryBytes?: number;
  /** Forget what an interrupted export has done. */
  restart?: boolean;
  signal?: AbortSignal;
}

export type TransferExportEvent =
  | { type: "listing"; blobs: number; bytes: number; isDone: boolean }
  | {
      type: "plan";
      blobs: number;
      bytes: number;
      /** Blobs for which no drive has room, or that cannot be read. */
      leftOut: number;
      drives: readonly { driveId: string; root: string; blobs: number; bytes: number }[];
      earlierBlobs: number;
    }
  | {
      type: "progress";
      blobs: number;
      bytes: number;
      totalBlobs: number;
      totalBytes: number;
      earlierBytes: number;
      elapsedMs: number;
    }
  /** A blob that was not exported as it was listed. */
  | { type: "blob"; blobPath: string; snapshot?: string; status: BlobStatus | "NotExported"; reason?: string }
  | { type: "log"; kind: LogKind | "incomplete"; uri: string; driveId?: string }
  | { type: "warning"; message: string };

export interface ExportedDriveReport {
  driveId: string;
  root: string;
  driveStatus: DriveStatus;
  /** From the drive's root. Absent when nothing was put on it. */
  manifestFile?: string;
  /** Upper-case Base16 MD5. */
  manifestHash?: string;
  blobs: number;
  bytes: number;
}

export interface TransferExportReport {
  selection: SelectionCounts;
  /** Chosen. */
  totalBlobs: number;
  totalBytes: number;
  exportedBlobs: number;
  exportedBytes: number;
  /** On the incomplete blob list. */
  incompleteBlobs: number;
  blobs: Readonly<Partial<Record<BlobStatus, number>>>;
  drives: readonly ExportedDriveReport[];
  earlierBlobs: number;
  logs: readonly { kind: LogKind | "incomplete"; uri: string; driveId?: string }[];
  elapsedMs: number;
  /** 0; 3: some blobs were not exported. */
  exitCode: ExitCode;
}
