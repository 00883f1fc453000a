import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { PathSpool, toPathNumber } from "../../src/verify/path-spool.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

it("gives back every path's number once, part by part and sorted", () => {
  const directory = temporaryDirectory();
  const spool = new PathSpool(nodeFileSystem, join(directory, "paths"));
  const paths = Array.from({ length: 30_000 }, (_, index) => `s\\0\\file-${index}`);
  for (const path of paths) spool.add(path);
  const parts = [0, 1, 2].map((index) => spool.part(index, 3));
  for (const part of parts) {
    expect(part.length).toBeGreaterThan(9_000);
    expect(part.every((number, index) => index === 0 || (part[index - 1] as number) <= number)).toBe(true);
  }
  expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(
    paths.map(toPathNumber).sort((a, b) => a - b),
  );
  spool.remove();
  expect(readdirSync(directory)).toEqual([]);
});
