import { describe, expect, test } from "vitest";
import {
  directoryCostBytes,
  fileCostBytes,
  planCapacities,
  planCapacity,
  reserveBytes,
} from "../../src/drives/capacity.ts";
import { sampleDrive } from "./sample-drive.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

test.each([
  [GIB - 1, MIB],
  [GIB, 64 * MIB],
  [125 * GIB, 64 * MIB],
  [4_000_000_000_000, 2_000_000_000],
])("of %d bytes %d stay free", (sizeBytes, reserve) => {
  expect(reserveBytes(sizeBytes)).toBe(reserve);
});

test("capacity is what is free less the reserve, never below nothing, capped by the user", () => {
  const drive = { sizeBytes: 10 * GIB, freeBytes: 5 * GIB };
  expect(planCapacity(drive)).toBe(5 * GIB - 64 * MIB);
  expect(planCapacity(drive, GIB)).toBe(GIB);
  expect(planCapacity(drive, 9 * GIB)).toBe(5 * GIB - 64 * MIB);
  expect(planCapacity({ sizeBytes: 10 * GIB, freeBytes: MIB })).toBe(0);
});

test("drives on one volume share what it has free", () => {
  const drives = [
    sampleDrive({ volumeKey: "a", sizeBytes: 10 * GIB, freeBytes: 5 * GIB }),
    sampleDrive({ volumeKey: "b", sizeBytes: 500 * MIB, freeBytes: 400 * MIB }),
    sampleDrive({ volumeKey: "a", sizeBytes: 10 * GIB, freeBytes: 5 * GIB }),
  ];
  expect(planCapacities(drives, (index) => (index === 2 ? GIB : undefined))).toEqual({
    drives: [
      { capacityBytes: 5 * GIB - 64 * MIB, pool: 0 },
      { capacityBytes: 399 * MIB, pool: 1 },
      { capacityBytes: GIB, pool: 0 },
    ],
    pools: [
      { volumeKey: "a", capacityBytes: 5 * GIB - 64 * MIB },
      { volumeKey: "b", capacityBytes: 399 * MIB },
    ],
  });
});

describe("what a file costs", () => {
  test.each([
    [0, 0, 4096, 1424],
    [1, 1, 4096, 4096 + 1424 + 130],
    [4096, 1, 4096, 4096 + 1424 + 130],
    [4097, 1, 4096, 8192 + 1424 + 130],
    [209_715_200_000, 50_000, 4096, 209_715_200_000 + 1424 + 6_500_000],
  ])("%d bytes in %d segments on clusters of %d: %d", (sizeBytes, segments, clusterBytes, cost) => {
    expect(fileCostBytes(sizeBytes, segments, clusterBytes)).toBe(cost);
  });

  test("a directory", () => {
    expect(directoryCostBytes()).toBe(1024);
  });
});
