import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BLOB_LIST_END,
  BLOB_LIST_START,
  blobListLine,
  parseBlobList,
  toBlobSelector,
  toPrefixSelector,
} from "../../src/blobs/blob-list.ts";

const list = (body: string): string => `<?xml version="1.0" encoding="utf-8"?>\n<BlobList>${body}</BlobList>`;
const parse = (body: string) => parseBlobList(list(body), "list.xml");

describe("a blob list", () => {
  it("reads blobs, snapshots and prefixes in any order", () => {
    expect(
      parse(`
      <BlobPathPrefix>/</BlobPathPrefix><BlobPathPrefix>/bob</BlobPathPrefix><BlobPathPrefix>/$root/</BlobPathPrefix>
      <BlobPathPrefix>/music/love</BlobPathPrefix><BlobPath>pictures/a &amp; b.jpg</BlobPath>
      <BlobPath IncludeSnapshots="true">/videos/story.mp4</BlobPath>
      <BlobPath IncludeSnapshots="false">$root/logo.bmp</BlobPath>
      <BlobPath SnapshotTime="2014-04-30T00:23:52.6173161Z">pictures/cat.jpg</BlobPath>`),
    ).toEqual([
      { kind: "prefix", container: "", isWholeContainer: false, namePrefix: "" },
      { kind: "prefix", container: "bob", isWholeContainer: false, namePrefix: "" },
      { kind: "prefix", container: "$root", isWholeContainer: true, namePrefix: "" },
      { kind: "prefix", container: "music", isWholeContainer: true, namePrefix: "love" },
      { kind: "blob", container: "pictures", name: "a & b.jpg", snapshots: "all" },
      { kind: "blob", container: "videos", name: "story.mp4", snapshots: "all" },
      { kind: "blob", container: "$root", name: "logo.bmp", snapshots: "none" },
      { kind: "blob", container: "pictures", name: "cat.jpg", snapshots: { time: "2014-04-30T00:23:52.6173161Z" } },
    ]);
  });

  it.each([
    ["nothing in it", list(""), "names no blob"],
    ["another root", "<bloblist/>", "has no place here"],
    ["Azure Files", "<BlobList><BlobPath>a/b</BlobPath></BlobList><AzureFileList/>", "Azure Files"],
    ["a wrong element", list("<Blobpath>a/b</Blobpath>"), "has no place here"],
    ["nesting", list("<BlobPath><BlobPath>a/b</BlobPath></BlobPath>"), "has no place here"],
    ["a path without container", list("<BlobPath>name</BlobPath>"), "container/name"],
    ["a prefix without slash", list("<BlobPathPrefix>box</BlobPathPrefix>"), "begin with a slash"],
    ["an unknown attribute", list('<BlobPath Snapshot="x">a/b</BlobPath>'), "attribute"],
    ["an attribute of a prefix", list('<BlobPathPrefix IncludeSnapshots="true">/a</BlobPathPrefix>'), "attribute"],
    ["a time that is none", list('<BlobPath SnapshotTime="yesterday">a/b</BlobPath>'), "SnapshotTime"],
    ["a boolean that is none", list('<BlobPath IncludeSnapshots="yes">a/b</BlobPath>'), "IncludeSnapshots"],
    ["text between", list("hello<BlobPath>a/b</BlobPath>"), "text between"],
    ["a doctype", `<!DOCTYPE BlobList>${list("")}`, "line 1"],
    ["an endless path", list(`<BlobPath>${"a".repeat(10_000)}</BlobPath>`), "too long"],
    ["no XML", "hello", "line 1"],
  ])("refuses %s, with its place", (_, text, message) => {
    expect(() => parseBlobList(text, "list.xml")).toThrow(expect.objectContaining({ code: "BLOB_LIST_INVALID" }));
    expect(() => parseBlobList(text, "list.xml")).toThrow(message);
  });

  it("that is written chooses exactly what was named", () => {
    const name = fc.string({
      unit: fc.constantFrom("a", "/", "&", "<", '"', "ä", " ", "😀"),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.boolean()), { minLength: 1 }), (blobs) => {
        const time = "2024-03-01T10:15:30.1234567Z";
        const lines = blobs.map(([blob, isSnapshot]) => blobListLine(`box/x${blob}x`, isSnapshot ? time : undefined));
        const selectors = parseBlobList(BLOB_LIST_START + lines.join("") + BLOB_LIST_END, "list.xml");
        expect(selectors).toEqual(
          blobs.map(([blob, isSnapshot]) => toBlobSelector(`box/x${blob}x`, isSnapshot ? { time } : "none")),
        );
      }),
    );
  });

  it("prefixes on the command line follow the same rules", () => {
    expect(() => toPrefixSelector("\\")).toThrow("begin with a slash");
    expect(toPrefixSelector("/box/")).toEqual({
      kind: "prefix",
      container: "box",
      isWholeContainer: true,
      namePrefix: "",
    });
  });
});
