import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readManifest } from "../../src/manifest/manifest-reader.ts";
import { AppError } from "../../src/platform/app-error.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";

const folder = fileURLToPath(new URL("../../fixtures/damaged/manifest/", import.meta.url));

/** What the message says about each file; all have the code MANIFEST_INVALID. */
const EXPECTED: Readonly<Record<string, string>> = {
  "billion-laughs": "a document type declaration",
  "block-hash-missing": "<Block> has no Hash",
  "block-hash-not-hexadecimal": "the Hash of the segment at 0 is not 32 hexadecimal digits",
  "block-hash-short": "the Hash of the segment at 0 is not 32 hexadecimal digits",
  "block-id-not-base64": '"A*==" is no block id',
  "block-ids-of-two-lengths": "its block ids differ in length",
  "block-of-no-bytes": "a segment of 0 bytes",
  "block-too-large": "a segment of 104857601 bytes",
  "blob-path-without-container": 'blob "a.bin": its BlobPath "a.bin" is not of the form container/name',
  "blocks-beyond-length": 'blob "c/a.bin": its segments reach to 30, beyond its length of 20',
  "blocks-missing": "its blocks cover 0 of 20 bytes",
  "blocks-out-of-order": "there is a gap before the block at 10",
  "blocks-overlap": "the segment at 10 overlaps the one before it",
  "blocks-too-short": "its blocks cover 10 of 20 bytes",
  "blocks-with-gap": "there is a gap before the block at 10",
  "both-lists": "a blob has a block list and a page range list",
  "cut-in-a-tag": "unclosed tag",
  deep: "<Blob> has no place in <Blob>",
  doctype: "a document type declaration",
  "drive-id-after-list": "no <DriveId> before the first <BlobList>",
  "duplicate-attribute": "duplicate attribute: Offset",
  "duplicate-element": "a second <Length> in <Blob>",
  empty: "document must contain a root element",
  "file-path-device": "is the name of a device",
  "file-path-device-superscript": "is the name of a device",
  "file-path-dot": 'it holds "."',
  "file-path-drive-letter": "it holds a colon: a drive letter or a stream",
  "file-path-drive-relative": "it holds a colon: a drive letter or a stream",
  "file-path-empty-name": "it holds an empty name",
  "file-path-long": "it is longer than any path on a drive",
  "file-path-nothing": "it names no file",
  "file-path-nul-character": "malformed character entity",
  "file-path-parent": 'blob "c/a.bin": its FilePath "\\s\\..\\..\\etc\\passwd" cannot be used: it holds ".."',
  "file-path-share": "it begins with two backslashes",
  "file-path-slash": "it holds a slash",
  "file-path-stream": "it holds a colon: a drive letter or a stream",
  "file-path-trailing-blank": "ends in a dot or a blank",
  "file-path-trailing-dot": "ends in a dot or a blank",
  "fractional-length": 'Length "14.0" is no number of bytes',
  "hexadecimal-length": 'Length "0xE" is no number of bytes',
  "huge-length": 'Length "9007199254740993" is no number of bytes',
  "latin-1": "is not UTF-8 text",
  "latin-1-declared": 'encoding "ISO-8859-1"',
  "line-end-in-path": "its BlobPath holds a control character",
  "long-attribute": "the Offset of <Block> is too long",
  "long-path": "the text of <BlobPath> is too long",
  "metadata-after-blob": "<MetadataPath> of a <BlobList> after its first <Blob>",
  "metadata-outside": 'it holds ".."',
  "metadata-without-hash": "<MetadataPath> has no Hash",
  "negative-length": 'Length "-14" is no number of bytes',
  "newer-version": 'version "2031-01-01" is newer than 2014-11-01',
  "no-blob-path": "a blob has no BlobPath",
  "no-drive": "no Drive element",
  "no-drive-id": "no <DriveId> before the first <BlobList>",
  "no-file-path": "it has no FilePath",
  "no-length": "it has no Length",
  "no-version": "<DriveManifest> has no Version",
  "nul-reference": "malformed character entity",
  "older-version": '"2010-01-01" is no manifest version',
  "page-length-odd": "the length of a page blob, 513, is no multiple of 512",
  "page-offset-odd": "the page range at 100 is not made of whole pages",
  "page-range-odd": "the page range at 0 is not made of whole pages",
  "page-ranges-beyond-length": "its segments reach to 1536, beyond its length of 1024",
  "page-ranges-overlap": "the segment at 512 overlaps the one before it",
  "processing-instruction": "a processing instruction",
  "some-block-ids": "some of its blocks have an Id and some have none",
  "surrogate-reference": "malformed character entity",
  "text-between": "text in <BlobList>",
  truncated: "unclosed tag",
  "two-credentials": "a <StorageAccountKey> and a <ContainerSas>",
  "two-drive-ids": "a second <DriveId> in <Drive>",
  "two-drives": "a second <Drive> in <DriveManifest>",
  "two-roots": "documents may contain only one root",
  "unknown-attribute": '<Block> has an attribute "Run"',
  "unknown-element": "<Script> has no place in <Blob>",
  "unknown-entity": "undefined entity",
  "utf-16": "is not UTF-8 text",
  "wrong-disposition": '"replace" is no ImportDisposition',
  "wrong-root": "<Drives> has no place in <document>",
  "wrong-version": '"latest" is no manifest version',
  "xml-1.1": 'XML version "1.1"',
};

describe("damaged and hostile manifests", () => {
  it("are all in the table", () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(EXPECTED)
        .map((name) => `${name}.xml`)
        .sort(),
    );
  });

  it.each(Object.entries(EXPECTED))("%s is refused: %s", (name, problem) => {
    let error: unknown;
    try {
      readManifest(nodeFileSystem, join(folder, `${name}.xml`), {});
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "MANIFEST_INVALID", exitCode: 9 });
    expect((error as AppError).message).toContain(problem);
    if (!problem.includes("UTF-8")) expect((error as AppError).message).toMatch(/ at line \d+, column \d+: /);
  });
});
