import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  maxPlanRecordBytes,
  type PlannedFile,
  readPlanRecord,
  viewOf,
  writePlanRecord,
} from "../../src/copy/plan-record.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import {
  checkPlanFile,
  mergePlans,
  type PlanFileFacts,
  PlanFileReader,
  PlanFileWriter,
} from "../../src/prep/plan-files.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});

function planned(sequence: number, change: Partial<PlannedFile> = {}): PlannedFile {
  const relativePath = `dir/${sequence}.txt`;
  return {
    position: 0,
    sequence,
    sizeBytes: sequence * 10,
    mtimeNs: BigInt(sequence),
    fileId: 18_446_744_073_709_551_615n,
    mode: 0o100644,
    segmentBytes: 4_194_304,
    row: 0,
    flags: 0,
    relativePath,
    storedPath: relativePath,
    ...change,
  };
}

function write(name: string, files: readonly PlannedFile[]): { path: string; facts: PlanFileFacts } {
  const path = join(directory, name);
  const writer = new PlanFileWriter(nodeFileSystem, path);
  for (const file of files) {
    const packed = Buffer.alloc(maxPlanRecordBytes(file));
    writePlanRecord(file, packed, viewOf(packed), 0);
    writer.addPacked(packed, 0, file.sizeBytes);
  }
  return { path, facts: writer.finish() };
}

function readAll(path: string, offsetBytes = 0): PlannedFile[] {
  const reader = new PlanFileReader(nodeFileSystem, path, offsetBytes);
  const files: PlannedFile[] = [];
  for (let offset = reader.peek(); offset >= 0; reader.skip(), offset = reader.peek()) {
    files.push(readPlanRecord(reader.buffer, offset));
  }
  reader.close();
  return files;
}

describe("a plan file", () => {
  it("gives back what was written, over many buffers and with paths longer than one", () => {
    const long = `${"x".repeat(250)}/`.repeat(1200);
    const files = Array.from({ length: 9000 }, (_, n) =>
      planned(n, n === 4000 ? { relativePath: `${long}é`, storedPath: `${long}%E9` } : {}),
    );
    const { path, facts } = write("p", files);
    expect(readAll(path)).toEqual(files.map((file, position) => ({ ...file, position })));
    expect(facts).toMatchObject({ files: 9000, bytes: 404_955_000, lengthBytes: readFileSync(path).length });
  });

  it("tells where each row begins", () => {
    const rows = [0, 0, 2, 2, 5];
    const { path, facts } = write(
      "p",
      rows.map((row, n) => planned(n, { row })),
    );
    expect(facts.rowOffsets.map(([row]) => row)).toEqual([0, 2, 5]);
    for (const [row, offset] of facts.rowOffsets) {
      expect(readAll(path, offset).map((file) => file.row)).toEqual(rows.filter((r) => r >= row));
    }
  });

  it("without files is empty and whole", () => {
    const { path, facts } = write("p", []);
    expect(facts).toMatchObject({ files: 0, bytes: 0, lengthBytes: 0, rowOffsets: [] });
    expect(readAll(path)).toEqual([]);
    checkPlanFile(nodeFileSystem, path, facts);
  });

  it.each<[string, (path: string) => void]>([
    ["a flipped bit", (path) => flip(path, 70)],
    ["a missing end", (path) => truncateSync(path, readFileSync(path).length - 1)],
    ["bytes behind", (path) => appendFileSync(path, "x")],
    ["no file", (path) => nodeFileSystem.unlink(path)],
  ])("with %s is damaged", (_what, damage) => {
    const { path, facts } = write("p", [planned(0), planned(1)]);
    checkPlanFile(nodeFileSystem, path, facts);
    damage(path);
    expect(() => checkPlanFile(nodeFileSystem, path, facts)).toThrow(
      expect.objectContaining({ code: "STATE_DAMAGED", message: expect.stringContaining(path) }),
    );
  });

  it("that ends in the middle of a record is damaged for its reader too", () => {
    const { path } = write("p", [planned(0), planned(1)]);
    truncateSync(path, readFileSync(path).length - 3);
    expect(() => readAll(path)).toThrow(expect.objectContaining({ code: "STATE_DAMAGED" }));
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

describe("merged plans", () => {
  const sequencesOf = (parts: readonly { sequences: number[]; until?: number }[]): [number, number][] => {
    const readers = parts.map(({ sequences }, index) => {
      const { path } = write(
        `m${index}`,
        sequences.map((sequence) => planned(sequence)),
      );
      return new PlanFileReader(nodeFileSystem, path);
    });
    const until = parts.map((part) => part.until ?? Number.POSITIVE_INFINITY);
    const found: [number, number][] = [];
    for (const { reader, index } of mergePlans(readers, until)) {
      found.push([readPlanRecord(reader.buffer, reader.peek()).sequence, index]);
    }
    return found;
  };

  it("come in the order of the walk", () => {
    expect(sequencesOf([{ sequences: [0, 3, 4] }, { sequences: [] }, { sequences: [1, 2, 7] }])).toEqual([
      [0, 0],
      [1, 2],
      [2, 2],
      [3, 0],
      [4, 0],
      [7, 2],
    ]);
  });

  it("each up to its position", () => {
    const parts = [{ sequences: [0, 3, 4], until: 1 }, { sequences: [1, 2, 7], until: 0 }, { sequences: [5, 6] }];
    expect(sequencesOf(parts).map(([sequence]) => sequence)).toEqual([0, 5, 6]);
  });
});
