/**
 * PrepImport from the call to the outcome: what the call means (session-rules.ts), what it is about (new-session.ts,
 * resume-session.ts), and then the story itself (copy-session.ts). Locks are held throughout.
 */
import { randomBytes } from "node:crypto";
import { JournalFile } from "../journal/journal-file.ts";
import { replayHistory, type SessionRecord } from "../journal/session-history.ts";
import { CanceledError, describeErrno, errnoOf, UsageError } from "../platform/app-error.ts";
import { ExitCode } from "../platform/exit-codes.ts";
import { joinPath } from "../platform/file-path.ts";
import { abortSession } from "./abort-session.ts";
import { runCopySession } from "./copy-session.ts";
import { toStateFailure } from "./failed-calls.ts";
import { planNewSession, startSession, walkOptions } from "./new-session.ts";
import type { OpenSession } from "./open-session.ts";
import type { Confirm, PlanSummary, PrepEvent, PrepOutcome, PrepRequest } from "./prep-contract.ts";
import type { PrepPorts } from "./prep-ports.ts";
import type { Preparation } from "./preparation.ts";
import { removeState } from "./preparation.ts";
import { refuseOccupiedDrives } from "./ready-drives.ts";
import { addDrives, reopenSession } from "./resume-session.ts";
import { sealedDrives } from "./sealed-drive.ts";
import { sessionFiles } from "./session-files.ts";
import { differences, parseSessionInputs } from "./session-inputs.ts";
import { decideSession, isOpen, type SessionAction } from "./session-rules.ts";
import { walkSources } from "./walk-sources.ts";

export async function prepareDrives(
  request: PrepRequest,
  ports: PrepPorts,
  onEvent: (event: PrepEvent) => void,
  confirm: Confirm,
  signal: AbortSignal,
): Promise<PrepOutcome> {
  const files = sessionFiles(request.journalPath);
  refuseMissingJournal(ports, request);
  const lock = ports.lock(files.lock, `the journal "${request.journalPath}"`, request.options.breakLock);
  const preparation: Preparation = {
    request,
    ports,
    files,
    history: replayHistory([]),
    isDryRun: false,
    locks: [lock],
    mayBeJournaled: false,
    emit: onEvent,
    confirm,
    signal,
  };
  try {
    openJournal(preparation);
    return await carryOut(preparation, decide(preparation));
  } catch (error) {
    throw toOwnError(preparation, error);
  } finally {
    preparation.journal?.close();
    for (const held of preparation.locks.reverse()) held.release();
  }
}

/** The same planner and the same checks; nothing stays behind. */
export async function planDrives(
  request: PrepRequest,
  ports: PrepPorts,
  onEvent: (event: PrepEvent) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<PlanSummary> {
  const name = `waimportexport-plan-${randomBytes(6).toString("hex")}`;
  const preparation: Preparation = {
    request,
    ports,
    files: sessionFiles(request.journalPath, joinPath(ports.temporaryDirectory, name)),
    history: replayHistory([]),
    isDryRun: true,
    locks: [],
    mayBeJournaled: false,
    emit: onEvent,
    confirm: () => Promise.resolve(false),
    signal,
  };
  openJournal(preparation);
  const action = decide(preparation);
  if (action.kind !== "new") {
    throw new UsageError(
      "SESSION_UNFINISHED",
      `session "${action.session.id}" is planned already, so there is nothing to plan`,
    );
  }
  try {
    return (await planNewSession(preparation, { id: action.sessionId, ...action })).summary;
  } catch (error) {
    throw toOwnError(preparation, error);
  } finally {
    preparation.journal?.close();
    removeState(preparation);
    for (const held of preparation.locks.reverse()) held.release();
  }
}

/** An interruption that no session could take note of, and failed calls that belong to no source and no drive. */
function toOwnError({ request, signal }: Preparation, error: unknown): unknown {
  if (signal.aborted && error === signal.reason) {
    return new CanceledError("CANCELED", "the run was interrupted while it was planned what to copy");
  }
  return toStateFailure(request.journalPath, error);
}

function decide(preparation: Preparation): SessionAction {
  const { request, ports, history, files } = preparation;
  return decideSession({
    request,
    sessions: history.sessions,
    differencesFrom: (session) => differences(ports.fs, request, parseSessionInputs(session, files.journal)),
  });
}

async function carryOut(preparation: Preparation, action: SessionAction): Promise<PrepOutcome> {
  const { emit, files } = preparation;
  if (action.kind === "already-complete") {
    // A run that was killed between its last record and the end has left it. An unfinished session needs its own.
    if (!preparation.history.sessions.some(isOpen)) removeState(preparation);
    return alreadyComplete(preparation, action.session);
  }
  if (action.kind === "already-aborted") {
    removeState(preparation);
    return emptyOutcome(files.journal, action.session.id, "aborted", ExitCode.Done);
  }
  if (action.kind === "new") return await runNew(preparation, { id: action.sessionId, ...action });
  emit({ type: "session", sessionId: action.session.id, action: action.kind, journal: files.journal });
  const reopened = await reopenSession(preparation, action.session, action.kind === "abort");
  if (action.kind === "abort") return await runAbort(preparation, reopened);
  const session = action.kind === "add-drives" ? await addDrives(preparation, reopened) : reopened;
  return await run(preparation, session);
}

async function runNew(
  preparation: Preparation,
  wanted: { id: string; isFirst: boolean; addsDrives: boolean },
): Promise<PrepOutcome> {
  const { emit, files, ports } = preparation;
  emit({ type: "session", sessionId: wanted.id, action: "new", journal: files.journal });
  let session: OpenSession | undefined;
  try {
    const planned = await planNewSession(preparation, wanted);
    refuseOccupiedDrives(ports.fs, wanted.id, planned);
    session = await startSession(preparation, wanted, planned);
  } finally {
    // Until the session is in the journal nothing of it may stay; when that is not known, all of it must.
    if (session === undefined && !preparation.mayBeJournaled) removeState(preparation);
  }
  return session === undefined ? notConfirmed(preparation, wanted.id) : await run(preparation, session);
}

async function run(preparation: Preparation, session: OpenSession): Promise<PrepOutcome> {
  const { ports } = preparation;
  session.events.runStarted({ sessionId: session.id, writer: ports.clientCreator, resumed: session.isResumed });
  const walk = () => walkSources(ports.fs, session.plan.rows, walkOptions(preparation, session.drives));
  try {
    const outcome = await runCopySession(session, walk);
    const { state, exitCode, files, bytes } = outcome;
    session.events.runEnded({ state, exitCode, files, bytes });
    if (state === "completed") removeState(preparation);
    return outcome;
  } finally {
    session.events.close();
  }
}

async function runAbort(preparation: Preparation, session: OpenSession): Promise<PrepOutcome> {
  session.events.runStarted({ sessionId: session.id, action: "abort" });
  try {
    await abortSession(session);
    session.events.runEnded({ state: "aborted", exitCode: ExitCode.Done });
  } finally {
    session.events.close();
  }
  removeState(preparation);
  return emptyOutcome(preparation.files.journal, session.id, "aborted", ExitCode.Done);
}

function openJournal(preparation: Preparation): void {
  const { ports, files, emit } = preparation;
  if (!exists(ports, files.journal)) return;
  const opened = JournalFile.open(ports.fs, files.journal, ports.clock);
  preparation.journal = opened.journal;
  preparation.history = replayHistory(opened.records);
  for (const message of opened.notices) emit({ type: "notice", message });
  const { logDirectory, storageAccountKey, sessions } = preparation.history;
  const wanted = preparation.request.logDirectory;
  if (logDirectory !== undefined && wanted !== undefined && wanted !== logDirectory) {
    throw new UsageError("LOGDIR_FIXED", `/logdir "${wanted}" is given, but this journal has "${logDirectory}"`);
  }
  const key = preparation.request.storageAccountKey;
  if (key !== undefined && key !== storageAccountKey && sessions.some(({ state }) => state !== "Aborted")) {
    const known = storageAccountKey === undefined ? "none" : "another one";
    throw new UsageError(
      "ACCOUNT_KEY_FIXED",
      `an account key is given, but the journal "${files.journal}" has ${known}`,
    );
  }
}

function refuseMissingJournal(ports: PrepPorts, request: PrepRequest): void {
  if (exists(ports, request.journalPath)) return;
  const needsOne = request.resumeSession || request.abortSession || request.additionalDriveSetPath !== undefined;
  if (needsOne) throw new UsageError("JOURNAL_MISSING", `the journal "${request.journalPath}" does not exist`);
}

function exists(ports: PrepPorts, path: string): boolean {
  try {
    ports.fs.lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw new UsageError("JOURNAL_UNREADABLE", `cannot read the journal "${path}": ${describeErrno(error)}`, {
      cause: error,
    });
  }
}

function alreadyComplete({ files }: Preparation, session: SessionRecord): PrepOutcome {
  return {
    ...emptyOutcome(files.journal, session.id, "already-complete", (session.exitCode ?? 0) as ExitCode),
    files: session.files ?? 0,
    bytes: session.bytes ?? 0,
    drives: sealedDrives(session.drives.values(), files.directory),
  };
}

function notConfirmed({ files }: Preparation, sessionId: string): PrepOutcome {
  return emptyOutcome(files.journal, sessionId, "not-confirmed", ExitCode.DriveRefused);
}

function emptyOutcome(
  journal: string,
  sessionId: string,
  state: PrepOutcome["state"],
  exitCode: ExitCode,
): PrepOutcome {
  return {
    sessionId,
    journal,
    exitCode,
    state,
    files: 0,
    bytes: 0,
    notDone: {},
    notDoneEarlier: 0,
    newSinceWalk: 0,
    drives: [],
    notNeeded: [],
    unplacedFiles: 0,
    unplacedBytes: 0,
    elapsedMs: 0,
  };
}
