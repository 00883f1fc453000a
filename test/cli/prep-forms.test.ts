import { describe, expect, it } from "vitest";
import { readForm } from "../../src/cli/prep-forms.ts";
import { createProgram } from "../../src/cli/program.ts";
import { parseSwitches } from "../../src/cli/slash-syntax.ts";
import { type Switches, switchesFrom } from "../../src/cli/switches.ts";
import { refuseV1 } from "../../src/cli/v1-form.ts";
import { findVerb } from "../../src/cli/verbs.ts";
import { AppError } from "../../src/platform/app-error.ts";
import { fakeContext } from "./fake-context.ts";

/** The switches as a command receives them, without running it. */
function read(line: string): Switches {
  const verb = findVerb(["prep-import"])?.verb;
  const command = createProgram(fakeContext().context, () => {}).root.commands.find(
    (one) => one.name() === "prep-import",
  );
  if (verb === undefined || command === undefined) throw new Error("no such verb");
  command.parseOptions(parseSwitches(line.split(" "), verb, "linux").args);
  return switchesFrom(verb.switches, command.opts());
}

function refusal(line: string): AppError {
  try {
    const switches = read(line);
    refuseV1(switches);
    readForm(switches);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`accepted: ${line}`);
}

describe("the documented forms", () => {
  it.each([
    ["/j:a.jrn /id:session#1 /logdir:logs /sk:KEY /silentmode /InitialDriveSet:d.csv /DataSet:s.csv", "new"],
    ["/j:a.jrn /id:session#2 /DataSet:s.csv", "new"],
    ["/j:a.jrn /id:session#2 /DataSet:s.csv --exclude *.tmp --workers 2 --dry-run", "new"],
    ["/j:a.jrn /id:session#2 /AdditionalDriveSet:d.csv", "add-drives"],
    ["/j:a.jrn /id:session#3 /AdditionalDriveSet:d.csv /DataSet:s.csv", "add-drives"],
    ["/j:a.jrn /id:session#2 /AdditionalDriveSet:d.csv --give-up-drive WD1", "add-drives"],
    ["/j:a.jrn /id:session#2 /ResumeSession", "resume"],
    ["/j:a.jrn /ResumeSession /silentmode", "resume"],
    ["/j:a.jrn /id:session#2 /AbortSession", "abort"],
    ["/j:a.jrn /ListDrives", "list-drives"],
    ["/j:a.jrn /ListDrives --json --show-secrets", "list-drives"],
    ["/j:a.jrn /ListCopySessions", "list-sessions"],
  ])("%s", (line, form) => {
    expect(readForm(read(line))).toBe(form);
  });
});

describe("switches that do not go together", () => {
  it.each([
    ["/j:a.jrn /ListDrives /id:one", "USAGE_CONFLICT", "/id"],
    ["/j:a.jrn /ListDrives /ListCopySessions", "USAGE_CONFLICT", "exclude each other"],
    ["/j:a.jrn /id:one /AbortSession /ResumeSession", "USAGE_CONFLICT", "exclude each other"],
    ["/j:a.jrn /id:one /AbortSession /DataSet:s.csv", "USAGE_CONFLICT", "/DataSet"],
    ["/j:a.jrn /id:one /ResumeSession /DataSet:s.csv /logdir:x", "USAGE_CONFLICT", "/logdir, /DataSet"],
    [
      "/j:a.jrn /id:one /InitialDriveSet:d.csv /AdditionalDriveSet:d.csv /DataSet:s.csv",
      "USAGE_CONFLICT",
      "/InitialDriveSet",
    ],
    ["/j:a.jrn /AbortSession", "USAGE_MISSING_SWITCH", "/id"],
    ["/ListDrives", "USAGE_MISSING_SWITCH", "/j"],
    ["/j:a.jrn /id:one", "USAGE_MISSING_SWITCH", "/DataSet"],
    ["/j:a.jrn /DataSet:s.csv", "USAGE_MISSING_SWITCH", "/id"],
    ["/j:a.jrn /id:one /DataSet:s.csv --give-up-drive WD1", "USAGE_MISSING_SWITCH", "/AdditionalDriveSet"],
  ])("%s", (line, code, text) => {
    const error = refusal(line);
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(error.exitCode).toBe(2);
  });
});

describe("the first version's form", () => {
  it("is answered with the second version's equivalent", () => {
    const error = refusal(
      "/sk:KEY /t:x /format /encrypt /silentmode /j:a.jrn /id:one /srcdir:D:\\in /dstdir:box/in/ /BlobType:PageBlob /Disposition:overwrite",
    );
    expect(error.code).toBe("USAGE_FORM_UNAVAILABLE");
    expect(error.message).toContain("V1 form: not available in this release yet");
    expect(error.hint).toContain("D:\\in\\,box/in/,PageBlob,overwrite,None,None");
    expect(error.hint).toContain("x,Format,SilentMode,Encrypt,");
    expect(error.hint).toContain("/InitialDriveSet:driveset.csv");
  });

  it("never repeats keys", () => {
    const { hint, message } = refusal("/csas:SECRET1 /bk:SECRET2 /t:x /srcfile:f /dstblob:b/f");
    expect(hint + message).not.toContain("SECRET");
  });
});
