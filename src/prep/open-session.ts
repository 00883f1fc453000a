/** A session that is being worked on: what its steps share. */
import type { Drive } from "../drives/drive.ts";
import type { CloseReport, DriveEncryption } from "../drives/encryption/encryption.ts";
import type { EventsFile } from "../journal/events-file.ts";
import type { ManifestFacts, SessionDrive } from "../journal/session-history.ts";
import type { FlushMethod } from "../platform/volume-flush.ts";
import type { FrozenPlan } from "./frozen-plan.ts";
import type { PrepEvent, PrepOptions } from "./prep-contract.ts";
import type { PrepPorts } from "./prep-ports.ts";
import type { SessionFiles } from "./session-files.ts";
import type { SessionJournal } from "./session-journal.ts";

/** A drive of the session. Its index is that of its plan file. */
export interface OpenDrive {
  index: number;
  /** What the journal says of it; kept up to date by `SessionJournal`. */
  record: SessionDrive;
  /** Absent when it is sealed and not attached, or lost. */
  drive?: Drive;
  /** The drive as it was before its volume was opened and `drive.root` became the place where that is mounted. */
  closed?: Drive;
  /** What came of closing it, in this run. */
  closeReport?: CloseReport;
  /** As its row of the drive set names it; options on the command line may use that name. */
  written?: string;
  encryption?: DriveEncryption;
  /** Nothing to ask, or asked already. */
  formatIsConfirmed: boolean;
}

export interface OpenSession {
  id: string;
  nonce: string;
  isFirst: boolean;
  /** An earlier run of this session got past its start. */
  isResumed: boolean;
  files: SessionFiles;
  journal: SessionJournal;
  plan: FrozenPlan;
  drives: OpenDrive[];
  /** Frozen manifest header fields. */
  clientCreator: string;
  storageAccountKey?: string;
  /** Manifests that drives of this journal carry from earlier sessions, by drive id. */
  earlierManifests: ReadonlyMap<string, ManifestFacts>;
  options: PrepOptions;
  ports: PrepPorts;
  flushMethod: FlushMethod;
  events: EventsFile;
  emit(event: PrepEvent): void;
  signal: AbortSignal;
}

/** `\<SessionId>` on the drive. */
export function sessionRoot(session: { id: string }, drive: Drive): string {
  return `${drive.root.replace(/[\\/]+$/, "")}/${session.id}`;
}

export function manifestPath(drive: Drive): string {
  return `${drive.root.replace(/[\\/]+$/, "")}/DriveManifest.xml`;
}

/** The attached drive; a bug when asked of one that is not. */
export function attached(open: OpenDrive): Drive {
  if (open.drive === undefined) throw new TypeError(`drive ${open.record.driveId} is not attached`);
  return open.drive;
}

/** The plan entry of a drive. */
export function planOf(session: OpenSession, open: OpenDrive): FrozenPlan["drives"][number] {
  const planned = session.plan.drives[open.index];
  if (planned === undefined) throw new TypeError(`drive ${open.record.driveId} has no plan`);
  return planned;
}

/** Resolves when everything written below `directory` is safe; with per-file flushing it already is. */
export function flushDrive(session: OpenSession, directory: string): Promise<void> {
  return session.flushMethod === "volume" ? session.ports.flushVolume(directory) : Promise.resolve();
}

/** Drives that this run writes: attached, with something planned, neither sealed, lost nor cut. */
export function isToBeWritten(session: OpenSession, open: OpenDrive): boolean {
  const { step } = open.record;
  if (step === "Sealed" || step === "Sealing" || step === "Lost" || step === "NotNeeded") return false;
  return planOf(session, open).facts.files > 0;
}
