/**
 * What a preparation is asked, what it reports on the way, and what it returns. The command line builds the request and
 * renders the events; nothing in this room prints.
 */
import type { ErrorCode } from "../platform/error-codes.ts";
import type { ExitCode } from "../platform/exit-codes.ts";

export type Disposition = "rename" | "no-overwrite" | "overwrite";

/** The switches of PrepImport (V2), already parsed; paths are absolute. */
export interface PrepRequest {
  journalPath: string;
  /** Absent only for the list forms, and for a resume of the last session. */
  sessionId?: string;
  dataSetPath?: string;
  initialDriveSetPath?: string;
  additionalDriveSetPath?: string;
  logDirectory?: string;
  /** A secret: never logged. */
  storageAccountKey?: string;
  silentMode: boolean;
  resumeSession: boolean;
  abortSession: boolean;
  options: PrepOptions;
}

export interface PrepOptions {
  /** Glob patterns on the path relative to the row; exclude wins. */
  include: readonly string[];
  exclude: readonly string[];
  /** `fail`: links, sockets and devices count as files not done (exit 3). */
  links: "notice" | "fail";
  distribute: "fill" | "spread";
  /** Overrides the dataset's column. */
  disposition?: Disposition;
  largeBlocks: boolean;
  /** `mock`: rehearse on a drive that this machine cannot encrypt. */
  encryption: "auto" | "mock";
  requireEncryption: boolean;
  allowUnencryptedSecrets: boolean;
  /** By the drive's place as written in the drive set, or by drive id. Bytes. */
  driveCapacity: ReadonlyMap<string, number>;
  /** By the drive's place as written in the drive set. */
  driveIds: ReadonlyMap<string, string>;
  /** Sizes in bytes of drive images that are made where nothing is yet, by their path. */
  imageSizes: ReadonlyMap<string, number>;
  /** Drive ids of this journal that are lost. */
  giveUpDrives: readonly string[];
  /** Serials whose formatting is confirmed beforehand. */
  confirmDrives: readonly string[];
  breakLock: boolean;
  ioMode: "auto" | "sequential" | "parallel";
  workers?: number;
  /** Bytes per second. */
  bandwidthLimit?: number;
  /** Reads everything back from the drives before they are sealed. */
  verify: boolean;
}

export const DEFAULT_PREP_OPTIONS: PrepOptions = {
  include: [],
  exclude: [],
  links: "notice",
  distribute: "fill",
  largeBlocks: false,
  encryption: "auto",
  requireEncryption: false,
  allowUnencryptedSecrets: false,
  driveCapacity: new Map(),
  driveIds: new Map(),
  imageSizes: new Map(),
  giveUpDrives: [],
  confirmDrives: [],
  breakLock: false,
  ioMode: "auto",
  verify: false,
};

/** One drive of a plan. Sizes in bytes. */
export interface PlannedDrive {
  driveId: string;
  /** Where it is now: letter, mount point or directory. */
  place: string;
  files: number;
  bytes: number;
  /** What the plan may put on it, reserve already taken off. */
  capacityBytes: number;
  /** What the plan takes of that, clusters and manifest included. */
  usedBytes: number;
  format: boolean;
  encryption: "bitlocker" | "mock";
  willEncrypt: boolean;
  needed: boolean;
}

export interface PlanSummary {
  sessionId: string;
  drives: readonly PlannedDrive[];
  files: number;
  bytes: number;
  /** Files that fit on no drive. */
  unplacedFiles: number;
  unplacedBytes: number;
  /** How many more drives like the largest of this plan would take the rest; 0 when all fits. */
  moreDrivesNeeded: number;
  /** Of those, files larger than any of these drives: no further drive of that size would take them. */
  tooLargeFiles: number;
  /** Files that will not be done whatever the drives are (bad names, unreadable, ...). */
  notDone: number;
  /** Links, sockets, devices: left out with a notice. */
  special: number;
  /** Walked but left out by the filters. */
  filtered: number;
  /** Disposition by dataset row; shown because the default differs between generations of the format. */
  rows: readonly { index: number; basePath: string; destination: string; blobType: string; disposition: Disposition }[];
}

export interface DriveProgressRow {
  driveId: string;
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
  state: "waiting" | "copying" | "sealing" | "sealed" | "failed" | "full";
}

/** Everything a preparation tells on its way. `type` is also the `type` field of the JSON lines. */
export type PrepEvent =
  | { type: "session"; sessionId: string; action: "new" | "resume" | "add-drives" | "abort"; journal: string }
  | { type: "notice"; code?: ErrorCode; message: string; facts?: Readonly<Record<string, unknown>> }
  | { type: "warning"; code?: ErrorCode; message: string; facts?: Readonly<Record<string, unknown>> }
  | { type: "walk"; files: number; bytes: number; done: boolean }
  | { type: "plan"; plan: PlanSummary }
  | {
      type: "drive-state";
      driveId: string;
      state: "formatting" | "encrypting" | "unlocking" | "opening" | "closing" | "ready" | "verifying";
      percent?: number;
    }
  | {
      type: "progress";
      drives: readonly DriveProgressRow[];
      files: number;
      bytes: number;
      totalFiles: number;
      totalBytes: number;
      /** Done by earlier runs of this session: part of `bytes`, not of the rate. */
      earlierBytes: number;
      elapsedMs: number;
    }
  | { type: "file-not-done"; sourcePath: string; code: ErrorCode; reason: string }
  | { type: "drive-failed"; driveId: string; code: ErrorCode; reason: string }
  | { type: "drive-sealed"; drive: SealedDrive };

export interface SealedDrive {
  driveId: string;
  place: string;
  manifestPath: string;
  /** Upper-case Base16 MD5. */
  manifestHash: string;
  /** `<DriveId>.xml` beside the journal. */
  driveInfoPath: string;
  /** Of the whole drive, earlier sessions included. */
  blobs: number;
  bytes: number;
  encryption: "bitlocker" | "mock";
  /** Independent programs that looked at a volume which this tool encrypted itself. */
  checks?: readonly { tool: string; did: string; ok: boolean; detail?: string }[];
  /** A file with the drive's data in clear that could not be removed. */
  leftBehind?: string;
}

/** What write verification did. */
export interface WriteVerification {
  files: number;
  bytes: number;
  /** Gave back other bytes at first, and the right ones after they were written again. */
  rewrittenFiles: number;
  /** `direct`: past the page cache, from the medium; `buffered`: perhaps from memory; `mixed`: some of each. */
  readMethod: "direct" | "buffered" | "mixed";
}

export interface PrepOutcome {
  sessionId: string;
  journal: string;
  exitCode: ExitCode;
  state: "completed" | "already-complete" | "no-space" | "aborted" | "interrupted" | "drives-failed" | "not-confirmed";
  files: number;
  bytes: number;
  /** Counted by code; the files themselves are in the events file and were reported one by one. */
  notDone: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Files that earlier runs of the session could not do, on drives that are finished: only their number is known now. */
  notDoneEarlier: number;
  newSinceWalk: number;
  drives: readonly SealedDrive[];
  notNeeded: readonly string[];
  unplacedFiles: number;
  unplacedBytes: number;
  /** With `verify`. */
  verification?: WriteVerification;
  elapsedMs: number;
}

/** A step that wants a person's word. */
export type Question =
  /** The plan was shown; start? */
  | { kind: "start"; plan: PlanSummary }
  /** The drive will be erased: `serial` must be typed. */
  | {
      kind: "format";
      driveId: string;
      serial: string;
      model: string;
      sizeBytes: number;
      contents: string;
      place: string;
    };

/** Answers a question; false stops the preparation before anything is written. */
export type Confirm = (question: Question) => Promise<boolean>;
