import { describe, expect, it } from "vitest";
import type { CopyRequest, DriveFailure, FileResult, IoMode } from "../../src/copy/copy-contract.ts";
import { FileResultWriter } from "../../src/copy/file-results.ts";
import { type PlannedFile, readPlanRecord, viewOf, writePlanRecord } from "../../src/copy/plan-record.ts";
import { UnitScheduler } from "../../src/copy/unit-scheduler.ts";
import type { FileIdentity, RangeUnit, UnitResult, WorkUnit } from "../../src/copy/work-unit.ts";

const SEGMENT_BYTES = 4 * 1024 * 1024;
const RANGE_BYTES = 12 * SEGMENT_BYTES;
const clock = { nowMs: () => 0, monotonicMs: () => 0 };

/** A scheduler over plans given as sizes, and fake workers that answer as told. */
function setUp(sizes: readonly (readonly number[])[], ioModes: readonly IoMode[] = []) {
  const results: { drive: number; result: FileResult }[] = [];
  const failures: { drive: number; failure: DriveFailure }[] = [];
  const cursors = sizes.map(() => 0);
  const request: CopyRequest = {
    mode: "copy",
    sourceRoots: ["/source"],
    drives: sizes.map((_, drive) => ({ sessionRoot: `/drive-${drive}`, ioMode: ioModes[drive] ?? "parallel" })),
    flush: "none",
    nextBatch: (drive, maxFiles) => {
      const records = Buffer.alloc(100 * maxFiles);
      let at = 0;
      let count = 0;
      for (; count < maxFiles; count++) {
        const position = cursors[drive] as number;
        const sizeBytes = sizes[drive]?.[position];
        if (sizeBytes === undefined) break;
        at += writePlanRecord(planned(position, sizeBytes), records, viewOf(records), at);
        cursors[drive] = position + 1;
      }
      return count === 0 ? undefined : { records: records.subarray(0, at), count };
    },
    onResults: (drive, list) => results.push(...list.map((result) => ({ drive, result }))),
    onDriveFailed: (drive, failure) => failures.push({ drive, failure }),
  };
  const scheduler = new UnitScheduler(request, clock);
  return { scheduler, results, failures, positions: () => results.map(({ result }) => result.position) };
}

function planned(position: number, sizeBytes: number): PlannedFile {
  const relativePath = `f${position}`;
  const rest = {
    sequence: position,
    mtimeNs: 5n,
    fileId: 6n,
    mode: 0o644,
    segmentBytes: SEGMENT_BYTES,
    row: 0,
    flags: 0,
  };
  return { position, sizeBytes, ...rest, relativePath, storedPath: relativePath };
}

function positionsOf(unit: WorkUnit | undefined): number[] {
  if (unit === undefined) return [];
  const bytes = Buffer.from("records" in unit ? unit.records : unit.record);
  const positions: number[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) positions.push(readPlanRecord(bytes, at).position);
  return positions;
}

/** Every file of the unit was copied as planned. */
function done(unit: WorkUnit, parts: Partial<UnitResult> = {}): UnitResult {
  const writer = new FileResultWriter();
  const base = { id: unit.id, drive: unit.drive, readMs: 0, busyMs: 10, directFiles: 0, bufferedFiles: 1 };
  if (unit.kind === "files") {
    for (const position of positionsOf(unit)) {
      writer.done({ outcome: "done", position, sizeBytes: 1, mtimeNs: 5n, digests: new Uint8Array(16), elapsedMs: 1 });
    }
  }
  const result: UnitResult = { ...base, files: writer.take(), ...parts };
  if (unit.kind === "range" && result.range === undefined) result.range = rangeDone(unit);
  return result;
}

function rangeDone(unit: RangeUnit, sizeBytes?: number) {
  const { sizeBytes: plannedBytes } = readPlanRecord(Buffer.from(unit.record), 0);
  const identity: FileIdentity = unit.identity ?? { sizeBytes: sizeBytes ?? plannedBytes, mtimeNs: 5n, fileId: 6n };
  const segments = Math.max(
    0,
    Math.min(unit.endSegment, Math.ceil(identity.sizeBytes / SEGMENT_BYTES)) - unit.firstSegment,
  );
  const digests = new Uint8Array(16 * segments).fill(unit.firstSegment + 1);
  return { outcome: "done", identity, firstSegment: unit.firstSegment, digests } as const;
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there should be one");
  return value;
}

describe("small files", () => {
  it("are handed out in plan order, in units of bounded number and size", () => {
    const { scheduler } = setUp([[...Array(300).fill(100), ...Array(4).fill(3 * 1024 * 1024)]]);
    const units = [1, 2, 1, 2, 1].map((worker) => scheduler.next(worker));
    expect(units.flatMap(positionsOf)).toEqual(Array.from({ length: 304 }, (_, index) => index));
    expect(units.map((unit) => positionsOf(unit).length)).toEqual([128, 128, 46, 2, 0].map((n) => n || 0));
  });

  it("are done when all units are answered", () => {
    const { scheduler, positions } = setUp([Array(200).fill(1)]);
    const [a, b] = [must(scheduler.next(0)), must(scheduler.next(1))];
    expect(scheduler.next(0)).toBeUndefined();
    scheduler.take(done(b));
    expect(scheduler.isDone).toBe(false);
    scheduler.take(done(a));
    expect(scheduler.isDone).toBe(true);
    expect(positions()).toHaveLength(200);
  });
});

describe("a drive in sequential mode", () => {
  it("is written by one worker at a time, in order", () => {
    const { scheduler } = setUp([Array(300).fill(1)], ["sequential"]);
    const first = must(scheduler.next(0));
    expect(scheduler.next(1)).toBeUndefined();
    const second = must(scheduler.next(0));
    scheduler.take(done(first));
    expect(scheduler.next(1)).toBeUndefined();
    scheduler.take(done(second));
    expect(positionsOf(scheduler.next(1))[0]).toBe(256);
    expect(scheduler.next(0)).toBeUndefined();
  });

  it("gets a large file's ranges one after another, and nothing else before its last", () => {
    const { scheduler } = setUp([[3 * RANGE_BYTES, 1]], ["sequential"]);
    const first = must(scheduler.next(0));
    expect(scheduler.next(0)).toBeUndefined();
    scheduler.take(done(first));
    expect(scheduler.next(1)).toBeUndefined();
    expect(scheduler.next(0)).toMatchObject({ firstSegment: 12, isFinal: false });
    expect(scheduler.next(0)).toMatchObject({ firstSegment: 24, isFinal: true });
    expect(positionsOf(scheduler.next(0))).toEqual([1]);
  });

  it("is read ahead by idle workers while its writer waits for the source, and no longer", () => {
    const { scheduler } = setUp([Array(3000).fill(1)], ["sequential"]);
    let unit = must(scheduler.next(0));
    scheduler.take(done(unit, { readMs: 9 }));
    unit = must(scheduler.next(0));
    const warm = must(scheduler.next(1));
    expect(warm.kind).toBe("warm");
    expect(positionsOf(warm)[0]).toBe(256);
    expect(scheduler.next(1)).toBeUndefined();
    scheduler.take(done(warm));
    expect(scheduler.next(1)).toBeUndefined();
    for (let round = 0; round < 3; round++) {
      scheduler.take(done(unit, { readMs: 9 }));
      unit = must(scheduler.next(0));
    }
    const ahead = [scheduler.next(1), scheduler.next(1), scheduler.next(1), scheduler.next(1)];
    expect(ahead.filter((one) => one?.kind === "warm")).toHaveLength(4);
    expect(scheduler.next(1)).toBeUndefined();
    for (let round = 0; round < 5; round++) {
      scheduler.take(done(unit));
      unit = must(scheduler.next(0));
    }
    expect(scheduler.next(1)).toBeUndefined();
  });
});

describe("a large file", () => {
  it("is begun by its owner alone; others help only when nothing else is queued", () => {
    const { scheduler, results } = setUp([[5 * RANGE_BYTES, 1]]);
    const first = must(scheduler.next(0));
    expect(first).toMatchObject({ kind: "range", firstSegment: 0, endSegment: 12, isFirst: true, isFinal: false });
    const small = must(scheduler.next(1));
    expect(positionsOf(small)).toEqual([1]);
    expect(scheduler.next(1)).toBeUndefined();
    scheduler.take(done(first));
    const [own, helped] = [must(scheduler.next(0)), must(scheduler.next(1))];
    expect(own).toMatchObject({ firstSegment: 12, isFirst: false, identity: { sizeBytes: 5 * RANGE_BYTES } });
    expect(helped).toMatchObject({ firstSegment: 24 });
    const [fourth, fifth] = [must(scheduler.next(0)), must(scheduler.next(0))];
    expect(fifth).toMatchObject({ firstSegment: 48, endSegment: 60, isFinal: false });
    for (const unit of [own, fourth, fifth]) scheduler.take(done(unit));
    // The file must not be ended while another worker writes in it, and never by another worker.
    expect(scheduler.next(0)).toBeUndefined();
    scheduler.take(done(helped));
    expect(scheduler.next(1)).toBeUndefined();
    const final = must(scheduler.next(0));
    expect(final).toMatchObject({ firstSegment: 60, endSegment: 60, isFinal: true });
    scheduler.take(done(final));
    scheduler.take(done(small));
    expect(scheduler.isDone).toBe(true);
    const file = results.find(({ result }) => result.position === 0)?.result;
    if (file?.outcome !== "done") throw new Error("not done");
    expect([0, 12, 24, 36, 48].map((segment) => file.digests[16 * segment])).toEqual([1, 13, 25, 37, 49]);
    expect(file.digests.length).toBe(16 * 60);
  });

  it("is as long as its first range found it", () => {
    const { scheduler, results } = setUp([[5 * RANGE_BYTES]]);
    const first = must(scheduler.next(0)) as RangeUnit;
    scheduler.take(done(first, { range: rangeDone(first, SEGMENT_BYTES + 1) }));
    const final = must(scheduler.next(0));
    expect(final).toMatchObject({ firstSegment: 2, endSegment: 2, isFinal: true });
    scheduler.take(done(final));
    expect(results[0]?.result).toMatchObject({ sizeBytes: SEGMENT_BYTES + 1 });
  });

  it("is begun again when it changed, once nobody is in it, and given up after the fourth time", () => {
    const { scheduler, results } = setUp([[3 * RANGE_BYTES]]);
    const changed = { range: { outcome: "changed", reason: "kept changing" } } as const;
    for (let round = 0; round < 4; round++) {
      const first = must(scheduler.next(0));
      expect(first).toMatchObject({ firstSegment: 0, isFirst: true });
      expect(first).not.toHaveProperty("identity");
      scheduler.take(done(first));
      const [own, helped] = [must(scheduler.next(0)), must(scheduler.next(1))];
      scheduler.take(done(own, changed));
      expect(scheduler.next(0)).toBeUndefined();
      scheduler.take(done(helped));
    }
    expect(results.map(({ result }) => result)).toEqual([
      expect.objectContaining({ outcome: "not-done", code: "FILE_CHANGED", sourcePath: "/source/f0" }),
    ]);
    const discard = must(scheduler.next(1));
    expect(discard.kind).toBe("discard");
    scheduler.take(done(discard));
    expect(scheduler.isDone).toBe(true);
  });
});

describe("several drives", () => {
  it("get turns by how little of theirs is out", () => {
    const { scheduler } = setUp([Array(20).fill(5 * 1024 * 1024), Array(20).fill(5 * 1024 * 1024)]);
    const drives = [0, 1, 0, 1].map((worker) => must(scheduler.next(worker)).drive);
    expect(drives).toEqual([0, 1, 0, 1]);
  });

  it("go on when one fails, which is told once nothing of it is out, with the first position left undone", () => {
    const { scheduler, failures } = setUp([Array(400).fill(1), Array(10).fill(1)]);
    const [a, other, b] = [must(scheduler.next(0)), must(scheduler.next(1)), must(scheduler.next(0))];
    expect([a.drive, other.drive, b.drive]).toEqual([0, 1, 1].map((_, index) => [0, 1, 0][index]));
    const failure = { errno: "EIO", kind: "failed", reason: "input/output error" } as const;
    scheduler.take(done(b, { failure, stoppedAt: 130, files: new Uint8Array(0) }));
    expect(failures).toEqual([]);
    expect(scheduler.next(0)).toBeUndefined();
    scheduler.take(done(a, { stoppedAt: 100, files: new Uint8Array(0) }));
    expect(failures).toEqual([{ drive: 0, failure: { ...failure, position: 100 } }]);
    scheduler.take(done(other));
    expect(scheduler.isDone).toBe(true);
  });
});

describe("abort", () => {
  it("hands out nothing more and removes large files that were begun", () => {
    const { scheduler, positions } = setUp([[3 * RANGE_BYTES, ...Array(300).fill(1)]]);
    const [first, small] = [must(scheduler.next(0)), must(scheduler.next(1))];
    scheduler.abort();
    expect(scheduler.next(1)).toBeUndefined();
    scheduler.take(done(small));
    scheduler.take(done(first, { range: { outcome: "stopped" }, stoppedAt: 0 }));
    expect(scheduler.isDone).toBe(false);
    const discard = must(scheduler.next(1));
    expect(discard).toMatchObject({ kind: "discard" });
    expect(positionsOf(discard)).toEqual([0]);
    scheduler.take(done(discard));
    expect(scheduler.isDone).toBe(true);
    expect(positions()).not.toContain(0);
  });
});
