import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { EventsFile, parseEvents } from "../../src/journal/events-file.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { failingFileSystem } from "./failing-file-system.ts";
import { MovedClock } from "./moved-clock.ts";

let directory: string;
let path: string;
let clock: MovedClock;
const read = () => parseEvents(readFileSync(path, "utf8"));
const ofType = (type: string) => read().filter((event) => event.type === type);

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, "trip.events.jsonl");
  clock = new MovedClock();
});

describe("the events file", () => {
  it("holds a run's lines, each with type, version and time", () => {
    const events = new EventsFile(nodeFileSystem, path, clock);
    events.runStarted({ tool: "0.1.0", options: { links: "notice", accountKey: "SECRET" }, sizeBytes: 5n });
    clock.move(1500);
    events.fileNotDone("C:\\data\\a.txt", "FILE_UNREADABLE", "permission denied");
    events.event("drive-sealed", { driveId: "A", blobs: 3 });
    events.runEnded({ exitCode: 3 });
    events.close();
    expect(read()).toEqual([
      {
        type: "run-started",
        version: 1,
        time: "2026-03-01T10:00:00.000Z",
        tool: "0.1.0",
        options: { links: "notice" },
        sizeBytes: "5",
      },
      {
        type: "file-not-done",
        version: 1,
        time: "2026-03-01T10:00:01.500Z",
        path: "C:\\data\\a.txt",
        code: "FILE_UNREADABLE",
        reason: "permission denied",
      },
      { type: "drive-sealed", version: 1, time: "2026-03-01T10:00:01.500Z", driveId: "A", blobs: 3 },
      { type: "slowest-files", version: 1, time: "2026-03-01T10:00:01.500Z", files: [] },
      { type: "run-ended", version: 1, time: "2026-03-01T10:00:01.500Z", elapsedMs: 1500, exitCode: 3 },
    ]);
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("keeps at most 1,000 points of a long run, evenly, with the first and the last of every drive", () => {
    const events = new EventsFile(nodeFileSystem, path, clock);
    events.runStarted({});
    for (let second = 0; second < 50_000; second++) {
      for (const drive of ["A", "B"]) events.sample(drive, second * 10, second);
      clock.move(1000);
    }
    events.runEnded({ exitCode: 0 });
    events.close();
    const points = ofType("samples").at(-1)?.points as [string, number, number, number][];
    expect(points.length).toBeLessThanOrEqual(1000);
    expect(points.length).toBeGreaterThan(400);
    for (const drive of ["A", "B"]) {
      const own = points.filter((point) => point[0] === drive);
      expect(own[0]).toEqual([drive, 0, 0, 0]);
      expect(own.at(-1)).toEqual([drive, 49_999_000, 499_990, 49_999]);
      const gaps = own.slice(1, -1).map((point, index) => point[1] - (own[index]?.[1] ?? 0));
      expect(Math.max(...gaps)).toBe(Math.min(...gaps));
    }
  });

  it("has most of the points of a run that was killed", () => {
    const events = new EventsFile(nodeFileSystem, path, clock);
    events.runStarted({});
    for (let second = 0; second <= 3000; second++) {
      events.sample("A", second, 0);
      clock.move(1000);
    }
    const points = ofType("samples").at(-1)?.points as [string, number, number, number][];
    expect(points.at(-1)?.[1]).toBeGreaterThanOrEqual(1_500_000);
    expect(ofType("samples").length).toBeLessThan(10);
    events.close();
  });

  it("names the 100 slowest of any number of files", () => {
    const events = new EventsFile(nodeFileSystem, path, clock);
    events.runStarted({});
    for (let index = 0; index < 5000; index++) events.fileTook(`f${index}`, index, (index * 7919) % 5000);
    events.runEnded({});
    events.close();
    const files = ofType("slowest-files")[0]?.files as { elapsedMs: number }[];
    expect(files.map((file) => file.elapsedMs)).toEqual(Array.from({ length: 100 }, (_, index) => 4999 - index));
  });

  it("goes on behind a line that a crash cut off", () => {
    for (let run = 0; run < 2; run++) {
      const events = new EventsFile(nodeFileSystem, path, clock);
      events.runStarted({ run });
      events.close();
      if (run === 0) appendFileSync(path, '{"type":"file-no');
    }
    expect(read().map((event) => event.run)).toEqual([0, 1]);
  });

  it("never stops a preparation: it says that it cannot write and stays silent", () => {
    const fs = failingFileSystem([{ call: "write", at: 1, errno: "ENOSPC" }]);
    const events = new EventsFile(fs, path, clock);
    events.runStarted({});
    events.runEnded({});
    expect(events.problem).toContain("no space left on the drive");
    events.event("more", {});
    events.close();
    expect(read()).toEqual([]);
  });
});
