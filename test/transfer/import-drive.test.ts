/** What an import makes of good drives: every byte, property and metadata value arrives. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBlobStore, type TestStore } from "../support/azurite.ts";
import { patternBytes } from "../verify/prepared-drive.ts";
import { ImportBench } from "./import-bench.ts";

let store: TestStore;
beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.stop());

const MIB = 1024 * 1024;

describe("an import", () => {
  it("brings block blobs, page blobs and empty ones, with metadata and properties", async () => {
    const bench = new ImportBench(store);
    const disk = Buffer.concat([patternBytes(4 * MIB, 1), Buffer.alloc(8 * MIB), patternBytes(512, 2)]);
    const files = {
      "a.bin": { bytes: patternBytes(9 * MIB + 5, 3) },
      "b/c d+ä#?%.txt": { bytes: Buffer.from("hello") },
      empty: { bytes: Buffer.alloc(0) },
      "own.txt": {
        bytes: Buffer.from("own"),
        metadata: "<Metadata><Project>own</Project><Extra>1</Extra></Metadata>",
        properties:
          "<Properties><Content-Type>text/html</Content-Type><Content-MD5>Q2hlY2sgSW50ZWdyaXR5IQ==</Content-MD5><Etag>0x1</Etag><Content-Length>9</Content-Length></Properties>",
      },
    };
    bench.prepare([
      {
        metadata: "<Metadata><Project>alpha</Project><UploadMethod> by hand </UploadMethod></Metadata>",
        properties:
          "<Properties><Content-Type>text/plain</Content-Type><Cache-Control>no-cache</Cache-Control><Content-Language>de</Content-Language><Content-Encoding>identity</Content-Encoding></Properties>",
        files,
      },
      { files: { "disk.vhd": { bytes: disk, blobType: "page", blobPath: "$root/disk.vhd" } } },
    ]);

    const { report, events } = await bench.run();

    expect(report).toMatchObject({
      driveId: "MOCK1",
      driveStatus: "Completed",
      isManifestChecked: true,
      totalBlobs: 5,
      blobs: { Completed: 5 },
      dispositions: { Created: 5 },
      exitCode: 0,
    });
    for (const [name, { bytes }] of Object.entries(files)) {
      expect(bytes.equals(await bench.content("c0c", name)), name).toBe(true);
    }
    expect(disk.equals(await bench.content("$root", "disk.vhd"))).toBe(true);
    const listed = new Map();
    for await (const item of store.client.getContainerClient("c0c").listBlobsFlat({ includeMetadata: true })) {
      listed.set(item.name, item);
    }
    expect(listed.get("a.bin").metadata).toEqual({ Project: "alpha", UploadMethod: "by hand" });
    expect(listed.get("a.bin").properties).toMatchObject({
      contentType: "text/plain",
      cacheControl: "no-cache",
      contentLanguage: "de",
      contentEncoding: "identity",
    });
    expect(listed.get("own.txt").metadata).toEqual({ Project: "own", Extra: "1", UploadMethod: "by hand" });
    expect(listed.get("own.txt").properties).toMatchObject({ contentType: "text/html", cacheControl: "no-cache" });
    expect(Buffer.from(listed.get("own.txt").properties.contentMD5).toString()).toBe("Check Integrity!");
    const pages = await store.client.getContainerClient("$root").getPageBlobClient("disk.vhd").getProperties();
    expect(pages).toMatchObject({ blobType: "PageBlob", metadata: {} });
    expect(events.at(-1)).toMatchObject({ type: "log", kind: "error" });
    expect(bench.stateFiles()).toEqual([]);
  });

  it("writes the logs and the backup under the documented names", async () => {
    const bench = new ImportBench(store);
    bench.prepare([{ files: { "x.txt": { bytes: Buffer.from("x"), blobPath: "logs1/x.txt" } } }], {
      storageAccountKey: "c2VjcmV0LWFjY291bnQta2V5",
    });
    const { report } = await bench.run({ backupDriveManifest: true, diagnosticsPath: "diag/own/dir" });
    const names = report.logs.map(({ uri }) => decodeURIComponent(uri.slice(store.url.length)));
    expect(names).toEqual([
      expect.stringMatching(/^\/diag\/own\/dir\/waies\/job1_MOCK1_\d{8}-\d{6}-\d{3}_verbose\.xml$/),
      expect.stringMatching(/^\/diag\/own\/dir\/waies\/job1_MOCK1_\d{8}-\d{6}-\d{3}_error\.xml$/),
      expect.stringMatching(/^\/diag\/own\/dir\/waies\/job1_MOCK1_\d{8}-\d{6}-\d{3}_manifest\.xml$/),
    ]);
    expect(await bench.log(report, "error")).toEqual([]);
    expect(await bench.log(report, "verbose")).toEqual([
      {
        kind: "blob",
        status: "Completed",
        blobPath: "logs1/x.txt",
        filePath: "\\s\\0\\x.txt",
        sizeBytes: 1,
        disposition: { rule: "rename", status: "Created" },
        segments: {
          type: "block",
          items: [
            {
              offset: 0,
              length: 1,
              id: "MD5/ndTkYSaMgDT1yFZOFVxnpg==",
              hash: "9DD4E461268C8034F5C8564E155C67A6",
              status: "Completed",
            },
          ],
        },
      },
    ]);
    const backup = (await bench.download(report.logs[2]?.uri ?? "")).toString();
    expect(backup).toContain("<StorageAccountKey>***</StorageAccountKey>");
    expect(backup).not.toContain("c2VjcmV0");
    expect(backup).toContain("<BlobPath>logs1/x.txt</BlobPath>");
  });

  it("sends segments larger than 4 MiB whole as blocks, in pieces as pages", async () => {
    const bench = new ImportBench(store);
    const bytes = patternBytes(25 * MIB, 4);
    const segmentBytes = 10 * MIB;
    bench.prepare([
      { files: { blocks: { bytes, segmentBytes, blobPath: "large/blocks" } } },
      { files: { pages: { bytes, segmentBytes, blobPath: "large/pages", blobType: "page" } } },
    ]);
    const { report } = await bench.run({ memoryBytes: 15 * MIB });
    expect(report).toMatchObject({ blobs: { Completed: 2 }, exitCode: 0 });
    const blocks = store.client.getContainerClient("large").getBlockBlobClient("blocks");
    const { committedBlocks } = await blocks.getBlockList("committed");
    expect(committedBlocks?.map(({ size }) => size)).toEqual([10 * MIB, 10 * MIB, 5 * MIB]);
    for (const name of ["blocks", "pages"]) expect(bytes.equals(await bench.content("large", name)), name).toBe(true);
  });

  it("stages equal blocks once", async () => {
    const bench = new ImportBench(store);
    const bytes = Buffer.alloc(10 * 1024, 1);
    bench.prepare([{ files: { same: { bytes, segmentBytes: 1024, blobPath: "equal/same" } } }]);
    const account = await store.open();
    let staged = 0;
    const counting = new Proxy(account, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (name === "stageBlock" && (args[0] as { name: string }).name === "same") staged += 1;
          return value.apply(target, args);
        };
      },
    });
    const { report } = await bench.run({}, { account: counting });
    expect(report).toMatchObject({ blobs: { Completed: 1 }, bytesSucceeded: bytes.length });
    expect(staged).toBe(1);
    expect(bytes.equals(await bench.content("equal", "same"))).toBe(true);
  });
});
