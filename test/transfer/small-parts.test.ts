/** The parts of a transfer that can be looked at alone. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEGMENT_STATUSES } from "../../src/copy-log/status-codes.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { fromOutcomeRecord, toOutcomeRecord } from "../../src/transfer/blob-outcome.ts";
import { Budget } from "../../src/transfer/budget.ts";
import { timeStamp } from "../../src/transfer/diagnostics.ts";
import type { ExportEntry } from "../../src/transfer/export-entry.ts";
import { NameClashes, naturalPaths, renamedPaths } from "../../src/transfer/export-names.ts";
import { fetchUnits } from "../../src/transfer/export-segments.ts";
import { forEachLine, readLines } from "../../src/transfer/line-reader.ts";
import { DrivePacker, exportCostBytes } from "../../src/transfer/pack-drives.ts";
import { renamedBlob } from "../../src/transfer/rename-rule.ts";
import { ResultIndex } from "../../src/transfer/result-index.ts";
import { type StateRecord, TransferState } from "../../src/transfer/transfer-state.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

describe("the rename rule", () => {
  it.each([
    ["Seattle.jpg", 2, "Seattle (2).jpg"],
    ["Seattle.jpg", 3, "Seattle (3).jpg"],
    ["BlobNameWithoutDot", 2, "BlobNameWithoutDot (2)"],
    ["v1.2/readme", 2, "v1 (2).2/readme"],
    ["a.tar.gz", 4, "a.tar (4).gz"],
    [".profile", 2, " (2).profile"],
  ])("%s, %i", (name, number, renamed) => {
    expect(renamedBlob(name, number)).toBe(renamed);
  });
});

describe("a budget", () => {
  it("is never exceeded, serves in order and leaves nobody waiting", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 60 }), async (amounts) => {
        const budget = new Budget(10);
        let used = 0;
        const served: number[] = [];
        await Promise.all(
          amounts.map(async (amount, index) => {
            await budget.take(amount);
            served.push(index);
            used += Math.min(amount, 10);
            expect(used).toBeLessThanOrEqual(10);
            await Promise.resolve();
            used -= Math.min(amount, 10);
            budget.give(amount);
          }),
        );
        expect(served).toEqual(amounts.map((_, index) => index));
      }),
    );
  });

  it("serves thousands of waiting ones", async () => {
    const budget = new Budget(1);
    let done = 0;
    const all = Array.from({ length: 5000 }, async () => {
      await budget.take();
      done += 1;
      budget.give();
    });
    await Promise.all(all);
    expect(done).toBe(5000);
  });
});

describe("an outcome", () => {
  it("survives its record, however many segments it has", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...SEGMENT_STATUSES), { maxLength: 50 }), (segments) => {
        const outcome = {
          status: "CompletedWithErrors" as const,
          disposition: "Renamed" as const,
          renamedTo: "c/a (2)",
          segments,
          metadata: "Corrupted" as const,
          reason: "why",
        };
        expect(fromOutcomeRecord(JSON.parse(JSON.stringify(toOutcomeRecord(outcome))))).toEqual(outcome);
      }),
    );
    const skipped = { status: "Completed" as const, disposition: "Skipped" as const, segments: "skipped" as const };
    expect(fromOutcomeRecord(toOutcomeRecord(skipped))).toEqual(skipped);
  });
});

describe("lines", () => {
  it("are the same pushed and pulled, across pieces; a torn one is left out", () => {
    const path = join(temporaryDirectory(), "lines");
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "ä", "😀"), maxLength: 9 })),
        fc.nat(40_000),
        (lines, filler) => {
          const all = [..."x".repeat(3)].map((letter) => letter.repeat(filler)).concat(lines);
          writeFileSync(path, `${all.map((line) => `${line}\n`).join("")}torn`);
          expect([...readLines(nodeFileSystem, path)]).toEqual(all);
          const pushed: string[] = [];
          const fd = openSync(path, "r");
          const end = forEachLine(nodeFileSystem, fd, 0, (line) => pushed.push(line) > 0);
          closeSync(fd);
          expect(pushed).toEqual(all);
          expect(end).toBe(all.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a state file", () => {
  interface Line extends StateRecord {
    text: string;
  }
  const open = (path: string, seen: Line[] = []) =>
    new TransferState<Line>(nodeFileSystem, systemClock, path, (record) => seen.push(record));

  it("gives back what was written, and any record by its place", () => {
    const path = join(temporaryDirectory(), "state");
    const state = open(path);
    for (let i = 0; i < 2000; i++) state.append({ i, text: "ä".repeat(i % 90) });
    const index = new ResultIndex(nodeFileSystem, join(temporaryDirectory(), "index"));
    state.replay((record, offset) => index.set(record.i, offset));
    for (const i of [0, 1999, 7, 8, 1000, ...Array(2000).keys()])
      expect(state.read(index.get(i) ?? -1)).toEqual({ i, text: "ä".repeat(i % 90) });
    expect(index.get(2000)).toBeUndefined();
    expect(index.get(50_000)).toBeUndefined();
    index.remove();
    state.close();
    const seen: Line[] = [];
    open(path, seen).close();
    expect(seen).toHaveLength(2000);
  });
});

describe("log names", () => {
  it("carry the time as the service writes it", () => {
    expect(timeStamp(Date.UTC(2013, 8, 21, 3, 43, 7, 902))).toBe("20130921-034307-902");
  });
});

const entry = (index: number, name: string, more: Partial<ExportEntry> = {}): ExportEntry => ({
  index,
  container: "box",
  name,
  type: "block",
  sizeBytes: 1,
  etag: "",
  lastModified: "",
  isLeased: false,
  isArchived: false,
  metadata: {},
  properties: {},
  ...more,
});

describe("places on a drive", () => {
  it("are never the same for two files, letter case aside, and no file is a folder of another", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", "A", "b", "/", ".", "?", " ", "ä", "Ä"),
      minLength: 1,
      maxLength: 6,
    });
    const suffix = fc.constantFrom("", "", ".properties", ".metadata", "/x");
    const names = fc.uniqueArray(
      fc.tuple(name, suffix).map(([stem, end]) => stem + end),
      { minLength: 1, maxLength: 40 },
    );
    const directory = temporaryDirectory();
    fc.assert(
      fc.property(names, fc.boolean(), (all, hasMetadata) => {
        const clashes = new NameClashes(nodeFileSystem, directory);
        const metadata: Record<string, string> = hasMetadata ? { a: "1" } : {};
        const entries = all.map((one, index) => entry(index, one, { metadata }));
        for (const one of entries) clashes.add(one);
        const renamed = new Set(clashes.renamed());
        clashes.close();
        const taken = new Set<string>();
        const folders = new Map<string, string>();
        for (const one of entries) {
          const paths = (renamed.has(one.index) ? undefined : naturalPaths(one)) ?? renamedPaths(one);
          for (const path of [paths.file, paths.properties, ...(hasMetadata ? [paths.metadata] : [])]) {
            const key = path.toUpperCase();
            expect(taken.has(key), path).toBe(false);
            taken.add(key);
            const parts = path.split("\\");
            for (let depth = 2; depth < parts.length; depth++) {
              const folder = parts.slice(0, depth).join("\\");
              expect(folders.get(folder.toUpperCase()) ?? folder).toBe(folder);
              folders.set(folder.toUpperCase(), folder);
            }
          }
        }
        for (const path of taken) expect(folders.has(path), path).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe("fetching", () => {
  it("covers every segment once, in pieces of at most 4 MiB unless a segment is larger", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 3_000_000 }), fc.nat(2)), { maxLength: 30 }), (parts) => {
        const offsets: number[] = [];
        const lengths: number[] = [];
        let end = 0;
        for (const [length, gap] of parts) {
          offsets.push(end + gap * 512);
          lengths.push(length);
          end += gap * 512 + length;
        }
        const covered: number[] = [];
        for (const unit of fetchUnits({ offsets, lengths })) {
          expect(unit.length).toBeLessThanOrEqual(4 * 1024 * 1024);
          expect(unit.offset).toBe(offsets[unit.first]);
          expect(unit.offset + unit.length).toBe((offsets[unit.end - 1] ?? 0) + (lengths[unit.end - 1] ?? 0));
          for (let index = unit.first; index < unit.end; index++) covered.push(index);
        }
        expect(covered).toEqual(offsets.map((_, index) => index));
      }),
    );
  });
});

describe("packing", () => {
  const MIB = 1024 * 1024;

  it("never plans more for a drive than it takes", () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: MIB }), fc.integer({ min: 64 * MIB, max: 400 * MIB })));
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 0, max: 800 * MIB }), { minLength: 1, maxLength: 4 }),
        (all, capacities) => {
          const drives = capacities.map((capacityBytes, n) => ({
            driveId: `D${n}`,
            root: "",
            capacityBytes,
            clusterBytes: 4096,
          }));
          const packer = new DrivePacker(drives);
          const entries = all.map((sizeBytes, index) => entry(index, `f${index}`, { sizeBytes }));
          for (const one of entries) packer.see(one);
          packer.placeLarge();
          const used = drives.map(() => 0);
          let left = 0;
          const whole = entries.reduce((sum, one) => sum + exportCostBytes(one, 4096), 0);
          for (const one of entries) {
            const drive = packer.place(one);
            const cost = exportCostBytes(one, 4096);
            if (drive === undefined) left += 1;
            else used[drive] = (used[drive] ?? 0) + cost;
          }
          for (const [n, bytes] of used.entries()) expect(bytes).toBeLessThanOrEqual(capacities[n] ?? 0);
          if (whole <= Math.max(...capacities)) expect(left).toBe(0);
        },
      ),
    );
  });

  it("places large blobs first, the largest first", () => {
    const drives = [300 * MIB, 200 * MIB].map((capacityBytes, n) => ({
      driveId: `D${n}`,
      root: "",
      capacityBytes,
      clusterBytes: 4096,
    }));
    const packer = new DrivePacker(drives);
    const entries = [90, 190, 199, 100].map((mib, index) => entry(index, `f${index}`, { sizeBytes: mib * MIB }));
    for (const one of entries) packer.see(one);
    packer.placeLarge();
    expect(entries.map((one) => packer.place(one))).toEqual([undefined, 1, 0, 0]);
  });
});
