import { describe, expect, it } from "vitest";
import { RateMeter } from "../../src/ui/rate.ts";

const MIB = 1024 * 1024;

/** Observes a steady speed once a second. */
function steady(meter: RateMeter, fromMs: number, seconds: number, bytesPerSecond: number, earlierBytes = 0): number {
  let bytes = earlierBytes;
  for (let second = 0; second <= seconds; second++) {
    bytes = earlierBytes + second * bytesPerSecond;
    meter.observe({ files: 0, bytes }, fromMs + second * 1000, earlierBytes);
  }
  return bytes;
}

describe("RateMeter", () => {
  it("knows no time left before the speed is stable", () => {
    const meter = new RateMeter();
    const total = { totalFiles: 0, totalBytes: 100 * MIB };
    meter.observe({ files: 0, bytes: 0 }, 0);
    meter.observe({ files: 0, bytes: MIB }, 1000);
    expect(meter.bytesPerSecond).toBe(MIB);
    expect(meter.leftMs({ files: 0, bytes: MIB, ...total })).toBeUndefined();
    meter.observe({ files: 0, bytes: 5 * MIB }, 5000);
    expect(meter.leftMs({ files: 0, bytes: 5 * MIB, ...total })).toBeCloseTo(95_000, -2);
  });

  it("does not count what earlier runs did as speed", () => {
    const meter = new RateMeter();
    const bytes = steady(meter, 0, 20, MIB, 1000 * MIB);
    expect(meter.bytesPerSecond).toBeCloseTo(MIB, 0);
    expect(meter.leftMs({ files: 0, bytes, totalFiles: 0, totalBytes: bytes + 10 * MIB })).toBeCloseTo(10_000, -2);
  });

  it("follows a change of speed within some ten seconds, not at once", () => {
    const meter = new RateMeter();
    const bytes = steady(meter, 0, 30, 10 * MIB);
    meter.observe({ files: 0, bytes: bytes + MIB }, 31_000);
    expect(meter.bytesPerSecond).toBeGreaterThan(8 * MIB);
    for (let second = 2; second <= 40; second++)
      meter.observe({ files: 0, bytes: bytes + second * MIB }, 30_000 + second * 1000);
    expect(meter.bytesPerSecond).toBeLessThan(1.5 * MIB);
  });

  it("counts files as work, so that many empty ones are no free ride", () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 10; second++) meter.observe({ files: second * 100, bytes: 0 }, second * 1000);
    expect(meter.leftMs({ files: 1000, bytes: 0, totalFiles: 2000, totalBytes: 0 })).toBeCloseTo(10_000, -2);
  });

  it("knows no time left while nothing moves", () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 10; second++) meter.observe({ files: 0, bytes: 5 }, second * 1000);
    expect(meter.leftMs({ files: 0, bytes: 5, totalFiles: 0, totalBytes: 10 })).toBeUndefined();
  });

  it("never tells a negative speed or time", () => {
    const meter = new RateMeter();
    meter.observe({ files: 0, bytes: 10 * MIB }, 0);
    meter.observe({ files: 0, bytes: 2 * MIB }, 5000);
    expect(meter.bytesPerSecond).toBe(0);
    steady(meter, 6000, 10, MIB);
    expect(meter.leftMs({ files: 9, bytes: 99 * MIB, totalFiles: 1, totalBytes: MIB })).toBe(0);
  });
});
