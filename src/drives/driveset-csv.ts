/**
 * driveset.csv: which drives are filled, and what is done to each of them first. Messages begin with the sentences of
 * the original tool where those are known. No message ever holds a BitLocker key.
 */
import { posix, win32 } from "node:path";
import { validateBitLockerKey } from "../bitlocker/recovery-password.ts";
import { type CsvFormat, type CsvRow, parseCsvTable } from "../dataset/csv-table.ts";
import { shownValue } from "../dataset/shown-value.ts";
import { InputError, type InputProblem } from "../platform/app-error.ts";

const FORMAT: CsvFormat = {
  name: "drive set",
  code: "DRIVESET_INVALID",
  headers: [
    {
      generation: 1,
      required: ["DriveLetter", "FormatOption", "Encryption"],
      optional: ["SilentOrPromptOnFormat", "ExistingBitLockerKey"],
    },
  ],
};

/** C to Z and two floppy letters, less the one that Windows itself lies on. */
const MAX_LETTERS = 25;

export interface DriveSetRow {
  /** Line in the CSV, from 1. */
  line: number;
  /** As in the file: the name by which options on the command line mean this drive. */
  written: string;
  /** `G:\` for a letter; else an absolute path without a trailing separator. */
  place: string;
  formatOption: "Format" | "AlreadyFormatted";
  /** Formats without a question. */
  silent: boolean;
  /** false: the drive is encrypted already, and `existingKey` opens it. */
  encrypt: boolean;
  /** A secret. Groups joined by hyphens. */
  existingKey?: string;
}

export interface DriveSetOptions {
  platform: "win32" | "posix";
}

/** Throws InputError with all mistakes of the file at once. Touches no drive. */
export function parseDriveset(content: Uint8Array, file: string, options: DriveSetOptions): DriveSetRow[] {
  const table = parseCsvTable(content, file, FORMAT);
  const problems = table.problems;
  const rows = table.rows.map((row) => readRow(row, options, (problem) => problems.push({ file, ...problem })));
  findRepeatedPlaces(rows, file, options, problems);
  if (options.platform === "win32" && rows.filter((row) => /^[A-Z]:\\$/.test(row.place ?? "")).length > MAX_LETTERS) {
    problems.push({ file, message: `more than ${MAX_LETTERS} drives`, expected: `at most ${MAX_LETTERS} letters` });
  }
  if (table.rows.length === 0 && problems.length === 0) {
    problems.push({ file, message: "no row follows the header line", expected: "at least one drive" });
  }
  if (problems.length > 0) {
    problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
    const count = problems.length === 1 ? "one mistake" : `${problems.length} mistakes`;
    throw new InputError("DRIVESET_INVALID", `"${file}" has ${count}`, problems);
  }
  return rows.map((row) => row.drive).filter((drive) => drive !== undefined);
}

/** A line as far as it could be read. */
interface ReadRow {
  line: number;
  written: string;
  place: string | undefined;
  /** Undefined when anything of the line is wrong. */
  drive: DriveSetRow | undefined;
}

type Report = (problem: Omit<InputProblem, "file">) => void;

function readRow(row: CsvRow, options: DriveSetOptions, report: Report): ReadRow {
  const { line } = row;
  const written = row.value("DriveLetter").trim();
  const place = readPlace(written, options, (message, expected) =>
    report({ line, column: "DriveLetter", value: shownValue(written), message, expected }),
  );
  const formatOption = pick(row, "FormatOption", ["Format", "AlreadyFormatted"], report);
  const silent = readSilent(row, report);
  const encryption = pick(row, "Encryption", ["Encrypt", "AlreadyEncrypted"], report);
  if (formatOption === "Format" && encryption === "AlreadyEncrypted") {
    const message = "When Format is specified, Encrypt must also be specified";
    report({ line, column: "Encryption", value: encryption, message, expected: "Encrypt, or AlreadyFormatted" });
  }
  const existingKey = encryption === undefined ? undefined : readKey(row, encryption, report);
  const given = { line, written, place };
  if (place === undefined || formatOption === undefined || silent === undefined || encryption === undefined) {
    return { ...given, drive: undefined };
  }
  const drive: DriveSetRow = { line, written, place, formatOption, silent, encrypt: encryption === "Encrypt" };
  if (existingKey !== undefined) drive.existingKey = existingKey;
  return { ...given, drive };
}

function readPlace(
  written: string,
  options: DriveSetOptions,
  wrong: (message: string, expected: string) => void,
): string | undefined {
  const letter = /^([A-Za-z])(:\\?|:\/)?$/.exec(written)?.[1];
  if (options.platform === "win32") {
    if (letter !== undefined) return `${letter.toUpperCase()}:\\`;
    const isAbsolute = /^([A-Za-z]:|[\\/]{2}[^\\/]+[\\/])[\\/]?[^\\/]/.test(written) && win32.isAbsolute(written);
    if (isAbsolute) return win32.normalize(written).replace(/\\+$/, "");
    wrong(written === "" ? "the drive letter is missing" : "this is no drive letter", "one letter, such as G");
    return undefined;
  }
  if (written.startsWith("/")) return posix.normalize(written).replace(/\/+$/, "") || "/";
  const message = letter !== undefined ? "a letter names a drive on Windows only" : "this is no absolute path";
  wrong(written === "" ? "the path of the drive is missing" : message, "an absolute path, such as /mnt/drive1");
  return undefined;
}

function readSilent(row: CsvRow, report: Report): boolean | undefined {
  const column = "SilentOrPromptOnFormat";
  const text = row.value(column).trim();
  const value = matchWord(text, ["SilentMode", "PromptOnFormat"]);
  if (value !== undefined) return value === "SilentMode";
  const given = text === "" || text.toLowerCase() === "none" ? "none" : shownValue(text);
  const message = `Incorrect value for SilentOrPromptOnFormat: ${given}`;
  report({ line: row.line, column, value: shownValue(text), message, expected: "SilentMode or PromptOnFormat" });
  return undefined;
}

function readKey(row: CsvRow, encryption: "Encrypt" | "AlreadyEncrypted", report: Report): string | undefined {
  const { line } = row;
  const column = "ExistingBitLockerKey";
  const text = row.value(column).trim();
  const isEmpty = text === "" || text.toLowerCase() === "none";
  if (encryption === "Encrypt") {
    const message = "BitLocker Key should not be specified";
    if (!isEmpty) report({ line, column, message, expected: "nothing with Encrypt, or AlreadyEncrypted" });
    return undefined;
  }
  const expected = "8 groups of 6 digits joined by '-'";
  if (isEmpty) {
    report({ line, column, message: "the key of the encrypted drive is missing", expected });
    return undefined;
  }
  const check = validateBitLockerKey(text);
  if (check.ok) return check.key;
  report({ line, column, message: check.reason, expected: `${expected}, each divisible by 11` });
  return undefined;
}

function pick<const Word extends string>(
  row: CsvRow,
  column: string,
  words: readonly Word[],
  report: Report,
): Word | undefined {
  const text = row.value(column).trim();
  const word = matchWord(text, words);
  if (word !== undefined) return word;
  const message = text === "" ? `${column} is missing` : `this is no value of ${column}`;
  report({ line: row.line, column, value: shownValue(text), message, expected: words.join(" or ") });
  return undefined;
}

/** Letter case is not documented to matter in this file. */
function matchWord<const Word extends string>(text: string, words: readonly Word[]): Word | undefined {
  return words.find((word) => word.toLowerCase() === text.toLowerCase());
}

function findRepeatedPlaces(
  rows: readonly ReadRow[],
  file: string,
  options: DriveSetOptions,
  problems: InputProblem[],
): void {
  const firstLine = new Map<string, number>();
  for (const { place, written, line } of rows) {
    if (place === undefined) continue;
    const key = options.platform === "win32" ? place.toLowerCase() : place;
    const earlier = firstLine.get(key);
    if (earlier === undefined) {
      firstLine.set(key, line);
      continue;
    }
    const message = `the drive is named in line ${earlier} already`;
    problems.push({
      file,
      line,
      column: "DriveLetter",
      value: shownValue(written),
      message,
      expected: "each drive once",
    });
  }
}
