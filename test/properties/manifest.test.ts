import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPathProblem } from "../../src/manifest/drive-file-path.ts";
import type { BlobEntry, BlobListHead, SideFile } from "../../src/manifest/manifest-model.ts";
import { readManifest } from "../../src/manifest/manifest-reader.ts";
import { isZeroDigest } from "../../src/manifest/zero-digest.ts";
import { nodeFileSystem as fs } from "../../src/platform/file-system.ts";
import { md5, writeManifest } from "../manifest/manifest-files.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot carry these
const NOT_IN_XML = /[\x00-\x1f\ufffe\uffff]/g;
const text = fc.string({ unit: "grapheme", maxLength: 20 }).map((value) => value.replaceAll(NOT_IN_XML, "&"));
const name = text.filter((value) => value !== "" && !value.includes("/"));
const blobPath = fc.tuple(name, name).map(([container, rest]) => `${container}/${rest}`);
const filePath = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => `\\${names.join("\\")}`)
  .filter((path) => findPathProblem(path) === undefined);
const hash = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex").toUpperCase());
const sideFile: fc.Arbitrary<SideFile> = fc.record({ path: filePath, hash });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const defined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

const blob: fc.Arbitrary<BlobEntry> = fc
  .record({
    blobPath,
    filePath,
    blobType: fc.constantFrom("block" as const, "page" as const),
    segmentBytes: fc.constantFrom(512, 1024, 4096),
    sizeBytes: fc.nat({ max: 20_000 }),
    seed: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    disposition: optional(fc.constantFrom("rename" as const, "no-overwrite" as const, "overwrite" as const)),
    clientData: optional(text),
    metadata: optional(sideFile),
    properties: optional(sideFile),
  })
  .map(({ seed, ...entry }) => {
    const sizeBytes = entry.blobType === "page" ? entry.sizeBytes - (entry.sizeBytes % 512) : entry.sizeBytes;
    const segments = Math.ceil(sizeBytes / entry.segmentBytes);
    const digests = new Uint8Array(segments * 16);
    for (let index = 0; index < digests.length; index++) digests[index] = (seed[index % 16] ?? 0) + (index >> 4);
    return defined({ ...entry, sizeBytes, digests }) as BlobEntry;
  });
const list = fc.record({
  head: fc
    .record({ id: optional(text), metadata: optional(sideFile), properties: optional(sideFile) })
    .map((head) => defined(head) as BlobListHead),
  blobs: fc.array(blob, { maxLength: 5 }),
});

describe("a manifest", () => {
  it("is read as it was written, and written the same again", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "m.xml");
    fc.assert(
      fc.property(name, fc.array(list, { maxLength: 3 }), (driveId, lists) => {
        const summary = writeManifest(path, { driveId }, lists);
        const bytes = readFileSync(path);
        expect(summary.hash).toBe(md5(bytes));
        const heads: BlobListHead[] = [];
        const blobs: object[] = [];
        const facts = readManifest(fs, path, {
          blobListStart: (head) => heads.push({ ...head }),
          blob: ({ segments, list: _, isListed, ...rest }) => {
            const found = Array.from({ length: segments.count }, (_, i) => [segments.offset(i), segments.hash(i)]);
            blobs.push({ ...rest, found, covered: segments.count });
            expect(isListed).toBe(true);
          },
        });
        expect(facts.head.driveId).toBe(driveId);
        expect([facts.blobs, facts.bytes]).toEqual([summary.blobs, summary.bytes]);
        expect(heads).toEqual(lists.map((one) => one.head));
        expect(blobs).toEqual(lists.flatMap((one) => one.blobs.map(toExpected)));
        expect(writeManifest(path, { driveId }, lists).hash).toBe(summary.hash);
      }),
      { numRuns: 200 },
    );
  });

  it("never lets a path leave the drive", () => {
    const part = fc.oneof(name, fc.constantFrom("..", ".", "", "C:", "nul", "a:b", "con.txt", "..  ", "x/..", "\0"));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.boolean(), (parts, isRooted) => {
        const path = (isRooted ? "\\" : "") + parts.join("\\");
        if (findPathProblem(path) !== undefined) return;
        for (const component of path.replace(/^\\/, "").split("\\")) {
          expect(component).not.toMatch(/^$|^\.+ *$|[:/]|^(nul|con)(\.|$)|[ .]$/i);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function toExpected(entry: BlobEntry): object {
  const { digests, segmentBytes, ...rest } = entry;
  const found: [number, string][] = [];
  for (let offset = 0; offset < entry.sizeBytes; offset += segmentBytes) {
    const at = (offset / segmentBytes) * 16;
    const length = Math.min(segmentBytes, entry.sizeBytes - offset);
    if (entry.blobType === "page" && isZeroDigest(digests, at, length)) continue;
    found.push([
      offset,
      Buffer.from(digests.subarray(at, at + 16))
        .toString("hex")
        .toUpperCase(),
    ]);
  }
  return { ...rest, disposition: entry.disposition ?? "rename", found, covered: found.length };
}
