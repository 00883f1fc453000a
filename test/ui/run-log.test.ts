import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Redactor } from "../../src/platform/redaction.ts";
import { openRunLog } from "../../src/ui/run-log.ts";
import { EVENTS, OUTCOME } from "./samples.ts";

const clock = { nowMs: () => Date.UTC(2024, 5, 11, 9, 30, 5, 678), monotonicMs: () => 0 };

describe("the log of a run", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "waimportexport-log-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (redaction = new Redactor()) =>
    openRunLog({
      directory: join(directory, "logs"),
      journalPath: "/prep/trip.jrn",
      verb: "prep-import",
      clock,
      redaction,
    });

  it("is named by journal, time and verb, and is the user's alone", () => {
    const log = open();
    log.close();
    expect(basename(log.path)).toBe("trip_20240611T093005Z_prep-import.log");
    expect(statSync(log.path).mode & 0o777).toBe(process.platform === "win32" ? 0o666 : 0o600);
  });

  it("holds one harmless line per event", () => {
    const log = open();
    for (const event of EVENTS) log.event(event);
    log.outcome(OUTCOME);
    log.close();
    const lines = readFileSync(log.path, "utf8").trimEnd().split("\n");
    // The progress follows the walk within a minute and is left out.
    expect(lines).toHaveLength(EVENTS.length);
    for (const line of lines) expect(line).toMatch(/^2024-06-11T09:30:05Z {2}\P{Cc}+$/u);
  });

  it("holds no secret", () => {
    const redactor = new Redactor();
    redactor.add("hunter2hunter2");
    const log = open(redactor);
    log.line("key hunter2hunter2 used");
    log.close();
    expect(readFileSync(log.path, "utf8")).not.toContain("hunter2");
  });

  it("goes on quietly after it was closed", () => {
    const log = open();
    log.close();
    expect(() => log.line("late")).not.toThrow();
  });
});
