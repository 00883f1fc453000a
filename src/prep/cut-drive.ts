/**
 * A drive that filled up although the plan said it would not: it keeps a prefix of its plan that leaves room for the
 * manifest; the rest is removed from it and counts as not placed. Journaled once, so that a repetition does the same.
 */
import { readPlanRecord } from "../copy/plan-record.ts";
import { type AppError, errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { isDriveFailure, onDrive } from "./failed-calls.ts";
import { type FinishedFile, finishedFiles } from "./finished-files.ts";
import { activeFiles } from "./frozen-plan.ts";
import {
  attached,
  flushDrive,
  isToBeWritten,
  type OpenDrive,
  type OpenSession,
  planOf,
  sessionRoot,
} from "./open-session.ts";
import { PlanFileReader } from "./plan-files.ts";
import { ResultsWriter, resultsSeed } from "./results-file.ts";

/** What a blob and a segment of it take in the manifest, and some for the file system's own needs. */
const BLOB_BYTES = 400;
const SEGMENT_BYTES = 130;
const MARGIN_BYTES = 256 * 1024;
const FORGET_AT_ONCE = 4096;

/**
 * Cuts drives that filled up, and finishes cutting those where an earlier run was interrupted in it. One that stops
 * working meanwhile is told apart from those.
 */
export async function cutFullDrives(
  session: OpenSession,
  full: readonly { open: OpenDrive; position: number }[],
  outcome: { driveFailed(open: OpenDrive, failure: AppError): void },
): Promise<void> {
  const begun = session.drives.filter((open) => open.record.cut !== undefined && isToBeWritten(session, open));
  for (const { open, position } of [...begun.map((open) => ({ open, position: open.record.cut ?? 0 })), ...full]) {
    try {
      await cutDrive(session, open, position);
    } catch (error) {
      if (!isDriveFailure(error)) throw error;
      outcome.driveFailed(open, error);
    }
  }
}

/** Cuts the plan of a full drive; `firstMissing` is the first position that could not be written. */
export async function cutDrive(session: OpenSession, open: OpenDrive, firstMissing: number): Promise<void> {
  if (open.record.cut === undefined) {
    session.journal.driveIsCut(open.record, choosePosition(session, open, firstMissing));
  }
  removeTail(session, open, open.record.cut ?? 0);
  await flushDrive(session, attached(open).root);
}

/** The largest prefix up to `firstMissing` that, once the rest is gone, leaves room for its manifest. */
function choosePosition(session: OpenSession, open: OpenDrive, firstMissing: number): number {
  let total = 0;
  for (const { done } of finished(session, open)) total += done.sizeBytes;
  const { freeBytes } = onDrive(open, () => session.ports.fs.statfs(attached(open).root));
  let cut = 0;
  let kept = 0;
  let manifest = MARGIN_BYTES;
  for (const { planned, done } of finished(session, open)) {
    if (planned.position >= firstMissing) break;
    kept += done.sizeBytes;
    manifest += BLOB_BYTES + (done.digests.length / 16) * SEGMENT_BYTES;
    if (freeBytes + total - kept < manifest) break;
    cut = planned.position + 1;
  }
  return cut;
}

function finished(session: OpenSession, open: OpenDrive): Generator<FinishedFile> {
  const seed = resultsSeed(session.nonce, open.record.driveId);
  return finishedFiles(session.ports.fs, pathsOf(session, open), seed, activeFiles(planOf(session, open)));
}

function pathsOf(session: OpenSession, open: OpenDrive): { plan: string; results: string; digests: string } {
  const { files } = session;
  return { plan: files.plan(open.index), results: files.results(open.index), digests: files.digests(open.index) };
}

/** First the records go, then the files: what is recorded is always there. */
function removeTail(session: OpenSession, open: OpenDrive, cut: number): void {
  const { fs } = session.ports;
  const root = sessionRoot(session, attached(open));
  const results = new ResultsWriter(fs, pathsOf(session, open), resultsSeed(session.nonce, open.record.driveId));
  const plan = new PlanFileReader(fs, pathsOf(session, open).plan);
  try {
    const directories = new Map<string, boolean>();
    let positions: number[] = [];
    let paths: string[] = [];
    const removeSome = (): void => {
      results.forget(positions);
      for (const path of paths) onDrive(open, () => removeFrom(fs, root, path, directories));
      positions = [];
      paths = [];
    };
    for (let offset = plan.peek(); offset >= 0; plan.skip(), offset = plan.peek()) {
      const position = plan.peekPosition();
      if (position < cut) continue;
      const { row, storedPath } = readPlanRecord(plan.buffer, offset);
      positions.push(position);
      paths.push(`${row}/${storedPath}`);
      if (positions.length === FORGET_AT_ONCE) removeSome();
    }
    removeSome();
  } finally {
    plan.close();
    results.close();
  }
}

/** `known`: directories below the root, and whether they really are. A link among them leads elsewhere. */
function removeFrom(fs: FileSystem, root: string, path: string, known: Map<string, boolean>): void {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const directory = path.slice(0, slash);
    let isReal = known.get(directory);
    if (isReal === undefined) {
      isReal = isDirectory(fs, `${root}/${directory}`);
      known.set(directory, isReal);
    }
    if (!isReal) return;
  }
  unlinkIfThere(fs, `${root}/${path}`);
}

function isDirectory(fs: FileSystem, path: string): boolean {
  try {
    return fs.lstat(path).kind === "directory";
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

function unlinkIfThere(fs: { unlink(path: string): void }, path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== "ENOENT" && errno !== "ENOTDIR") throw error;
  }
}
