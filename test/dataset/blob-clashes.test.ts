import { describe, expect, test } from "vitest";
import {
  type BlobSource,
  destinationsOverlap,
  findBlobPathClashes,
  groupOverlappingRows,
} from "../../src/dataset/blob-clashes.ts";
import type { DatasetRow } from "../../src/dataset/dataset-row.ts";

function row(index: number, destination: string): DatasetRow {
  const kind = destination.endsWith("/") ? "directory" : "file";
  const container = destination.split("/")[0] ?? "";
  const basePath = `/source/${index}`;
  return {
    index,
    line: index + 2,
    basePath,
    kind,
    destination,
    container,
    blobType: "BlockBlob",
    disposition: "rename",
  };
}

const rows = (...destinations: string[]) => destinations.map((destination, index) => row(index, destination));

describe("rows that may meet", () => {
  test.each([
    [["video/", "photos/"], []],
    [["video/", "video/"], [[0, 1]]],
    [["video/a/", "video/"], [[0, 1]]],
    [["video/a/", "video/ab/"], []],
    [["video/a/", "video/a/x.txt"], [[0, 1]]],
    [["video/a", "video/a/"], []],
    [["video/x.txt", "video/x.txt"], [[0, 1]]],
    [["video/x.txt", "video/x.txt.bak"], []],
    [
      ["b-1/", "a-1/", "b-1/c/", "a-1/", "c-1/"],
      [
        [1, 3],
        [0, 2],
      ],
    ],
    [["a-1/", "a-1/b/", "a-1/c/", "a-1/b/d/"], [[0, 1, 2, 3]]],
  ] as const)("%j: %j", (destinations, groups) => {
    const given = rows(...destinations);
    expect(groupOverlappingRows(given)).toEqual(groups);
    expect(destinationsOverlap(given)).toBe(groups.length > 0);
  });
});

describe("clashes", () => {
  const stream = (name: string, ...blobPaths: string[]): BlobSource[] =>
    blobPaths.map((blobPath) => ({ blobPath, sourcePath: `${name}:${blobPath}` }));

  test("every pair, in order, with all its sources", () => {
    const streams = [
      stream("1", "c/a", "c/b", "c/d"),
      stream("2", "c/b", "c/c"),
      stream("3", "c/a", "c/b", "c/\u{1f600}"),
    ];
    expect([...findBlobPathClashes(streams)]).toEqual([
      { blobPath: "c/a", sources: ["1:c/a", "3:c/a"] },
      { blobPath: "c/b", sources: ["1:c/b", "2:c/b", "3:c/b"] },
    ]);
  });

  test("the last of all streams too; letter case and Unicode form make other blobs", () => {
    expect([...findBlobPathClashes([stream("1", "c/Z"), stream("2", "c/z")])]).toEqual([]);
    expect([...findBlobPathClashes([stream("1", "c/z"), stream("2", "c/z")])]).toHaveLength(1);
    expect([...findBlobPathClashes([stream("1", "c/e\u0301"), stream("2", "c/é")])]).toEqual([]);
    expect([...findBlobPathClashes([])]).toEqual([]);
  });

  test("streams are closed when the search is left early", () => {
    let closed = 0;
    function* source(): Generator<BlobSource> {
      try {
        for (;;) yield { blobPath: "c/x", sourcePath: "s" };
      } finally {
        closed++;
      }
    }
    const search = findBlobPathClashes([
      source(),
      (function* () {
        yield* stream("1", "c/y");
      })(),
      source(),
    ]);
    const limited = findBlobPathClashes([stream("1", "c/a"), stream("2", "c/a"), source()]);
    expect(limited.next().value).toMatchObject({ blobPath: "c/a" });
    limited.return();
    expect(closed).toBe(1);
    search.return();
  });
});
