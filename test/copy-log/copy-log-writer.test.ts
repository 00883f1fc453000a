import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogBlob, LogEntry } from "../../src/copy-log/copy-log-model.ts";
import { readCopyLog } from "../../src/copy-log/copy-log-reader.ts";
import { CopyLogWriter } from "../../src/copy-log/copy-log-writer.ts";
import {
  BLOB_STATUSES,
  DISPOSITION_STATUSES,
  type DriveStatus,
  SEGMENT_STATUSES,
  SIDE_STATUSES,
} from "../../src/copy-log/status-codes.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

function write(path: string, kind: "error" | "verbose", blobs: readonly LogBlob[], status: DriveStatus): string {
  const fd = openSync(path, "w");
  const writer = new CopyLogWriter(nodeFileSystem, fd, kind);
  writer.begin("9WM35C2V");
  for (const blob of blobs) writer.blob(blob);
  const size = writer.end(status);
  closeSync(fd);
  const text = readFileSync(path, "utf8");
  expect(Buffer.byteLength(text)).toBe(size);
  return text;
}

const GOOD: LogBlob = {
  kind: "blob",
  status: "Completed",
  blobPath: "c/good",
  filePath: "\\s\\good",
  sizeBytes: 3,
  disposition: { rule: "rename", status: "Created" },
  segments: { type: "block", items: [{ offset: 0, length: 3, id: "AAAA", hash: "00", status: "Completed" }] },
};
const RENAMED: LogBlob = { ...GOOD, blobPath: "c/good (2)", disposition: { rule: "rename", status: "Renamed" } };
const BAD: LogBlob = {
  kind: "blob",
  status: "CompletedWithErrors",
  blobPath: 'c/<b>&"',
  filePath: "\\s\\b",
  sizeBytes: 1024,
  segments: {
    type: "page",
    items: [
      { offset: 0, length: 512, hash: "11", status: "Completed" },
      { offset: 512, length: 512, hash: "22", status: "Corrupted" },
    ],
  },
  metadata: { status: "Completed", globalPath: { path: "\\s\\m", hash: "33" } },
  properties: { status: "FileNotFound", path: { path: "\\s\\p", hash: "44" } },
};

describe("the writer", () => {
  it("writes the documented form", () => {
    const path = join(temporaryDirectory(), "verbose.xml");
    expect(write(path, "verbose", [BAD], "CompletedWithErrors")).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<DriveLog Version="2014-11-01">
  <DriveId>9WM35C2V</DriveId>
  <Blob Status="CompletedWithErrors">
    <BlobPath>c/&lt;b&gt;&amp;&quot;</BlobPath>
    <FilePath>\\s\\b</FilePath>
    <Length>1024</Length>
    <PageRangeList>
      <PageRange Offset="0" Length="512" Hash="11" Status="Completed" />
      <PageRange Offset="512" Length="512" Hash="22" Status="Corrupted" />
    </PageRangeList>
    <Metadata Status="Completed">
      <GlobalPath Hash="33">\\s\\m</GlobalPath>
    </Metadata>
    <Properties Status="FileNotFound">
      <Path Hash="44">\\s\\p</Path>
    </Properties>
  </Blob>
  <Status>CompletedWithErrors</Status>
</DriveLog>
`);
  });

  it("leaves out of the error log what succeeded, but keeps what a disposition did", () => {
    const path = join(temporaryDirectory(), "error.xml");
    write(path, "error", [GOOD, RENAMED, BAD], "CompletedWithErrors");
    const entries: LogEntry[] = [];
    readCopyLog(nodeFileSystem, path, (entry) => entries.push(entry));
    expect(entries).toEqual([
      {
        kind: "blob",
        status: "Completed",
        blobPath: "c/good (2)",
        filePath: "\\s\\good",
        sizeBytes: 3,
        disposition: { rule: "rename", status: "Renamed" },
      },
      {
        kind: "blob",
        status: "CompletedWithErrors",
        blobPath: 'c/<b>&"',
        filePath: "\\s\\b",
        sizeBytes: 1024,
        segments: { type: "page", items: [{ offset: 512, length: 512, hash: "22", status: "Corrupted" }] },
        properties: { status: "FileNotFound", path: { path: "\\s\\p", hash: "44" } },
      },
    ]);
  });

  it("never fails on what XML cannot carry", () => {
    const path = join(temporaryDirectory(), "odd.xml");
    write(path, "verbose", [{ ...GOOD, blobPath: "c/\u0001\ud800x" }], "Completed");
    const entries: LogEntry[] = [];
    readCopyLog(nodeFileSystem, path, (entry) => entries.push(entry));
    expect(entries).toMatchObject([{ blobPath: "c/\ufffd\ufffdx" }]);
  });
});

const text = fc.string({
  unit: fc.constantFrom("a", "<", "&", '"', "'", "ä", "😀", "\\", " ", "]]>"),
  minLength: 1,
  maxLength: 12,
});
const name = text.map((value) => `x${value}x`);
const hash = fc.constantFrom("00112233445566778899AABBCCDDEEFF", "FFEEDDCCBBAA99887766554433221100");
const file = fc.record({ path: name, hash });
const side = fc.record(
  { status: fc.constantFrom(...SIDE_STATUSES), globalPath: file, path: file },
  { requiredKeys: ["status"] },
);
const segments = fc.array(
  fc.record(
    { offset: fc.nat(), length: fc.nat(), hash, id: fc.constant("AAAA"), status: fc.constantFrom(...SEGMENT_STATUSES) },
    { requiredKeys: ["offset", "length", "status"] },
  ),
);
const blob = fc.record(
  {
    kind: fc.constant("blob" as const),
    status: fc.constantFrom(...BLOB_STATUSES),
    blobPath: name,
    filePath: name,
    snapshot: fc.constant("2024-03-01T10:15:30.1234567Z"),
    sizeBytes: fc.nat(),
    lastModified: fc.constant("2012-09-18T23:47:08Z"),
    disposition: fc.record({
      rule: fc.constantFrom("rename", "overwrite"),
      status: fc.constantFrom(...DISPOSITION_STATUSES),
    }),
    segments: fc.record({ type: fc.constantFrom("block" as const, "page" as const), items: segments }),
    metadata: side,
    properties: side,
  },
  { requiredKeys: ["kind", "status", "blobPath", "filePath"] },
);

describe("what is written", () => {
  it("reads back as it was", () => {
    const path = join(temporaryDirectory(), "log.xml");
    fc.assert(
      fc.property(fc.array(blob, { maxLength: 4 }), (blobs) => {
        write(path, "verbose", blobs, "Completed");
        const entries: LogEntry[] = [];
        const facts = readCopyLog(nodeFileSystem, path, (entry) => entries.push(entry));
        expect(entries).toEqual(blobs);
        expect(facts).toMatchObject({ driveId: "9WM35C2V", driveStatus: "Completed", entries: blobs.length });
      }),
      { numRuns: 100 },
    );
  });

  it("damaged anywhere is read or refused, never anything else", () => {
    const path = join(temporaryDirectory(), "log.xml");
    const whole = Buffer.from(write(path, "verbose", [GOOD, BAD, RENAMED], "Completed"));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        writeFileSync(path, damaged);
        try {
          readCopyLog(nodeFileSystem, path, () => {});
        } catch (error) {
          expect(error).toMatchObject({ code: "COPY_LOG_INVALID" });
        }
      }),
      { numRuns: 300 },
    );
  });
});
