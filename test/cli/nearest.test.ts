import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../src/cli/nearest.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["dataset", "dataset", 0],
    ["datset", "dataset", 1],
    ["dtaaset", "dataset", 1],
    ["logdri", "logdir", 1],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
  ])("%s to %s takes %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("nearest", () => {
  it("finds the mistyped name without regard to case", () => {
    expect(nearest("INITIALDRIVSET", ["id", "InitialDriveSet", "include"])).toBe("InitialDriveSet");
  });

  it("finds nothing where nothing is near", () => {
    expect(nearest("zzzzzz", ["id", "journal", "dataset"])).toBeUndefined();
  });
});
