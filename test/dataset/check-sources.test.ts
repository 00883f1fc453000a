import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkSources } from "../../src/dataset/check-sources.ts";
import { parseDataset } from "../../src/dataset/dataset-csv.ts";
import { readCsvFile } from "../../src/dataset/read-input-file.ts";
import { InputError } from "../../src/platform/app-error.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";

const platform = process.platform === "win32" ? "win32" : "posix";
const HEADER = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
let base: string;

beforeEach(() => {
  base = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "waie-sources-")));
  fs.mkdirSync(join(base, "dir"));
  fs.writeFileSync(join(base, "file.txt"), "x");
});
afterEach(() => fs.rmSync(base, { recursive: true }));

function check(...lines: string[]) {
  const { rows } = parseDataset(Buffer.from(HEADER + lines.join("\n")), "d.csv", { platform });
  return checkSources(nodeFileSystem, rows, { file: "d.csv", platform });
}

function refusal(...lines: string[]): InputError {
  try {
    check(...lines);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("the sources were accepted");
}

test("what is there is taken as it is", () => {
  const { rows, warnings } = check(`${base}/dir/,photos,BlockBlob,,,`, `${base}/file.txt,photos/a.txt,BlockBlob,,,`);
  expect(warnings).toEqual([]);
  expect(rows.map((row) => [row.kind, row.destination])).toEqual([
    ["directory", "photos/"],
    ["file", "photos/a.txt"],
  ]);
});

test("a directory without its separator is taken with a warning", () => {
  for (const destination of ["photos", "photos/", "photos/all", "photos/all/"]) {
    const { rows, warnings } = check(`${base}/dir,${destination},BlockBlob,,,`);
    expect(rows[0]).toMatchObject({ kind: "directory", destination: destination.replace(/\/?$/, "/") });
    expect(warnings).toMatchObject([{ line: 2, column: "BasePath" }]);
  }
});

test("a file's destination must be a whole blob name; the right one is shown", () => {
  for (const destination of ["photos", "photos/"]) {
    const error = refusal(`${base}/file.txt,${destination},BlockBlob,,,`);
    expect(error.code).toBe("DATASET_INVALID");
    expect(error.problems).toMatchObject([{ line: 2, expected: '"photos/file.txt"' }]);
  }
});

test("a file written as a directory, and a directory for the root container's folder", () => {
  expect(refusal(`${base}/file.txt/,photos/,BlockBlob,,,`).problems[0]?.message).toBeDefined();
  expect(refusal(`${base}/dir,$root/x,BlockBlob,,,`).problems[0]?.expected).toBe("$root/");
});

test("all missing sources and side files are named at once", () => {
  const error = refusal(
    `${base}/nowhere/,photos/,BlockBlob,,,`,
    `${base}/dir/,photos/,BlockBlob,,${base}/meta.xml,${base}/props.xml`,
    `${base}/gone.txt,photos/gone.txt,BlockBlob,,,`,
  );
  expect(error.code).toBe("SOURCE_MISSING");
  expect(error.problems.map(({ line, column }) => `${line} ${column}`)).toEqual([
    "2 BasePath",
    "3 MetadataFile",
    "3 PropertiesFile",
    "4 BasePath",
  ]);
});

test("side files are checked, each once", () => {
  fs.writeFileSync(join(base, "meta.xml"), "<Metadata><1x>a</1x></Metadata>");
  fs.writeFileSync(join(base, "props.xml"), "<Properties><Content-Type>text/plain</Content-Type></Properties>");
  const rest = `BlockBlob,,${base}/meta.xml,${base}/props.xml`;
  const error = refusal(`${base}/dir/,photos/,${rest}`, `${base}/dir/,films/,${rest}`);
  expect(error.code).toBe("SIDE_FILE_INVALID");
  expect(error.problems).toHaveLength(1);
  fs.writeFileSync(join(base, "meta.xml"), "<Metadata><ok>a</ok></Metadata>");
  expect(check(`${base}/dir/,photos/,${rest}`).rows[0]?.metadataFile).toContain("meta.xml");
});

test.runIf(platform === "posix")("wildcards are not expanded, and the message says so", () => {
  expect(refusal(`${base}/*.txt,photos/a,BlockBlob,,,`).problems[0]?.message).toContain("wildcards are not expanded");
});

test("a CSV that cannot be read", () => {
  for (const path of [join(base, "nowhere.csv"), join(base, "dir")]) {
    expect(() => readCsvFile(nodeFileSystem, path)).toThrow(expect.objectContaining({ code: "CSV_UNREADABLE" }));
  }
  expect(readCsvFile(nodeFileSystem, join(base, "file.txt"))).toEqual(Buffer.from("x"));
});
