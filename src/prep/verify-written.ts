/**
 * Write verification (`--verify`): when everything is flushed and before any manifest is made, every finished file is
 * read back from its drive, past the page cache where the system allows, and held against the digests that were taken
 * while it was copied. A file that differs is written once more and read again; a drive that still gives back other
 * bytes has failed.
 */
import type { FileResult, WorkBatch } from "../copy/copy-contract.ts";
import { maxPlanRecordBytes, type PlannedFile, viewOf, writePlanRecord } from "../copy/plan-record.ts";
import { DriveRefusedError } from "../platform/app-error.ts";
import { copyFiles } from "./copy-files.ts";
import { cutFullDrives } from "./cut-drive.ts";
import { type FinishedFile, finishedFiles } from "./finished-files.ts";
import { activeFiles } from "./frozen-plan.ts";
import { attached, isToBeWritten, type OpenDrive, type OpenSession, planOf, sessionRoot } from "./open-session.ts";
import type { WriteVerification } from "./prep-contract.ts";
import type { OutcomeBuilder } from "./prep-outcome.ts";
import { ResultsWriter, resultsSeed } from "./results-file.ts";

/** A drive with more bad files than this is not worth a second try. */
const MAX_BAD_FILES = 1000;

interface Bad {
  position: number;
  path: string;
}

/** Reads back all that the session wrote; files that are bad for good are taken back and their drive is failed. */
export async function verifyWritten(session: OpenSession, outcome: OutcomeBuilder): Promise<void> {
  const first = await readBack(session);
  outcome.verification = first.verification;
  if (session.signal.aborted) return;
  if ([...first.bad.values()].every((bad) => bad.length === 0)) return;
  const again = new Map<OpenDrive, ReadonlySet<number>>();
  for (const [open, bad] of first.bad) {
    takeBack(session, open, bad);
    if (bad.length > MAX_BAD_FILES) failDrive(outcome, open, bad);
    else if (bad.length > 0) again.set(open, new Set(bad.map(({ position }) => position)));
  }
  if (again.size === 0) return;

  const copied = await copyFiles(session, again);
  outcome.take(copied);
  if (copied.isInterrupted) return;
  await cutFullDrives(session, copied.full, outcome);
  const second = await readBack(session, again);
  for (const [open, bad] of second.bad) {
    takeBack(session, open, bad);
    if (bad.length > 0) failDrive(outcome, open, bad);
  }
  outcome.verification = { ...first.verification, rewrittenFiles: second.verification.files };
}

/** They do not count as finished any more: no manifest will list what is not there. */
function takeBack(session: OpenSession, open: OpenDrive, bad: readonly Bad[]): void {
  if (bad.length === 0) return;
  const writer = new ResultsWriter(session.ports.fs, pathsOf(session, open), seedOf(session, open));
  writer.forget(bad.map(({ position }) => position));
  writer.close();
}

function failDrive(outcome: OutcomeBuilder, open: OpenDrive, bad: readonly Bad[]): void {
  const { driveId, place } = open.record;
  const others = bad.length === 1 ? "" : ` and ${bad.length - 1} more`;
  const message = `drive ${driveId} at "${place}" gives back other bytes than were written: "${bad[0]?.path}"${others}`;
  outcome.driveFailed(open, new DriveRefusedError("DRIVE_FAILED", message));
}

/** Hashes what is on the drives, all drives at once; `only` limits it to some positions of some drives. */
async function readBack(
  session: OpenSession,
  only?: ReadonlyMap<OpenDrive, ReadonlySet<number>>,
): Promise<{ verification: WriteVerification; bad: Map<OpenDrive, Bad[]> }> {
  const drives = session.drives.filter(
    (open) => isToBeWritten(session, open) && open.drive !== undefined && (only === undefined || only.has(open)),
  );
  const readers = drives.map((open) => new DriveReadBack(session, open, only?.get(open)));
  const verification: WriteVerification = { files: 0, bytes: 0, rewrittenFiles: 0, readMethod: "buffered" };
  if (drives.length === 0) return { verification, bad: new Map() };
  for (const { record } of drives) {
    session.emit({ type: "drive-state", driveId: record.driveId, state: "verifying" });
  }
  try {
    const summary = await session.ports.copyEngine({
      mode: "hash",
      sourceRoots: drives.map((open) => sessionRoot(session, attached(open))),
      drives: drives.map((open) => ({ sessionRoot: sessionRoot(session, attached(open)), ioMode: "parallel" })),
      ...(session.options.workers === undefined ? {} : { workers: session.options.workers }),
      directRead: true,
      flush: "none",
      nextBatch: (drive, maxFiles, maxBytes) => readers[drive]?.nextBatch(drive, maxFiles, maxBytes),
      onResults: (drive, results) => {
        for (const result of results) readers[drive]?.answer(result);
      },
      onDriveFailed: () => {},
      signal: session.signal,
    }).finished;
    verification.readMethod = summary.readMethod;
  } finally {
    for (const reader of readers) reader.close();
  }
  for (const reader of readers) {
    verification.files += reader.files;
    verification.bytes += reader.bytes;
  }
  return { verification, bad: new Map(drives.map((open, i) => [open, (readers[i] as DriveReadBack).bad])) };
}

/** Hands out the finished files of one drive and compares what comes back. */
class DriveReadBack {
  readonly bad: Bad[] = [];
  files = 0;
  bytes = 0;
  readonly #session: OpenSession;
  readonly #root: string;
  readonly #finished: Generator<FinishedFile>;
  readonly #only: ReadonlySet<number> | undefined;
  /** By position: in the engine's hands. */
  readonly #waiting = new Map<number, { path: string; sizeBytes: number; digests: Buffer }>();

  constructor(session: OpenSession, open: OpenDrive, only: ReadonlySet<number> | undefined) {
    this.#session = session;
    this.#root = sessionRoot(session, attached(open));
    this.#only = only;
    const until = Math.min(activeFiles(planOf(session, open)), open.record.cut ?? Number.POSITIVE_INFINITY);
    this.#finished = finishedFiles(session.ports.fs, pathsOf(session, open), seedOf(session, open), until);
  }

  nextBatch(drive: number, maxFiles: number, maxBytes: number): WorkBatch | undefined {
    const files: PlannedFile[] = [];
    for (let bytes = 0; files.length < maxFiles && bytes < maxBytes; ) {
      const next = this.#finished.next();
      if (next.done === true) break;
      const { planned, done } = next.value;
      if (this.#only?.has(planned.position) === false) continue;
      const file = this.#expect(drive, planned, done.sizeBytes, done.digests);
      if (file === undefined) continue;
      files.push(file);
      bytes += file.sizeBytes;
    }
    return files.length === 0 ? undefined : { records: pack(files), count: files.length };
  }

  answer(result: FileResult): void {
    const expected = this.#waiting.get(result.position);
    if (expected === undefined) return;
    this.#waiting.delete(result.position);
    this.files += 1;
    this.bytes += expected.sizeBytes;
    const isGood =
      result.outcome === "done" &&
      result.sizeBytes === expected.sizeBytes &&
      expected.digests.equals(Buffer.from(result.digests));
    if (!isGood) this.bad.push({ position: result.position, path: expected.path });
  }

  close(): void {
    this.#finished.return(undefined);
  }

  /** The file as the engine should find it on the drive; undefined, and noted as bad, when it is not there. */
  #expect(row: number, planned: PlannedFile, sizeBytes: number, digests: Uint8Array): PlannedFile | undefined {
    const relativePath = `${planned.row}/${planned.storedPath}`;
    const path = `${this.#root}/${relativePath}`;
    const { position } = planned;
    try {
      const { mtimeNs, fileId } = this.#session.ports.fs.lstat(path);
      this.#waiting.set(position, { path, sizeBytes, digests: Buffer.from(digests) });
      return { ...planned, row, relativePath, storedPath: relativePath, flags: 0, sizeBytes, mtimeNs, fileId };
    } catch {
      this.bad.push({ position, path });
      return undefined;
    }
  }
}

function pack(files: readonly PlannedFile[]): Buffer {
  const buffer = Buffer.allocUnsafe(files.reduce((sum, file) => sum + maxPlanRecordBytes(file), 0));
  const view = viewOf(buffer);
  let length = 0;
  for (const file of files) length += writePlanRecord(file, buffer, view, length);
  return buffer.subarray(0, length);
}

function pathsOf({ files }: OpenSession, open: OpenDrive): { plan: string; results: string; digests: string } {
  return { plan: files.plan(open.index), results: files.results(open.index), digests: files.digests(open.index) };
}

function seedOf(session: OpenSession, open: OpenDrive): number {
  return resultsSeed(session.nonce, open.record.driveId);
}
