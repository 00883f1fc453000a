/**
 * One record of a journal and its text form (docs/formats.md, "Journal"):
 *
 *   [BeginUpdateRecord][2024/05/02 18:24:14.749][Type:ActivityRecord]
 *   ActivityId: DriveInfo
 *   DriveState: [BeginValue]
 *   ...lines...
 *   [EndValue]
 *   [EndUpdateRecord]
 *
 * A value stands on its key's line unless it has several lines, begins or ends with a blank or would be read as
 * `[BeginValue]`. Inside a value of several lines, a line that begins with a marker (or with backslashes and a marker)
 * gets one more backslash in front. Lines end in LF; records of the original tool may end theirs in CR LF.
 */
import { isUtf8 } from "node:buffer";
import { AppError } from "../platform/app-error.ts";

/** One key line. */
export type JournalEntry = readonly [key: string, value: string];

export interface JournalRecord {
  /** Milliseconds since 1970, UTC. */
  timeMs: number;
  type: JournalRecordType | (string & {});
  /** In file order; a key may stand twice. */
  entries: readonly JournalEntry[];
}

export type JournalRecordType = "NewJournalFile" | "ActivityRecord";

export type ParsedRecord =
  /** `end`: offset of the byte behind the record. */
  | { kind: "record"; record: JournalRecord; end: number }
  /** The bytes end before the record does. */
  | { kind: "incomplete" }
  | { kind: "malformed"; offset: number; reason: string };

/** Begins every check of a record; escaped in values like a marker, so that finding it tells how far a write came. */
export const CHECK_LINE = "ActivityId: RecordCheck";

const BEGIN_LINE =
  /^\[BeginUpdateRecord\]\[(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3})\]\[Type:([A-Za-z]{1,64})\]$/;
const END_LINE = "[EndUpdateRecord]";
const BEGIN_VALUE = "[BeginValue]";
const END_VALUE = "[EndValue]";
const MARKER = String.raw`(?:\[(?:Begin|End)(?:UpdateRecord|Value)\]|${CHECK_LINE})`;
/** Not `^` with the flag m: that also matches behind CR and U+2028. */
const NEEDS_ESCAPE = new RegExp(String.raw`(?<![^\n])(?=\\*${MARKER})`, "g");
const IS_ESCAPED = new RegExp(String.raw`^\\+${MARKER}`);
const WRITTEN_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
const MAX_KEY_UNITS = 256;
const LF = 10;
const CR = 13;

export function printRecord(record: JournalRecord): string {
  let text = `[BeginUpdateRecord][${printTime(record.timeMs)}][Type:${record.type}]\n`;
  for (const [key, value] of record.entries) text += printEntry(key, value);
  return `${text}${END_LINE}\n`;
}

/** The value of a key; the last one where it stands twice. */
export function entryValue(record: JournalRecord, key: string): string | undefined {
  return record.entries.findLast((entry) => entry[0] === key)?.[1];
}

/** Parses the record that begins at `start`. */
export function parseRecord(bytes: Buffer, start: number): ParsedRecord {
  const lines = new Lines(bytes, start);
  const first = lines.next();
  if (first === undefined) return { kind: "incomplete" };
  // A record written with LF keeps CR as part of its values; one written with CR LF has none in them.
  const isCrLf = first.endsWith("\r");
  lines.dropsCr = isCrLf;
  const head = BEGIN_LINE.exec(isCrLf ? first.slice(0, -1) : first);
  if (head === null) return malformed(start, "no record begins here");
  const timeMs = parseTime(head);
  if (timeMs === undefined) return malformed(start, "the time is not a date");
  const entries: JournalEntry[] = [];
  for (;;) {
    const offset = lines.position;
    const line = lines.next() ?? lines.unendedEndLine();
    if (line === undefined) return { kind: "incomplete" };
    if (line === END_LINE) break;
    const entry = parseEntry(line, lines);
    if (entry === "incomplete") return { kind: "incomplete" };
    if (entry === undefined) return malformed(offset, "this is neither a key nor the end of the record");
    entries.push(entry);
  }
  const end = lines.position;
  if (!isUtf8(bytes.subarray(start, end))) return malformed(start, "the record is not UTF-8 text");
  return { kind: "record", record: { timeMs, type: head[8] ?? "", entries }, end };
}

/** `yyyy/MM/dd HH:mm:ss.fff`, UTC. */
export function printTime(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  if (iso.length !== 24) throw new AppError("INTERNAL", `time ${timeMs} has no four-digit year`);
  return `${iso.slice(0, 10).replaceAll("-", "/")} ${iso.slice(11, 23)}`;
}

function printEntry(key: string, value: string): string {
  if (!WRITTEN_KEY.test(key)) throw new AppError("INTERNAL", `"${key}" cannot be a key of a journal`);
  if (/\p{Cs}/u.test(value)) throw new AppError("INTERNAL", `the value of "${key}" is not well-formed text`);
  const isPlain = !/[\r\n]|^[ \t]|[ \t]$/.test(value) && value !== BEGIN_VALUE;
  if (isPlain) return `${key}: ${value}\n`;
  return `${key}: ${BEGIN_VALUE}\n${value.replace(NEEDS_ESCAPE, "\\")}\n${END_VALUE}\n`;
}

function parseEntry(line: string, lines: Lines): JournalEntry | "incomplete" | undefined {
  const colon = line.indexOf(":");
  const isSeparated = colon > 0 && colon <= MAX_KEY_UNITS && (line[colon + 1] ?? " ") === " ";
  if (!isSeparated || line.startsWith("[")) return undefined;
  const key = line.slice(0, colon);
  const value = line.slice(colon + 2);
  if (value !== BEGIN_VALUE) return [key, value];
  const parts: string[] = [];
  for (;;) {
    const next = lines.next();
    if (next === undefined) return "incomplete";
    if (next === END_VALUE) return [key, parts.join("\n")];
    parts.push(IS_ESCAPED.test(next) ? next.slice(1) : next);
  }
}

function parseTime(head: RegExpExecArray): number | undefined {
  const [, year, month, day, hour, minute, second, fraction] = head;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction}Z`;
  const timeMs = Date.parse(iso);
  if (Number.isNaN(timeMs)) return undefined;
  return new Date(timeMs).toISOString() === iso ? timeMs : undefined;
}

function malformed(offset: number, reason: string): ParsedRecord {
  return { kind: "malformed", offset, reason };
}

/** Lines of a byte range, each without its LF (and CR where the record has CR LF). */
class Lines {
  position: number;
  dropsCr = false;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.position = start;
  }

  /** Undefined when no further line is complete. */
  next(): string | undefined {
    const start = this.position;
    const lf = this.#bytes.indexOf(LF, start);
    if (lf < 0) return undefined;
    this.position = lf + 1;
    const end = this.dropsCr && lf > start && this.#bytes[lf - 1] === CR ? lf - 1 : lf;
    return this.#bytes.toString("utf8", start, end);
  }

  /** The end of the last record of a file that does not end in a line end. */
  unendedEndLine(): string | undefined {
    const rest = this.#bytes.subarray(this.position);
    if (rest.length !== END_LINE.length || rest.toString("latin1") !== END_LINE) return undefined;
    this.position += rest.length;
    return END_LINE;
  }
}
