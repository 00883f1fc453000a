/** What all forms of a call share before there is a session: the journal as it is, the locks held, where to report. */

import { type Drive, isUnmounted } from "../drives/drive.ts";
import { driveIdToFileName } from "../drives/drive-id.ts";
import { filesBeside } from "../drives/linux/image-state.ts";
import { withNewImages } from "../drives/new-image.ts";
import { EventsFile } from "../journal/events-file.ts";
import type { JournalFile } from "../journal/journal-file.ts";
import type { JournalHistory } from "../journal/session-history.ts";
import { AppError, describeErrno, errnoOf, UsageError } from "../platform/app-error.ts";
import { makeDirectories } from "../platform/durable-file.ts";
import type { Lock } from "../platform/file-lock.ts";
import { directoryOf, joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { OpenDrive, OpenSession } from "./open-session.ts";
import type { Confirm, PrepEvent, PrepOptions, PrepRequest } from "./prep-contract.ts";
import type { PrepPorts } from "./prep-ports.ts";
import type { DriveSearch } from "./session-drives.ts";
import type { SessionFiles } from "./session-files.ts";
import { parseSessionInputs } from "./session-inputs.ts";

export interface Preparation {
  request: PrepRequest;
  ports: PrepPorts;
  files: SessionFiles;
  history: JournalHistory;
  /** Absent while the journal does not exist. */
  journal?: JournalFile;
  /** Plan and check only. */
  isDryRun: boolean;
  /** Given back, in reverse order, when the call ends. */
  locks: Lock[];
  /** The session has been, or is being, entered into the journal: its state must stay. */
  mayBeJournaled: boolean;
  emit(event: PrepEvent): void;
  confirm: Confirm;
  signal: AbortSignal;
}

export function searchFor(preparation: Preparation, options: PrepOptions, hasCredential: boolean): DriveSearch {
  const { ports, history, request, emit, files } = preparation;
  // Ids that were given on the command line of any session of this journal stay what they are.
  const given = history.sessions.map((session) => parseSessionInputs(session, files.journal).options);
  const driveIds = new Map([...given.flatMap((one) => one.driveIds), ...options.driveIds]);
  return {
    ports: { ...ports, probe: withNewImages(ports.probe, ports.fs, options.imageSizes) },
    options: { ...options, driveIds },
    history,
    silentMode: request.silentMode,
    hasCredential,
    readOnly: preparation.isDryRun,
    warn: (message) => emit({ type: "warning", message }),
  };
}

/** One process per drive on this machine. */
export function lockDrives(preparation: Preparation, drives: readonly OpenDrive[]): void {
  const { ports, request, locks } = preparation;
  try {
    makeDirectories(ports.fs, ports.driveLocks, 0o700);
  } catch (cause) {
    const message = `cannot make the directory "${ports.driveLocks}": ${describeErrno(cause)}`;
    throw new AppError("STATE_DIR_UNUSABLE", message, { cause });
  }
  for (const { drive } of drives) {
    if (drive === undefined) continue;
    const path = joinPath(ports.driveLocks, `${driveIdToFileName(drive.driveId)}.lock`);
    const purpose = `drive ${drive.driveId} at "${drive.place}"`;
    locks.push(ports.lock(path, purpose, request.options.breakLock));
  }
}

/** Refuses a journal or a source that lies on a drive; a drive inside a source is only left out of it. */
export function refuseOverlaps(
  preparation: Preparation,
  drives: readonly OpenDrive[],
  rows: readonly { basePath: string; line?: number }[],
): void {
  const { files, request } = preparation;
  const real = (path: string): string => realPathOf(preparation, path);
  for (const { drive } of drives) {
    if (drive === undefined) continue;
    if (isInside(real(files.directory), drive.root)) {
      throw new UsageError(
        "JOURNAL_ON_DRIVE",
        `the journal "${request.journalPath}" lies on drive ${drive.driveId} at "${drive.place}"`,
      );
    }
    for (const row of rows) {
      if (!isInside(real(row.basePath), drive.root)) continue;
      throw new UsageError(
        "SOURCE_CONTAINS_TARGET",
        `the source "${row.basePath}" lies on drive ${drive.driveId} at "${drive.place}"`,
      );
    }
  }
}

function realPathOf({ ports }: Preparation, path: string): string {
  try {
    return ports.fs.realpath(path);
  } catch {
    return path;
  }
}

export function isInside(path: string, directory: string): boolean {
  if (path === directory) return true;
  return path.startsWith(/[\\/]$/.test(directory) ? directory : `${directory}${directory.includes("\\") ? "\\" : "/"}`);
}

/** What of this run must never be copied as data. */
export function excludedFromWalk(
  preparation: Preparation,
  drives: readonly OpenDrive[],
): { realPath: string; reason: string }[] {
  const { files, request } = preparation;
  const excluded = drives.flatMap(({ drive, closed }) =>
    drive === undefined
      ? []
      : placesOf(closed ?? drive, drive.root).map((path) => ({
          realPath: realPathOf(preparation, path),
          reason: `it is drive ${drive.driveId}`,
        })),
  );
  const directory = realPathOf(preparation, files.directory);
  for (const path of [files.journal, files.state, files.events, files.lock]) {
    const name = path.slice(files.directory.length + 1);
    excluded.push({ realPath: joinPath(directory, name), reason: "it belongs to the journal" });
  }
  for (const { drive } of drives) {
    if (drive === undefined) continue;
    const name = `${driveIdToFileName(drive.driveId)}.xml`;
    excluded.push({ realPath: joinPath(directory, name), reason: "it belongs to the journal" });
  }
  if (request.logDirectory !== undefined) {
    excluded.push({ realPath: realPathOf(preparation, request.logDirectory), reason: "it is the log directory" });
  }
  return excluded;
}

/** All that is or will be there of a drive: of an image also what lies beside it, and where it is mounted. */
function placesOf(drive: Drive, root: string): string[] {
  const places = root === drive.root ? [root] : [drive.root, root];
  return drive.kind === "image" ? [...places, ...filesBeside(drive.root)] : places;
}

const STATE_FILE =
  /^(plan-\d+\.bin|unplaced-\d+\.bin|results-\d+\.bin|digests-\d+\.bin|left-out\.jsonl|plan\.json|\d+\.(metadata|properties)\.xml|\..*\.tmp)$/;

/** Makes the state directory, empty of what an earlier start left. Files that are not a session's are not touched. */
export function clearState({ ports, files }: Preparation): void {
  const { fs } = ports;
  try {
    makeDirectories(fs, files.state, 0o700);
    makeDirectories(fs, files.spill, 0o700);
    for (const { name } of fs.readdir(files.spill)) fs.unlink(joinPath(files.spill, name));
    for (const { name } of fs.readdir(files.state)) {
      if (STATE_FILE.test(name)) fs.unlink(joinPath(files.state, name));
    }
  } catch (cause) {
    throw new AppError("JOURNAL_WRITE_FAILED", `cannot use "${files.state}": ${describeErrno(cause)}`, { cause });
  }
}

/** Removes the state of a session that is over. That is tidying up: what cannot be removed stays until the next run. */
export function removeState(preparation: Preparation): void {
  const { fs } = preparation.ports;
  try {
    if (!isThere(fs, preparation.files.state)) return;
    clearState(preparation);
  } catch (error) {
    preparation.emit({ type: "notice", message: `not removed: ${describeErrno(error)}` });
    return;
  }
  for (const path of [preparation.files.spill, preparation.files.state]) {
    try {
      fs.rmdir(path);
    } catch {
      // Something that is not ours lies there: it stays.
    }
  }
}

function isThere(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

export function openEvents({ ports, files }: Preparation): EventsFile {
  return new EventsFile(ports.fs, files.events, ports.clock);
}

/** How the drives of a session are flushed: the whole volume only if that works for every one of them. */
export async function flushMethodFor(
  { ports }: Preparation,
  drives: readonly OpenDrive[],
): Promise<OpenSession["flushMethod"]> {
  for (const { drive } of drives) {
    // What is not mounted yet is tried out beside it.
    const place = drive !== undefined && isUnmounted(drive) ? directoryOf(drive.root) : drive?.root;
    if (place !== undefined && (await ports.flushMethod(place)) === "per-file") return "per-file";
  }
  return "volume";
}
