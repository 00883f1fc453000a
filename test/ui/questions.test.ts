import { describe, expect, it } from "vitest";
import { AppError } from "../../src/platform/app-error.ts";
import type { PlanSummary, Question } from "../../src/prep/prep-contract.ts";
import { createConfirm } from "../../src/ui/questions.ts";
import { fakeContext } from "../cli/fake-context.ts";
import { PLAN } from "./samples.ts";

const harmless: PlanSummary = { ...PLAN, drives: PLAN.drives.filter((drive) => !drive.format) };
const format: Question = {
  kind: "format",
  driveId: "WD123",
  serial: "WD123",
  model: "Disk",
  sizeBytes: 1,
  contents: "empty",
  place: "/dev/sdz1",
};

/** Nobody is at the keyboard. */
function confirm(options: { silentMode?: boolean; confirmDrives?: string[] }) {
  const { context } = fakeContext();
  return createConfirm({
    output: context.output,
    stdin: context.stdin,
    stderr: context.stderr,
    silentMode: options.silentMode ?? false,
    confirmDrives: options.confirmDrives ?? [],
    signal: new AbortController().signal,
    onInterrupt: () => {},
  });
}

describe("where nobody can be asked", () => {
  it("a run starts that formats and encrypts nothing", async () => {
    expect(await confirm({})({ kind: "start", plan: harmless })).toBe(true);
  });

  it.each<[string, Question]>([
    ["a start that formats", { kind: "start", plan: PLAN }],
    ["the format of a drive", format],
  ])("%s is refused with exit code 5", async (_, question) => {
    const refusal = await confirm({})(question).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({ code: "DRIVE_NOT_CONFIRMED", exitCode: 5 });
  });

  it("a drive that is not needed is no reason to refuse", async () => {
    const drives = PLAN.drives.map((drive) => (drive.format ? { ...drive, needed: false } : drive));
    expect(await confirm({})({ kind: "start", plan: { ...PLAN, drives } })).toBe(true);
  });

  it.each([
    ["/silentmode", { silentMode: true }],
    ["--confirm-drive with the serial", { confirmDrives: ["WD123"] }],
  ])("%s confirms", async (_, options) => {
    expect(await confirm(options)({ kind: "start", plan: PLAN })).toBe(true);
    expect(await confirm(options)(format)).toBe(true);
  });

  it("--confirm-drive with another serial does not", async () => {
    await expect(confirm({ confirmDrives: ["OTHER"] })(format)).rejects.toBeInstanceOf(AppError);
  });
});
