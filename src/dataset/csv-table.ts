/**
 * The one reader of both CSV inputs. Comma separated, first line the header, optional double quotes (RFC 4180), blank
 * lines skipped. A backslash is never an escape: `"F:\data\"` is a whole field. Values are returned as written; what
 * they mean is judged by the dataset and the drive set.
 */
import { CsvError, parse } from "csv-parse/sync";
import { InputError, type InputProblem } from "../platform/app-error.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import { requireCommas, requireUtf8Text } from "./csv-bytes.ts";
import { shownValue } from "./shown-value.ts";

/** One generation of a header line. */
export interface CsvHeader {
  generation: number;
  required: readonly string[];
  optional: readonly string[];
}

export interface CsvFormat {
  /** "dataset", "drive set": for messages. */
  name: string;
  /** The error that carries problems of single lines. */
  code: ErrorCode;
  headers: readonly CsvHeader[];
}

export interface CsvRow {
  /** From 1; of a record over several lines, the first. */
  line: number;
  /** By the column's name in the header's own spelling; a column or field that is absent is an empty text. */
  value(column: string): string;
}

export interface CsvTable {
  header: CsvHeader;
  /** Columns present, in the order of the file, in the header's own spelling. */
  columns: readonly string[];
  rows: readonly CsvRow[];
  /** Lines that are no records; the caller adds its own findings and throws them together. */
  problems: InputProblem[];
}

/** Longest record in bytes: two paths of 32,767 UTF-16 units and then some. */
const MAX_RECORD_BYTES = 256 * 1024;
/** Lines that are no records at all; a file with more of them is something else than a CSV file. */
const MAX_BROKEN_LINES = 100;

/** Rows are numbered with 16 bits in a session's plan. */
export const MAX_CSV_ROWS = 65_536;
/**
 * The header and the rows; rows of empty values count too. The parser takes 50 µs for a record of another length than
 * the first: without a bound a crafted file of 64 MB would keep it busy for minutes.
 */
const MAX_RECORDS = MAX_CSV_ROWS + 1;

class TooManyRecords extends Error {}

interface RawRecord {
  line: number;
  fields: string[];
}

/** Throws CSV_ENCODING, CSV_SEPARATOR or CSV_HEADER; problems of single lines are returned. */
export function parseCsvTable(content: Uint8Array, file: string, format: CsvFormat): CsvTable {
  const text = requireUtf8Text(content, file);
  requireCommas(text, file);
  const problems: InputProblem[] = [];
  const records = readRecords(text, file, problems);
  const first = records.shift();
  if (first === undefined || (problems[0]?.line ?? Number.POSITIVE_INFINITY) < first.line) {
    const why = first === undefined && problems.length === 0 ? "is empty" : "does not begin with a header line";
    throw headerError(file, format, `"${file}" ${why}`, problems);
  }
  const { header, columns } = matchHeader(first, file, format);
  const rows = records.map((record) => toRow(record, columns, file, problems));
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { header, columns, rows, problems };
}

/**
 * All records that are not blank. After a line with broken quotes reading starts again at the next line, so that one
 * run names every mistake.
 */
function readRecords(text: Uint8Array, file: string, problems: InputProblem[]): RawRecord[] {
  const records: RawRecord[] = [];
  // Where the next record begins. The parser's own line count takes a CRLF inside quotes for two lines.
  const position = new LinePosition(text);
  let read = 0;
  let broken = 0;
  while (position.offset < text.length) {
    const start = position.offset;
    try {
      parse(text.subarray(start), {
        delimiter: ",",
        quote: '"',
        escape: '"',
        record_delimiter: ["\r\n", "\n", "\r"],
        relax_column_count: true,
        skip_empty_lines: true,
        max_record_size: MAX_RECORD_BYTES,
        on_record: (fields: string[], context) => {
          position.skipLineBreaks();
          if (++read > MAX_RECORDS) throw new TooManyRecords();
          if (fields.some((field) => field.trim() !== "")) records.push({ line: position.line, fields });
          position.advanceTo(start + context.bytes);
          return null;
        },
      });
      return records;
    } catch (error) {
      if (error instanceof TooManyRecords) {
        problems.push({ file, line: position.line, message: `the file has more than ${MAX_CSV_ROWS} rows` });
        return records;
      }
      if (!(error instanceof CsvError)) throw error;
      position.skipLineBreaks();
      problems.push({ file, line: position.line, ...explainBrokenLine(error) });
      if (++broken >= MAX_BROKEN_LINES) {
        problems.push({ file, line: position.line, message: "too many broken lines; the rest was not read" });
        return records;
      }
      position.nextLine();
    }
  }
  return records;
}

/** An offset into a text and the number of its line, moving forward only. CRLF, LF and CR each end a line. */
class LinePosition {
  offset = 0;
  line = 1;
  readonly #text: Uint8Array;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  advanceTo(offset: number): void {
    while (this.offset < offset) this.#step();
  }

  /** Over blank lines: no record begins with a line break. */
  skipLineBreaks(): void {
    while (this.#text[this.offset] === 0x0a || this.#text[this.offset] === 0x0d) this.#step();
  }

  nextLine(): void {
    const { line } = this;
    while (this.line === line && this.offset < this.#text.length) this.#step();
  }

  #step(): void {
    const byte = this.#text[this.offset++];
    if (byte === 0x0a || (byte === 0x0d && this.#text[this.offset] !== 0x0a)) this.line++;
  }
}

function explainBrokenLine(error: CsvError): Pick<InputProblem, "message" | "expected"> {
  switch (error.code) {
    case "CSV_MAX_RECORD_SIZE":
      return { message: `the line is longer than ${MAX_RECORD_BYTES} bytes` };
    case "CSV_QUOTE_NOT_CLOSED":
      return { message: "a double quote is opened and never closed", expected: 'both quotes around a value: "a b"' };
    case "INVALID_OPENING_QUOTE":
      return {
        message: "a double quote stands in the middle of a value",
        expected: 'quotes around the whole value, quotes inside it doubled: "a ""b"""',
      };
    default:
      return {
        message: "something follows a closing double quote",
        expected: 'a comma after the closing quote; quotes inside a value doubled: "a ""b"""',
      };
  }
}

function matchHeader(first: RawRecord, file: string, format: CsvFormat): { header: CsvHeader; columns: string[] } {
  const given = first.fields.map((field) => field.trim());
  while (given.length > 1 && given.at(-1) === "") given.pop();
  const lower = given.map((name) => name.toLowerCase());
  if (new Set(lower).size === lower.length) {
    for (const header of format.headers) {
      const known = new Map([...header.required, ...header.optional].map((name) => [name.toLowerCase(), name]));
      const columns = lower.flatMap((name) => known.get(name) ?? []);
      if (columns.length === lower.length && header.required.every((name) => columns.includes(name))) {
        return { header, columns };
      }
    }
  }
  throw headerError(file, format, `the first line of "${file}" is not a ${format.name} header`, [
    {
      file,
      line: first.line,
      value: shownValue(given.join(",")),
      message: explainHeader(given, lower, format),
      expected: headerLine(nearestHeader(lower, format)),
    },
  ]);
}

function explainHeader(given: readonly string[], lower: readonly string[], format: CsvFormat): string {
  if (given.some((name) => /(^|\s)\|$/.test(name))) return 'a stray "|" stands in the header line';
  const nearest = nearestHeader(lower, format);
  const names = [...nearest.required, ...nearest.optional];
  const twice = given.find((_, i) => lower.indexOf(lower[i] ?? "") < i);
  if (twice !== undefined) return `the column "${shownValue(twice)}" occurs twice`;
  const unknown = given.filter((name) => !names.some((known) => known.toLowerCase() === name.toLowerCase()));
  const missing = nearest.required.filter((name) => !lower.includes(name.toLowerCase()));
  if (unknown.length === given.length) return "this is no header line";
  const parts = [
    ...unknown.map((name) => `the column "${shownValue(name)}" is not known`),
    ...missing.map((name) => `the column "${name}" is missing`),
  ];
  return parts.slice(0, 4).join("; ");
}

/** The generation that shares most column names. */
function nearestHeader(lower: readonly string[], format: CsvFormat): CsvHeader {
  const shared = (header: CsvHeader): number =>
    [...header.required, ...header.optional].filter((name) => lower.includes(name.toLowerCase())).length;
  return format.headers.reduce((best, header) => (shared(header) > shared(best) ? header : best));
}

function headerLine(header: CsvHeader): string {
  return [...header.required, ...header.optional].join(",");
}

function headerError(file: string, format: CsvFormat, message: string, problems: readonly InputProblem[]): InputError {
  const shown =
    problems.length > 0
      ? problems
      : [{ file, line: 1, message: "no header line", expected: headerLine(format.headers[0] as CsvHeader) }];
  return new InputError("CSV_HEADER", message, shown);
}

function toRow(record: RawRecord, columns: readonly string[], file: string, problems: InputProblem[]): CsvRow {
  const { line, fields } = record;
  const last = fields.at(-1) ?? "";
  if (/(^|\s)\|\s*$/.test(last)) {
    problems.push({ file, line, message: 'a stray "|" stands at the end of the line', expected: "nothing there" });
    fields[fields.length - 1] = last.replace(/\s*\|\s*$/, "");
  }
  if (fields.slice(columns.length).some((field) => field.trim() !== "")) {
    problems.push({
      file,
      line,
      message: `the line has ${fields.length} values for ${columns.length} columns`,
      expected: "double quotes around a value that holds a comma",
    });
  }
  return { line, value: (column) => fields[columns.indexOf(column)] ?? "" };
}
