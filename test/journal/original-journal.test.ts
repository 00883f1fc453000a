import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { readDriveInfoRecord } from "../../src/journal/drive-info.ts";
import { JournalFile } from "../../src/journal/journal-file.ts";
import { parseJournal } from "../../src/journal/read-journal.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { MovedClock } from "./moved-clock.ts";

const sample = readFileSync(fileURLToPath(new URL("../../fixtures/golden/journal/original-v1.jrn", import.meta.url)));

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});

describe("a journal of the original tool", () => {
  it.each([
    ["with LF", sample],
    ["with CR LF", Buffer.from(sample.toString().replaceAll("\n", "\r\n"))],
    ["with a byte order mark", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), sample])],
    ["with blank lines between records", Buffer.from(sample.toString().replaceAll("Record]\n[", "Record]\n\n["))],
    ["without a last line end", sample.subarray(0, -1)],
  ])("is read %s", (_, bytes) => {
    const { records, tornBytes } = parseJournal(bytes, "v1.jrn");
    expect(tornBytes).toBe(0);
    expect(records.map((record) => record.type)).toEqual(["NewJournalFile", ...Array(3).fill("ActivityRecord")]);
    expect(records[0]?.timeMs).toBe(Date.UTC(2024, 4, 2, 18, 24, 14, 735));
    expect(records[1]?.entries).toEqual([
      ["ActivityId", "PrepImportDriveCommandContext"],
      ["LogDirectory", "C:\\logs"],
    ]);
    expect(records.map(readDriveInfoRecord).at(-1)).toEqual({
      driveId: "9WM35C2V",
      bitLockerKey: "111111-222222-333333-444444-555555-666666-077770-088880",
      manifestFile: "\\DriveManifest.xml",
      manifestHash: "D863FE44F861AE0DA4DCEAEEFFCCCE68",
    });
  });

  it("takes further records, which are checked from then on", () => {
    const path = join(directory, "v1.jrn");
    writeFileSync(path, sample.subarray(0, -1));
    const { journal } = JournalFile.open(nodeFileSystem, path, new MovedClock());
    journal.append([["ActivityId", "CopySession#later"]]);
    journal.append([["ActivityId", "CopySession#latest"]]);
    journal.close();
    const bytes = readFileSync(path);
    expect(parseJournal(bytes, path).records).toHaveLength(6);
    const changed = Buffer.from(bytes.toString().replace("CopySession#later", "CopySession#wrong"));
    expect(() => parseJournal(changed, path)).toThrow("a record's check fails");
  });

  it("loses only a last record that has no end", () => {
    const { records, tornBytes } = parseJournal(sample.subarray(0, -30), "v1.jrn");
    expect(records).toHaveLength(3);
    expect(tornBytes).toBeGreaterThan(0);
  });

  it("is refused when an earlier record has no end", () => {
    const bytes = Buffer.from(sample.toString().replace("C:\\logs\n[EndUpdateRecord]\n", "C:\\logs\n"));
    expect(() => parseJournal(bytes, "v1.jrn")).toThrow("damaged at byte");
  });
});
