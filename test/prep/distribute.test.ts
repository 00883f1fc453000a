import { describe, expect, it } from "vitest";
import { type Batch, Distributor, RestCounter, UNPLACED } from "../../src/prep/distribute.ts";

/** Files as [folder, cost]; a directory costs 1. */
function batchOf(files: readonly (readonly [folder: number, cost: number])[]): Batch {
  return {
    count: files.length,
    costs: Float64Array.from(files, ([, cost]) => cost),
    folders: () => ({
      ids: Int32Array.from(files, ([folder]) => folder),
      count: 1 + Math.max(-1, ...files.map(([folder]) => folder)),
      costBytes: () => 1,
    }),
  };
}

/** Each drive on a volume of its own. */
function distributor(capacities: readonly number[], mode: "fill" | "spread" = "fill"): Distributor {
  return new Distributor(
    capacities.map((capacityBytes, pool) => ({ capacityBytes, pool })),
    capacities.map((capacityBytes) => ({ capacityBytes })),
    mode,
  );
}

const files = (count: number, cost: number, folder = 0): [number, number][] =>
  Array.from({ length: count }, () => [folder, cost]);

describe("fill", () => {
  it("puts what fits on one drive there, on the largest", () => {
    expect([...distributor([100, 300, 200]).assign(batchOf(files(3, 60)))]).toEqual([1, 1, 1]);
  });

  it("goes on with the drive in use while batches fit there, then takes the next", () => {
    const drives = distributor([100, 300, 200]);
    drives.assign(batchOf(files(2, 100)));
    expect([...drives.assign(batchOf([[0, 90]]))]).toEqual([1]);
    expect([...drives.assign(batchOf([[0, 150]]))]).toEqual([2]);
    expect([...drives.assign(batchOf([[0, 40]]))]).toEqual([2]);
    expect([...drives.assign(batchOf([[0, 10]]))]).toEqual([1]);
  });

  it("keeps a folder together when the batch does not fit on one drive", () => {
    const batch = batchOf([...files(3, 60, 0), ...files(3, 60, 1), ...files(3, 60, 2)]);
    const found = [...distributor([200, 200, 200]).assign(batch)];
    expect(found).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  });

  it("takes apart only a folder that fits nowhere, file by file", () => {
    const batch = batchOf([...files(2, 60, 0), ...files(4, 60, 1)]);
    expect([...distributor([130, 190, 70]).assign(batch)]).toEqual([1, 1, 1, 0, 0, 2]);
  });

  it("a file that fits nowhere is not placed, and those behind it still are", () => {
    const found = [...distributor([100, 100]).assign(batchOf([...files(1, 500), ...files(2, 60)]))];
    expect(found).toEqual([UNPLACED, 0, 1]);
  });

  it("without drives nothing is placed", () => {
    expect([...distributor([]).assign(batchOf(files(2, 1)))]).toEqual([UNPLACED, UNPLACED]);
  });
});

describe("spread", () => {
  it("keeps drives equally full, in proportion to their size", () => {
    const drives = distributor([100, 200], "spread");
    const found = [...drives.assign(batchOf(Array.from({ length: 12 }, (_, folder) => [folder, 14] as const)))];
    expect(found.filter((drive) => drive === 0)).toHaveLength(4);
    expect([drives.usedBytes(0), drives.usedBytes(1)]).toEqual([60, 120]);
  });

  it("takes a folder apart that is more than a drive's share", () => {
    const found = [...distributor([100, 100], "spread").assign(batchOf(files(4, 10)))];
    expect(found).toEqual([0, 1, 0, 1]);
  });
});

describe("drives on one volume", () => {
  it("share what it has free", () => {
    const pool = [{ capacityBytes: 100 }];
    const two = [
      { capacityBytes: 100, pool: 0 },
      { capacityBytes: 100, pool: 0 },
    ];
    for (const mode of ["fill", "spread"] as const) {
      const drives = new Distributor(two, pool, mode);
      const found = [...drives.assign(batchOf(files(4, 30)))];
      expect(found.filter((drive) => drive !== UNPLACED)).toHaveLength(3);
      expect(drives.usedBytes(0) + drives.usedBytes(1)).toBeLessThanOrEqual(100);
    }
  });
});

describe("the rest", () => {
  it("counts drives of the largest size, and files that no such drive takes", () => {
    const rest = new RestCounter(100);
    for (const cost of [60, 60, 30, 101, 100]) rest.add(cost);
    expect({ drives: rest.drives, tooLargeFiles: rest.tooLargeFiles }).toEqual({ drives: 3, tooLargeFiles: 1 });
  });
});
