import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CsvFormat, parseCsvTable } from "../../src/dataset/csv-table.ts";
import { DATASET_FORMAT, parseDataset } from "../../src/dataset/dataset-csv.ts";
import { parseDriveset } from "../../src/drives/driveset-csv.ts";
import { AppError } from "../../src/platform/app-error.ts";

const COLUMNS = ["BasePath", "DstItemPathOrPrefix", "ItemType", "Disposition", "MetadataFile", "PropertiesFile"];

/** Any text that a CSV can hold: no NUL (refused) and no half surrogates (no UTF-8). */
const value = fc
  .oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom("\\", '"', ",", " ", "\n", "\r\n", "é", ";") }),
  )
  .filter((text) => !text.includes("\0") && !/\|\s*$/.test(text));

const record = fc
  .array(value, { minLength: COLUMNS.length, maxLength: COLUMNS.length })
  .filter((fields) => fields.some((field) => field.trim() !== ""));

test("parse(print(x)) = x, whatever the values, line ends and mark", () => {
  fc.assert(
    fc.property(fc.array(record), fc.constantFrom("unix", "windows"), fc.boolean(), (records, lineEnd, bom) => {
      const text = stringify([COLUMNS, ...records], { record_delimiter: lineEnd, bom, quoted_match: /[\r\n]/ });
      const table = parseCsvTable(Buffer.from(text), "d.csv", DATASET_FORMAT);
      expect(table.problems).toEqual([]);
      expect(table.rows.map((row) => COLUMNS.map((column) => row.value(column)))).toEqual(records);
    }),
  );
});

test("line numbers are those of the file, blank lines and values over several lines included", () => {
  const line = fc.constantFrom("a,b,c", '"a\nb",c,d', "", '"x\r\ny\nz",1,2');
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const format: CsvFormat = {
        name: "test",
        code: "DATASET_INVALID",
        headers: [{ generation: 1, required: ["one", "two", "three"], optional: [] }],
      };
      const table = parseCsvTable(Buffer.from(`one,two,three\n${lines.join("\n")}\n`), "t.csv", format);
      let at = 2;
      const expected = lines.flatMap((text) => {
        const first = at;
        at += text.split("\n").length;
        return text === "" ? [] : first;
      });
      expect(table.rows.map((row) => row.line)).toEqual(expected);
    }),
  );
});

test("no input crashes the readers: rows, or an error with a code", () => {
  const header = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .string({ unit: fc.constantFrom(",", '"', "\n", "\r", "\\", "a", "/", "|", "é") })
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(noise, fc.constantFrom("", header, `${COLUMNS.join(",")}\n`), (bytes, start) => {
      const content = Buffer.concat([Buffer.from(start), bytes]);
      for (const platform of ["win32", "posix"] as const) {
        for (const parse of [parseDataset, parseDriveset]) {
          try {
            parse(content, "x.csv", { platform });
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});
