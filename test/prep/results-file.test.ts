import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { RESULT_BYTES, ResultsReader, ResultsWriter, resultsSeed } from "../../src/prep/results-file.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { bytesOf } from "./workbench.ts";

const SEED = resultsSeed("nonce", "DRIVE");
let paths: { results: string; digests: string };
beforeEach(() => {
  const directory = temporaryDirectory();
  paths = { results: join(directory, "results"), digests: join(directory, "digests") };
});

const fileOf = (position: number, segments = position % 4) => ({
  sizeBytes: position * 1e12 + 1,
  mtimeNs: 1_700_000_000_000_000_000n + BigInt(position),
  digests: bytesOf(String(position), segments * 16),
});

function write(positions: readonly number[], seed = SEED): void {
  const writer = new ResultsWriter(nodeFileSystem, paths, seed);
  for (const position of positions) writer.add(position, fileOf(position));
  writer.write(writer.takePending());
  writer.close();
}

function read(count: number, seed = SEED): (object | undefined)[] {
  const reader = new ResultsReader(nodeFileSystem, paths, seed);
  const found = Array.from({ length: count }, () => {
    const file = reader.next();
    return file && { ...file, digests: Buffer.from(file.digests) };
  });
  reader.close();
  return found;
}

const donePositions = (count: number, seed = SEED): number[] =>
  read(count, seed).flatMap((file, position) => (file === undefined ? [] : [position]));

it("gives back what was written in any order, digests of many segments too", () => {
  write([5, 0, 3, 1, 4, 2]);
  expect(read(7)).toEqual([0, 1, 2, 3, 4, 5].map((n) => fileOf(n)).concat(undefined as never));
});

it("holes are not finished; a later run fills them", () => {
  write([9000, 2, 4095, 4096, 4097]);
  expect(donePositions(9002)).toEqual([2, 4095, 4096, 4097, 9000]);
  write([0, 3]);
  expect(donePositions(9002)).toEqual([0, 2, 3, 4095, 4096, 4097, 9000]);
  expect(read(4).at(3)).toEqual(fileOf(3));
});

it("without a file nothing is finished", () => {
  expect(donePositions(3)).toEqual([]);
});

it("nothing that is still pending is on disk", () => {
  const writer = new ResultsWriter(nodeFileSystem, paths, SEED);
  writer.add(0, fileOf(0));
  expect(writer.pendingFiles).toBe(1);
  expect(donePositions(1)).toEqual([]);
  const taken = writer.takePending();
  writer.add(1, fileOf(1));
  writer.write(taken);
  expect(donePositions(2)).toEqual([0]);
  writer.close();
});

it("more than a buffer of them", () => {
  const positions = Array.from({ length: 10_000 }, (_, n) => n);
  write(positions.toReversed());
  expect(donePositions(10_000)).toEqual(positions);
});

it("forgotten ones are not finished any more", () => {
  write([0, 1, 2, 3]);
  const writer = new ResultsWriter(nodeFileSystem, paths, SEED);
  writer.forget([1, 3]);
  writer.close();
  expect(donePositions(4)).toEqual([0, 2]);
});

describe("what counts as not finished", () => {
  it("a torn record at the end", () => {
    write([0, 1, 2]);
    for (let cut = 1; cut < RESULT_BYTES; cut += 7) {
      truncateSync(paths.results, 3 * RESULT_BYTES - cut);
      expect(donePositions(3)).toEqual([0, 1]);
    }
  });

  it("results of another session or drive", () => {
    write([0, 1]);
    expect(donePositions(2, resultsSeed("other", "DRIVE"))).toEqual([]);
    expect(donePositions(2, resultsSeed("nonce", "OTHER"))).toEqual([]);
  });

  it("a record at the position of another", () => {
    write([0, 1]);
    const bytes = readFileSync(paths.results);
    writeFileSync(paths.results, Buffer.concat([bytes.subarray(RESULT_BYTES), bytes.subarray(0, RESULT_BYTES)]));
    expect(donePositions(2)).toEqual([]);
  });

  it("a record with any flipped bit that says something", () => {
    write([1]);
    const good = readFileSync(paths.results);
    for (let bit = 0; bit < 44 * 8; bit++) {
      const bad = Buffer.from(good);
      const at = RESULT_BYTES + (bit >> 3);
      bad[at] = (bad[at] as number) ^ (1 << (bit & 7));
      writeFileSync(paths.results, bad);
      expect(donePositions(2), `bit ${bit}`).toEqual([]);
    }
  });

  it("digests that are flipped or missing", () => {
    write([3]);
    const digests = readFileSync(paths.digests);
    expect(digests).toHaveLength(48);
    writeFileSync(paths.digests, digests.subarray(0, 47));
    expect(donePositions(4)).toEqual([]);
    digests[20] = (digests[20] as number) ^ 1;
    writeFileSync(paths.digests, digests);
    expect(donePositions(4)).toEqual([]);
  });

  it("a results file of zeros", () => {
    write([3]);
    writeFileSync(paths.results, Buffer.alloc(4 * RESULT_BYTES));
    expect(donePositions(4)).toEqual([]);
  });
});
