import { describe, expect, it } from "vitest";
import { parseSwitches } from "../../src/cli/slash-syntax.ts";
import { findVerb } from "../../src/cli/verbs.ts";
import { AppError } from "../../src/platform/app-error.ts";

function parse(argv: string[], platform = "linux", verbWords = ["prep-import"]) {
  const found = findVerb(verbWords);
  if (found === undefined) throw new Error(`no verb ${verbWords}`);
  return parseSwitches(argv, found.verb, platform);
}

function errorOf(argv: string[], platform = "linux", verbWords = ["prep-import"]): AppError {
  try {
    parse(argv, platform, verbWords);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("one form for both spellings", () => {
  it.each([
    [["/j:a.jrn"], ["--journal=a.jrn"]],
    [["/J:a.jrn"], ["--journal=a.jrn"]],
    [["--journal", "a.jrn"], ["--journal=a.jrn"]],
    [["--journal=a.jrn"], ["--journal=a.jrn"]],
    [["--j=a.jrn"], ["--journal=a.jrn"]],
    [["/DataSet:x.csv"], ["--dataset=x.csv"]],
    [["/dataset:x.csv"], ["--dataset=x.csv"]],
    [["--DataSet", "x.csv"], ["--dataset=x.csv"]],
    [["/ResumeSession"], ["--resume-session"]],
    [["/resumesession"], ["--resume-session"]],
    [["--resume-session"], ["--resume-session"]],
    [["--ResumeSession"], ["--resume-session"]],
    [["/InitialDriveSet:C:\\a b\\d.csv"], ["--initial-drive-set=C:\\a b\\d.csv"]],
    [
      ["/include:a", "--include", "b"],
      ["--include=a", "--include=b"],
    ],
    [["/id:session#1"], ["--id=session#1"]],
    [["--journal=--odd"], ["--journal=--odd"]],
    [["/j:a=b:c"], ["--journal=a=b:c"]],
  ])("%j", (argv, expected) => {
    for (const platform of ["linux", "win32"])
      expect(parse(argv, platform)).toEqual({ args: [...expected, "--"], warnings: [] });
  });

  it("keeps a value that begins with a slash", () => {
    expect(parse(["--journal", "/tmp/a.jrn", "/DataSet:/x/y.csv"]).args).toEqual([
      "--journal=/tmp/a.jrn",
      "--dataset=/x/y.csv",
      "--",
    ]);
  });

  it.each([["/?"], ["/help"], ["--help"], ["-h"], ["/HELP"]])("%s asks for help whatever else is there", (arg) => {
    expect(parse(["/j:a", arg]).args).toEqual(["--help"]);
  });
});

describe("paths that begin with a slash", () => {
  it("are arguments where their name is no switch of the verb", () => {
    expect(parse(["/mnt/drive1", "/j:a.jrn"], "linux", ["verify"]).args).toEqual([
      "--journal=a.jrn",
      "--",
      "/mnt/drive1",
    ]);
    expect(parse(["/dataset"], "linux", ["verify"]).args).toEqual(["--", "/dataset"]);
  });

  it("are switches on Windows", () => {
    expect(errorOf(["/mnt/drive1"], "win32", ["verify"]).code).toBe("USAGE_UNKNOWN_SWITCH");
  });

  it("are unknown switches where the verb takes no argument", () => {
    const error = errorOf(["/Datset:x.csv"]);
    expect(error.code).toBe("USAGE_UNKNOWN_SWITCH");
    expect(error.hint).toBe("did you mean /DataSet?");
  });

  it("stay arguments after --", () => {
    expect(parse(["--", "/json"], "linux", ["verify"]).args).toEqual(["--", "/json"]);
  });
});

describe("documented slips", () => {
  it.each([
    ["DataSet:x.csv", "--dataset=x.csv"],
    ["blobtype:PageBlob", "--blob-type=PageBlob"],
    ["id:session1", "--id=session1"],
  ])("%s is understood with a warning", (arg, expected) => {
    const line = parse([arg]);
    expect(line.args).toEqual([expected, "--"]);
    expect(line.warnings).toHaveLength(1);
  });

  it("one letter and a colon is a drive, not /j or /t", () => {
    expect(errorOf(["j:\\x.jrn"]).message).toContain('unexpected argument "j:\\x.jrn"');
    expect(parse(["t:\\"], "win32", ["verify"]).args).toEqual(["--", "t:\\"]);
  });

  it("the same value twice is accepted with a warning", () => {
    const line = parse(["/j:a.jrn", "/id:one", "/j:a.jrn", "/silentmode", "/silentmode"]);
    expect(line.args).toEqual(["--journal=a.jrn", "--id=one", "--silent-mode", "--"]);
    expect(line.warnings).toEqual(["/j was given twice", "/silentmode was given twice"]);
  });

  it("two different values are a conflict", () => {
    const error = errorOf(["/j:a.jrn", "--journal", "b.jrn"]);
    expect(error.code).toBe("USAGE_CONFLICT");
    expect(error.message).toContain('"a.jrn" and "b.jrn"');
  });

  it("a conflict of secrets does not show them", () => {
    expect(errorOf(["/sk:SECRETONE", "/sk:SECRETTWO"]).message).not.toContain("SECRET");
  });
});

describe("a quote eaten by a backslash", () => {
  it("is cut again before the next switch", () => {
    const line = parse(['/logdir:D:\\x y" /DataSet:d.csv /j:a b.jrn', "/id:one"], "win32");
    expect(line.args).toEqual(["--logdir=D:\\x y\\", "--dataset=d.csv", "--journal=a b.jrn", "--id=one", "--"]);
    expect(line.warnings).toHaveLength(1);
  });

  it("is cut at every trap in the argument", () => {
    const line = parse(['/srcdir:D:\\a b" /logdir:C:\\log"', "/j:a.jrn"], "win32");
    expect(line.args).toEqual(["--srcdir=D:\\a b\\", "--logdir=C:\\log\\", "--journal=a.jrn", "--"]);
  });

  it("is cut in a plain argument", () => {
    expect(parse(['D:\\x y" /j:a.jrn'], "win32", ["verify"]).args).toEqual(["--journal=a.jrn", "--", "D:\\x y\\"]);
  });

  it("is recognised elsewhere by the Windows path", () => {
    expect(parse(['/logdir:D:\\x y" /j:a.jrn']).args).toEqual(["--logdir=D:\\x y\\", "--journal=a.jrn", "--"]);
  });

  it("leaves names with quotes alone where they are legal", () => {
    expect(parse(['/DataSet:/data/12" records.csv']).args).toEqual(['--dataset=/data/12" records.csv', "--"]);
  });

  it("is refused with the corrected line where it cannot be told", () => {
    const error = errorOf(['/logdir:D:\\x y" and more', "/j:a.jrn"], "win32");
    expect(error.code).toBe("USAGE_UNSPLITTABLE");
    expect(error.hint).toContain("/j:a.jrn");
    expect(error.hint).toContain("\\\\");
  });

  it("never shows a secret", () => {
    const line = parse(['/logdir:D:\\x y" /sk:TOPSECRET'], "win32");
    expect(line.warnings.join()).not.toContain("TOPSECRET");
    expect(errorOf(['/logdir:D:\\x y" and /sk:TOPSECRET'], "win32").hint).not.toContain("TOPSECRET");
  });
});

describe("mistakes", () => {
  it.each([
    [["--jornal", "x"], "USAGE_UNKNOWN_SWITCH", "did you mean --journal?"],
    [["/ResumSession"], "USAGE_UNKNOWN_SWITCH", "did you mean /ResumeSession?"],
    [["-x"], "USAGE_UNKNOWN_SWITCH", ""],
    [["stray"], "USAGE_UNKNOWN_SWITCH", ""],
    [["/j"], "USAGE_MISSING_VALUE", "/j:<file>"],
    [["/j:"], "USAGE_MISSING_VALUE", "without a blank"],
    [["/j=a.jrn"], "USAGE_UNKNOWN_SWITCH", "write /j:<file>"],
    [["--journal"], "USAGE_MISSING_VALUE", "--journal <file>"],
    [["--journal", "--json"], "USAGE_MISSING_VALUE", "--journal <file>"],
    [["--journal="], "USAGE_MISSING_VALUE", ""],
    [["/silentmode:yes"], "USAGE_BAD_VALUE", "write only /silentmode"],
    [["/Disposition:Rename"], "USAGE_BAD_VALUE", "write rename"],
    [["/Disposition:keep"], "USAGE_BAD_VALUE", "no-overwrite"],
    [["/BlobType:blockblob"], "USAGE_BAD_VALUE", "write BlockBlob"],
    [["--links", "maybe"], "USAGE_BAD_VALUE", "notice, fail"],
  ])("%j", (argv, code, hint) => {
    const error = errorOf(argv);
    expect(error.code).toBe(code);
    expect(error.exitCode).toBe(2);
    expect(error.hint).toContain(hint);
  });

  it("values of our own switches ignore case", () => {
    expect(parse(["--links", "FAIL"]).args).toEqual(["--links=fail", "--"]);
  });

  it("an unknown switch never shows its value", () => {
    expect(errorOf(["/skk:TOPSECRET"]).message).not.toContain("TOPSECRET");
    expect(errorOf(["--skk=TOPSECRET"]).message).not.toContain("TOPSECRET");
    expect(errorOf(["--skk:TOPSECRET"]).message).not.toContain("TOPSECRET");
  });

  it("a missing argument is named", () => {
    expect(errorOf([], "linux", ["verify"]).message).toContain("<drive>");
  });
});

describe("verbs", () => {
  it.each([
    [["PrepImport"], "prep-import", 1],
    [["PREP-IMPORT", "/j:x"], "prep-import", 1],
    [["Journal", "SHOW", "x.jrn"], "journal show", 2],
    [["journal"], undefined, 0],
    [["prep"], undefined, 0],
  ])("%j", (argv, name, words) => {
    const found = findVerb(argv);
    expect(found?.verb.name).toBe(name);
    expect(found?.words ?? 0).toBe(words);
  });
});
