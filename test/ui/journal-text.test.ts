import { describe, expect, it } from "vitest";
import type { JournalOverview } from "../../src/prep/journal-overview.ts";
import { drivesText, journalData, sessionsText, shownKey } from "../../src/ui/journal-text.ts";
import { expectGolden } from "../golden.ts";

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const MASKED = "******-******-******-******-******-******-******-000088";

const OVERVIEW: JournalOverview = {
  journal: "/prep/trip.jrn",
  drives: [
    {
      driveId: "WD123",
      place: "/mnt/a",
      state: "sealed",
      manifestHash: "0CC175B9C0F1B6A831C399E269772661",
      encryption: "bitlocker",
      sessions: ["day#1", "day#2"],
      key: KEY,
    },
    { driveId: "MOCK01", place: "/tmp/\u001b[2J", state: "joined", encryption: "mock", sessions: [], key: KEY },
  ],
  sessions: [
    {
      id: "day#1",
      state: "Completed",
      started: "2024-06-11T09:30:05.000Z",
      files: 1202,
      bytes: 3_221_225_472,
      drives: ["WD123"],
      dataset: "/prep/data.csv",
    },
    { id: "day#2", state: "Open", started: "2024-06-12T09:30:05.000Z", drives: [], dataset: "/prep/more.csv" },
  ],
  notices: [],
};

describe("a journal", () => {
  it("as text", () => {
    expectGolden("fixtures/golden/ui/journal.txt", `${drivesText(OVERVIEW, false)}\n${sessionsText(OVERVIEW)}`);
  });

  it("shows keys only when asked", () => {
    expect(drivesText(OVERVIEW, false)).not.toContain(KEY);
    expect(drivesText(OVERVIEW, true)).toContain(KEY);
    expect(JSON.stringify(journalData(OVERVIEW, ["drives"], false))).not.toContain(KEY);
    expect(journalData(OVERVIEW, ["drives"], true)).toMatchObject({ drives: [{ bitLockerKey: KEY }, {}] });
  });

  it("as data holds the parts that were asked for", () => {
    expect(journalData(OVERVIEW, ["sessions"], false)).not.toHaveProperty("drives");
    expect(journalData(OVERVIEW, ["drives"], false)).not.toHaveProperty("sessions");
  });

  it("masks all but the last group", () => {
    expect(shownKey(KEY, false)).toBe(MASKED);
  });
});
