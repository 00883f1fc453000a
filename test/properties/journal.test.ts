import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JournalRecord, parseRecord, printRecord } from "../../src/journal/journal-record.ts";
import { parseJournal } from "../../src/journal/read-journal.ts";
import { printCheck } from "../../src/journal/record-check.ts";

const piece = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "[BeginValue]",
    "[EndValue]",
    "[EndUpdateRecord]",
    "[BeginUpdateRecord][2024/05/02 18:24:14.749][Type:ActivityRecord]",
    "ActivityId: RecordCheck",
    "\n",
    "\r\n",
    "\r",
    "\u2028",
    "\u0085",
    "\0",
    "\\",
    " ",
    "\t",
    ": ",
  ),
);
const value = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
const key = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/);
const record: fc.Arbitrary<JournalRecord> = fc.record({
  timeMs: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
  type: fc.constantFrom("NewJournalFile", "ActivityRecord"),
  entries: fc.array(fc.tuple(key, value), { maxLength: 6 }),
});

/** As a journal that promises checks. */
function printAll(records: readonly JournalRecord[]): Buffer {
  let bytes = Buffer.alloc(0);
  for (const one of records) {
    const own = Buffer.from(printRecord(one));
    bytes = Buffer.concat([bytes, own, Buffer.from(printCheck(one, own, bytes.length))]);
  }
  return bytes;
}

describe("records of a journal", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(record, (one) => {
        const bytes = Buffer.from(printRecord(one));
        expect(parseRecord(bytes, 0)).toEqual({ kind: "record", record: one, end: bytes.length });
      }),
      { numRuns: 1000 },
    );
  });

  it("are read one after another with their checks", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
        const bytes = printAll(records);
        expect(parseJournal(bytes, "j")).toEqual({ records, goodBytes: bytes.length, tornBytes: 0 });
      }),
    );
  });

  it("are all there up to where the file was cut", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 4 }), fc.nat(), (records, at) => {
        const first = printAll(records.slice(0, 1)).length;
        const bytes = printAll(records);
        const cut = first + (at % (bytes.length - first));
        const content = parseJournal(bytes.subarray(0, cut), "j");
        const complete = [1, 2, 3].filter((count) => printAll(records.slice(0, count)).length <= cut).length;
        expect(content.records).toEqual(records.slice(0, Math.min(complete, records.length)));
      }),
      { numRuns: 300 },
    );
  });

  it("are refused or read, never anything else, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), fc.nat(), fc.uint8Array(), (records, at, junk) => {
        const bytes = printAll(records);
        const start = at % bytes.length;
        const changed = Buffer.concat([bytes.subarray(0, start), junk, bytes.subarray(start + junk.length)]);
        try {
          parseJournal(changed, "j");
        } catch (error) {
          expect(["JOURNAL_DAMAGED", "JOURNAL_NEWER"]).toContain((error as { code: string }).code);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are never made of text that cannot be written", () => {
    for (const entry of [
      ["Key", "\ud800"],
      ["bad key", "x"],
      ["", "x"],
    ] as const) {
      expect(() => printRecord({ timeMs: 0, type: "ActivityRecord", entries: [entry] })).toThrow(
        expect.objectContaining({ code: "INTERNAL" }),
      );
    }
  });
});
