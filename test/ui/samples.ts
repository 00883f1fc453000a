/** A plan, an outcome and events as a preparation of two mock drives tells them. */
import type { PlannedDrive, PlanSummary, PrepEvent, PrepOutcome } from "../../src/prep/prep-contract.ts";

const drive = (id: string, more: Partial<PlannedDrive> = {}): PlannedDrive => ({
  driveId: id,
  place: `/mnt/${id.toLowerCase()}`,
  files: 1200,
  bytes: 3_221_225_472,
  capacityBytes: 4_294_967_296,
  usedBytes: 3_300_000_000,
  format: false,
  encryption: "mock",
  willEncrypt: false,
  needed: true,
  ...more,
});

export const PLAN: PlanSummary = {
  sessionId: "survey#1",
  drives: [
    drive("MOCK01"),
    drive("WD123", {
      encryption: "bitlocker",
      format: true,
      willEncrypt: true,
      files: 3,
      bytes: 512,
      usedBytes: 40_960,
    }),
    drive("SPARE", { needed: false, files: 0, bytes: 0, usedBytes: 0 }),
  ],
  files: 1203,
  bytes: 3_221_225_984,
  unplacedFiles: 2,
  unplacedBytes: 9_663_676_416,
  moreDrivesNeeded: 3,
  tooLargeFiles: 1,
  notDone: 1,
  special: 4,
  filtered: 17,
  rows: [
    {
      index: 0,
      basePath: "/data/photos/",
      destination: "archive/photos/",
      blobType: "BlockBlob",
      disposition: "rename",
    },
    { index: 1, basePath: "/data/年/", destination: "archive/年/", blobType: "PageBlob", disposition: "overwrite" },
  ],
};

export const OUTCOME: PrepOutcome = {
  sessionId: "survey#1",
  journal: "/prep/trip.jrn",
  exitCode: 3,
  state: "completed",
  files: 1202,
  bytes: 3_221_225_472,
  notDone: { FILE_UNREADABLE: 1, FILE_CHANGED: 2 },
  notDoneEarlier: 0,
  newSinceWalk: 5,
  drives: [
    {
      driveId: "MOCK01",
      place: "/mnt/mock01",
      manifestPath: "/mnt/mock01/DriveManifest.xml",
      manifestHash: "0CC175B9C0F1B6A831C399E269772661",
      driveInfoPath: "/prep/MOCK01.xml",
      blobs: 1202,
      bytes: 3_221_225_472,
      encryption: "mock",
    },
  ],
  notNeeded: ["SPARE"],
  unplacedFiles: 0,
  unplacedBytes: 0,
  elapsedMs: 65_000,
};

export const EVENTS: readonly PrepEvent[] = [
  { type: "session", sessionId: "survey#1", action: "new", journal: "/prep/trip.jrn" },
  { type: "walk", files: 1203, bytes: 3_221_225_984, done: true },
  { type: "notice", code: "FILE_SPECIAL", message: 'left out "/data/link": a symbolic link' },
  { type: "plan", plan: PLAN },
  { type: "drive-state", driveId: "WD123", state: "encrypting", percent: 12.5 },
  {
    type: "progress",
    drives: [
      { driveId: "MOCK01", files: 10, bytes: 100, totalFiles: 1200, totalBytes: 3_221_225_472, state: "copying" },
    ],
    files: 10,
    bytes: 100,
    totalFiles: 1203,
    totalBytes: 3_221_225_984,
    earlierBytes: 0,
    elapsedMs: 1000,
  },
  { type: "warning", message: "a warning" },
  { type: "file-not-done", sourcePath: "/data/\u001b[31mred", code: "FILE_UNREADABLE", reason: "permission denied" },
  { type: "drive-failed", driveId: "WD123", code: "DRIVE_FAILED", reason: "input/output error" },
  { type: "drive-sealed", drive: OUTCOME.drives[0] as (typeof OUTCOME.drives)[number] },
];
