import { describe, expect, it } from "vitest";
import { counted, formatRate, formatSize, formatSpan, percentOf } from "../../src/ui/sizes.ts";

describe("formatSize", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [1024 ** 2 - 1, "1.0 MiB"],
    [5 * 1024 ** 3, "5.0 GiB"],
    [4_000_000_000_000, "3.6 TiB"],
    [2 ** 60, "1024.0 PiB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe("formatSpan", () => {
  it.each([
    [0, "0 s"],
    [59_400, "59 s"],
    [60_000, "1 min 00 s"],
    [3_599_000, "59 min 59 s"],
    [7_500_000, "2 h 05 min"],
    [200_000_000, "2 d 7 h"],
  ])("%i ms are %s", (spanMs, text) => {
    expect(formatSpan(spanMs)).toBe(text);
  });
});

describe("percentOf", () => {
  it.each([
    [0, 0, 0],
    [999, 1000, 99],
    [1000, 1000, 100],
    [2000, 1000, 100],
    [-1, 1000, 0],
  ])("%i of %i is %i", (part, whole, percent) => {
    expect(percentOf(part, whole)).toBe(percent);
  });
});

it("counts with separators and plural", () => {
  expect(counted(1, "file")).toBe("1 file");
  expect(counted(1_234_567, "file")).toBe("1,234,567 files");
});

it("an unknown rate is said to be unknown", () => {
  expect(formatRate(undefined)).toBe("unknown rate");
  expect(formatRate(1024.4)).toBe("1.0 KiB/s");
});
