import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/platform/clock.ts";
import { createOutput } from "../../src/ui/output.ts";
import { createPrepView } from "../../src/ui/prep-view.ts";
import { expectGolden } from "../golden.ts";
import { EVENTS } from "./samples.ts";

class HandClock implements Clock {
  time = 0;
  nowMs(): number {
    return this.time;
  }
  monotonicMs(): number {
    return this.time;
  }
}

function view(options: { json?: boolean; quiet?: boolean }) {
  const written = { stdout: "", stderr: "" };
  const clock = new HandClock();
  const output = createOutput({
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    environment: {},
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    color: "auto",
  });
  const shown = createPrepView(output, process.stderr, clock, { planIsResult: false });
  return { shown, written, clock, output };
}

describe("events for people", () => {
  it("go to standard error as plain lines where there is no terminal", () => {
    const { shown, written, clock } = view({});
    for (const event of EVENTS) {
      clock.time += 10_000;
      shown.show(event);
    }
    expect(written.stdout).toBe("");
    expect(written.stderr).not.toContain("\u001b");
    expectGolden("fixtures/golden/ui/prep-events.txt", written.stderr);
  });

  it("progress is one line every few seconds", () => {
    const { shown, written, clock } = view({});
    const progress = EVENTS.find((event) => event.type === "progress");
    if (progress?.type !== "progress") throw new Error("no progress among the samples");
    for (let i = 0; i < 100; i++) {
      clock.time = i * 200;
      shown.show({ ...progress, elapsedMs: i * 200, bytes: i * 1000 });
    }
    expect(written.stderr.trimEnd().split("\n")).toHaveLength(4);
  });

  it("with --quiet only warnings are left", () => {
    const { shown, written } = view({ quiet: true });
    for (const event of EVENTS) shown.show(event);
    expect(written.stderr.trimEnd().split("\n")).toHaveLength(3);
    expect(written.stderr).toMatch(/^(warning: .*\n){3}$/);
  });

  it("only the first files that are not done are named", () => {
    const { shown, written } = view({});
    for (let i = 0; i < 1000; i++) {
      shown.show({
        type: "file-not-done",
        sourcePath: `/data/${i}`,
        code: "FILE_UNREADABLE",
        reason: "permission denied",
      });
    }
    expect(written.stderr.trimEnd().split("\n")).toHaveLength(21);
    expect(written.stderr).toContain("more files are not done");
  });
});

describe("events as JSON lines", () => {
  it("are one object each with type and version, and nothing else is written", () => {
    const { shown, written, clock } = view({ json: true });
    for (const event of EVENTS) {
      clock.time += 10_000;
      shown.show(event);
    }
    const lines = written.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map((line) => line.type)).toEqual(EVENTS.map((event) => event.type));
    for (const line of lines) expect(line.version).toBe(1);
    expect(written.stderr).toBe("");
    expectGolden("fixtures/golden/ui/prep-events.jsonl", written.stdout);
  });

  it("progress comes at most once a second", () => {
    const { shown, written, clock } = view({ json: true });
    const progress = EVENTS.find((event) => event.type === "progress");
    if (progress?.type !== "progress") throw new Error("no progress among the samples");
    for (let i = 0; i < 50; i++) {
      clock.time = i * 100;
      shown.show({ ...progress, elapsedMs: i * 100 });
    }
    expect(written.stdout.trimEnd().split("\n")).toHaveLength(5);
  });
});
