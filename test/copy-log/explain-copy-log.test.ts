import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ExplainedEntry, explainCopyLog } from "../../src/copy-log/explain-copy-log.ts";
import {
  BLOB_STATUSES,
  DISPOSITION_STATUSES,
  DRIVE_STATUSES,
  SEGMENT_STATUSES,
  SIDE_STATUSES,
} from "../../src/copy-log/status-codes.ts";
import { type CodePlace, meaningOf } from "../../src/copy-log/status-meaning.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { LOG_2014, LOG_2018, LOG_2021, VERBOSE_LOG_2021 } from "./sample-logs.ts";

function explain(content: string) {
  const path = join(temporaryDirectory(), "log.xml");
  writeFileSync(path, content);
  const entries: ExplainedEntry[] = [];
  return { explanation: explainCopyLog(nodeFileSystem, path, (entry) => entries.push(entry)), entries };
}

const CATEGORIES = [
  "UploadErrorWin32",
  "UploadErrorCloudHttp",
  "UploadErrorDataValidationError",
  "UploadErrorManagedConversionError",
  "UploadErrorUnknownType",
  "ContainerRenamed",
  "ShareRenamed",
  "BlobRenamed",
  "FileRenamed",
  "DiskRenamed",
  "FileNameTrailsWithSlash",
  "ExportCloudHttp",
  "StorageRequestFailed",
  "StorageRequestForbidden",
  "ManagedDiskCreationTerminalFailure",
  "DiskConversionNotStartedTierInfoMissing",
  "InvalidWorkitem",
  "InvalidPageBlobUploadAsBlockBlob",
  "InvalidAzureFileUploadAsBlockBlob",
  "InvalidManagedDiskUploadAsBlockBlob",
  "InvalidManagedDiskUploadAsPageBlob",
  "MovedToOverflowShare",
  "MovedToDefaultAzureShare",
];
const ALL: [CodePlace, readonly string[]][] = [
  ["drive", DRIVE_STATUSES],
  ["blob", BLOB_STATUSES],
  ["disposition", DISPOSITION_STATUSES],
  ["segment", SEGMENT_STATUSES],
  ["metadata", SIDE_STATUSES],
  ["properties", SIDE_STATUSES],
  ["category", CATEGORIES],
];

describe("every documented code", () => {
  it.each(ALL.flatMap(([place, codes]) => codes.map((code) => [place, code] as const)))("%s %s", (place, code) => {
    const meaning = meaningOf(place, code);
    expect(meaning.meaning).not.toContain("not documented");
    for (const text of [meaning.meaning, meaning.next]) expect(text).toMatch(/^[^.]+[^.]$/s);
    if (meaning.level !== "ok") expect(meaning.cause).not.toBe("");
  });

  it("an unknown one is told as such", () => {
    expect(meaningOf("blob", "toString")).toMatchObject({ level: "error", meaning: "this code is not documented" });
  });
});

describe("explaining", () => {
  it("counts by cause, errors first", () => {
    const { explanation, entries } = explain(LOG_2014);
    expect(explanation).toMatchObject({ goodEntries: 0, warningEntries: 0, errorEntries: 2, exitCode: 3 });
    expect(explanation.drive?.level).toBe("error");
    expect(
      explanation.causes.map(({ place, code, entries: n, count, bytes }) => [place, code, n, count, bytes]),
    ).toEqual([
      ["blob", "CompletedWithErrors", 1, 1, 0],
      ["properties", "XmlReadFailed", 1, 1, 0],
      ["segment", "Corrupted", 1, 1, 805_696],
      ["blob", "FileNotFound", 1, 1, 0],
      ["segment", "Committed", 1, 1, 4_194_304],
      ["disposition", "Cancelled", 1, 1, 0],
      ["segment", "Cancelled", 1, 1, 9],
    ]);
    expect(explanation.causes[2]?.examples).toEqual(["survey/2024/a.bin"]);
    expect(entries.map(({ path }) => path)).toEqual(["survey/2024/a.bin", "survey/gone.txt"]);
  });

  it("knows the later generations", () => {
    expect(explain(LOG_2018).explanation.causes.map(({ place, code }) => [place, code])).toEqual([
      ["blob", "CompletedWithErrors"],
      ["segment", "StorageRequestFailed"],
      ["blob", "ContainerRenamed"],
    ]);
    const { explanation } = explain(LOG_2021);
    expect(explanation).toMatchObject({ errorEntries: 1, warningEntries: 1, driveStatus: "Failed", exitCode: 3 });
    expect(explain(VERBOSE_LOG_2021).explanation).toMatchObject({ goodEntries: 2, causes: [], exitCode: 0 });
  });

  it("names five places of a cause and counts the rest", () => {
    const rows = Array.from({ length: 20 }, (_, i) => `<Blob Status="LeasePresent"><BlobPath>c/${i}</BlobPath></Blob>`);
    const { explanation } = explain(`<DriveLog><DriveId>D</DriveId>${rows.join("")}</DriveLog>`);
    expect(explanation.causes[0]).toMatchObject({ entries: 20, examples: ["c/0", "c/1", "c/2", "c/3", "c/4"] });
  });
});
