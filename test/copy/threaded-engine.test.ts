import { describe, expect, it } from "vitest";
import { PlanFlag } from "../../src/copy/plan-record.ts";
import { createThreadedCopyEngine } from "../../src/copy/threaded-engine.ts";
import { CopyFixture, runEngine } from "./copy-fixture.ts";
import { describeEngine } from "./engine-conformance.ts";

describeEngine("threaded", () => createThreadedCopyEngine({ processors: 2 }));
describeEngine("threaded (warm)", () => {
  const engine = createThreadedCopyEngine({ processors: 2 });
  engine.warmUp?.();
  return engine;
});
describeEngine("threaded (one worker)", () => (request) => createThreadedCopyEngine()({ ...request, workers: 1 }));

describe("workers of the threaded engine", () => {
  const workersOf = async (files: number, parts: Parameters<typeof runEngine>[2]) => {
    const fixture = new CopyFixture();
    try {
      fixture.addDrive();
      fixture.addDrive();
      for (let index = 0; index < files; index++) fixture.add(`f${index}`, 100, index % 3);
      const outcome = await runEngine(createThreadedCopyEngine({ processors: 2 }), fixture, parts);
      expect(outcome.done.size).toBe(files);
      return outcome.summary.workers;
    } finally {
      fixture.remove();
    }
  };

  it("has as many as processors, one per sequential drive, or what was asked for", async () => {
    expect(await workersOf(9, {})).toBe(2);
    expect(await workersOf(9, { ioModes: ["sequential", "sequential", "sequential"] })).toBe(3);
    expect(await workersOf(9, { ioModes: ["sequential", "sequential", "sequential"], workers: 1 })).toBe(1);
  });
});

describe("a worker that crashes", () => {
  it("ends the run with an error and leaves no thread behind", async () => {
    const fixture = new CopyFixture();
    try {
      for (let index = 0; index < 300; index++) fixture.add(`f${index}`, 100);
      // No plan holds such a record: the loop cannot divide by it.
      fixture.add("impossible", 100_000, 0, { segmentBytes: 0, flags: PlanFlag.ContentMd5 });
      const run = runEngine(createThreadedCopyEngine({ processors: 2 }), fixture);
      await expect(run).rejects.toMatchObject({ code: "INTERNAL", message: "a copy worker failed" });
    } finally {
      fixture.remove();
    }
  });
});
