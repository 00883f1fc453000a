/**
 * fixtures/damaged: each file of these folders, and the code that refuses it. A file without a row fails, and so does a
 * row without a file.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { validateBitLockerKey } from "../../src/bitlocker/recovery-password.ts";
import { parseDataset } from "../../src/dataset/dataset-csv.ts";
import { parseDriveset } from "../../src/drives/driveset-csv.ts";
import { parseDriveInfo } from "../../src/journal/drive-info.ts";
import { AppError } from "../../src/platform/app-error.ts";

const folder = new URL("../../fixtures/damaged/", import.meta.url);
const bytesOf = (path: string): Buffer => readFileSync(new URL(path, folder));

const CSV: Readonly<Record<string, string>> = {
  "dataset-binary.csv": "CSV_ENCODING",
  "dataset-blob-parent.csv": "DATASET_INVALID",
  "dataset-column-twice.csv": "CSV_HEADER",
  "dataset-command.csv": "DATASET_INVALID",
  "dataset-empty.csv": "CSV_HEADER",
  "dataset-formula.csv": "DATASET_INVALID",
  "dataset-half-quote.csv": "DATASET_INVALID",
  "dataset-header-twice.csv": "DATASET_INVALID",
  // A path that no system has: refused when the source is looked for.
  "dataset-huge-field.csv": "read",
  "dataset-latin-1.csv": "CSV_ENCODING",
  "dataset-nul.csv": "CSV_ENCODING",
  "dataset-only-line-ends.csv": "CSV_HEADER",
  "dataset-parent.csv": "DATASET_INVALID",
  "dataset-quote-in-field.csv": "DATASET_INVALID",
  "dataset-semicolons.csv": "CSV_SEPARATOR",
  "dataset-too-few-fields.csv": "DATASET_INVALID",
  "dataset-too-many-fields.csv": "DATASET_INVALID",
  "dataset-utf-16.csv": "CSV_ENCODING",
  "driveset-binary.csv": "CSV_ENCODING",
  "driveset-drive-twice.csv": "DRIVESET_INVALID",
  "driveset-empty.csv": "CSV_HEADER",
  "driveset-formula.csv": "DRIVESET_INVALID",
  "driveset-half-key.csv": "DRIVESET_INVALID",
  "driveset-half-quote.csv": "DRIVESET_INVALID",
  "driveset-nul.csv": "CSV_ENCODING",
  "driveset-relative.csv": "DRIVESET_INVALID",
};

/** All are refused with USAGE_BAD_VALUE: the user named the file. */
const DRIVE_INFO: Readonly<Record<string, string>> = {
  "deep.xml": "cannot be parsed",
  "doctype.xml": "document type",
  "empty.xml": "",
  "entities.xml": "document type",
  "huge.xml": "too long",
  "nested-id.xml": "not one value",
  "no-hash.xml": "<ManifestHash>",
  "no-id.xml": "<DriveId>",
  "record-cut-off.xml": "no DriveInfo record",
  "record-of-something-else.xml": "no DriveInfo record",
  "short-hash.xml": "<ManifestHash>",
  "text.xml": "",
  "truncated.xml": "not well-formed",
  "two-ids.xml": "not one value",
  "wrong-root.xml": "<Drive>",
};

const KEYS: Readonly<Record<string, string>> = {
  "empty.txt": "the key has 1 groups of digits, not 8",
  "external-key.txt": "the key has 1 groups of digits, not 8",
  "five-digits.txt": "group 8 of the key has 5 digits, not 6",
  "letters.txt": "group 8 of the key holds something else than digits",
  "long.txt": "the key has 5001 groups of digits, not 8",
  "nine-groups.txt": "the key has 9 groups of digits, not 8",
  "not-divisible.txt": "group 8 of the key is not divisible by 11",
  "nul.txt": "group 8 of the key holds something else than digits",
  "other-digits.txt": "group 8 of the key holds something else than digits",
  "seven-groups.txt": "the key has 7 groups of digits, not 8",
  "too-large.txt": "group 8 of the key is not below 720896",
};

function refusal(read: () => unknown): { code: string; message: string } {
  try {
    read();
    return { code: "read", message: "" };
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

it.each([
  ["csv", CSV],
  ["drive-info", DRIVE_INFO],
  ["keys", KEYS],
] as const)("every file of %s has a row, and every row a file", (name, rows) => {
  expect(readdirSync(new URL(name, folder)).sort()).toEqual(Object.keys(rows).sort());
});

describe("csv", () => {
  it.each(Object.entries(CSV))("%s: %s", (name, code) => {
    const read = name.startsWith("dataset") ? parseDataset : parseDriveset;
    expect(refusal(() => read(bytesOf(`csv/${name}`), name, { platform: "posix" })).code).toBe(code);
  });
});

describe("drive-info", () => {
  it.each(Object.entries(DRIVE_INFO))("%s: %s", (name, reason) => {
    const { code, message } = refusal(() => parseDriveInfo(bytesOf(`drive-info/${name}`).toString("utf8")));
    expect(code).toBe("USAGE_BAD_VALUE");
    expect(message).toContain(reason);
  });
});

describe("keys", () => {
  it.each(Object.entries(KEYS))("%s: %s", (name, reason) => {
    expect(validateBitLockerKey(bytesOf(`keys/${name}`).toString("utf8"))).toEqual({ ok: false, reason });
  });
});
