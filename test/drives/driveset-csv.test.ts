import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { generateBitLockerKey, maskBitLockerKey, validateBitLockerKey } from "../../src/bitlocker/recovery-password.ts";
import { type DriveSetOptions, parseDriveset } from "../../src/drives/driveset-csv.ts";
import { InputError } from "../../src/platform/app-error.ts";

const HEADER = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
const KEY = "111111-222222-333333-444444-555555-666666-077770-088880";
const windows: DriveSetOptions = { platform: "win32" };
const posix: DriveSetOptions = { platform: "posix" };
const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/csv/${name}`, import.meta.url));
const parse = (rows: string, options = windows) => parseDriveset(Buffer.from(HEADER + rows), "driveset.csv", options);

function refusal(content: Uint8Array | string, options = windows): InputError {
  try {
    parseDriveset(typeof content === "string" ? Buffer.from(HEADER + content) : content, "driveset.csv", options);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("the drive set was accepted");
}

describe("rows", () => {
  test("letters with and without colon", () => {
    expect(parseDriveset(fixture("driveset.csv"), "d.csv", windows)).toEqual([
      {
        line: 2,
        written: "G",
        place: "G:\\",
        formatOption: "AlreadyFormatted",
        silent: true,
        encrypt: false,
        existingKey: KEY,
      },
      { line: 3, written: "H", place: "H:\\", formatOption: "Format", silent: false, encrypt: true },
      { line: 4, written: "i:", place: "I:\\", formatOption: "AlreadyFormatted", silent: true, encrypt: true },
    ]);
  });

  test("paths elsewhere", () => {
    const rows = parseDriveset(fixture("driveset-paths.csv"), "d.csv", posix);
    expect(rows.map((row) => row.place)).toEqual(["/mnt/drive1", "/mnt/drive, two"]);
    expect(rows[1]?.existingKey).toBe(KEY);
  });

  test("a directory on Windows is an absolute path", () => {
    expect(parse("D:\\drives\\one\\,AlreadyFormatted,SilentMode,Encrypt,\n")[0]?.place).toBe("D:\\drives\\one");
  });

  test("the last field may be left out", () => {
    expect(parse("G,AlreadyFormatted,SilentMode,Encrypt\n")).toHaveLength(1);
  });
});

describe("mistakes", () => {
  test("all at once, beginning with the known sentences, without any key", () => {
    const error = refusal(fixture("bad-driveset-many-mistakes.csv"));
    expect(error.code).toBe("DRIVESET_INVALID");
    expect(error.problems.map(({ line, column, message }) => `${line} ${column ?? "-"}: ${message}`)).toEqual([
      "2 SilentOrPromptOnFormat: Incorrect value for SilentOrPromptOnFormat: none",
      "3 Encryption: When Format is specified, Encrypt must also be specified",
      "4 ExistingBitLockerKey: BitLocker Key should not be specified",
      "5 ExistingBitLockerKey: the key of the encrypted drive is missing",
      "6 ExistingBitLockerKey: group 3 of the key is not divisible by 11",
      "7 DriveLetter: the drive is named in line 2 already",
      "8 DriveLetter: this is no drive letter",
      "9 SilentOrPromptOnFormat: Incorrect value for SilentOrPromptOnFormat: AlreadyEncrypted",
      "9 Encryption: this is no value of Encryption",
      '10 -: a stray "|" stands at the end of the line',
      "10 FormatOption: this is no value of FormatOption",
    ]);
    expect(JSON.stringify([error.message, error.facts, error.problems])).not.toMatch(/222222|444444/);
  });

  test("a missing column is the missing value of each row", () => {
    const text = "DriveLetter,FormatOption,Encryption\nG,AlreadyFormatted,Encrypt\n";
    expect(refusal(Buffer.from(text)).problems[0]?.message).toBe("Incorrect value for SilentOrPromptOnFormat: none");
  });

  test.each(["G", "drives/one", ""])("elsewhere %j is no place of a drive", (place) => {
    expect(refusal(`${place},AlreadyFormatted,SilentMode,Encrypt,\n`, posix).problems[0]?.column).toBe("DriveLetter");
  });

  test("one place twice, letter case and form aside", () => {
    expect(refusal("G,Format,SilentMode,Encrypt,\ng:\\,Format,SilentMode,Encrypt,\n").problems).toMatchObject([
      { line: 3 },
    ]);
    const rows = "/mnt/a/,AlreadyFormatted,SilentMode,Encrypt,\n/mnt/b/../a,AlreadyFormatted,SilentMode,Encrypt,\n";
    expect(refusal(rows, posix).problems).toMatchObject([{ line: 3 }]);
  });

  test("more than 25 letters", () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    const rows = (count: number) =>
      letters.slice(0, count).map((letter) => `${letter},AlreadyFormatted,SilentMode,Encrypt,\n`);
    expect(parse(rows(25).join(""))).toHaveLength(25);
    expect(refusal(rows(26).join("")).problems[0]?.message).toBe("more than 25 drives");
  });

  test("no key is shown when the header is missing or the separator wrong", () => {
    for (const text of [
      `G,AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`,
      `G;AlreadyFormatted;SilentMode;AlreadyEncrypted;${KEY}\n`,
      `DriveLetter,FormatOption,Encryption,${KEY}\n`,
      `${HEADER}"G"x,AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`,
    ]) {
      const error = refusal(Buffer.from(text));
      expect(JSON.stringify([error.message, error.facts, error.problems])).not.toContain("222222");
    }
  });

  test("a dataset in its place is told by its header", () => {
    expect(refusal(fixture("dataset-2022.csv")).code).toBe("CSV_HEADER");
  });
});

describe("BitLocker keys", () => {
  test("hyphens, blanks or one piece", () => {
    for (const text of [KEY, KEY.replaceAll("-", " "), KEY.replaceAll("-", ""), ` ${KEY} `]) {
      expect(validateBitLockerKey(text)).toEqual({ ok: true, key: KEY });
    }
  });

  test.each([
    [KEY.slice(0, -7), "7 groups"],
    [KEY.replace("333333", "33333"), "group 3 of the key has 5 digits"],
    [KEY.replace("444444", "44444a"), "group 4 of the key holds something else than digits"],
    [KEY.replace("111111", "720896"), "group 1 of the key is not below 720896"],
    [KEY.replace("555555", "555556"), "group 5 of the key is not divisible by 11"],
    ["", "1 groups"],
  ])("%s", (text, reason) => {
    const check = validateBitLockerKey(text);
    expect(check.ok ? "" : check.reason).toContain(reason);
  });

  test("the highest group is 65535 x 11", () => {
    expect(validateBitLockerKey(KEY.replace("111111", "720885")).ok).toBe(true);
  });

  test("a generated key is valid and follows its random bytes", () => {
    const key = generateBitLockerKey({ bytes: (length) => Buffer.alloc(length, 0xff) });
    expect(key).toBe(Array.from({ length: 8 }, () => "720885").join("-"));
    expect(generateBitLockerKey({ bytes: (length) => Buffer.alloc(length) })).toMatch(/^(000000-){7}000000$/);
  });

  test("only the last group is shown, and nothing of what is no key", () => {
    expect(maskBitLockerKey(KEY)).toBe("******-******-******-******-******-******-******-088880");
    expect(maskBitLockerKey("123456-hunter2")).not.toMatch(/123456|hunter2/);
  });
});
