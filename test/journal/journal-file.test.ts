import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { JournalFile } from "../../src/journal/journal-file.ts";
import type { JournalEntry } from "../../src/journal/journal-record.ts";
import { parseJournal } from "../../src/journal/read-journal.ts";
import { AppError } from "../../src/platform/app-error.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { expectGolden } from "../golden.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { failingFileSystem } from "./failing-file-system.ts";
import { MovedClock } from "./moved-clock.ts";

const SESSION: JournalEntry[] = [
  ["ActivityId", "CopySession#session-1"],
  ["DataSet", 'BasePath,DstBlobPathOrPrefix\r\n"C:\\data\\",photos/\r\n'],
];
const STEP: JournalEntry[] = [
  ["ActivityId", "CopySession#session-1/9WM35C2V"],
  ["DriveStep", "Joined"],
];

let directory: string;
let path: string;
const clock = new MovedClock();
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return "no error";
};

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, "trip.jrn");
});

describe("a journal on disk", () => {
  it("is created whole, readable by its owner only, and leaves no temporary file", () => {
    const { journal } = JournalFile.create(nodeFileSystem, path, [SESSION], clock, "waimportexport 0.1.0");
    journal.append(STEP);
    journal.close();
    expect(readdirSync(directory)).toEqual(["trip.jrn"]);
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    expectGolden("fixtures/golden/journal/new-session.jrn", readFileSync(path, "utf8"));
  });

  it("never replaces an existing one", () => {
    writeFileSync(path, "mine");
    expect(codeOf(() => JournalFile.create(nodeFileSystem, path, [SESSION], clock))).toBe("JOURNAL_WRITE_FAILED");
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  it("gives back what was appended, over several openings", () => {
    JournalFile.create(nodeFileSystem, path, [SESSION], clock).journal.close();
    for (let round = 0; round < 3; round++) {
      const { journal } = JournalFile.open(nodeFileSystem, path, clock);
      journal.append([...STEP, ["Round", String(round)]]);
      journal.close();
    }
    const { records, notices } = JournalFile.open(nodeFileSystem, path, clock);
    expect(notices).toEqual([]);
    expect(records.map((record) => record.entries)).toEqual([
      expect.arrayContaining([["VocabularyVersion", "2013-02-01"]]),
      SESSION,
      ...[0, 1, 2].map((round) => [...STEP, ["Round", String(round)]]),
    ]);
  });

  it("drops a write that was cut off anywhere, says so, and goes on behind what is good", () => {
    const { journal } = JournalFile.create(nodeFileSystem, path, [SESSION], clock);
    const goodBytes = statSync(path).size;
    journal.append(STEP);
    journal.close();
    const whole = readFileSync(path);
    for (let length = goodBytes + 1; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const opened = JournalFile.open(nodeFileSystem, path, clock);
      expect(opened.notices).toHaveLength(1);
      expect(opened.records).toHaveLength(2);
      opened.journal.append(STEP);
      opened.journal.close();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  it("takes zeros behind or within the last write for a power cut", () => {
    const { journal } = JournalFile.create(nodeFileSystem, path, [SESSION], clock);
    const goodBytes = statSync(path).size;
    journal.append([...STEP, ["Inputs", "x".repeat(3000)]]);
    journal.close();
    const whole = readFileSync(path);
    const hole = Buffer.from(whole).fill(0, Math.ceil(goodBytes / 512) * 512, Math.ceil(goodBytes / 512) * 512 + 1024);
    const zeroTail = Buffer.from(whole).fill(0, goodBytes + 700);
    const allZero = Buffer.from(whole).fill(0, goodBytes);
    for (const bytes of [hole, zeroTail, allZero]) {
      expect(parseJournal(bytes, path)).toMatchObject({ goodBytes, tornBytes: whole.length - goodBytes });
    }
  });

  it("refuses a hole that a later record follows", () => {
    const { journal } = JournalFile.create(nodeFileSystem, path, [SESSION], clock);
    const goodBytes = statSync(path).size;
    journal.append([...STEP, ["Inputs", "x".repeat(3000)]]);
    journal.append(STEP);
    journal.close();
    const start = Math.ceil(goodBytes / 512) * 512;
    const bytes = readFileSync(path).fill(0, start, start + 1024);
    expect(codeOf(() => parseJournal(bytes, path))).toBe("JOURNAL_DAMAGED");
  });

  it("finds every flipped bit", () => {
    const { journal } = JournalFile.create(nodeFileSystem, path, [SESSION], clock);
    journal.append(STEP);
    journal.close();
    const whole = readFileSync(path);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(
        codeOf(() => parseJournal(bytes, path)),
        `bit ${bit}`,
      ).toBe("JOURNAL_DAMAGED");
    }
  });

  it("tells the offset of the damage", () => {
    JournalFile.create(nodeFileSystem, path, [], clock).journal.close();
    const offset = statSync(path).size;
    const { journal } = JournalFile.open(nodeFileSystem, path, clock);
    journal.append(STEP);
    journal.append(STEP);
    journal.close();
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace("DriveStep: Joined", "DriveStep: Jailed"));
    expect(() => JournalFile.open(nodeFileSystem, path, clock)).toThrow(`damaged at byte ${offset}: `);
  });

  it("is the file it was before when an append fails, and takes the next one", () => {
    for (const fault of [
      { call: "write", at: 1, errno: "ENOSPC", partialBytes: 100 },
      { call: "write", at: 1, errno: "EIO" },
      { call: "fsync", at: 1, errno: "EIO" },
    ] as const) {
      JournalFile.create(nodeFileSystem, path, [SESSION], clock).journal.close();
      const before = readFileSync(path);
      const { journal } = JournalFile.open(failingFileSystem([fault]), path, clock);
      expect(codeOf(() => journal.append(STEP))).toBe("JOURNAL_WRITE_FAILED");
      expect(readFileSync(path).equals(before)).toBe(true);
      journal.append(STEP);
      journal.close();
      expect(JournalFile.open(nodeFileSystem, path, clock).records).toHaveLength(3);
      nodeFileSystem.unlink(path);
    }
  });

  it("tries again to cut back when that failed too", () => {
    JournalFile.create(nodeFileSystem, path, [SESSION], clock).journal.close();
    const fs = failingFileSystem([
      { call: "write", at: 1, errno: "EIO", partialBytes: 50 },
      { call: "ftruncate", at: 1, errno: "EIO" },
    ]);
    const { journal } = JournalFile.open(fs, path, clock);
    expect(codeOf(() => journal.append(STEP))).toBe("JOURNAL_WRITE_FAILED");
    expect(JournalFile.open(nodeFileSystem, path, clock).notices).toHaveLength(1);
    journal.append(STEP);
    expect(JournalFile.open(nodeFileSystem, path, clock).records).toHaveLength(3);
    journal.close();
  });

  it("is not there when creating it fails", () => {
    for (const fault of [
      { call: "write", at: 1, errno: "ENOSPC", partialBytes: 10 },
      { call: "fsync", at: 1, errno: "EIO" },
      { call: "rename", at: 1, errno: "EIO" },
    ] as const) {
      const create = () => JournalFile.create(failingFileSystem([fault]), path, [SESSION], clock);
      expect(codeOf(create)).toBe("JOURNAL_WRITE_FAILED");
      expect(existsSync(path)).toBe(false);
    }
  });

  it("notices that another program changed it", () => {
    JournalFile.create(nodeFileSystem, path, [SESSION], clock).journal.close();
    const { journal } = JournalFile.open(nodeFileSystem, path, clock);
    writeFileSync(path, "x", { flag: "a" });
    expect(codeOf(() => journal.append(STEP))).toBe("JOURNAL_DAMAGED");
    journal.close();
  });

  it("refuses what is missing, empty, unreadable, too long or newer", () => {
    const open = () => JournalFile.open(nodeFileSystem, path, clock);
    expect(codeOf(open)).toBe("JOURNAL_MISSING");
    writeFileSync(path, "");
    expect(codeOf(open)).toBe("JOURNAL_DAMAGED");
    truncateSync(path, 65 * 1024 * 1024);
    expect(codeOf(open)).toBe("JOURNAL_DAMAGED");
    const failing = failingFileSystem([{ call: "open", at: 1, errno: "EACCES" }]);
    expect(codeOf(() => JournalFile.open(failing, path, clock))).toBe("JOURNAL_UNREADABLE");
    const head = "[BeginUpdateRecord][2030/01/01 00:00:00.000][Type:NewJournalFile]\n";
    writeFileSync(path, `${head}VocabularyVersion: 2029-01-01\nWriter: waimportexport 9.0.0\n[EndUpdateRecord]\n`);
    expect(codeOf(open)).toBe("JOURNAL_NEWER");
    expect(open).toThrow("waimportexport 9.0.0");
    writeFileSync(path, `${head}VocabularyVersion: 2013-02-01\nFormatVersion: 2\n[EndUpdateRecord]\n`);
    expect(codeOf(open)).toBe("JOURNAL_NEWER");
  });
});
