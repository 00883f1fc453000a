/** Planning by itself: what files and directories are reckoned to cost, batches, and planning the rest again. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { readPlanRecord } from "../../src/copy/plan-record.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { PlanFileReader } from "../../src/prep/plan-files.ts";
import { type PlanContext, planRemaining, planSources } from "../../src/prep/plan-session.ts";
import type { PrepEvent } from "../../src/prep/prep-contract.ts";
import { type SessionFiles, sessionFiles } from "../../src/prep/session-files.ts";
import type { SourceEntry, SourceFile } from "../../src/prep/walk-sources.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

const SEGMENT_BYTES = 4_194_304;
const CLUSTER_BYTES = 4096;
const DIRECTORY_COST = 1024;
/** Directory entry, blob and one segment. */
const FILE_COST = 1024 + 400 + 130;

let files: SessionFiles;
let events: PrepEvent[];
beforeEach(() => {
  files = sessionFiles(join(temporaryDirectory(), "t.jrn"));
  mkdirSync(files.state);
  events = [];
});

function context(capacities: readonly number[], change: Partial<PlanContext> = {}): PlanContext {
  return {
    fs: nodeFileSystem,
    files,
    firstDrive: 0,
    generation: 0,
    targets: capacities.map((capacityBytes, pool) => ({
      driveId: `D${pool}`,
      place: `/d${pool}`,
      clusterBytes: CLUSTER_BYTES,
      capacityBytes,
      pool,
    })),
    pools: capacities.map((capacityBytes) => ({ capacityBytes })),
    distribute: "fill",
    onEvent: (event) => events.push(event),
    signal: new AbortController().signal,
    ...change,
  };
}

function file(relativePath: string, sizeBytes = 1, row = 0): SourceFile {
  const stat = { kind: "file" as const, sizeBytes, mtimeNs: 1n, fileId: 1n, device: 1n, mode: 0o100644 };
  return { kind: "file", row, relativePath, storedPath: relativePath, stat, segmentBytes: SEGMENT_BYTES, flags: 0 };
}

const usedBy = async (entries: readonly SourceEntry[]): Promise<number> => {
  const { drives } = await planSources(context([1e15]), entries);
  return drives[0]?.usedBytes ?? 0;
};

function pathsOf(path: string): string[] {
  const reader = new PlanFileReader(nodeFileSystem, path);
  const paths: string[] = [];
  for (let offset = reader.peek(); offset >= 0; reader.skip(), offset = reader.peek()) {
    paths.push(readPlanRecord(reader.buffer, offset).relativePath);
  }
  reader.close();
  return paths;
}

describe("what is reckoned", () => {
  it("for a file: whole clusters, its entry, its share of the manifest", async () => {
    const row = DIRECTORY_COST;
    expect(await usedBy([file("a", 0)])).toBe(row + FILE_COST - 130);
    expect(await usedBy([file("a", 1)])).toBe(row + FILE_COST + CLUSTER_BYTES);
    expect(await usedBy([file("a", CLUSTER_BYTES)])).toBe(row + FILE_COST + CLUSTER_BYTES);
    expect(await usedBy([file("a", SEGMENT_BYTES + 1)])).toBe(row + FILE_COST + 130 + SEGMENT_BYTES + CLUSTER_BYTES);
  });

  it.each<[string, string[], number]>([
    ["one directory for the row itself", ["a", "b"], 1],
    ["each directory once", ["a/1", "a/2", "a/3"], 2],
    ["all that lead there", ["a/b/c/1"], 4],
    ["only those the one before did not have", ["a/b/1", "a/c/1", "a/d"], 4],
    ["names that begin alike are not one directory", ["ab/1", "abc/1"], 3],
    ["of the same depth", ["a/x/1", "b/x/1"], 5],
  ])("for directories: %s", async (_what, paths, directories) => {
    const used = await usedBy(paths.map((path) => file(path)));
    expect(used - paths.length * (FILE_COST + CLUSTER_BYTES)).toBe(directories * DIRECTORY_COST);
  });

  it("for every row anew", async () => {
    const used = await usedBy([file("a/1"), file("a/1", 1, 1)]);
    expect(used - 2 * (FILE_COST + CLUSTER_BYTES)).toBe(4 * DIRECTORY_COST);
  });
});

describe("planning", () => {
  it("puts every file into one plan, in the order of the walk, and counts what is left out", async () => {
    const entries: SourceEntry[] = [
      file("a", 5000),
      { kind: "left-out", sourcePath: "/s/link", code: "FILE_SPECIAL", reason: "a link" },
      file("b", 90_000),
      { kind: "left-out", sourcePath: "/s/bad", code: "FILE_NAME_INVALID", reason: "bad" },
      { kind: "excluded", sourcePath: "/s/drive", code: "FILE_EXCLUDED", reason: "it is drive D0" },
      file("c", 6000),
    ];
    const { drives, unplaced, counts } = await planSources(context([50_000]), entries);
    expect(pathsOf(files.plan(0))).toEqual(["a", "c"]);
    expect(pathsOf(files.unplaced(0))).toEqual(["b"]);
    expect(drives).toMatchObject([{ driveId: "D0", facts: { files: 2, bytes: 11_000 } }]);
    expect(unplaced).toMatchObject({ files: 1, bytes: 90_000, moreDrivesNeeded: 0, tooLargeFiles: 1 });
    expect(counts).toEqual({ notDone: { FILE_NAME_INVALID: 1 }, special: 1 });
    expect(events.map(({ type }) => type)).toEqual(["file-not-done", "file-not-done", "warning", "walk"]);
  });

  it("takes up a drive again in the next batch", async () => {
    const many = Array.from({ length: 100_003 }, (_, n) => file(String(n).padStart(6, "0"), 0));
    const { drives } = await planSources(context([1e12, 1e12]), many);
    expect(drives.map(({ facts }) => facts.files)).toEqual([100_003, 0]);
  });

  it("stops between two files when the run is interrupted", async () => {
    const controller = new AbortController();
    controller.abort(new Error("stopped"));
    const many = Array.from({ length: 5000 }, (_, n) => file(String(n)));
    await expect(planSources(context([1e12], { signal: controller.signal }), many)).rejects.toThrow("stopped");
  });
});

describe("planning what has no drive", () => {
  it("takes the parts that are named, in the order of the walk, keeping sequence numbers", async () => {
    await planSources(
      context([27_000, 17_000]),
      ["a", "b", "c", "d", "e", "f", "g"].map((name) => file(name, 5000)),
    );
    const before = [files.plan(0), files.plan(1), files.unplaced(0)].map(pathsOf);
    expect(before).toEqual([["a", "b"], ["c"], ["d", "e", "f", "g"]]);
    const part = await planRemaining(context([1e9], { firstDrive: 2, generation: 1 }), [
      { path: files.unplaced(0), from: 0, until: Number.POSITIVE_INFINITY },
      { path: files.plan(0), from: 1, until: 2 },
      { path: files.plan(1), from: 0, until: 1 },
    ]);
    expect(pathsOf(files.plan(2))).toEqual(["b", "c", "d", "e", "f", "g"]);
    expect(pathsOf(files.unplaced(1))).toEqual([]);
    expect(part.drives).toMatchObject([{ facts: { files: 6, bytes: 30_000 } }]);
    const reader = new PlanFileReader(nodeFileSystem, files.plan(2));
    expect([reader.peekSequence(), reader.peekPosition()]).toEqual([1, 0]);
    reader.close();
  });
});
