/**
 * The copying itself: all drives of a session at once, through the copy engine, with checkpoints on the way. A drive
 * that fails stops alone; a file that fails is a result. Comes back when nothing is in flight any more.
 */
import type { CopyRequest, DriveFailure, FileResult, RunningCopy } from "../copy/copy-contract.ts";
import { chooseIoMode } from "../drives/io-mode.ts";
import { fsyncDirectory } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { DriveCopy } from "./drive-copy.ts";
import { onDrive } from "./failed-calls.ts";
import { activeFiles, type NotDoneCounts } from "./frozen-plan.ts";
import {
  attached,
  flushDrive,
  isToBeWritten,
  type OpenDrive,
  type OpenSession,
  planOf,
  sessionRoot,
} from "./open-session.ts";
import type { DriveProgressRow } from "./prep-contract.ts";
import { resultsSeed } from "./results-file.ts";

const PROGRESS_EVERY_MS = 250;

export interface CopyFilesOutcome {
  isInterrupted: boolean;
  /** Of this run, by code. */
  notDone: NotDoneCounts;
  /** Drives that stopped working, by id. */
  failed: readonly { open: OpenDrive; failure: DriveFailure }[];
  /** Drives that filled up before their plan ended: `position` is the first that is not there. */
  full: readonly { open: OpenDrive; position: number }[];
  /** On the drives now, earlier runs of the session included. */
  files: number;
  bytes: number;
}

/** `only`: these positions of these drives and no others, to write them once more. */
export async function copyFiles(
  session: OpenSession,
  only?: ReadonlyMap<OpenDrive, ReadonlySet<number>>,
): Promise<CopyFilesOutcome> {
  const drives = session.drives.filter(
    (open) => isToBeWritten(session, open) && (only === undefined ? open.record.cut === undefined : only.has(open)),
  );
  const copies = drives.map((open) => openDriveCopy(session, open, only?.get(open)));
  const notDone: NotDoneCounts = {};
  try {
    if (drives.length === 0) return outcomeOf(session, drives, copies, notDone);
    // The results are in new files; a later record of the journal relies on them.
    fsyncDirectory(session.ports.fs, session.files.state);
    const running = session.ports.copyEngine(copyRequest(session, drives, copies, notDone));
    const reporter = new ProgressReporter(session, drives, copies, running);
    try {
      await running.finished;
    } finally {
      reporter.stop();
    }
    await Promise.all(copies.map((copy) => copy.checkpoint()));
    reporter.report();
    return outcomeOf(session, drives, copies, notDone);
  } finally {
    for (const copy of copies) copy.close();
  }
}

function copyRequest(
  session: OpenSession,
  drives: readonly OpenDrive[],
  copies: readonly DriveCopy[],
  notDone: NotDoneCounts,
): CopyRequest {
  const { options, ports, plan } = session;
  const roomBytes = drives.map((open) => planOf(session, open).capacityBytes - planOf(session, open).usedBytes);
  return {
    mode: "copy",
    sourceRoots: plan.rows.map((row) => row.basePath),
    drives: drives.map((open) => {
      const drive = attached(open);
      const ioMode = options.ioMode === "auto" ? chooseIoMode(drive).mode : options.ioMode;
      return { sessionRoot: sessionRoot(session, drive), ioMode };
    }),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(options.bandwidthLimit === undefined ? {} : { bandwidthLimit: options.bandwidthLimit }),
    flush: session.flushMethod === "per-file" ? "per-file" : "none",
    nextBatch: (drive, maxFiles, maxBytes) => copies[drive]?.nextBatch(maxFiles, maxBytes),
    // Whatever the plan left free. Where that is not there after all, the drive is cut as any full one.
    allowGrowth: (drive, _position, extraBytes) => {
      if (extraBytes > (roomBytes[drive] ?? 0)) return false;
      roomBytes[drive] = (roomBytes[drive] as number) - extraBytes;
      return true;
    },
    onResults: (drive, results) => {
      const copy = copies[drive] as DriveCopy;
      copy.accept(results);
      for (const result of results) noteResult(session, result, notDone);
      copy.checkpointIfDue(ports.clock.monotonicMs());
    },
    onDriveFailed: (drive, failure) => {
      const copy = copies[drive] as DriveCopy;
      if (copy.failure?.kind === "failed") return;
      copy.failure = failure;
      noteDriveFailure(session, drives[drive] as OpenDrive, failure);
    },
    signal: session.signal,
  };
}

function openDriveCopy(session: OpenSession, open: OpenDrive, only?: ReadonlySet<number>): DriveCopy {
  const { ports, files } = session;
  const drive = attached(open);
  return new DriveCopy(
    ports.fs,
    { plan: files.plan(open.index), results: files.results(open.index), digests: files.digests(open.index) },
    resultsSeed(session.nonce, open.record.driveId),
    activeFiles(planOf(session, open)),
    {
      flush: async (directories) => {
        if (session.flushMethod === "volume") await flushDrive(session, drive.root);
        else onDrive(open, () => flushDirectories(ports.fs, sessionRoot(session, drive), directories));
      },
      needsDirectories: session.flushMethod === "per-file",
      onFailed: (failure) => noteDriveFailure(session, open, failure),
    },
    only,
  );
}

/** Makes the names of files durable whose content is: of every directory between them and the session root. */
function flushDirectories(fs: FileSystem, root: string, directories: ReadonlySet<string>): void {
  const all = new Set<string>();
  for (let path of directories) {
    for (; path !== "" && !all.has(path); path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) all.add(path);
  }
  for (const path of all) fsyncDirectory(fs, `${root}/${path}`);
  if (all.size > 0) fsyncDirectory(fs, root);
}

function noteResult(session: OpenSession, result: FileResult, notDone: NotDoneCounts): void {
  if (result.outcome === "done") {
    if (result.sourcePath !== undefined) session.events.fileTook(result.sourcePath, result.sizeBytes, result.elapsedMs);
    return;
  }
  const { sourcePath, code, reason } = result;
  notDone[code] = (notDone[code] ?? 0) + 1;
  session.events.fileNotDone(sourcePath, code, reason);
  session.emit({ type: "file-not-done", sourcePath, code, reason });
}

function noteDriveFailure(session: OpenSession, open: OpenDrive, failure: DriveFailure): void {
  const { driveId } = open.record;
  const code = failure.kind === "no-space" ? "NO_SPACE" : "DRIVE_FAILED";
  session.events.event("drive-failed", { driveId, code, reason: failure.reason });
  session.emit({ type: "drive-failed", driveId, code, reason: failure.reason });
}

function outcomeOf(
  session: OpenSession,
  drives: readonly OpenDrive[],
  copies: readonly DriveCopy[],
  notDone: NotDoneCounts,
): CopyFilesOutcome {
  const failures = drives.flatMap((open, i) => {
    const failure = copies[i]?.failure;
    return failure === undefined ? [] : [{ open, failure }];
  });
  return {
    isInterrupted: session.signal.aborted,
    notDone,
    failed: failures.filter(({ failure }) => failure.kind === "failed"),
    full: failures
      .filter(({ failure }) => failure.kind === "no-space")
      .map(({ open, failure }) => ({ open, position: failure.position })),
    files: copies.reduce((n, copy) => n + copy.earlierFiles + copy.doneFiles, 0),
    bytes: copies.reduce((n, copy) => n + copy.earlierBytes + copy.doneBytes, 0),
  };
}

/** Tells the numbers a few times a second: bytes while a file is in the middle, earlier runs' work included. */
class ProgressReporter {
  readonly #session: OpenSession;
  readonly #drives: readonly OpenDrive[];
  readonly #copies: readonly DriveCopy[];
  readonly #running: RunningCopy;
  readonly #startMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(session: OpenSession, drives: readonly OpenDrive[], copies: readonly DriveCopy[], running: RunningCopy) {
    this.#session = session;
    this.#drives = drives;
    this.#copies = copies;
    this.#running = running;
    this.#startMs = session.ports.clock.monotonicMs();
    this.#timer = setInterval(() => this.report(), PROGRESS_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  report(): void {
    const rows = this.#rows();
    const sum = (pick: (row: DriveProgressRow) => number): number => rows.reduce((n, row) => n + pick(row), 0);
    for (const row of rows) this.#session.events.sample(row.driveId, row.bytes, row.files);
    this.#session.emit({
      type: "progress",
      drives: rows,
      files: sum((row) => row.files),
      bytes: sum((row) => row.bytes),
      totalFiles: sum((row) => row.totalFiles),
      totalBytes: sum((row) => row.totalBytes),
      earlierBytes: this.#copies.reduce((n, copy) => n + copy.earlierBytes, 0),
      elapsedMs: this.#session.ports.clock.monotonicMs() - this.#startMs,
    });
  }

  #rows(): DriveProgressRow[] {
    const now = this.#running.progress();
    return this.#drives.map((open, i) => {
      const copy = this.#copies[i] as DriveCopy;
      const { facts } = planOf(this.#session, open);
      const files = copy.earlierFiles + (now[i]?.files ?? 0);
      const bytes = copy.earlierBytes + (now[i]?.bytes ?? 0);
      return {
        driveId: open.record.driveId,
        files: Math.min(files, facts.files),
        bytes: Math.min(bytes, facts.bytes),
        totalFiles: facts.files,
        totalBytes: facts.bytes,
        state: copy.failure === undefined ? "copying" : copy.failure.kind === "no-space" ? "full" : "failed",
      };
    });
  }
}
