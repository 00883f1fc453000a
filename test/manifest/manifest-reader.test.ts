import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import type { BlobListHead } from "../../src/manifest/manifest-model.ts";
import type { ManifestFacts, ReadManifestHead } from "../../src/manifest/manifest-parser.ts";
import { ManifestReader, readManifest } from "../../src/manifest/manifest-reader.ts";
import { type FileSystem, nodeFileSystem as fs } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

const golden = (name: string) => fileURLToPath(new URL(`../../fixtures/golden/manifest/${name}.xml`, import.meta.url));
const HASH = "0123456789ABCDEF0123456789ABCDEF";

/** Everything the reader tells, copied. */
function readAll(path: string, from: FileSystem = fs) {
  const heads: ReadManifestHead[] = [];
  const lists: BlobListHead[] = [];
  const blobs: Record<string, unknown>[] = [];
  const facts: ManifestFacts = readManifest(from, path, {
    driveStart: (head) => heads.push(head),
    blobListStart: (list) => lists.push({ ...list }),
    blob: ({ segments, ...blob }) =>
      blobs.push({
        ...blob,
        segments: Array.from({ length: segments.count }, (_, index) => [
          segments.offset(index),
          segments.length(index),
          segments.hash(index),
        ]),
        ids: [...segments.ids],
      }),
  });
  return { facts, heads, lists, blobs };
}

let directory: string;
let path: string;
beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory, "m.xml");
});

describe("the manifest reader", () => {
  it("reads the documented import example", () => {
    const { facts, heads, lists, blobs } = readAll(golden("import"));
    expect(heads).toEqual([
      {
        version: "2014-11-01",
        driveId: "9WM35C2V",
        storageAccountKey: "BASE64-ACCOUNT-KEY==",
        clientCreator: "example tool 0.1",
      },
    ]);
    expect(facts).toEqual({ head: heads[0], blobLists: 2, blobs: 3, bytes: 5_002_574 });
    const metadata = { path: "\\session#1\\metadata.xml", hash: "7A3E3AD2F62FC2A7FE30755EF96A2645" };
    expect(lists).toEqual([{ metadata }, {}]);
    expect(blobs[0]).toEqual({
      blobPath: "survey/2024/a.bin",
      filePath: "\\session#1\\a.bin",
      sizeBytes: 5_000_000,
      blobType: "block",
      isListed: true,
      disposition: "rename",
      list: { metadata },
      segments: [
        [0, 4194304, "4A31AC3594CB245C08E134EC06B3057E"],
        [4194304, 805696, "E9B6633184809F88E1947FA260B3B09F"],
      ],
      ids: ["MD5/SjGsNZTLJFwI4TTsBrMFfg==", "MD5/6bZjMYSAn4jhlH+iYLOwnw=="],
    });
    expect(blobs[1]).toMatchObject({
      clientData: "optional comment",
      disposition: "overwrite",
      properties: { path: "\\session#1\\sub\\b.txt.properties", hash: "AA81222695F69A27E01FE3B2BF9038AE" },
    });
    expect(blobs[2]).toMatchObject({
      blobType: "page",
      segments: [
        [0, 1024, "73E7258F32B4434484731359FAB15127"],
        [2048, 512, "8A84FB3E5932B6F2187A016B92E9D530"],
      ],
    });
  });

  it("reads the documented export example", () => {
    const { heads, blobs } = readAll(golden("export"));
    expect(heads[0]?.clientCreator).toBe("Windows Azure Import/Export service");
    expect(blobs[0]).toMatchObject({ ids: ["AAAAAA==", "AQAAAA=="], metadata: { hash: expect.any(String) } });
    expect(blobs[0]).not.toHaveProperty("disposition");
    expect(blobs[1]).toMatchObject({ snapshot: "2024-03-01T10:15:30.1234567Z", sizeBytes: 2560 });
  });

  it.each(["2011-10-01", "2011-MM-DD", "2012-02-12", "2014-11-01"])("reads version %s", (version) => {
    writeFileSync(path, readFileSync(golden("export"), "utf8").replace("2014-11-01", version));
    expect(readAll(path).heads[0]?.version).toBe(version);
  });

  it.each([
    ["CR LF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["a byte order mark", (text: string) => `\ufeff${text}`],
    ["no declaration and no blanks", (text: string) => text.replace(/<\?.*\?>/, "").replaceAll(/>\s+</g, "><")],
    ["comments", (text: string) => text.replaceAll("<Blob>", "<!-- a --><Blob><!-- b -->")],
    ["character references", (text: string) => text.replaceAll("survey", "s&#117;r&#x76;ey")],
    ["character data sections", (text: string) => text.replace("survey/2024/a.bin", "<![CDATA[survey/2024/]]>a.bin")],
    ["lower-case digests", (text: string) => text.replace("4A31AC3594CB245C08E134EC06B3057E", (h) => h.toLowerCase())],
  ])("reads the same with %s", (_, change) => {
    const original = readFileSync(golden("export"), "utf8");
    writeFileSync(path, change(original));
    expect(readAll(path)).toEqual(readAll(golden("export")));
  });

  it("takes a file that comes byte by byte", () => {
    const oneByOne: FileSystem = {
      ...fs,
      read: (fd, buffer, offset, length, position) => fs.read(fd, buffer, offset, Math.min(1, length), position),
    };
    expect(readAll(golden("edges"), oneByOne)).toEqual(readAll(golden("edges")));
    writeFileSync(path, `\ufeff${readFileSync(golden("edges"), "utf8")}`);
    expect(readAll(path, oneByOne)).toEqual(readAll(golden("edges")));
  });

  it("reads a list without blobs, a drive without lists, and a blob without a list of segments", () => {
    const drive = (content: string) =>
      `<DriveManifest Version="2011-10-01"><Drive><DriveId>A</DriveId>${content}</Drive></DriveManifest>`;
    writeFileSync(path, drive(""));
    expect(readAll(path).facts).toMatchObject({ blobLists: 0, blobs: 0 });
    writeFileSync(path, drive('<BlobList Id="s-0" />'));
    expect(readAll(path).lists).toEqual([{ id: "s-0" }]);
    writeFileSync(
      path,
      drive("<BlobList><Blob><BlobPath>c/a</BlobPath><FilePath>a</FilePath><Length>5</Length></Blob></BlobList>"),
    );
    expect(readAll(path).blobs[0]).toMatchObject({ isListed: false, blobType: "block", sizeBytes: 5 });
  });

  it.each([
    ["a tag's name", `<${"a".repeat(2_000_000)}`],
    ["an attribute", `<DriveManifest Version="${"a".repeat(2_000_000)}`],
    ["attributes without end", `<DriveManifest ${Array.from({ length: 200_000 }, (_, i) => `a${i}="1"`).join(" ")}`],
    ["a comment", `<!--${"a".repeat(2_000_000)}`],
    ["text", `<DriveManifest Version="2014-11-01"><Drive><DriveId>${"a".repeat(2_000_000)}`],
    ["blanks", `<DriveManifest Version="2014-11-01">${" ".repeat(2_000_000)}`],
  ])("gives up on %s that does not end long before the file does", (_, text) => {
    writeFileSync(path, text);
    let bytes = 0;
    const counting: FileSystem = {
      ...fs,
      read: (fd, buffer, offset, length, position) => {
        const count = fs.read(fd, buffer, offset, length, position);
        bytes += count;
        return count;
      },
    };
    expect(() => readAll(path, counting)).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
    expect(bytes).toBeLessThan(400_000);
  });

  it("refuses more blocks than a blob can have", () => {
    const blocks = Array.from({ length: 50_001 }, (_, i) => `<Block Offset="${i}" Length="1" Hash="${HASH}"/>`).join(
      "",
    );
    const text = `<DriveManifest Version="2014-11-01"><Drive><DriveId>A</DriveId><BlobList><Blob><BlobPath>c/a</BlobPath><FilePath>a</FilePath><Length>50001</Length><BlockList>${blocks}</BlockList></Blob></BlobList></Drive></DriveManifest>`;
    writeFileSync(path, text);
    expect(() => readAll(path)).toThrow("it has over 50000 blocks");
  });

  it("tells a missing manifest from one that cannot be read", () => {
    expect(() => readAll(path)).toThrow(expect.objectContaining({ code: "MANIFEST_MISSING", exitCode: 5 }));
    const failing: FileSystem = {
      ...fs,
      read: () => {
        throw Object.assign(new Error("EIO"), { code: "EIO" });
      },
    };
    expect(() => readAll(golden("import"), failing)).toThrow(
      expect.objectContaining({
        code: "MANIFEST_UNREADABLE",
        message: expect.stringContaining("input/output error"),
      }),
    );
  });

  it("passes on what a handler throws, and closes the file", () => {
    let opened = 0;
    const counting: FileSystem = {
      ...fs,
      open: (...args) => {
        opened += 1;
        return fs.open(...args);
      },
      close: (fd) => {
        opened -= 1;
        fs.close(fd);
      },
    };
    const stop = new Error("stop");
    const read = () =>
      readManifest(counting, golden("import"), {
        blob: () => {
          throw stop;
        },
      });
    expect(read).toThrow(stop);
    expect(opened).toBe(0);
  });

  it("can be pulled piece by piece", () => {
    const blobs: string[] = [];
    const reader = new ManifestReader(fs, golden("import"), { blob: (blob) => blobs.push(blob.blobPath) });
    expect(reader.step()).toBe(true);
    expect(reader.step()).toBe(false);
    expect(reader.facts().blobs).toBe(3);
    expect(blobs).toHaveLength(3);
    reader.close();
    expect(reader.step()).toBe(false);
  });
});
