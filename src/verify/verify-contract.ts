/** What a verification is asked, what it tells on its way, and what it returns. Nothing in this room prints. */
import type { CopyEngine } from "../copy/copy-contract.ts";
import type { Clock } from "../platform/clock.ts";
import type { ExitCode } from "../platform/exit-codes.ts";
import type { FileSystem } from "../platform/file-system.ts";

export interface VerifyRequest {
  /** Where the drive is: mount point, letter with its backslash, or directory. */
  driveRoot: string;
  /** Default: `DriveManifest.xml` in the root. */
  manifestPath?: string;
  /** Base16 MD5 from the journal or the per-drive file. Without it the manifest itself is not checked. */
  expectedHash?: string;
  /** From the journal or the per-drive file: another id is another drive (DRIVE_WRONG). */
  expectedDriveId?: string;
  /** What could not be checked counts as a difference. */
  strict: boolean;
  workers?: number;
  signal?: AbortSignal;
}

export interface VerifyPorts {
  fs: FileSystem;
  engine: CopyEngine;
  clock: Clock;
  /** Takes temporary files of 16 bytes per file of the drive. Exists already; not on the drive. */
  spoolDirectory: string;
}

export type VerifyProblemKind =
  | "manifest-changed"
  | "missing"
  /** A link, a directory or a device is in the file's place, or a link on the way to it. */
  | "not-a-file"
  | "unreadable"
  | "shorter"
  | "longer"
  /** A segment, or a metadata or properties file, has another digest. */
  | "different"
  /** What a page list leaves out is not zero. */
  | "not-zero"
  /** The file changed while it was read. */
  | "changing";

export interface VerifyProblem {
  kind: VerifyProblemKind;
  /** From the drive's root, backslashes. */
  filePath: string;
  /** Absent for the manifest and for files that belong to a whole list of blobs. */
  blobPath?: string;
  /** Bytes, of the segment. */
  offset?: number;
  length?: number;
  /** Sizes in bytes as decimal text, or Base16 MD5s. */
  expected?: string;
  actual?: string;
  /** In words, without the path. */
  reason: string;
}

export type VerifyEvent =
  | {
      type: "manifest";
      driveId: string;
      manifestVersion: string;
      manifestHash: string;
      /** Whether there was a hash to hold it against. */
      isChecked: boolean;
      totalFiles: number;
      totalBytes: number;
    }
  | { type: "progress"; files: number; bytes: number; totalFiles: number; totalBytes: number; elapsedMs: number }
  | { type: "problem"; problem: VerifyProblem }
  | { type: "warning"; kind: "unnamed-file" | "no-digests" | "unreadable-folder"; filePath: string; reason: string };

export interface VerifyReport {
  driveRoot: string;
  manifestPath: string;
  driveId: string;
  /** Upper-case Base16 MD5, as it is on the drive. */
  manifestHash: string;
  /** The manifest was held against a hash (and had it, or there is a problem). */
  isManifestChecked: boolean;
  /** Files named by the manifest as blobs, and the bytes they should have. */
  totalFiles: number;
  totalBytes: number;
  /** Files without any problem. */
  goodFiles: number;
  goodBytes: number;
  badFiles: number;
  problems: number;
  problemsByKind: Readonly<Partial<Record<VerifyProblemKind, number>>>;
  /** The first 1,000. */
  firstProblems: readonly VerifyProblem[];
  /** Files on the drive that the manifest does not name; the first 1,000 were told one by one. */
  unnamedFiles: number;
  /** Files whose manifest gives no digests: only their length was checked. */
  uncheckedFiles: number;
  /** `direct`: past the page cache, from the medium itself. */
  readMethod: "direct" | "buffered" | "mixed";
  isAborted: boolean;
  elapsedMs: number;
  /** 0, 4, or 130 when it was aborted. A damaged manifest (9) is thrown. */
  exitCode: ExitCode;
}
