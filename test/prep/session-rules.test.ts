/** Every form of a call against every state a journal can be in: what it means, or why it is refused. */
import { describe, expect, it } from "vitest";
import type { DriveStep, SessionDrive, SessionRecord, SessionState } from "../../src/journal/session-history.ts";
import { DEFAULT_PREP_OPTIONS, type PrepRequest } from "../../src/prep/prep-contract.ts";
import { checkSessionId, decideSession } from "../../src/prep/session-rules.ts";

function session(id: string, state: SessionState, step: DriveStep = "Prepared"): SessionRecord {
  const drive = { driveId: "D1", step } as SessionDrive;
  return { id, state, startedAt: "", nonce: "", inputs: "{}", dataSetPath: "", drives: new Map([["D1", drive]]) };
}

const HISTORIES = {
  none: [],
  running: [session("one", "InProgress")],
  sealing: [session("one", "InProgress", "Sealed")],
  full: [session("one", "NoSpace", "Sealed")],
  done: [session("one", "Completed", "Sealed")],
  aborting: [session("one", "Aborting")],
  aborted: [session("one", "Aborted", "Restored")],
  "done, running": [session("one", "Completed", "Sealed"), session("two", "InProgress")],
  "done, sealing": [session("one", "Completed", "Sealed"), session("two", "InProgress", "Sealing")],
  "done, full": [session("one", "Completed", "Sealed"), session("two", "NoSpace", "Sealed")],
  "done, done": [session("one", "Completed", "Sealed"), session("two", "Completed", "Sealed")],
  "done, aborted": [session("one", "Completed", "Sealed"), session("two", "Aborted", "Restored")],
  "aborted, running": [session("one", "Aborted", "Restored"), session("two", "InProgress")],
  "aborted, sealing": [session("one", "Aborted", "Restored"), session("two", "InProgress", "Sealing")],
} satisfies Record<string, SessionRecord[]>;

const DATA = { dataSetPath: "/d.csv" };
const CALLS = {
  /** `<form> <id>` */
  first: { ...DATA, initialDriveSetPath: "/v.csv" },
  later: DATA,
  add: { additionalDriveSetPath: "/v.csv" },
  "later+add": { ...DATA, additionalDriveSetPath: "/v.csv" },
  resume: { resumeSession: true },
  abort: { abortSession: true },
} satisfies Record<string, Partial<PrepRequest>>;

function decide(history: keyof typeof HISTORIES, call: string, differences: readonly string[] = []): string {
  const [form = "", sessionId] = call.split(" ");
  const request: PrepRequest = {
    journalPath: "/j.jrn",
    silentMode: false,
    resumeSession: false,
    abortSession: false,
    options: DEFAULT_PREP_OPTIONS,
    ...(sessionId === undefined ? {} : { sessionId }),
    ...CALLS[form as keyof typeof CALLS],
  };
  try {
    const action = decideSession({ request, sessions: HISTORIES[history], differencesFrom: () => differences });
    if (action.kind !== "new") return `${action.kind} ${action.session.id}`;
    return `new ${action.sessionId}${action.isFirst ? ", first" : ""}${action.addsDrives ? ", with drives" : ""}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("what a call means", () => {
  it.each([
    // the first session of a journal
    ["none", "first one", "new one, first, with drives"],
    ["none", "later one", "JOURNAL_NEEDS_DRIVES"],
    ["none", "first", "USAGE_MISSING_SWITCH"],
    ["none", "resume one", "SESSION_UNKNOWN"],
    ["none", "abort one", "SESSION_UNKNOWN"],
    ["aborted", "first two", "new two, first, with drives"],
    ["aborted", "first one", "new one, first, with drives"],
    ["aborted", "later two", "JOURNAL_NEEDS_DRIVES"],
    // a later one: only when the last one is complete or rolled back
    ["done", "later two", "new two"],
    ["done", "first two", "JOURNAL_HAS_DRIVES"],
    ["done", "later+add two", "new two, with drives"],
    ["done, done", "later three", "new three"],
    ["done, aborted", "later two", "new two"],
    ["done, aborted", "later three", "new three"],
    ["running", "later two", "SESSION_UNFINISHED"],
    ["running", "later+add two", "SESSION_UNFINISHED"],
    ["full", "later two", "SESSION_UNFINISHED"],
    ["aborting", "later two", "SESSION_UNFINISHED"],
    ["done, running", "later three", "SESSION_UNFINISHED"],
    // the same call again
    ["running", "first one", "resume one"],
    ["running", "first ONE", "resume one"],
    ["sealing", "first one", "resume one"],
    ["full", "first one", "resume one"],
    ["done, running", "later two", "resume two"],
    ["done", "first one", "already-complete one"],
    ["done, running", "first one", "already-complete one"],
    ["aborting", "first one", "SESSION_UNFINISHED"],
    // resume: only the last session; the first one too
    ["running", "resume one", "resume one"],
    ["running", "resume", "resume one"],
    ["sealing", "resume one", "resume one"],
    ["full", "resume one", "resume one"],
    ["done", "resume one", "already-complete one"],
    ["done", "resume", "already-complete one"],
    ["running", "resume two", "SESSION_UNKNOWN"],
    ["done, running", "resume one", "SESSION_NOT_LAST"],
    ["done, running", "resume two", "resume two"],
    ["aborting", "resume one", "SESSION_FINISHED"],
    ["aborted", "resume one", "SESSION_FINISHED"],
    // abort: only the last, unfinished session; the first one until a drive is sealed
    ["running", "abort one", "abort one"],
    ["running", "abort", "USAGE_MISSING_SWITCH"],
    ["aborting", "abort one", "abort one"],
    ["sealing", "abort one", "SESSION_FIRST_SEALED"],
    ["full", "abort one", "SESSION_FIRST_SEALED"],
    ["done", "abort one", "SESSION_FIRST_SEALED"],
    ["aborted", "abort one", "already-aborted one"],
    ["done, running", "abort two", "abort two"],
    ["done, sealing", "abort two", "abort two"],
    ["done, full", "abort two", "abort two"],
    ["done, running", "abort one", "SESSION_NOT_LAST"],
    ["done, done", "abort two", "SESSION_FINISHED"],
    ["done, aborted", "abort two", "already-aborted two"],
    ["aborted, running", "abort two", "abort two"],
    ["aborted, sealing", "abort two", "SESSION_FIRST_SEALED"],
    // more drives for an unfinished session
    ["full", "add one", "add-drives one"],
    ["running", "add one", "add-drives one"],
    ["done, full", "add two", "add-drives two"],
    ["done, full", "add one", "already-complete one"],
    ["done", "add one", "already-complete one"],
    ["aborting", "add one", "SESSION_UNFINISHED"],
    ["done", "add two", "USAGE_MISSING_SWITCH"],
    ["full", "add two", "SESSION_UNFINISHED"],
  ] as const)("%s: %s → %s", (history, call, meaning) => {
    expect(decide(history, call)).toBe(meaning);
  });

  it.each([
    ["running", "first one", "SESSION_DIFFERS"],
    ["full", "first one", "SESSION_DIFFERS"],
    ["done", "first one", "SESSION_REUSED"],
    ["done", "later one", "SESSION_REUSED"],
    ["done, running", "later one", "SESSION_REUSED"],
    ["running", "resume one", "resume one"],
    ["running", "abort one", "abort one"],
    ["full", "add one", "add-drives one"],
  ] as const)("%s, with other inputs: %s → %s", (history, call, meaning) => {
    expect(decide(history, call, ["the dataset has changed"])).toBe(meaning);
  });
});

describe("messages", () => {
  const messageOf = (history: keyof typeof HISTORIES, form: keyof typeof CALLS, sessionId: string): string => {
    const request = { ...CALLS[form], sessionId, options: DEFAULT_PREP_OPTIONS } as unknown as PrepRequest;
    try {
      decideSession({ request, sessions: HISTORIES[history], differencesFrom: () => ["the dataset has changed"] });
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  it("begin with the original's sentences where those are known", () => {
    expect(messageOf("done", "abort", "one")).toBe("The first copy session cannot be resumed or aborted.");
    expect(messageOf("done", "later", "one")).toBe(
      "CopySessionId one refers to a previous copy session and cannot be reused for a new copy session.",
    );
  });

  it("name what differs and what is in the way", () => {
    expect(messageOf("running", "first", "one")).toContain("the dataset has changed");
    expect(messageOf("running", "later", "two")).toContain('session "one" of this journal is not finished');
  });
});

describe("session ids", () => {
  it.each(["abc", "session#1", "session_1", "Session-1", "x".repeat(30)])("%s is one", (id) => {
    expect(() => checkSessionId(id)).not.toThrow();
  });

  it.each(["", "ab", "x".repeat(31), "a b c", "a/b", "a\\b", "a.b", "../x", "säsn", "abc\n"])("%j is none", (id) => {
    expect(() => checkSessionId(id)).toThrow(expect.objectContaining({ code: "SESSION_ID_INVALID" }));
  });
});
