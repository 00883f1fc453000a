/**
 * The journal as the steps of a preparation write it: one method per thing that must be known before the next step may
 * begin. Each returns only when its record is durable, and keeps the replayed state in step with the file.
 */
import { type DriveInfo, driveInfoRecord, writeDriveInfoFile } from "../journal/drive-info.ts";
import type { JournalFile } from "../journal/journal-file.ts";
import type { JournalEntry } from "../journal/journal-record.ts";
import {
  contextFields,
  type DriveStep,
  type ManifestFacts,
  type SessionDrive,
  type SessionState,
  sessionDriveFields,
  sessionFields,
} from "../journal/session-history.ts";
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";

export interface StartedSession {
  id: string;
  nonce: string;
  startedAt: string;
  inputs: string;
  dataSetPath: string;
}

/**
 * The records that open a session with its drives; for the first one they are the journal's own first records. Only the
 * last of them makes the session count: cut short before it, there is no such session.
 */
export function startRecords(
  session: StartedSession,
  context: { logDirectory?: string; storageAccountKey?: string },
  drives: readonly SessionDrive[],
): JournalEntry[][] {
  const records: JournalEntry[][] = [];
  if (context.logDirectory !== undefined) records.push(contextFields({ LogDirectory: context.logDirectory }));
  if (context.storageAccountKey !== undefined) {
    records.push(contextFields({ StorageAccountKey: context.storageAccountKey }));
  }
  records.push(
    sessionFields(session.id, {
      SessionState: "Starting",
      SessionStarted: session.startedAt,
      Nonce: session.nonce,
      DataSet: session.dataSetPath,
      Inputs: session.inputs,
    }),
    ...drives.map((drive) => joinRecord(session.id, drive)),
    sessionFields(session.id, { SessionState: "InProgress" }),
  );
  return records;
}

/** Written before anything is done to the drive: the key must be known whatever happens next. */
function joinRecord(sessionId: string, drive: SessionDrive): JournalEntry[] {
  return sessionDriveFields(sessionId, drive.driveId, {
    Place: drive.place,
    Encryption: drive.encryption,
    BitLockerKey: drive.key,
    Encrypt: drive.encrypt ? "yes" : "no",
    Format: drive.format ? "yes" : "no",
    DriveStep: "Joined",
  });
}

export class SessionJournal {
  readonly #fs: FileSystem;
  readonly #file: JournalFile;
  readonly #sessionId: string;
  readonly #directory: string;
  readonly #clock: Clock;

  constructor(fs: FileSystem, clock: Clock, file: JournalFile, sessionId: string, directory: string) {
    this.#fs = fs;
    this.#clock = clock;
    this.#file = file;
    this.#sessionId = sessionId;
    this.#directory = directory;
  }

  driveJoins(drive: SessionDrive): void {
    this.#file.append(joinRecord(this.#sessionId, drive));
  }

  driveIsAt(drive: SessionDrive, step: DriveStep): void {
    this.#drive(drive, { DriveStep: step });
    drive.step = step;
  }

  driveIsCut(drive: SessionDrive, position: number): void {
    this.#drive(drive, { CutPosition: String(position) });
    drive.cut = position;
  }

  /** Recovery accepts exactly these two manifests. */
  driveSeals(drive: SessionDrive, old: ManifestFacts | undefined, sealed: ManifestFacts): void {
    this.#drive(drive, {
      DriveStep: "Sealing",
      ...facts("Old", old),
      ...facts("New", sealed),
    });
    drive.step = "Sealing";
    if (old !== undefined) drive.oldManifest = old;
    drive.newManifest = sealed;
  }

  /** DriveInfo, `<DriveId>.xml` and only then the step: killed before it, all three come again. */
  driveIsSealed(drive: SessionDrive, info: DriveInfo): void {
    this.#file.append(driveInfoRecord(info));
    writeDriveInfoFile(this.#fs, this.#directory, info, this.#clock.nowMs());
    this.driveIsAt(drive, "Sealed");
  }

  /** A session was rolled back on this drive; `info` is that of the manifest before it, if there was one. */
  driveIsRestored(drive: SessionDrive, info: DriveInfo | undefined): void {
    if (info !== undefined) {
      this.#file.append(driveInfoRecord(info));
      writeDriveInfoFile(this.#fs, this.#directory, info, this.#clock.nowMs());
    }
    this.driveIsAt(drive, "Restored");
  }

  sessionIs(state: SessionState, outcome: { files?: number; bytes?: number; exitCode?: number } = {}): void {
    const fields: Record<string, string> = { SessionState: state };
    if (outcome.files !== undefined) fields.Files = String(outcome.files);
    if (outcome.bytes !== undefined) fields.Bytes = String(outcome.bytes);
    if (outcome.exitCode !== undefined) fields.ExitCode = String(outcome.exitCode);
    this.#file.append(sessionFields(this.#sessionId, fields));
  }

  #drive(drive: SessionDrive, fields: Readonly<Record<string, string>>): void {
    this.#file.append(sessionDriveFields(this.#sessionId, drive.driveId, fields));
  }
}

function facts(which: "Old" | "New", manifest: ManifestFacts | undefined): Record<string, string> {
  if (manifest === undefined) return { [`${which}ManifestHash`]: "none", [`${which}ManifestBytes`]: "0" };
  return {
    [`${which}ManifestHash`]: manifest.hash,
    [`${which}ManifestBytes`]: String(manifest.sizeBytes),
    [`${which}Blobs`]: String(manifest.blobs),
    [`${which}BlobBytes`]: String(manifest.blobBytes),
  };
}
