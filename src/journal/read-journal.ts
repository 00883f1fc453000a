/**
 * From the bytes of a journal to its records. Decides what is a torn tail (a last write that was cut off: dropped) and
 * what is damage (refused, with the offset); journals of the original tool carry no checks and are read as they are.
 */
import { DamagedError, UsageError } from "../platform/app-error.ts";
import { CHECK_LINE, entryValue, type JournalRecord, parseRecord } from "./journal-record.ts";
import { isCheck, printCheck } from "./record-check.ts";

/** The version of the vocabulary, as the original writes it. */
export const VOCABULARY_VERSION = "2013-02-01";
/** Of what this tool adds. The first record and its check keep their form in every later version. */
export const FORMAT_VERSION = 1;
/** Key of the first record that promises a check behind every record. */
export const CHECK_KEY = "RecordCheck";
export const CHECK_METHOD = "Sha256";

/** The smallest unit that a medium writes or loses. */
const SECTOR_BYTES = 512;
const CHECKED_OFFSET = new RegExp(`\n${CHECK_LINE}\nOffset: (\\d{1,16})\n`, "g");
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export interface JournalContent {
  /** All but the checks. */
  records: JournalRecord[];
  /** Length of what is good; a torn tail begins here. */
  goodBytes: number;
  /** Bytes of a last write that was cut off. */
  tornBytes: number;
}

/** `path` is for messages only. */
export function parseJournal(bytes: Buffer, path: string): JournalContent {
  const start = bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const content: JournalContent = { records: [], goodBytes: start, tornBytes: 0 };
  let isChecked = false;
  while (content.goodBytes < bytes.length) {
    const offset = content.goodBytes;
    if (!isChecked && (bytes[offset] === 0x0a || bytes[offset] === 0x0d)) {
      content.goodBytes += 1;
      continue;
    }
    const next = takeRecord(bytes, offset, isChecked, content.records.length === 0);
    if (next.kind === "damaged") throw damaged(path, next.offset, next.reason);
    if (next.kind === "torn") {
      content.tornBytes = bytes.length - offset;
      break;
    }
    content.goodBytes = next.end;
    isChecked = next.isChecked;
    if (content.records.push(next.record) === 1) refuseNewer(next.record, path);
  }
  if (content.records.length === 0) throw damaged(path, 0, "it holds no complete record");
  return content;
}

type Taken =
  | { kind: "record"; record: JournalRecord; end: number; isChecked: boolean }
  | { kind: "torn" }
  | { kind: "damaged"; offset: number; reason: string };

/** The record at `offset` with its check; `end` is behind both. `isChecked`: a check must follow. */
function takeRecord(bytes: Buffer, offset: number, isChecked: boolean, isFirst: boolean): Taken {
  const parsed = parseRecord(bytes, offset);
  if (parsed.kind === "malformed") {
    return isTorn(bytes, offset, false)
      ? { kind: "torn" }
      : { kind: "damaged", offset: parsed.offset, reason: parsed.reason };
  }
  if (parsed.kind === "incomplete") {
    // No line inside a record looks like the beginning of one: another write began, so this one had ended.
    const isCut = !bytes.includes("\n[BeginUpdateRecord][", offset);
    return isTorn(bytes, offset, isCut) ? { kind: "torn" } : { kind: "damaged", offset, reason: "a record has no end" };
  }
  const { record, end } = parsed;
  if (isCheck(record)) return { kind: "damaged", offset, reason: "a check stands here without its record" };
  const expected = Buffer.from(printCheck(record, bytes.subarray(offset, end), offset), "utf8");
  const found = bytes.subarray(end, end + expected.length);
  if (found.equals(expected)) return { kind: "record", record, end: end + expected.length, isChecked: true };
  const mustBeChecked =
    isChecked || (isFirst && entryValue(record, CHECK_KEY) !== undefined) || beginsCheck(bytes, end);
  if (!mustBeChecked) return { kind: "record", record, end, isChecked };
  const isCut = isStrictBeginning(bytes.subarray(end), expected);
  return isTorn(bytes, offset, isCut)
    ? { kind: "torn" }
    : { kind: "damaged", offset, reason: "a record's check fails" };
}

function beginsCheck(bytes: Buffer, offset: number): boolean {
  const next = parseRecord(bytes, offset);
  return next.kind === "record" && isCheck(next.record);
}

/**
 * Whether what begins at `offset` is the remainder of one write that was cut off: it ends too early (`isCut`), or parts
 * of it were never written, which some file systems show as zeros after a power cut. Nothing may follow that write.
 */
function isTorn(bytes: Buffer, offset: number, isCut: boolean): boolean {
  if (isCut) return true;
  for (const [, checked] of bytes.toString("latin1", offset).matchAll(CHECKED_OFFSET)) {
    if (Number(checked) !== offset) return false;
  }
  return bytes[bytes.length - 1] === 0 || hasUnwrittenSector(bytes, offset);
}

function hasUnwrittenSector(bytes: Buffer, offset: number): boolean {
  for (let start = offset; start < bytes.length; ) {
    const end = Math.min(start - (start % SECTOR_BYTES) + SECTOR_BYTES, bytes.length);
    if (bytes.subarray(start, end).every((byte) => byte === 0)) return true;
    start = end;
  }
  return false;
}

function isStrictBeginning(rest: Buffer, expected: Buffer): boolean {
  return rest.length < expected.length && rest.equals(expected.subarray(0, rest.length));
}

function refuseNewer(first: JournalRecord, path: string): void {
  const vocabulary = entryValue(first, "VocabularyVersion");
  const format = entryValue(first, "FormatVersion");
  const isNewer =
    (vocabulary !== undefined && vocabulary > VOCABULARY_VERSION) ||
    (format !== undefined && !(Number(format) <= FORMAT_VERSION));
  if (!isNewer) return;
  const writer = entryValue(first, "Writer") ?? "a newer release";
  throw new UsageError("JOURNAL_NEWER", `the journal "${path}" was written by ${writer}`, {
    facts: { path, vocabulary, format, writer },
  });
}

function damaged(path: string, offset: number, reason: string): DamagedError {
  return new DamagedError("JOURNAL_DAMAGED", `the journal "${path}" is damaged at byte ${offset}: ${reason}`, {
    facts: { path, offset },
  });
}
