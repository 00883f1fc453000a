/** Gathers what a run of a session did into the outcome that is returned, shown and turned into the exit code. */
import { planRecordSizeBytes } from "../copy/plan-record.ts";
import type { AppError } from "../platform/app-error.ts";
import { ExitCode, mostSevere } from "../platform/exit-codes.ts";
import type { CopyFilesOutcome } from "./copy-files.ts";
import { activeFiles, type NotDoneCounts } from "./frozen-plan.ts";
import type { OpenDrive, OpenSession } from "./open-session.ts";
import { withCloseReports } from "./opened-drives.ts";
import { PlanFileReader } from "./plan-files.ts";
import { sumOf } from "./plan-summary.ts";
import type { PrepOutcome, WriteVerification } from "./prep-contract.ts";
import { sealedDrives } from "./sealed-drive.ts";

export class OutcomeBuilder {
  readonly #session: OpenSession;
  readonly #startedMs: number;
  #notDone: NotDoneCounts;
  readonly #notDoneEarlier: number;
  #copied: { files: number; bytes: number } = { files: 0, bytes: 0 };
  newSinceWalk = 0;
  hasFailedDrive = false;
  /** What was read back; absent when nothing was asked for. */
  verification: WriteVerification | undefined;

  constructor(session: OpenSession) {
    this.#session = session;
    this.#startedMs = session.ports.clock.monotonicMs();
    this.#notDone = { ...session.plan.notDone } as NotDoneCounts;
    this.#notDoneEarlier = notDoneOnFinishedDrives(session);
  }

  take(copied: CopyFilesOutcome): void {
    this.#notDone = addCounts(this.#notDone, copied.notDone);
    this.#copied = { files: copied.files, bytes: copied.bytes };
    if (copied.failed.length > 0) this.hasFailedDrive = true;
  }

  driveFailed(open: OpenDrive, failure: AppError): void {
    this.hasFailedDrive = true;
    const { driveId } = open.record;
    const { code, message } = failure;
    this.#session.events.event("drive-failed", { driveId, code, reason: message });
    this.#session.emit({ type: "drive-failed", driveId, code, reason: message });
  }

  /** A file that was copied and yet cannot go into the manifest. */
  leaveOut(counts: NotDoneCounts): void {
    this.#notDone = addCounts(this.#notDone, counts);
  }

  build(state: PrepOutcome["state"]): PrepOutcome {
    const { id, files, plan, drives, ports } = this.#session;
    const unplaced = unplacedTotals(this.#session);
    const manifests = state === "completed" || state === "no-space" ? manifestTotals(drives) : this.#copied;
    return {
      sessionId: id,
      journal: files.journal,
      state,
      exitCode: this.#exitCode(state),
      files: manifests.files,
      bytes: manifests.bytes,
      notDone: this.#notDone,
      notDoneEarlier: this.#notDoneEarlier,
      newSinceWalk: this.newSinceWalk,
      drives: withCloseReports(
        sealedDrives(
          drives.map(({ record }) => record),
          files.directory,
        ),
        drives,
      ),
      notNeeded: plan.drives
        .filter((drive) => activeFiles(drive) === 0 && drive.facts.files === 0)
        .map((d) => d.driveId),
      unplacedFiles: unplaced.files,
      unplacedBytes: unplaced.bytes,
      ...(this.verification === undefined ? {} : { verification: this.verification }),
      elapsedMs: ports.clock.monotonicMs() - this.#startedMs,
    };
  }

  #exitCode(state: PrepOutcome["state"]): ExitCode {
    const codes: ExitCode[] = [];
    const hasFailedFiles = sumOf(this.#notDone) + this.#notDoneEarlier + this.newSinceWalk > 0;
    const countsLinks = this.#session.options.links === "fail" && this.#session.plan.special > 0;
    if (hasFailedFiles || countsLinks) codes.push(ExitCode.SomeFilesNotDone);
    if (state === "no-space") codes.push(ExitCode.NoSpace);
    if (state === "drives-failed") codes.push(ExitCode.DriveRefused);
    if (state === "interrupted") codes.push(interruptedBy(this.#session.signal));
    return mostSevere(codes);
  }
}

/** The command line says by the signal's reason which signal it was. */
function interruptedBy(signal: AbortSignal): ExitCode {
  const reason = signal.reason as { exitCode?: unknown } | undefined;
  return reason?.exitCode === ExitCode.Terminated ? ExitCode.Terminated : ExitCode.Interrupted;
}

/** Files that earlier runs planned for drives which are finished now, and that are not in their manifests. */
function notDoneOnFinishedDrives({ drives, plan }: OpenSession): number {
  let count = 0;
  for (const { index, record } of drives) {
    const planned = plan.drives[index];
    if (planned === undefined || (record.step !== "Sealed" && record.step !== "NotNeeded")) continue;
    const blobs = (record.newManifest?.blobs ?? 0) - (record.oldManifest?.blobs ?? 0);
    count += Math.min(activeFiles(planned), record.cut ?? Number.POSITIVE_INFINITY) - blobs;
  }
  return count;
}

/** Files of the session that lie on no drive: the plan's rest and the tails of drives that were cut. */
export function unplacedTotals(session: OpenSession): { files: number; bytes: number } {
  let { files, bytes } = session.plan.unplaced;
  for (const open of session.drives) {
    const planned = session.plan.drives[open.index];
    const from = open.record.step === "Lost" ? 0 : open.record.cut;
    if (planned === undefined || from === undefined) continue;
    const until = activeFiles(planned);
    if (from >= until) continue;
    files += until - from;
    bytes += bytesBetween(session, open, from, until);
  }
  return { files, bytes };
}

function bytesBetween(session: OpenSession, open: OpenDrive, from: number, until: number): number {
  const reader = new PlanFileReader(session.ports.fs, session.files.plan(open.index));
  let bytes = 0;
  try {
    for (let position = 0; position < until; position++) {
      const offset = reader.peek();
      if (offset < 0) break;
      if (position >= from) bytes += planRecordSizeBytes(reader.buffer, offset);
      reader.skip();
    }
  } finally {
    reader.close();
  }
  return bytes;
}

/** What the session put into manifests: the new ones less what they had before. */
function manifestTotals(drives: readonly OpenDrive[]): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const { record } of drives) {
    if (record.step !== "Sealed" || record.newManifest === undefined) continue;
    files += record.newManifest.blobs - (record.oldManifest?.blobs ?? 0);
    bytes += record.newManifest.blobBytes - (record.oldManifest?.blobBytes ?? 0);
  }
  return { files, bytes };
}

export function addCounts(a: NotDoneCounts, b: NotDoneCounts): NotDoneCounts {
  const sum: NotDoneCounts = { ...a };
  for (const [code, count] of Object.entries(b) as [keyof NotDoneCounts, number][])
    sum[code] = (sum[code] ?? 0) + count;
  return sum;
}
