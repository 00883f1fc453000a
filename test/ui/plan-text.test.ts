import { describe, expect, it } from "vitest";
import { planData, planText } from "../../src/ui/plan-text.ts";
import { summaryData, summaryText } from "../../src/ui/prep-summary.ts";
import { describeTerminal } from "../../src/ui/terminal.ts";
import { expectGolden } from "../golden.ts";
import { OUTCOME, PLAN } from "./samples.ts";

const plain = describeTerminal({ write: () => true }, {}, "never");

describe("plan", () => {
  it("as a table", () => {
    expectGolden("fixtures/golden/ui/plan.txt", planText(PLAN, plain));
  });

  it("of drives that are encrypted says nothing of mock drives", () => {
    const drives = PLAN.drives.filter((drive) => drive.encryption === "bitlocker");
    expect(planText({ ...PLAN, drives }, plain)).not.toContain("NOT encrypted");
  });

  it("as data carries exact bytes and the notice of mock drives", () => {
    const { drives } = planData(PLAN) as { drives: Record<string, unknown>[] };
    expect(drives[0]).toMatchObject({ bytes: 3_221_225_472, notice: "NOT encrypted; the service will refuse it" });
    expect(drives[1]).not.toHaveProperty("notice");
  });
});

describe("summary", () => {
  it("of a complete session", () => {
    expectGolden("fixtures/golden/ui/summary-completed.txt", summaryText(OUTCOME, plain));
  });

  it("of a session that ran out of space names the next command", () => {
    const text = summaryText(
      { ...OUTCOME, state: "no-space", exitCode: 6, unplacedFiles: 2, unplacedBytes: 1024 },
      plain,
    );
    expect(text).toContain(
      'waimportexport prep-import --journal /prep/trip.jrn --id "survey#1" --additional-drive-set',
    );
    expect(text).toContain("2 x NO_SPACE");
  });

  it("of an interrupted session says how to resume", () => {
    expect(summaryText({ ...OUTCOME, state: "interrupted", exitCode: 130 }, plain)).toContain("--resume-session");
  });

  it("as data carries the notice of mock drives", () => {
    expect(summaryData(OUTCOME)).toMatchObject({ drives: [{ notice: "NOT encrypted; the service will refuse it" }] });
  });
});
