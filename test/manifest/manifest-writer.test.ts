import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { copyManifestHead, hashFile, restoreOldManifest } from "../../src/manifest/manifest-extension.ts";
import { nodeFileSystem as fs } from "../../src/platform/file-system.ts";
import { expectGolden } from "../golden.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { digestsOf, fileBlob, type ListToWrite, md5, writeManifest } from "./manifest-files.ts";

const crlf = (...lines: string[]) => Buffer.from(lines.map((line) => `${line}\r\n`).join(""));
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const METADATA = crlf(DECLARATION, "<Metadata>", "    <Project>alpha</Project>", "</Metadata>");
const PROPERTIES = crlf(DECLARATION, "<Properties>", "    <Content-Type>text/plain</Content-Type>", "</Properties>");
const FILE_C = Buffer.concat([Buffer.alloc(1024, 0x50), Buffer.alloc(1024), Buffer.alloc(512, 0x50)]);
const HEAD = {
  driveId: "9WM35C2V",
  storageAccountKey: "BASE64-ACCOUNT-KEY==",
  clientCreator: "example tool 0.1",
};
const FIRST: ListToWrite = {
  head: { metadata: { path: "\\session#1\\metadata.xml", hash: md5(METADATA) } },
  blobs: [
    fileBlob(
      { blobPath: "survey/2024/a.bin", filePath: "\\session#1\\a.bin", blobType: "block" },
      Buffer.alloc(5_000_000, 0x41),
    ),
    fileBlob(
      {
        blobPath: "survey/2024/sub/b.txt",
        filePath: "\\session#1\\sub\\b.txt",
        clientData: "optional comment",
        disposition: "overwrite",
        blobType: "block",
        properties: { path: "\\session#1\\sub\\b.txt.properties", hash: md5(PROPERTIES) },
      },
      Buffer.from("hello, import\n"),
    ),
  ],
};
const SECOND: ListToWrite = {
  head: {},
  blobs: [
    fileBlob(
      {
        blobPath: "$root/disk0.vhd",
        filePath: "\\session#2\\disk0.vhd",
        disposition: "no-overwrite",
        blobType: "page",
        segmentBytes: 1024,
      },
      FILE_C,
    ),
  ],
};
const EDGES: ListToWrite = {
  head: { id: 'trip"1-0', properties: { path: "\\trip-1\\0.properties.xml", hash: md5(PROPERTIES) } },
  blobs: [
    fileBlob({ blobPath: "c/empty", filePath: "\\t\\0\\empty", blobType: "block" }, Buffer.alloc(0)),
    fileBlob({ blobPath: "c/empty.vhd", filePath: "\\t\\0\\empty.vhd", blobType: "page" }, Buffer.alloc(0)),
    fileBlob({ blobPath: "c/zeros.vhd", filePath: "\\t\\0\\zeros.vhd", blobType: "page" }, Buffer.alloc(4_195_328)),
    fileBlob({ blobPath: "c/zeros.bin", filePath: "\\t\\0\\zeros.bin", blobType: "block" }, Buffer.alloc(1024)),
    fileBlob(
      { blobPath: "c/<a> & \"b\" 'c' 年次 😀", filePath: "\\t\\0\\%3Ca%3E & 年次 😀", blobType: "block" },
      Buffer.from("x"),
    ),
  ],
};

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});

describe("the manifest writer", () => {
  it("writes the documented example", () => {
    const path = join(directory, "m.xml");
    const summary = writeManifest(path, HEAD, [FIRST, SECOND]);
    const bytes = readFileSync(path);
    expectGolden("fixtures/golden/manifest/import.xml", bytes.toString());
    expect(bytes.toString()).toContain('Id="MD5/SjGsNZTLJFwI4TTsBrMFfg==" Hash="4A31AC3594CB245C08E134EC06B3057E"');
    expect(summary).toEqual({ hash: md5(bytes), sizeBytes: bytes.length, blobs: 3, bytes: 5_002_574 });
    expect(hashFile(fs, path)).toEqual({ hash: summary.hash, sizeBytes: summary.sizeBytes });
  });

  it("writes empty files, files of zeros and names that XML must escape", () => {
    const path = join(directory, "m.xml");
    writeManifest(path, { driveId: "MOCK0123456789AB", clientCreator: "waimportexport 0.1.0" }, [EDGES]);
    expectGolden("fixtures/golden/manifest/edges.xml", readFileSync(path, "utf8"));
  });

  it("writes long text whole, surrogate pairs at every place of a piece", () => {
    for (let shift = 0; shift < 4; shift++) {
      const path = join(directory, "m.xml");
      const comment = "x".repeat(shift) + "😀".repeat(60_000);
      const summary = writeManifest(path, { driveId: "A", clientCreator: comment }, []);
      const bytes = readFileSync(path);
      expect(bytes.toString()).toContain(`<ClientCreator>${comment}</ClientCreator>`);
      expect(summary.hash).toBe(md5(bytes));
    }
  });

  it("leaves out what `omit` says instead of what is zero", () => {
    const path = join(directory, "m.xml");
    const blob = { blobPath: "c/a", filePath: "\\a", blobType: "page", segmentBytes: 1024 } as const;
    writeManifest(path, { driveId: "A" }, [
      { head: {}, blobs: [{ ...fileBlob(blob, FILE_C), omit: (index) => index !== 1 }] },
    ]);
    const text = readFileSync(path, "utf8");
    expect(text.match(/<PageRange /g)).toHaveLength(1);
    expect(text).toContain('<PageRange Offset="1024" Length="1024"');
  });

  it.each([
    ["a control character", { blobPath: "c/\u0001" }],
    ["a line end", { filePath: "\\a\nb" }],
    ["half a surrogate pair", { blobPath: "c/\ud83d" }],
    ["U+FFFF", { filePath: "\\\uffff" }],
    ["too few digests", { digests: new Uint8Array(0) }],
  ])("takes %s for a bug", (_, change) => {
    const blob = fileBlob({ blobPath: "c/a", filePath: "\\a", blobType: "block" }, Buffer.from("x"));
    const write = () =>
      writeManifest(join(directory, "m.xml"), { driveId: "A" }, [{ head: {}, blobs: [{ ...blob, ...change }] }]);
    expect(write).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });
});

describe("extending a manifest", () => {
  it("gives what one writing of everything gives, and the old one back byte for byte", () => {
    const [old, next, whole, back] = ["old", "new", "whole", "back"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
      string,
    ];
    const first = writeManifest(old, HEAD, [FIRST]);
    const known = { hash: first.hash, blobs: first.blobs, bytes: first.bytes };
    const second = writeManifest(next, (writer) => copyManifestHead(fs, old, writer, known), [SECOND]);
    expect(second).toEqual(writeManifest(whole, HEAD, [FIRST, SECOND]));
    expect(readFileSync(next).equals(readFileSync(whole))).toBe(true);
    expect(restoreOldManifest(fs, next, back, first.sizeBytes)).toEqual({
      hash: first.hash,
      sizeBytes: first.sizeBytes,
    });
    expect(readFileSync(back).equals(readFileSync(old))).toBe(true);
  });

  it("refuses a manifest that does not end as ours, or has another hash", () => {
    const old = join(directory, "old");
    const extend = (hash?: string) => () =>
      writeManifest(
        join(directory, "new"),
        (writer) => copyManifestHead(fs, old, writer, hash === undefined ? {} : { hash }),
        [SECOND],
      );
    const damaged = expect.objectContaining({ code: "MANIFEST_DAMAGED" });
    expect(extend()).toThrow(damaged);
    const { sizeBytes } = writeManifest(old, HEAD, [FIRST]);
    expect(extend("0".repeat(32))).toThrow(damaged);
    const bytes = readFileSync(old);
    writeFileSync(old, bytes.subarray(0, -1));
    expect(extend()).toThrow(damaged);
    expect(() => restoreOldManifest(fs, old, join(directory, "back"), sizeBytes)).toThrow(damaged);
    writeFileSync(old, "short");
    expect(extend()).toThrow(damaged);
    writeFileSync(old, bytes);
    expect(() => restoreOldManifest(fs, old, join(directory, "back"), sizeBytes + 1)).toThrow(damaged);
    expect(() => restoreOldManifest(fs, old, join(directory, "back"), 3)).toThrow(damaged);
  });
});

describe("digests of the tests", () => {
  it("tile a file", () => {
    expect(digestsOf(Buffer.alloc(10), 4)).toHaveLength(3 * 16);
  });
});
