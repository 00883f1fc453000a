import { describe, expect, it } from "vitest";
import { driveInfoRecord } from "../../src/journal/drive-info.ts";
import type { JournalEntry } from "../../src/journal/journal-record.ts";
import {
  contextFields,
  type JournalHistory,
  replayHistory,
  sessionDriveFields,
  sessionFields,
} from "../../src/journal/session-history.ts";

const replay = (...records: (readonly JournalEntry[])[]): JournalHistory =>
  replayHistory(records.map((entries) => ({ timeMs: 0, type: "ActivityRecord", entries })));

const OLD = "0".repeat(31).concat("1");
const NEW = "0".repeat(31).concat("2");

const started = (id: string) => sessionFields(id, { SessionState: "Starting", SessionStarted: "t", Nonce: `of ${id}` });
const begun = (id: string) => sessionFields(id, { SessionState: "InProgress" });
const joined = (id: string, drive = "D1") =>
  sessionDriveFields(id, drive, { Place: "/a", Encryption: "mock", BitLockerKey: "key", DriveStep: "Joined" });
const step = (id: string, name: string, drive = "D1") => sessionDriveFields(id, drive, { DriveStep: name });
const sealing = (id: string, old: string | undefined, sealed: string, drive = "D1") =>
  sessionDriveFields(id, drive, {
    DriveStep: "Sealing",
    OldManifestHash: old ?? "none",
    OldManifestBytes: "10",
    NewManifestHash: sealed,
    NewManifestBytes: "20",
    NewBlobs: "3",
    NewBlobBytes: "4",
  });
const state = (id: string, name: string) => sessionFields(id, { SessionState: name });
const info = driveInfoRecord({
  driveId: "D1",
  bitLockerKey: "key",
  manifestFile: "\\DriveManifest.xml",
  manifestHash: NEW,
});

const first = [started("s-1"), joined("s-1"), begun("s-1"), sealing("s-1", undefined, OLD), step("s-1", "Sealed")];
const FIRST = [...first, sessionFields("s-1", { SessionState: "Completed", Files: "3", Bytes: "4", ExitCode: "3" })];

describe("sessions", () => {
  it("are told in the order they were started, with the last value of every key", () => {
    const { sessions } = replay(...FIRST, started("s-2"), joined("s-2"), begun("s-2"));
    expect(sessions).toMatchObject([
      { id: "s-1", state: "Completed", files: 3, bytes: 4, exitCode: 3, nonce: "of s-1" },
      { id: "s-2", state: "InProgress" },
    ]);
    expect(sessions[0]?.drives.get("D1")).toMatchObject({ step: "Sealed", place: "/a", key: "key" });
  });

  it("that were not started to the end never were", () => {
    expect(replay(started("s-1"), joined("s-1")).sessions).toEqual([]);
    expect(replay(...FIRST, started("s-2"), joined("s-2")).sessions.map(({ id }) => id)).toEqual(["s-1"]);
  });

  it("may use the id of a rolled back one, and begin without its drives", () => {
    const { sessions } = replay(
      started("s-1"),
      joined("s-1"),
      begun("s-1"),
      state("s-1", "Aborted"),
      started("s-1"),
      joined("s-1", "D2"),
      begun("s-1"),
    );
    expect(sessions.map((session) => [session.state, [...session.drives.keys()]])).toEqual([
      ["Aborted", ["D1"]],
      ["InProgress", ["D2"]],
    ]);
  });

  it("ignore records of activities and sessions that are not known", () => {
    expect(replay(state("s-9", "Completed"), [["ActivityId", "SomethingElse"]]).sessions).toEqual([]);
  });
});

describe("drives of a journal", () => {
  const manifestOf = (history: JournalHistory) => history.drives.get("D1")?.manifest?.hash;

  it("carry the manifest of the last session that sealed them", () => {
    expect(manifestOf(replay(...first))).toBe(OLD);
    const second = [...FIRST, started("s-2"), joined("s-2"), begun("s-2"), sealing("s-2", OLD, NEW)];
    expect(manifestOf(replay(...second))).toBe(OLD);
    const history = replay(...second, step("s-2", "Sealed"));
    expect(manifestOf(history)).toBe(NEW);
    expect(history.drives.get("D1")?.sessions).toEqual(["s-1", "s-2"]);
  });

  it("carry the earlier one again when a session is rolled back after sealing", () => {
    const history = replay(
      ...FIRST,
      started("s-2"),
      joined("s-2"),
      begun("s-2"),
      sealing("s-2", OLD, NEW),
      step("s-2", "Sealed"),
      step("s-2", "Restored"),
    );
    expect(manifestOf(history)).toBe(OLD);
    expect(history.drives.get("D1")?.sessions).toEqual(["s-1"]);
  });

  it("keep their manifest when a session is rolled back before sealing", () => {
    const history = replay(...FIRST, started("s-2"), joined("s-2"), begun("s-2"), step("s-2", "Restored"));
    expect(manifestOf(history)).toBe(OLD);
    expect(history.drives.get("D1")?.sessions).toEqual(["s-1"]);
  });

  it("have none when the session that was new to them is rolled back", () => {
    const history = replay(...first, info, step("s-1", "Restored"));
    expect(manifestOf(history)).toBeUndefined();
    expect(history.driveInfos.size).toBe(0);
  });

  it("are withdrawn when they are given up", () => {
    const history = replay(...first, info, step("s-1", "Lost"));
    expect(history.drives.get("D1")?.isLost).toBe(true);
    expect(history.driveInfos.size).toBe(0);
  });
});

it("log directory and account key: the last ones", () => {
  const history = replay(
    contextFields({ LogDirectory: "/a" }),
    contextFields({ StorageAccountKey: "k" }),
    contextFields({ LogDirectory: "/b" }),
  );
  expect(history).toMatchObject({ logDirectory: "/b", storageAccountKey: "k" });
});
