import { describe, expect, it } from "vitest";
import { AppError, InputError } from "../../src/platform/app-error.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/platform/error-codes.ts";
import { Redactor } from "../../src/platform/redaction.ts";
import { fakeContext } from "../cli/fake-context.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

describe("an error for people", () => {
  it("is the message, its code and the hint, on standard error", () => {
    const { context, stdout, stderr } = fakeContext();
    const exitCode = context.output.error(new AppError("DRIVE_NOT_FOUND", 'no drive is at "G:"'));
    expect(exitCode).toBe(5);
    expect(stdout()).toBe("");
    expect(stderr()).toBe(
      'error: no drive is at "G:" [DRIVE_NOT_FOUND]\nhint: attach the drive, or correct its letter or path\n',
    );
  });

  it("lists every mistake of an input file", () => {
    const { context, stderr } = fakeContext();
    context.output.error(
      new InputError("DATASET_INVALID", 'the dataset "d.csv" holds 2 mistakes', [
        {
          file: "d.csv",
          line: 3,
          column: "ItemType",
          value: "blok",
          message: "is not a type",
          expected: "BlockBlob or PageBlob",
        },
        { file: "d.csv", message: "has no rows" },
      ]),
    );
    expect(stderr()).toContain(
      '\n  "d.csv" line 3, column ItemType: is not a type: "blok" (expected BlockBlob or PageBlob)\n',
    );
    expect(stderr()).toContain('\n  "d.csv": has no rows\n');
  });

  it("makes names harmless", () => {
    const { context, stderr } = fakeContext();
    context.output.error(new AppError("FILE_UNREADABLE", 'cannot read "a\u001b]0;x\u0007\nb"'));
    expect(stderr()).toContain("a\\x1b]0;x\\x07\\x0ab");
  });

  it("that nobody expected is called a bug and keeps its stack", () => {
    const { context, stderr } = fakeContext();
    expect(context.output.error(new TypeError("x is not a function"))).toBe(1);
    expect(stderr()).toContain("this is a bug");
    expect(stderr()).toContain("errors.test.ts");
  });

  it("does not show registered secrets", () => {
    const { context, stderr } = fakeContext();
    const redactor = new Redactor();
    redactor.add("hunter2hunter2");
    context.output.setRedaction(redactor);
    context.output.error(new Error("login with hunter2hunter2 failed"));
    expect(stderr()).not.toContain("hunter2");
  });
});

describe("an error as JSON", () => {
  it("is one line with code, exit code, hint and facts", () => {
    const { context, stdout, stderr } = fakeContext({ json: true });
    context.output.error(
      new InputError(
        "DATASET_INVALID",
        "the dataset holds mistakes",
        [{ file: "d.csv", line: 2, message: "is empty" }],
        {
          facts: { size: 3n, map: new Map([["a", 1]]) },
        },
      ),
    );
    expect(stderr()).toBe("");
    expect(JSON.parse(stdout())).toEqual({
      type: "error",
      version: 1,
      code: "DATASET_INVALID",
      message: "the dataset holds mistakes",
      hint: ERROR_CODES.DATASET_INVALID.hint,
      exitCode: 2,
      facts: { size: 3, map: { a: 1 }, problems: [{ file: "d.csv", line: 2, message: "is empty" }] },
    });
  });
});

describe("the table of codes", () => {
  it.each(CODES)("%s has a sentence, a hint and an exit code", (code) => {
    const { when, hint, exitCode } = ERROR_CODES[code];
    expect(when).toMatch(/^[A-Z"/-].*\.$/s);
    expect(hint).not.toMatch(/\.$/);
    expect(hint.length).toBeGreaterThan(5);
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 130, 143]).toContain(exitCode);
  });
});
