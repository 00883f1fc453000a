/** What an import is asked, what it tells on its way, and what it returns. Nothing in this room prints. */
import type { BlobAccount } from "../blobs/blob-account.ts";
import type { BlobStatus, DispositionStatus, DriveStatus } from "../copy-log/status-codes.ts";
import type { Clock } from "../platform/clock.ts";
import type { ExitCode } from "../platform/exit-codes.ts";
import type { FileSystem } from "../platform/file-system.ts";

export interface TransferImportRequest {
  /** Where the drive is: mount point, letter with its backslash, or directory. */
  driveRoot: string;
  /** From the drive's root, backslashes. Default: `\DriveManifest.xml`. */
  manifestFile?: string;
  /** Base16 MD5 of the manifest. Without it the manifest itself is not checked. */
  expectedHash?: string;
  expectedDriveId?: string;
  /** Part of the names of logs and backups. */
  jobName: string;
  /** Container, or container and directory, of logs and backups. Default: `waimportexport`. */
  diagnosticsPath?: string;
  /** The error log is always written. */
  logLevel: "error" | "verbose";
  backupDriveManifest: boolean;
  /** Requests under way at once. */
  parallel?: number;
  /** Bytes of blocks and ranges in memory at once. */
  memoryBytes?: number;
  /** Forget what an interrupted import of this manifest has done. */
  restart?: boolean;
  signal?: AbortSignal;
}

export interface TransferPorts {
  fs: FileSystem;
  clock: Clock;
  /** Made with the request's signal, so that requests under way end too. */
  account: BlobAccount;
  /** Directory for the state of unfinished transfers; made when missing. Not on the drive. */
  stateDirectory: string;
  /** Makes everything written below a directory durable; for exports onto drives whose method is `volume`. */
  flushVolume?(directory: string): Promise<void>;
  /** Takes a lock or throws who holds it. */
  lock(path: string, purpose: string): { release(): void };
}

export type LogKind = "error" | "verbose" | "manifest";

export type TransferImportEvent =
  | {
      type: "drive";
      driveId: string;
      manifestHash: string;
      /** Whether there was a hash to hold it against. */
      isChecked: boolean;
      totalBlobs: number;
      totalBytes: number;
      /** Done by an earlier, interrupted run. */
      earlierBlobs: number;
      earlierBytes: number;
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
  /** A blob with an error, or whose disposition made something happen. */
  | {
      type: "blob";
      blobPath: string;
      filePath: string;
      status: BlobStatus;
      disposition: DispositionStatus;
      /** In words, where there is more to say than the codes do. */
      reason?: string;
    }
  | { type: "log"; kind: LogKind; uri: string }
  | { type: "warning"; message: string };

export interface TransferImportReport {
  driveRoot: string;
  driveId: string;
  driveStatus: DriveStatus;
  /** Why the drive was not processed, in words. */
  reason?: string;
  manifestHash: string;
  isManifestChecked: boolean;
  totalBlobs: number;
  totalBytes: number;
  /** Blobs by their status, and by what their disposition did. */
  blobs: Readonly<Partial<Record<BlobStatus, number>>>;
  dispositions: Readonly<Partial<Record<DispositionStatus, number>>>;
  /** Bytes of complete segments. */
  bytesSucceeded: number;
  earlierBlobs: number;
  logs: readonly { kind: LogKind; uri: string }[];
  elapsedMs: number;
  /** 0; 3: some blobs were not done; 4: another manifest; 5: no such drive or manifest; 9: damaged manifest; 10. */
  exitCode: ExitCode;
}
