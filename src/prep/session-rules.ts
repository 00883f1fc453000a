/**
 * What a call of PrepImport means, given what the journal already holds: a new session, a resume, more drives, an abort,
 * or nothing to do. Pure. Where the original's wording is known, the message begins with it.
 */
import type { SessionRecord } from "../journal/session-history.ts";
import { UsageError } from "../platform/app-error.ts";
import type { PrepRequest } from "./prep-contract.ts";

export const SESSION_ID_PATTERN = /^[A-Za-z0-9_#-]{3,30}$/;

export type SessionAction =
  | { kind: "new"; sessionId: string; isFirst: boolean; addsDrives: boolean }
  | { kind: "resume"; session: SessionRecord }
  | { kind: "add-drives"; session: SessionRecord }
  | { kind: "abort"; session: SessionRecord }
  | { kind: "already-aborted"; session: SessionRecord }
  | { kind: "already-complete"; session: SessionRecord };

/** The parts of the request that decide, and whether `dataset` equals that of an earlier session. */
export interface SessionCall {
  request: PrepRequest;
  sessions: readonly SessionRecord[];
  /** Names what differs between this call's inputs and those of the recorded session; empty: nothing. */
  differencesFrom(session: SessionRecord): readonly string[];
}

export function decideSession(call: SessionCall): SessionAction {
  const { request, sessions } = call;
  if (request.sessionId !== undefined) checkSessionId(request.sessionId);
  const last = sessions.at(-1);
  if (request.abortSession) return decideAbort(request, sessions);
  if (request.resumeSession) return decideResume(request, sessions);
  const id = request.sessionId;
  if (id === undefined) throw missing("/id:<SessionId>");
  const known = findSession(sessions, id);
  if (request.additionalDriveSetPath !== undefined && known !== undefined && isOpen(known)) {
    if (known !== last) throw notLast(id);
    if (known.state === "Aborting") throw isBeingAborted(known);
    return { kind: "add-drives", session: known };
  }
  if (known !== undefined && known.state !== "Aborted") return decideRepeat(call, known, id);
  return decideNew(request, sessions, id);
}

function decideNew(request: PrepRequest, sessions: readonly SessionRecord[], id: string): SessionAction {
  const last = sessions.at(-1);
  if (last !== undefined && isOpen(last)) {
    throw new UsageError(
      "SESSION_UNFINISHED",
      `session "${last.id}" of this journal is not finished, so session "${id}" cannot be started`,
    );
  }
  if (request.dataSetPath === undefined) throw missing("/DataSet:<dataset.csv>");
  const hasDrives = sessions.some((session) => session.state !== "Aborted");
  if (!hasDrives && request.initialDriveSetPath === undefined) {
    throw new UsageError("JOURNAL_NEEDS_DRIVES", "the first session of a journal needs /InitialDriveSet");
  }
  if (hasDrives && request.initialDriveSetPath !== undefined) {
    throw new UsageError(
      "JOURNAL_HAS_DRIVES",
      "this journal already has its drives; /InitialDriveSet is for its first session",
    );
  }
  return {
    kind: "new",
    sessionId: id,
    isFirst: !hasDrives,
    addsDrives: request.initialDriveSetPath !== undefined || request.additionalDriveSetPath !== undefined,
  };
}

/** The same id again: the same command after an interruption goes on; anything else is refused. */
function decideRepeat(call: SessionCall, known: SessionRecord, id: string): SessionAction {
  const differences = call.differencesFrom(known);
  if (known.state === "Completed") {
    if (differences.length === 0 || asksForAddedDrives(call.request, known)) {
      return { kind: "already-complete", session: known };
    }
    throw new UsageError(
      "SESSION_REUSED",
      `CopySessionId ${id} refers to a previous copy session and cannot be reused for a new copy session.`,
    );
  }
  if (known.state === "Aborting") throw isBeingAborted(known);
  if (differences.length > 0) {
    throw new UsageError(
      "SESSION_DIFFERS",
      `session "${id}" is unfinished and was started with other inputs: ${differences.join("; ")}`,
    );
  }
  return { kind: "resume", session: known };
}

/**
 * The call that added drives, repeated when the session is complete: nothing is left for them. Giving up a drive now
 * would be something else.
 */
function asksForAddedDrives(
  { additionalDriveSetPath, dataSetPath, options }: PrepRequest,
  known: SessionRecord,
): boolean {
  if (additionalDriveSetPath === undefined || dataSetPath !== undefined) return false;
  return options.giveUpDrives.every((driveId) => known.drives.get(driveId)?.step === "Lost");
}

function decideResume(request: PrepRequest, sessions: readonly SessionRecord[]): SessionAction {
  const session = lastOrThrow(request, sessions);
  if (session.state === "Completed") return { kind: "already-complete", session };
  if (session.state === "Aborted") {
    throw new UsageError("SESSION_FINISHED", `session "${session.id}" was aborted, so it cannot be resumed`);
  }
  if (session.state === "Aborting") {
    throw new UsageError("SESSION_FINISHED", `session "${session.id}" is being aborted, so it cannot be resumed`, {
      hint: "finish that with /AbortSession",
    });
  }
  return { kind: "resume", session };
}

function decideAbort(request: PrepRequest, sessions: readonly SessionRecord[]): SessionAction {
  if (request.sessionId === undefined) throw missing("/id:<SessionId>");
  const session = lastOrThrow(request, sessions);
  if (session.state === "Aborted") return { kind: "already-aborted", session };
  if (session.state === "Completed") {
    if (isFirst(session, sessions)) throw firstCannot();
    throw new UsageError("SESSION_FINISHED", `session "${session.id}" is completed, so there is nothing to abort`);
  }
  const hasSealed = [...session.drives.values()].some((drive) => drive.step === "Sealed" || drive.step === "Sealing");
  if (isFirst(session, sessions) && hasSealed) throw firstCannot();
  return { kind: "abort", session };
}

function lastOrThrow(request: PrepRequest, sessions: readonly SessionRecord[]): SessionRecord {
  const last = sessions.at(-1);
  const id = request.sessionId;
  if (last === undefined) throw new UsageError("SESSION_UNKNOWN", "the journal has no session yet");
  if (id === undefined || sameId(last.id, id)) return last;
  if (findSession(sessions, id) !== undefined) throw notLast(id);
  throw new UsageError("SESSION_UNKNOWN", `the journal has no session "${id}"`);
}

const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The newest session of that id: an aborted one may have been started anew. */
function findSession(sessions: readonly SessionRecord[], id: string): SessionRecord | undefined {
  return sessions.findLast((session) => sameId(session.id, id));
}

export function isOpen(session: SessionRecord): boolean {
  return session.state !== "Completed" && session.state !== "Aborted";
}

function isFirst(session: SessionRecord, sessions: readonly SessionRecord[]): boolean {
  return sessions.find((s) => s.state !== "Aborted" || s === session) === session;
}

export function checkSessionId(id: string): void {
  if (SESSION_ID_PATTERN.test(id)) return;
  throw new UsageError(
    "SESSION_ID_INVALID",
    `"${id}" is not a session id: 3 to 30 letters, digits, "_", "-" or "#" are allowed`,
  );
}

function missing(name: string): UsageError {
  return new UsageError("USAGE_MISSING_SWITCH", `${name} is missing`);
}

function notLast(id: string): UsageError {
  return new UsageError("SESSION_NOT_LAST", `session "${id}" is not the last session of the journal`);
}

function isBeingAborted(session: SessionRecord): UsageError {
  return new UsageError("SESSION_UNFINISHED", `session "${session.id}" is being aborted`, {
    hint: "finish that with /AbortSession",
  });
}

function firstCannot(): UsageError {
  return new UsageError("SESSION_FIRST_SEALED", "The first copy session cannot be resumed or aborted.");
}
