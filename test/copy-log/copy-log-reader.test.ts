import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CopyLogFacts, LogEntry } from "../../src/copy-log/copy-log-model.ts";
import { readCopyLog } from "../../src/copy-log/copy-log-reader.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { EXPORT_LOG_2014, LOG_2014, LOG_2018, LOG_2021, VERBOSE_LOG_2021 } from "./sample-logs.ts";

function read(content: string | Uint8Array): { facts: CopyLogFacts; entries: LogEntry[] } {
  const path = join(temporaryDirectory(), "log.xml");
  writeFileSync(path, content);
  const entries: LogEntry[] = [];
  return { facts: readCopyLog(nodeFileSystem, path, (entry) => entries.push(entry)), entries };
}

describe("a log of 2014", () => {
  it("is read with all of its parts", () => {
    const { facts, entries } = read(LOG_2014);
    expect(facts).toEqual({
      generation: "2014-11-01",
      driveId: "9WM35C2V",
      driveStatus: "CompletedWithErrors",
      entries: 2,
      summary: [],
    });
    expect(entries[0]).toEqual({
      kind: "blob",
      status: "CompletedWithErrors",
      blobPath: "survey/2024/a.bin",
      filePath: "\\session#1\\a.bin",
      sizeBytes: 5_000_000,
      disposition: { rule: "rename", status: "Created" },
      segments: {
        type: "block",
        items: [
          {
            offset: 0,
            length: 4_194_304,
            id: "MD5/SjGsNZTLJFwI4TTsBrMFfg==",
            hash: "4A31AC3594CB245C08E134EC06B3057E",
            status: "Committed",
          },
          {
            offset: 4_194_304,
            length: 805_696,
            id: "MD5/6bZjMYSAn4jhlH+iYLOwnw==",
            hash: "E9B6633184809F88E1947FA260B3B09F",
            status: "Corrupted",
          },
        ],
      },
      metadata: {
        status: "Completed",
        globalPath: { path: "\\session#1\\all.metadata", hash: "AA00000000000000000000000000000A" },
        path: { path: "\\session#1\\a.metadata", hash: "BB00000000000000000000000000000B" },
      },
      properties: { status: "XmlReadFailed", path: { path: "\\session#1\\a.properties" } },
    });
  });

  it("is read in the looser forms of the samples", () => {
    const { facts, entries } = read(EXPORT_LOG_2014);
    expect(facts.generation).toBe("2014-11-01");
    expect(entries).toEqual([
      {
        kind: "blob",
        status: "CompletedWithErrors",
        blobPath: "pictures/wild/canyon.jpg",
        filePath: "\\pictures\\wild\\canyon.jpg",
        lastModified: "2012-09-18T23:47:08Z",
        sizeBytes: 163_840,
        snapshot: "2024-03-01T10:15:30.1234567Z",
        segments: { type: "block", items: [] },
        properties: { status: "Failed" },
      },
      {
        kind: "blob",
        status: "CompletedWithErrors",
        blobPath: "vhds/disk.vhd",
        filePath: "\\vhds\\disk.vhd",
        sizeBytes: 8192,
        segments: { type: "page", items: [{ offset: 4096, length: 512, status: "BlobUnexpectedEnd" }] },
      },
    ]);
  });
});

describe("later generations", () => {
  it("2018: summary, share files, renamed things", () => {
    const { facts, entries } = read(LOG_2018);
    expect(facts).toMatchObject({ generation: "2018-10-01", driveId: "18041C582D7E", entries: 3 });
    expect(facts.summary).toEqual([
      { group: "ValidationErrors", code: "None", count: 3 },
      { group: "CopyErrors", code: "Renamed", count: 2, description: "Renamed the Storage Container" },
      { group: "CopyErrors", code: "None", count: 1 },
    ]);
    expect(entries[1]).toEqual({
      kind: "blob",
      status: "ContainerRenamed",
      blobPath: "databox-0123/new.txt",
      filePath: "\\BlockBlob\\Bad Name\\new.txt",
      sizeBytes: 7,
    });
    expect(entries[2]).toMatchObject({ kind: "share-file", blobPath: "share/dir/b.bin", segments: { type: "share" } });
  });

  it("2021: a row of elements without a root, in the copy log and in the verbose log", () => {
    const { facts, entries } = read(LOG_2021);
    expect(facts).toMatchObject({
      generation: "2021-08-01",
      driveId: "72a2914a-7fb2-4e34-a135-5c7176c3ee41",
      driveStatus: "Failed",
      totalItems: 60,
      itemsErrored: 2,
    });
    expect(facts.summary).toHaveLength(2);
    expect(entries[0]).toMatchObject({ kind: "errored-entity", category: "UploadErrorWin32", errorCode: "123" });
    expect(entries[1]).toMatchObject({ path: "New & Folder", entityType: "Container" });
    expect(entries[1]).not.toHaveProperty("cloudFormat");
    expect(read(VERBOSE_LOG_2021).entries).toEqual([
      {
        kind: "done-file",
        cloudFormat: "BlockBlob",
        path: "c1\\a.bin",
        sizeBytes: 1024,
        crc64: "14179624636173788226",
      },
      { kind: "done-file", cloudFormat: "PageBlob", path: "c1\\b.vhd", sizeBytes: 0, crc64: "0", etag: "0x8D1" },
    ]);
  });
});

describe("pieces of 64 KiB", () => {
  it("may cut characters and tags anywhere", () => {
    const blobs = Array.from(
      { length: 3000 },
      (_, i) => `<Blob Status="Completed"><BlobPath>c/ä€😀${i}</BlobPath></Blob>`,
    );
    const { entries } = read(`\ufeff<DriveLog Version="2014-11-01"><DriveId>D</DriveId>${blobs.join("")}</DriveLog>`);
    expect(entries.map((entry) => (entry.kind === "blob" ? entry.blobPath : ""))).toEqual(
      Array.from({ length: 3000 }, (_, i) => `c/ä€😀${i}`),
    );
  });

  it("a handler's own error passes through as it is", () => {
    const path = join(temporaryDirectory(), "log.xml");
    writeFileSync(path, LOG_2014);
    const own = new Error("stop here");
    expect(() =>
      readCopyLog(nodeFileSystem, path, () => {
        throw own;
      }),
    ).toThrow(own);
  });
});

const drive = (body: string): string => `<DriveLog Version="2014-11-01"><DriveId>D</DriveId>${body}</DriveLog>`;
const block = (attributes: string): string =>
  drive(`<Blob Status="x"><BlockList><Block ${attributes}/></BlockList></Blob>`);

describe("damaged and hostile logs are refused", () => {
  it.each([
    ["nothing", "", "there is no element"],
    ["text", "hello", "text outside"],
    ["another root", "<html/>", "begins no copy log"],
    ["an unknown version", '<DriveLog Version="2031-01-01"/>', "no known version"],
    ["two drive logs", `${drive("")}${drive("")}`, "second root"],
    ["rows behind a drive log", `${drive("")}<File Path="a"/>`, "behind the drive log"],
    ["a drive log behind rows", `<File Path="a"/>${drive("")}`, "second root"],
    ["an unknown child", drive("<Wrong/>"), "has no place"],
    ["a cut log", LOG_2014.slice(0, 900), "unclosed tag"],
    ["a doctype", `<!DOCTYPE x [<!ENTITY a "b">]>${drive("")}`, "doctype"],
    ["an entity", drive("<Status>&a;</Status>"), "undefined entity"],
    ["a processing instruction", drive("<?run x?>"), "processing instruction"],
    ["another encoding", `<?xml version="1.0" encoding="utf-16"?>${drive("")}`, "encoding"],
    ["an offset that is none", block('Offset="-1" Length="5"'), "no number of bytes"],
    ["a length beyond 2^53", block('Offset="0" Length="9007199254740993"'), "no number of bytes"],
    ["no length", block('Offset="0"'), "no number of bytes"],
    ["endless nesting", `<File>${"<a>".repeat(20)}`, "nested too deeply"],
    ["an endless name", `<File ${"a".repeat(600_000)}`, "does not end"],
    ["an endless text", drive(`<Status>${"a".repeat(100_000)}</Status>`), "too long"],
    ["endless children", drive(`<Blob Status="x">${"<a/>".repeat(2000)}</Blob>`), "too many children"],
    ["many attributes", `<File ${Array.from({ length: 40 }, (_, i) => `a${i}="1"`).join(" ")}/>`, "attributes"],
  ])("%s", (_, content, message) => {
    expect(() => read(content)).toThrow(expect.objectContaining({ code: "COPY_LOG_INVALID", exitCode: 9 }));
    expect(() => read(content)).toThrow(message);
  });

  it("bytes that are not UTF-8", () => {
    expect(() => read(Buffer.from([0x3c, 0x46, 0xff, 0xfe]))).toThrow("not UTF-8");
  });

  it("a log that is not there", () => {
    expect(() => readCopyLog(nodeFileSystem, "/nowhere/log.xml", () => {})).toThrow(
      expect.objectContaining({ code: "COPY_LOG_UNREADABLE", exitCode: 2 }),
    );
  });
});
