/**
 * What the journal says about sessions and drives: the records are folded, one activity at a time, the last value of a
 * key wins. Activities of this tool beside the documented ones (`PrepImportDriveCommandContext`, `DriveInfo`):
 *
 *   CopySession#<SessionId>                state, inputs and outcome of a session
 *   CopySession#<SessionId>/<DriveId>      one drive in that session: its key, how far it is, manifest hashes
 *
 * A record with `SessionStarted` opens a session anew (an aborted id may be used again), as `Starting`; it counts from
 * the record on that says `InProgress`.
 */
import { type DriveInfo, readDriveInfoRecord } from "./drive-info.ts";
import type { JournalRecord } from "./journal-record.ts";

/** `Starting`: its first records were cut short; such a session never was. */
export type SessionState = "Starting" | "InProgress" | "NoSpace" | "Completed" | "Aborting" | "Aborted";

/** How far a drive is in a session. `Lost`: given up; `NotNeeded`: the plan puts nothing on it. */
export type DriveStep = "Joined" | "Prepared" | "Cut" | "Sealing" | "Sealed" | "NotNeeded" | "Lost" | "Restored";

export interface ManifestFacts {
  hash: string;
  sizeBytes: number;
  /** What it lists. */
  blobs: number;
  blobBytes: number;
}

export interface SessionDrive {
  driveId: string;
  place: string;
  encryption: "bitlocker" | "mock";
  /** Secret: the drive's BitLocker key. */
  key: string;
  step: DriveStep;
  /** What its row of the drive set asked for; done once, before anything is written. */
  encrypt: boolean;
  format: boolean;
  /** First position of the plan that did not fit, once the drive turned out too small. */
  cut?: number;
  oldManifest?: ManifestFacts;
  newManifest?: ManifestFacts;
}

export interface SessionRecord {
  id: string;
  state: SessionState;
  /** ISO 8601 UTC. */
  startedAt: string;
  nonce: string;
  /** JSON of the inputs (arguments, both CSVs, options), without secrets of the command line. */
  inputs: string;
  dataSetPath: string;
  files?: number;
  bytes?: number;
  exitCode?: number;
  drives: Map<string, SessionDrive>;
}

/** A drive of the journal, over all its sessions. */
export interface JournalDrive {
  driveId: string;
  place: string;
  encryption: "bitlocker" | "mock";
  key: string;
  isLost: boolean;
  manifest?: ManifestFacts;
  sessions: string[];
}

export interface JournalHistory {
  logDirectory?: string;
  storageAccountKey?: string;
  /** In the order they were started. */
  sessions: SessionRecord[];
  drives: Map<string, JournalDrive>;
  driveInfos: Map<string, DriveInfo>;
}

const SESSION = "CopySession#";
const CONTEXT = "PrepImportDriveCommandContext";

export function replayHistory(records: Iterable<JournalRecord>): JournalHistory {
  const history: JournalHistory = { sessions: [], drives: new Map(), driveInfos: new Map() };
  for (const record of records) {
    if (record.type !== "ActivityRecord") continue;
    const fields = new Map(record.entries);
    const activity = fields.get("ActivityId") ?? "";
    if (activity === CONTEXT) applyContext(history, fields);
    else if (activity === "DriveInfo") applyDriveInfo(history, record);
    else if (activity.startsWith(SESSION)) applySession(history, activity.slice(SESSION.length), fields);
  }
  history.sessions = history.sessions.filter((session) => session.state !== "Starting");
  return history;
}

function applyContext(history: JournalHistory, fields: Map<string, string>): void {
  const logDirectory = fields.get("LogDirectory");
  if (logDirectory !== undefined) history.logDirectory = logDirectory;
  const key = fields.get("StorageAccountKey");
  if (key !== undefined) history.storageAccountKey = key;
}

function applyDriveInfo(history: JournalHistory, record: JournalRecord): void {
  const info = readDriveInfoRecord(record);
  if (info !== undefined) history.driveInfos.set(info.driveId, info);
}

function applySession(history: JournalHistory, name: string, fields: Map<string, string>): void {
  const slash = name.indexOf("/");
  const id = slash < 0 ? name : name.slice(0, slash);
  if (fields.has("SessionStarted")) history.sessions.push(startedSession(id, fields));
  const session = history.sessions.findLast((s) => s.id === id);
  if (session === undefined) return;
  if (slash < 0) applySessionFields(session, fields);
  else applyDriveFields(history, session, name.slice(slash + 1), fields);
}

function startedSession(id: string, fields: Map<string, string>): SessionRecord {
  return {
    id,
    state: "Starting",
    startedAt: fields.get("SessionStarted") ?? "",
    nonce: fields.get("Nonce") ?? "",
    inputs: fields.get("Inputs") ?? "{}",
    dataSetPath: fields.get("DataSet") ?? "",
    drives: new Map(),
  };
}

function applySessionFields(session: SessionRecord, fields: Map<string, string>): void {
  const state = fields.get("SessionState");
  if (state !== undefined) session.state = state as SessionState;
  const files = fields.get("Files");
  if (files !== undefined) session.files = Number(files);
  const bytes = fields.get("Bytes");
  if (bytes !== undefined) session.bytes = Number(bytes);
  const exitCode = fields.get("ExitCode");
  if (exitCode !== undefined) session.exitCode = Number(exitCode);
}

function applyDriveFields(
  history: JournalHistory,
  session: SessionRecord,
  driveId: string,
  fields: Map<string, string>,
): void {
  const drive: SessionDrive = session.drives.get(driveId) ?? {
    driveId,
    place: "",
    encryption: "mock",
    key: "",
    step: "Joined",
    encrypt: false,
    format: false,
  };
  session.drives.set(driveId, drive);
  drive.place = fields.get("Place") ?? drive.place;
  drive.encryption = (fields.get("Encryption") as "bitlocker" | "mock" | undefined) ?? drive.encryption;
  drive.key = fields.get("BitLockerKey") ?? drive.key;
  drive.step = (fields.get("DriveStep") as DriveStep | undefined) ?? drive.step;
  if (fields.has("Encrypt")) drive.encrypt = fields.get("Encrypt") === "yes";
  if (fields.has("Format")) drive.format = fields.get("Format") === "yes";
  const cut = fields.get("CutPosition");
  if (cut !== undefined) drive.cut = Number(cut);
  const old = manifestFacts(fields, "Old");
  if (old !== undefined) drive.oldManifest = old;
  const sealed = manifestFacts(fields, "New");
  if (sealed !== undefined) drive.newManifest = sealed;
  applyToJournalDrive(history, session, drive);
}

function applyToJournalDrive(history: JournalHistory, session: SessionRecord, drive: SessionDrive): void {
  const known = history.drives.get(drive.driveId) ?? {
    driveId: drive.driveId,
    place: drive.place,
    encryption: drive.encryption,
    key: drive.key,
    isLost: false,
    sessions: [],
  };
  history.drives.set(drive.driveId, known);
  known.place = drive.place;
  known.encryption = drive.encryption;
  known.key = drive.key;
  if (drive.step === "Lost") {
    known.isLost = true;
    history.driveInfos.delete(drive.driveId);
  }
  if (drive.step === "Sealed" && drive.newManifest !== undefined) {
    known.manifest = drive.newManifest;
    if (!known.sessions.includes(session.id)) known.sessions.push(session.id);
  }
  // Before its sealing a session leaves the manifest alone: rolled back from there, the earlier one stays.
  if (drive.step === "Restored" && drive.newManifest !== undefined) {
    if (drive.oldManifest === undefined) {
      delete known.manifest;
      history.driveInfos.delete(drive.driveId);
    } else known.manifest = drive.oldManifest;
    known.sessions = known.sessions.filter((id) => id !== session.id);
  }
}

function manifestFacts(fields: Map<string, string>, which: "Old" | "New"): ManifestFacts | undefined {
  const hash = fields.get(`${which}ManifestHash`);
  const size = fields.get(`${which}ManifestBytes`);
  return hash === undefined || size === undefined || hash === "none"
    ? undefined
    : {
        hash,
        sizeBytes: Number(size),
        blobs: Number(fields.get(`${which}Blobs`) ?? 0),
        blobBytes: Number(fields.get(`${which}BlobBytes`) ?? 0),
      };
}

/** Key lines of an activity record of a session. */
export function sessionFields(sessionId: string, fields: Readonly<Record<string, string>>): [string, string][] {
  return [["ActivityId", `${SESSION}${sessionId}`], ...Object.entries(fields)];
}

/** Key lines of an activity record of one drive in a session. */
export function sessionDriveFields(
  sessionId: string,
  driveId: string,
  fields: Readonly<Record<string, string>>,
): [string, string][] {
  return [["ActivityId", `${SESSION}${sessionId}/${driveId}`], ...Object.entries(fields)];
}

export function contextFields(fields: Readonly<Record<string, string>>): [string, string][] {
  return [["ActivityId", CONTEXT], ...Object.entries(fields)];
}
