import { describe, expect, test } from "vitest";
import type { DatasetRow } from "../../src/dataset/dataset-row.ts";
import { mapEntry } from "../../src/dataset/map-entry.ts";

const MIB = 1024 ** 2;
const TIB = 1024 ** 4;
const row: DatasetRow = {
  index: 0,
  line: 2,
  basePath: "/data",
  kind: "directory",
  destination: "video/",
  container: "video",
  blobType: "BlockBlob",
  disposition: "rename",
};
const page: DatasetRow = { ...row, blobType: "PageBlob" };
const map = (from: DatasetRow, relativePath: string, sizeBytes = 0, largeBlocks = false) =>
  mapEntry(from, { relativePath, storedPath: relativePath, sizeBytes }, { largeBlocks });

describe("blob paths", () => {
  test("destination and relative path", () => {
    expect(map(row, "Drama/GreatMovie.mov")).toEqual({
      ok: true,
      blobPath: "video/Drama/GreatMovie.mov",
      blobType: "BlockBlob",
      segmentBytes: 4 * MIB,
    });
  });

  test("a file's destination is its blob path", () => {
    const file: DatasetRow = { ...row, kind: "file", destination: "video/BlueRay.ISO" };
    expect(map(file, "other name.iso")).toMatchObject({ ok: true, blobPath: "video/BlueRay.ISO" });
  });

  test("the root container takes no folders", () => {
    const rootRow: DatasetRow = { ...row, destination: "$root/", container: "$root" };
    expect(map(rootRow, "a.txt")).toMatchObject({ ok: true, blobPath: "$root/a.txt" });
    expect(map(rootRow, "dir/a.txt")).toMatchObject({ ok: false, code: "FILE_IN_ROOT_CONTAINER" });
  });

  test("1,024 characters without the container, 254 parts", () => {
    expect(map(row, "x".repeat(1024)).ok).toBe(true);
    expect(map(row, "x".repeat(1025))).toMatchObject({ ok: false, code: "FILE_NAME_TOO_LONG" });
    expect(map(row, `${"a/".repeat(253)}a`).ok).toBe(true);
    expect(map(row, `${"a/".repeat(254)}a`)).toMatchObject({ ok: false, code: "FILE_NAME_TOO_LONG" });
  });
});

describe("blob types", () => {
  test.each([
    ["disk.vhd", "PageBlob"],
    ["dir/DISK.VHDX", "PageBlob"],
    ["disk.vhd.txt", "BlockBlob"],
    ["vhd", "BlockBlob"],
  ])("by extension: %s", (path, blobType) => {
    expect(map({ ...row, blobType: "ByExtension" }, path)).toMatchObject({ blobType });
  });

  test("a page blob's length is a multiple of 512", () => {
    expect(map(page, "a", 1024).ok).toBe(true);
    expect(map(page, "a", 0).ok).toBe(true);
    expect(map(page, "a", 513)).toMatchObject({ ok: false, code: "FILE_NOT_PAGE_ALIGNED" });
  });
});

describe("sizes", () => {
  test.each([
    [209_715_200_000, false, 4],
    [209_715_200_001, false, undefined],
    [209_715_200_000, true, 4],
    [209_715_200_001, true, 8],
    [50_000 * 100 * MIB, true, 100],
    [50_000 * 100 * MIB + 1, true, undefined],
  ])("block blob of %d bytes, large blocks %j: segments of %j MiB", (sizeBytes, largeBlocks, segmentMib) => {
    const mapped = map(row, "a", sizeBytes, largeBlocks);
    if (segmentMib === undefined) {
      expect(mapped).toMatchObject({ ok: false, code: "FILE_TOO_LARGE" });
    } else {
      expect(mapped).toMatchObject({ ok: true, segmentBytes: segmentMib * MIB });
      expect(Math.ceil(sizeBytes / (segmentMib * MIB))).toBeLessThanOrEqual(50_000);
    }
  });

  test.each([
    [TIB, false, true],
    [TIB + 512, false, false],
    [8 * TIB, true, true],
    [8 * TIB + 512, true, false],
  ])("page blob of %d bytes, large blocks %j: %j", (sizeBytes, largeBlocks, ok) => {
    expect(map(page, "a", sizeBytes, largeBlocks).ok).toBe(ok);
  });
});
