import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DatasetOptions, parseDataset } from "../../src/dataset/dataset-csv.ts";
import { InputError } from "../../src/platform/app-error.ts";

const GEN_1 = "BasePath,DstBlobPathOrPrefix,BlobType,Disposition,MetadataFile,PropertiesFile\n";
const GEN_2 = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
const GEN_3 = "BasePath,DstItemPathOrPrefix,ItemType\n";

const fixture = (name: string): Buffer => readFileSync(new URL(`../../fixtures/csv/${name}`, import.meta.url));
const windows: DatasetOptions = { platform: "win32" };
const posix: DatasetOptions = { platform: "posix" };
const parse = (text: string, options = posix) => parseDataset(Buffer.from(text), "dataset.csv", options);

function refusal(content: Uint8Array | string, options = posix): InputError {
  try {
    parseDataset(typeof content === "string" ? Buffer.from(content) : content, "dataset.csv", options);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("the dataset was accepted");
}

const firstProblem = (content: string, options = posix) => refusal(content, options).problems[0];

describe("header generations", () => {
  test("the first one: blob types by word, by extension when empty", () => {
    const { rows, generation } = parseDataset(fixture("dataset-2016.csv"), "d.csv", windows);
    expect(generation).toBe(1);
    expect(rows).toEqual([
      {
        index: 0,
        line: 2,
        basePath: "F:\\50M_original",
        kind: "directory",
        destination: "containername/",
        container: "containername",
        blobType: "BlockBlob",
        disposition: "rename",
      },
      {
        index: 1,
        line: 3,
        basePath: "\\\\nas7\\lab\\readme.txt",
        kind: "file",
        destination: "survey/readme.txt",
        container: "survey",
        blobType: "BlockBlob",
        disposition: "overwrite",
        propertiesFile: "C:\\prep\\text-properties.xml",
      },
      {
        index: 2,
        line: 4,
        basePath: "E:\\vm\\disk0.vhd",
        kind: "file",
        destination: "images/disk0.vhd",
        container: "images",
        blobType: "PageBlob",
        disposition: "no-overwrite",
      },
      {
        index: 3,
        line: 5,
        basePath: "E:\\vm",
        kind: "directory",
        destination: "images/all/",
        container: "images",
        blobType: "ByExtension",
        disposition: "rename",
      },
    ]);
  });

  test("the second one, with byte order mark, CRLF, a blank line and names beyond ASCII", () => {
    const { rows } = parseDataset(fixture("dataset-2018.csv"), "d.csv", windows);
    expect(rows.map((row) => [row.line, row.basePath, row.destination, row.disposition])).toEqual([
      [2, "D:\\Survey 2024", "survey/2024/", "rename"],
      [4, "D:\\Größe 中文 😀", "$root/", "no-overwrite"],
    ]);
    expect(rows[0]?.metadataFile).toBe("C:\\prep\\survey-metadata.xml");
  });

  test("the third one overwrites, as the tool of that generation did", () => {
    const { rows } = parseDataset(fixture("dataset-2022.csv"), "d.csv", windows);
    expect(rows.map((row) => row.disposition)).toEqual(["overwrite", "overwrite"]);
  });

  test("columns in any order and letter case, optional ones absent", () => {
    const { rows, generation } = parseDataset(fixture("dataset-columns-reordered.csv"), "d.csv", posix);
    expect(generation).toBe(2);
    expect(rows).toMatchObject([{ basePath: "/data/photos", destination: "photos/", disposition: "rename" }]);
  });

  test("--disposition wins over column and default", () => {
    const text = `${GEN_2}/a/,photos/,BlockBlob,rename,,\n`;
    expect(parse(text, { ...posix, dispositionOverride: "overwrite" }).rows[0]?.disposition).toBe("overwrite");
    expect(
      parse(`${GEN_3}/a/,photos/,BlockBlob\n`, { ...posix, dispositionOverride: "rename" }).rows[0]?.disposition,
    ).toBe("rename");
  });
});

describe("files that are no such CSV", () => {
  test.each([
    ["bad-dataset-semicolons.csv", "CSV_SEPARATOR", "semicolons"],
    ["bad-dataset-tabs.csv", "CSV_SEPARATOR", "tabs"],
    ["bad-dataset-utf16le.csv", "CSV_ENCODING", "UTF-16 (little-endian)"],
    ["bad-dataset-utf16be-no-mark.csv", "CSV_ENCODING", "UTF-16 (big-endian)"],
    ["bad-dataset-latin1.csv", "CSV_ENCODING", "line 3"],
    ["bad-dataset-nul.csv", "CSV_ENCODING", "NUL"],
    ["bad-dataset-header.csv", "CSV_HEADER", "header"],
    ["bad-dataset-no-header.csv", "CSV_HEADER", "header"],
    ["bad-dataset-azure-files.csv", "AZURE_FILES_UNSUPPORTED", "Azure Files"],
  ])("%s: %s", (name, code, words) => {
    const error = refusal(fixture(name), windows);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });

  test("an unknown column is named beside the nearest header", () => {
    const problem = refusal(fixture("bad-dataset-header.csv"), windows).problems[0];
    expect(problem?.message).toContain('"DstItemPathOrPrefx" is not known');
    expect(problem?.expected).toBe(GEN_2.trim());
  });

  test.each(["", "\ufeff", "\r\n\r\n"])("an empty file (%j) has no header", (text) => {
    expect(refusal(text).code).toBe("CSV_HEADER");
  });

  test("a header without rows", () => {
    expect(firstProblem(GEN_2)?.message).toBe("no row follows the header line");
  });

  test("Excel's sep=; line is semicolons", () => {
    expect(refusal("sep=;\nBasePath;DstItemPathOrPrefix;ItemType\n").code).toBe("CSV_SEPARATOR");
  });

  test("a huge line is one problem, and the lines behind it are still read", () => {
    const problems = refusal(`${GEN_3}/${"x".repeat(300_000)},photos/,BlockBlob\n/a/,PHOTOS/,BlockBlob\n`).problems;
    expect(problems.map((problem) => problem.line)).toEqual([2, 3]);
    expect(problems[0]?.message).toContain("longer than");
  });

  test("an unclosed quote is one problem, and the lines behind it are still read", () => {
    const problems = refusal(`${GEN_3}"/a/,photos/,BlockBlob\n/b/,PHOTOS/,BlockBlob\n`).problems;
    expect(problems.map((problem) => problem.line)).toEqual([2, 3]);
  });
});

describe("hostile files", () => {
  test("broken lines are counted to a bound", () => {
    const error = refusal(GEN_3 + 'a"b,c,d\n'.repeat(5000));
    expect(error.problems).toHaveLength(101);
  });

  test("more rows than a plan can number", () => {
    const rows = "/a/,photos/,BlockBlob\n";
    expect(parse(GEN_3 + rows.repeat(65_536)).rows).toHaveLength(65_536);
    const error = refusal(GEN_3 + rows.repeat(65_537));
    expect(error.problems.map((problem) => problem.message)).toEqual(["the file has more than 65536 rows"]);
  });

  test.each(['"', "\n", ",", '""\n', "x"])("a megabyte of %j end in an error with a code", (text) => {
    for (const start of ["", GEN_3]) {
      expect(refusal(start + text.repeat(1_000_000 / text.length)).code).toMatch(/^CSV_HEADER$|^DATASET_INVALID$/);
    }
  });
});

describe("mistakes", () => {
  test("all of a file are reported at once, with line and column", () => {
    const error = refusal(fixture("bad-dataset-many-mistakes.csv"), windows);
    expect(error.code).toBe("DATASET_INVALID");
    expect(error.problems.map(({ line, column, message }) => `${line} ${column ?? "-"}: ${message}`)).toEqual([
      "2 BasePath: the path is not absolute",
      "3 BasePath: the path holds a wildcard",
      "4 DstItemPathOrPrefix: the destination begins with a slash",
      "5 DstItemPathOrPrefix: \"Photos\" is no container name: a container name has only lower-case letters, digits and '-'",
      `6 ItemType: 'None' isn't valid: ItemType "PagaBlob" is not known`,
      "7 ItemType: 'None' isn't valid: ItemType is missing",
      `8 ItemType: 'None' isn't valid: ItemType "block" is not known`,
      "8 Disposition: this is no disposition",
      "9 DstItemPathOrPrefix: blobs of the root container cannot lie in a folder",
      "9 MetadataFile: the path is not absolute",
      "10 -: a double quote stands in the middle of a value",
      "11 -: the line has 8 values for 6 columns",
      "11 DstItemPathOrPrefix: the destination holds a backslash",
      `11 ItemType: 'None' isn't valid: ItemType "photos/" is not known`,
      "11 Disposition: this is no disposition",
      "11 MetadataFile: the path is not absolute",
      '12 -: a stray "|" stands at the end of the line',
    ]);
  });

  test.each([
    ["/photos/2024/", '"photos/2024/"'],
    ["photos\\2024\\", '"photos/2024/"'],
    ["Photos/2024/", '"photos/2024/"'],
    ["$root/sub/", "$root/"],
  ])("destination %s: the right one is shown", (destination, expected) => {
    expect(firstProblem(`${GEN_2}/a/,${destination},BlockBlob,,,\n`)).toMatchObject({
      line: 2,
      column: "DstItemPathOrPrefix",
      value: destination,
      expected,
    });
  });

  test.each(["ab", "a--b/", "-abc/", "abc-/", "a_b/", `${"a".repeat(64)}/`, "photos/../x/", "photos/a\u0001b/", ""])(
    "destination %j is refused",
    (destination) => {
      expect(firstProblem(`${GEN_2}/a/,${destination},BlockBlob,,,\n`)?.column).toBe("DstItemPathOrPrefix");
    },
  );

  test.each(["photos", "$root", "$root/", "a-1/x y/ü/", "123/"])("destination %s is taken", (destination) => {
    const row = parse(`${GEN_2}/a/,${destination},BlockBlob,,,\n`).rows[0];
    expect(row?.destination).toBe(destination.endsWith("/") ? destination : `${destination}/`);
  });

  test("a file row keeps its blob name, in the root container too", () => {
    const { rows } = parse(`${GEN_2}/a/x.iso,$root/y.iso,BlockBlob,,,\n/a/x.iso,films/y z.iso,BlockBlob,,,\n`);
    expect(rows.map((row) => [row.kind, row.container, row.destination])).toEqual([
      ["file", "$root", "$root/y.iso"],
      ["file", "films", "films/y z.iso"],
    ]);
  });

  test("PagaBlob is refused in every generation", () => {
    expect(firstProblem(`${GEN_1}/a/,photos/,PagaBlob,,,\n`)?.message).toMatch(/^'None' isn't valid/);
    expect(firstProblem(`${GEN_3}/a/,photos/,PagaBlob\n`)?.message).toMatch(/^'None' isn't valid/);
  });

  test("the letter case of ItemType and Disposition counts", () => {
    expect(refusal(`${GEN_2}/a/,photos/,blockblob,Overwrite,,\n`).problems.map((problem) => problem.column)).toEqual([
      "ItemType",
      "Disposition",
    ]);
  });

  test("more values than columns: quotes are suggested", () => {
    expect(firstProblem(`${GEN_3}/a, b/,photos/,BlockBlob\n`)?.expected ?? "").toContain("quote");
  });
});

describe("full URLs as destinations", () => {
  test("the account is left out, with a warning", () => {
    const url = "https://myaccount.blob.core.windows.net/video/a%20b/";
    const { rows, warnings } = parse(`${GEN_2}/a/,${url},BlockBlob,,,\n`);
    expect(rows[0]).toMatchObject({ container: "video", destination: "video/a b/" });
    expect(warnings).toMatchObject([{ line: 2, column: "DstItemPathOrPrefix", value: url }]);
  });

  test("one with a signature is refused and not repeated", () => {
    const url = "https://myaccount.blob.core.windows.net/video/?sv=2020&sig=topsecret";
    expect(JSON.stringify(refusal(`${GEN_2}/a/,${url},BlockBlob,,,\n`))).not.toContain("topsecret");
  });

  test.each(["https://myaccount.file.core.windows.net/share/", "https://example.org/video/"])(
    "%s is refused",
    (url) => {
      expect(firstProblem(`${GEN_2}/a/,${url},BlockBlob,,,\n`)?.column).toBe("DstItemPathOrPrefix");
    },
  );
});

describe("base paths", () => {
  test.each([
    ["D:\\photos\\", "D:\\photos", "directory"],
    ["D:/photos/", "D:\\photos", "directory"],
    ["D:\\", "D:\\", "directory"],
    ["D:\\photos\\a.jpg", "D:\\photos\\a.jpg", "file"],
    ["\\\\server\\share\\", "\\\\server\\share\\", "directory"],
    ["\\\\server\\share\\dir\\", "\\\\server\\share\\dir", "directory"],
    ["\\\\?\\D:\\long\\", "D:\\long", "directory"],
    ["\\\\?\\UNC\\server\\share\\x", "\\\\server\\share\\x", "file"],
    ["D:\\a\\..\\b\\", "D:\\b", "directory"],
  ])("Windows: %s", (text, basePath, kind) => {
    expect(parse(`${GEN_3}"${text}",photos/x,BlockBlob\n`, windows).rows).toMatchObject([{ basePath, kind }]);
  });

  test.each([
    "photos\\",
    "D:photos\\",
    "\\photos\\",
    "\\\\server",
    "D:\\a?.jpg",
    "D:\\a|b\\",
    "D:\\a:b",
    "/data/x/",
    "",
  ])("Windows refuses %j", (text) => {
    expect(firstProblem(`${GEN_3}"${text}",photos/,BlockBlob\n`, windows)?.column).toBe("BasePath");
  });

  test.each([
    ["/data/photos/", "/data/photos", "directory"],
    ["/data//x/../photos/", "/data/photos", "directory"],
    ["/data/photos\\", "/data/photos", "directory"],
    ["/", "/", "directory"],
    ["/data/what*?.jpg", "/data/what*?.jpg", "file"],
  ])("elsewhere: %s", (text, basePath, kind) => {
    expect(parse(`${GEN_3}"${text}",photos/x,BlockBlob\n`).rows).toMatchObject([{ basePath, kind }]);
  });

  test.each(["data/", "D:\\photos\\", "~/x/"])("elsewhere refuses %j", (text) => {
    expect(firstProblem(`${GEN_3}"${text}",photos/,BlockBlob\n`)?.column).toBe("BasePath");
  });
});

describe("sources inside sources", () => {
  test("a sub-directory of another row is a warning", () => {
    const { warnings } = parse(
      `${GEN_3}/a/b/,x-1/,BlockBlob\n/a/,x-2/,BlockBlob\n/ab/,x-3/,BlockBlob\n/a/f,x-4/f,BlockBlob\n`,
    );
    expect(warnings.map((warning) => warning.line)).toEqual([2, 5]);
    expect(warnings[0]?.message).toContain("line 3");
  });

  test("Windows compares without regard to letter case", () => {
    const { warnings } = parse(`${GEN_3}D:\\A\\,x-1/,BlockBlob\nd:\\a\\B\\,x-2/,BlockBlob\n`, windows);
    expect(warnings).toHaveLength(1);
  });

  test("the same source for two destinations is a warning, the same row twice is left to the search for clashes", () => {
    expect(parse(`${GEN_3}/a/,x-1/,BlockBlob\n/a/,x-2/,BlockBlob\n`).warnings).toHaveLength(1);
    expect(parse(`${GEN_3}/a/,x-1/,BlockBlob\n/a/,x-1/,BlockBlob\n`).warnings).toEqual([]);
  });
});
