/**
 * The check behind each record of a journal: a record of its own that says where the one before it lies and what its
 * bytes hash to. It tells a flipped bit (refused) from a write that was cut off (dropped), and is skipped by readers
 * that do not know it. Its bytes follow from the record before it, so a cut check is recognised by its first bytes.
 */
import { createHash } from "node:crypto";
import { entryValue, type JournalRecord, printRecord } from "./journal-record.ts";

const ACTIVITY = "RecordCheck";

/** The check of the record whose bytes, `bytes`, begin at `offset` of the file. */
export function printCheck(record: JournalRecord, bytes: Uint8Array, offset: number): string {
  return printRecord({
    timeMs: record.timeMs,
    type: "ActivityRecord",
    entries: [
      ["ActivityId", ACTIVITY],
      ["Offset", String(offset)],
      ["Length", String(bytes.length)],
      ["Sha256", createHash("sha256").update(bytes).digest("hex")],
    ],
  });
}

export function isCheck(record: JournalRecord): boolean {
  return record.type === "ActivityRecord" && entryValue(record, "ActivityId") === ACTIVITY;
}
