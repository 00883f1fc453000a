import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseJournal } from "../../src/journal/read-journal.ts";

const folder = fileURLToPath(new URL("../../fixtures/damaged/journal/", import.meta.url));

/** Refused, with the offset of the record that is damaged. */
const REFUSED: Readonly<Record<string, { code: string; offset?: number }>> = {
  "check-twice": { code: "JOURNAL_DAMAGED", offset: 1037 },
  empty: { code: "JOURNAL_DAMAGED", offset: 0 },
  "flipped-bit-in-first-record": { code: "JOURNAL_DAMAGED", offset: 0 },
  "flipped-bit-in-last-check": { code: "JOURNAL_DAMAGED", offset: 696 },
  "flipped-bit-in-last-record": { code: "JOURNAL_DAMAGED", offset: 696 },
  "flipped-bit-in-middle-record": { code: "JOURNAL_DAMAGED", offset: 354 },
  "impossible-date": { code: "JOURNAL_DAMAGED", offset: 0 },
  "junk-behind": { code: "JOURNAL_DAMAGED", offset: 1037 },
  "middle-check-removed": { code: "JOURNAL_DAMAGED", offset: 354 },
  "middle-record-removed": { code: "JOURNAL_DAMAGED", offset: 354 },
  "newer-format": { code: "JOURNAL_NEWER" },
  "newer-vocabulary": { code: "JOURNAL_NEWER" },
  "not-a-journal": { code: "JOURNAL_DAMAGED", offset: 0 },
  "not-utf-8": { code: "JOURNAL_DAMAGED", offset: 114 },
  "only-half-a-record": { code: "JOURNAL_DAMAGED", offset: 0 },
  "original-flipped-marker": { code: "JOURNAL_DAMAGED", offset: 233 },
  "records-swapped": { code: "JOURNAL_DAMAGED", offset: 354 },
  zeros: { code: "JOURNAL_DAMAGED", offset: 0 },
};

/** Read up to a last write that was cut off. */
const TORN = ["torn-check", "torn-record", "torn-with-zeros"];

describe("damaged journals", () => {
  it("are all in the table", () => {
    expect(readdirSync(folder).sort()).toEqual([...Object.keys(REFUSED), ...TORN].map((name) => `${name}.jrn`).sort());
  });

  it.each(Object.entries(REFUSED))("%s is refused", (name, { code, offset }) => {
    const bytes = readFileSync(join(folder, `${name}.jrn`));
    const facts = offset === undefined ? expect.anything() : { path: name, offset };
    expect(() => parseJournal(bytes, name)).toThrow(expect.objectContaining({ code, facts }));
  });

  it.each(TORN)("%s is read without its last write", (name) => {
    const bytes = readFileSync(join(folder, `${name}.jrn`));
    const content = parseJournal(bytes, name);
    expect(content.records).toHaveLength(3);
    expect(content.goodBytes + content.tornBytes).toBe(bytes.length);
    expect(content.tornBytes).toBeGreaterThan(0);
  });
});
