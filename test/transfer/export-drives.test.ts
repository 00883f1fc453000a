/** From an account onto drives: content, side files, snapshots, names, packing, blobs in use; and back again. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BlobAccount } from "../../src/blobs/blob-account.ts";
import { parseBlobList, toBlobSelector, toPrefixSelector } from "../../src/blobs/blob-list.ts";
import { createInlineCopyEngine } from "../../src/copy/inline-engine.ts";
import { readManifest } from "../../src/manifest/manifest-reader.ts";
import { DriveRefusedError } from "../../src/platform/app-error.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import type {
  TransferExportEvent,
  TransferExportReport,
  TransferExportRequest,
} from "../../src/transfer/export-contract.ts";
import { transferExport } from "../../src/transfer/export-drives.ts";
import { transferImport } from "../../src/transfer/import-drive.ts";
import { verifyDrive } from "../../src/verify/verify-drive.ts";
import { temporaryDirectory } from "../platform/temporary-directory.ts";
import { startBlobStore, type TestStore } from "../support/azurite.ts";
import { patternBytes } from "../verify/prepared-drive.ts";

let store: TestStore;
let containers = 0;
beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.stop());

const MIB = 1024 * 1024;
const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex").toUpperCase();

async function newContainer(): Promise<{ name: string; client: ContainerClient }> {
  const name = `export-${containers++}`;
  await store.client.createContainer(name);
  return { name, client: store.client.getContainerClient(name) };
}

interface ExportBench {
  path: string;
  drives: string[];
  run(
    request: Pick<TransferExportRequest, "selectors"> & Partial<TransferExportRequest>,
    account?: BlobAccount,
    flushVolume?: (directory: string) => Promise<void>,
  ): Promise<{ report: TransferExportReport; events: TransferExportEvent[] }>;
}

function createBench(capacities: readonly number[] = [1024 * MIB]): ExportBench {
  const path = temporaryDirectory();
  const drives = capacities.map((_, number) => join(path, `drive${number}`));
  for (const drive of drives) mkdirSync(drive);
  return {
    path,
    drives,
    run: async (request, account, flushVolume) => {
      const events: TransferExportEvent[] = [];
      const report = await transferExport(
        {
          drives: drives.map((root, number) => ({
            driveId: `DRIVE${number}`,
            root,
            capacityBytes: capacities[number] ?? 0,
            clusterBytes: 4096,
          })),
          jobName: "job2",
          logLevel: "verbose",
          backupDriveManifest: false,
          ...request,
        },
        {
          fs: nodeFileSystem,
          clock: systemClock,
          account: account ?? (await store.open()),
          stateDirectory: join(path, "state"),
          lock: () => ({ release: () => {} }),
          ...(flushVolume === undefined ? {} : { flushVolume }),
        },
        (event) => events.push(event),
      );
      return { report, events };
    },
  };
}

interface Found {
  blobPath: string;
  filePath: string;
  snapshot?: string;
  type: string;
  segments: [offset: number, length: number][];
  ids: readonly string[];
  clientData?: string;
}

function manifestOf(drive: string, driveId = "DRIVE0"): Found[] {
  const found: Found[] = [];
  readManifest(nodeFileSystem, join(drive, `${driveId}.manifest`), {
    blob: ({ blobPath, filePath, snapshot, blobType, segments, clientData }) =>
      found.push({
        blobPath,
        filePath,
        ...(snapshot === undefined ? {} : { snapshot }),
        ...(clientData === undefined ? {} : { clientData }),
        type: blobType,
        segments: Array.from({ length: segments.count }, (_, i) => [segments.offset(i), segments.length(i)]),
        ids: [...segments.ids],
      }),
  });
  return found;
}

const onDrive = (drive: string, filePath: string): Buffer => readFileSync(join(drive, ...filePath.split("\\")));

async function verify(drive: string, driveId = "DRIVE0") {
  const spoolDirectory = temporaryDirectory();
  return verifyDrive(
    { driveRoot: drive, manifestPath: join(drive, `${driveId}.manifest`), strict: false },
    { fs: nodeFileSystem, engine: createInlineCopyEngine(nodeFileSystem), clock: systemClock, spoolDirectory },
    () => {},
  );
}

describe("an export", () => {
  it("writes blobs of all types with their segments, properties and metadata, and verifies", async () => {
    const { name, client } = await newContainer();
    const blocks = [patternBytes(3 * MIB, 1), patternBytes(100, 2), patternBytes(2 * MIB, 3)];
    const staged = client.getBlockBlobClient("in/blocks.bin");
    const ids = ["AAAAAA==", "AQAAAA==", "AgAAAA=="];
    for (const [i, bytes] of blocks.entries()) await staged.stageBlock(ids[i] ?? "", bytes, bytes.length);
    await staged.commitBlockList(ids, {
      metadata: { UploadMethod: "by <hand>", empty: "" },
      blobHTTPHeaders: {
        blobContentType: "text/x",
        blobCacheControl: "no-cache",
        blobContentMD5: Buffer.from("Check Integrity!"),
      },
    });
    const single = patternBytes(5 * MIB, 4);
    await client.getBlockBlobClient("single.bin").upload(single, single.length);
    await client.getBlockBlobClient("empty").upload("", 0);
    const pages = client.getPageBlobClient("disk.vhd");
    await pages.create(16 * MIB);
    await pages.uploadPages(patternBytes(1024, 5), 4 * MIB - 512, 1024);
    const append = client.getAppendBlobClient("log.txt");
    await append.create();
    await append.appendBlock("one\n", 4);
    await append.appendBlock("two\n", 4);

    const bench = createBench();
    const { report } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)] });
    const [drive = ""] = bench.drives;
    expect(report).toMatchObject({
      totalBlobs: 5,
      exportedBlobs: 5,
      incompleteBlobs: 0,
      blobs: { Completed: 5 },
      exitCode: 0,
    });
    expect(report.drives).toEqual([
      {
        driveId: "DRIVE0",
        root: drive,
        driveStatus: "Completed",
        manifestFile: "\\DRIVE0.manifest",
        manifestHash: md5(readFileSync(join(drive, "DRIVE0.manifest"))),
        blobs: 5,
        bytes: report.totalBytes,
      },
    ]);
    const found = new Map(manifestOf(drive).map((blob) => [blob.blobPath, blob]));
    expect(found.get(`${name}/in/blocks.bin`)).toEqual({
      blobPath: `${name}/in/blocks.bin`,
      filePath: `\\${name}\\in\\blocks.bin`,
      type: "block",
      ids,
      segments: [
        [0, 3 * MIB],
        [3 * MIB, 100],
        [3 * MIB + 100, 2 * MIB],
      ],
    });
    expect(Buffer.concat(blocks).equals(onDrive(drive, `\\${name}\\in\\blocks.bin`))).toBe(true);
    expect(found.get(`${name}/single.bin`)).toMatchObject({
      ids: [],
      segments: [
        [0, 4 * MIB],
        [4 * MIB, MIB],
      ],
    });
    expect(single.equals(onDrive(drive, `\\${name}\\single.bin`))).toBe(true);
    expect(found.get(`${name}/empty`)).toMatchObject({ segments: [] });
    expect(found.get(`${name}/disk.vhd`)).toMatchObject({
      type: "page",
      segments: [
        [4 * MIB - 512, 512],
        [4 * MIB, 512],
      ],
    });
    const disk = Buffer.alloc(16 * MIB);
    Buffer.from(patternBytes(1024, 5)).copy(disk, 4 * MIB - 512);
    expect(disk.equals(onDrive(drive, `\\${name}\\disk.vhd`))).toBe(true);
    expect(found.get(`${name}/log.txt`)).toMatchObject({ type: "block", clientData: "AppendBlob", segments: [[0, 8]] });
    expect(onDrive(drive, `\\${name}\\log.txt`).toString()).toBe("one\ntwo\n");

    const properties = onDrive(drive, `\\${name}\\in\\blocks.bin.properties`).toString();
    const { etag, lastModified } = await staged.getProperties();
    expect(properties).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Properties>\n  <Last-Modified>${lastModified?.toUTCString()}</Last-Modified>\n  <Etag>${etag}</Etag>\n  <Content-Length>${5 * MIB + 100}</Content-Length>\n  <Content-Type>text/x</Content-Type>\n  <Content-MD5>Q2hlY2sgSW50ZWdyaXR5IQ==</Content-MD5>\n  <Cache-Control>no-cache</Cache-Control>\n</Properties>\n`,
    );
    expect(onDrive(drive, `\\${name}\\in\\blocks.bin.metadata`).toString()).toContain(
      "<UploadMethod>by &lt;hand&gt;</UploadMethod>",
    );
    expect(existsSync(join(drive, name, "empty.metadata"))).toBe(false);
    expect(await verify(drive)).toMatchObject({ goodFiles: 5, problems: 0, unnamedFiles: 1 });
    expect(readdirSync(join(bench.path, "state"))).toEqual([]);
  });

  it("of exported drives imports as it was", async () => {
    const { name, client } = await newContainer();
    const content = patternBytes(5 * MIB, 6);
    await client.getBlockBlobClient("a/b.bin").upload(content, content.length, {
      metadata: { Project: "alpha" },
      blobHTTPHeaders: { blobContentType: "text/x", blobContentLanguage: "de" },
    });
    const pages = client.getPageBlobClient("disk.vhd");
    await pages.create(4 * MIB);
    await pages.uploadPages(patternBytes(512, 7), 1024, 512);
    const bench = createBench();
    const { report } = await bench.run({ selectors: [toPrefixSelector(`/${name}`)] });
    await client.delete();
    const [drive = ""] = bench.drives;
    const imported = await transferImport(
      {
        driveRoot: drive,
        manifestFile: "\\DRIVE0.manifest",
        ...(report.drives[0]?.manifestHash === undefined ? {} : { expectedHash: report.drives[0].manifestHash }),
        jobName: "back",
        logLevel: "error",
        backupDriveManifest: false,
      },
      {
        fs: nodeFileSystem,
        clock: systemClock,
        account: await store.open(),
        stateDirectory: join(bench.path, "state"),
        lock: () => ({ release: () => {} }),
      },
    );
    expect(imported).toMatchObject({ blobs: { Completed: 2 }, exitCode: 0 });
    expect(content.equals(await client.getBlobClient("a/b.bin").downloadToBuffer())).toBe(true);
    for await (const blob of client.listBlobsFlat({ includeMetadata: true, prefix: "a/" })) {
      expect(blob.metadata).toEqual({ Project: "alpha" });
      expect(blob.properties).toMatchObject({ contentType: "text/x", contentLanguage: "de" });
    }
    expect((await client.getBlobClient("disk.vhd").downloadToBuffer()).subarray(1024, 1536)).toEqual(
      Buffer.from(patternBytes(512, 7)),
    );
  });

  it("chooses by blob list: with and without snapshots, one snapshot, prefixes, each once", async () => {
    const { name, client } = await newContainer();
    const snapshots: string[] = [];
    for (const blob of ["a.txt", "b.txt", "c.txt", "d/e.txt"]) {
      const one = client.getBlockBlobClient(blob);
      await one.upload("old", 3);
      snapshots.push((await one.createSnapshot()).snapshot ?? "");
      await one.upload("newer", 5);
    }
    const list = `<?xml version="1.0"?><BlobList>
      <BlobPath>${name}/a.txt</BlobPath>
      <BlobPath IncludeSnapshots="false">${name}/b.txt</BlobPath>
      <BlobPath SnapshotTime="${snapshots[2]}">${name}/c.txt</BlobPath>
      <BlobPathPrefix>/${name}/d</BlobPathPrefix>
      <BlobPathPrefix>/${name}/d</BlobPathPrefix>
      <BlobPath>${name}/a.txt</BlobPath>
      <BlobPath IncludeSnapshots="false">${name}/d/e.txt</BlobPath>
      <BlobPath>${name}/nowhere</BlobPath>
      <BlobPath>no-such-container/x</BlobPath></BlobList>`;
    const bench = createBench();
    const { report } = await bench.run({ selectors: parseBlobList(list, "list.xml") });
    expect(report.selection).toEqual({ unique: 7, duplicate: 2, nonexistent: 2 });
    const [drive = ""] = bench.drives;
    const time = (number: number): string => ` (${snapshots[number]?.replaceAll(":", "")})`;
    expect(manifestOf(drive).map(({ filePath, snapshot }) => [filePath, snapshot])).toEqual([
      [`\\${name}\\a.txt`, undefined],
      [`\\${name}\\a${time(0)}.txt`, snapshots[0]],
      [`\\${name}\\b.txt`, undefined],
      [`\\${name}\\c${time(2)}.txt`, snapshots[2]],
      [`\\${name}\\d\\e.txt`, undefined],
      [`\\${name}\\d\\e${time(3)}.txt`, snapshots[3]],
    ]);
    expect(onDrive(drive, `\\${name}\\a.txt`).toString()).toBe("newer");
    expect(onDrive(drive, `\\${name}\\a${time(0)}.txt`).toString()).toBe("old");
    expect(await verify(drive)).toMatchObject({ goodFiles: 6, problems: 0 });
  });

  it("gives names that NTFS cannot hold, or that clash, another place", async () => {
    const { name, client } = await newContainer();
    const names = [
      ...[
        "plain.txt",
        "PLAIN.txt",
        "con.txt",
        "a:b",
        "a%b",
        "trail.",
        "q?.txt",
        "folder",
        "folder/x",
        "Dir/one",
        "dir/two",
      ],
      ...[
        "side.txt",
        "side.txt.properties",
        "x//y",
        "end/",
        "\u00e4.txt",
        "\u00c4.txt",
        `${"n".repeat(254)}.t`,
        "_renamed",
      ],
    ];
    for (const blob of names) await client.getBlockBlobClient(blob).upload(blob, Buffer.byteLength(blob));
    const bench = createBench();
    const { report } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)] });
    expect(report).toMatchObject({ exportedBlobs: names.length, incompleteBlobs: 0, exitCode: 0 });
    const [drive = ""] = bench.drives;
    const found = manifestOf(drive);
    for (const { blobPath, filePath } of found) {
      expect(onDrive(drive, filePath).toString(), filePath).toBe(blobPath.slice(name.length + 1));
    }
    const paths = found.map(({ filePath }) => filePath.toUpperCase());
    expect(new Set(paths).size).toBe(names.length);
    expect(paths.filter((path) => path.startsWith("\\_RENAMED\\")).length).toBe(7);
    expect(await verify(drive)).toMatchObject({ goodFiles: names.length, problems: 0, unnamedFiles: 1 });
  });
});

describe("several drives", () => {
  it("take whole blobs; what fits on none is on the incomplete list, which chooses the next export", async () => {
    const { name, client } = await newContainer();
    const sizes: Record<string, number> = { a: 3, b: 3, c: 3, d: 1, huge: 9 };
    for (const [blob, mib] of Object.entries(sizes)) {
      const bytes = patternBytes(mib * MIB, mib);
      await client.getBlockBlobClient(blob).upload(bytes, bytes.length);
    }
    const bench = createBench([4.5 * MIB, 3.5 * MIB]);
    const incompleteListPath = join(bench.path, "left.xml");
    const { report, events } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)], incompleteListPath });
    expect(report).toMatchObject({ totalBlobs: 5, exportedBlobs: 3, incompleteBlobs: 2, exitCode: 3 });
    expect(report.drives.map(({ driveId, blobs }) => [driveId, blobs])).toEqual([
      ["DRIVE0", 2],
      ["DRIVE1", 1],
    ]);
    expect(events.find((event) => event.type === "plan")).toMatchObject({ leftOut: 2 });
    const list = readFileSync(incompleteListPath, "utf8");
    expect(list).toContain(`<BlobPath IncludeSnapshots="false">${name}/huge</BlobPath>`);
    expect(report.logs.find(({ kind }) => kind === "incomplete")?.uri).toMatch(
      /waies\/job2_\d{8}-\d{6}-\d{3}_incomplete\.xml$/,
    );
    for (const [number, drive] of bench.drives.entries())
      expect(await verify(drive, `DRIVE${number}`)).toMatchObject({ problems: 0 });
    const next = createBench([20 * MIB]);
    const rest = await next.run({ selectors: parseBlobList(list, "left.xml") });
    expect(rest.report).toMatchObject({ totalBlobs: 2, exportedBlobs: 2, exitCode: 0 });
    expect(manifestOf(next.drives[0] ?? "").map(({ blobPath }) => blobPath)).toEqual([`${name}/c`, `${name}/huge`]);
  });

  it("a drive that receives nothing is left as it is", async () => {
    const { name, client } = await newContainer();
    await client.getBlockBlobClient("a").upload("a", 1);
    const bench = createBench([100 * MIB, 100 * MIB]);
    const { report } = await bench.run({ selectors: [toBlobSelector(`${name}/a`)] });
    expect(report.drives[1]).not.toHaveProperty("manifestFile");
    expect(readdirSync(bench.drives[1] ?? "")).toEqual([]);
  });
});

describe("blobs in use", () => {
  it("that are leased are exported as a snapshot", async () => {
    const { name, client } = await newContainer();
    await client.getBlockBlobClient("a").upload("leased", 6, { metadata: { Big: "1" } });
    await client.getBlobClient("a").getBlobLeaseClient().acquireLease(-1);
    const bench = createBench();
    const { report, events } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)] });
    expect(report).toMatchObject({ exportedBlobs: 1, exitCode: 0 });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "warning", message: expect.stringContaining("in use") }),
    );
    const [drive = ""] = bench.drives;
    expect(manifestOf(drive)).toMatchObject([{ filePath: `\\${name}\\a`, snapshot: expect.any(String) }]);
    expect(onDrive(drive, `\\${name}\\a.metadata`).toString()).toContain("<Big>1</Big>");
  });

  it("that change between listing and reading are exported as a snapshot, whole", async () => {
    const { name, client } = await newContainer();
    const old = patternBytes(9 * MIB, 1);
    const now = patternBytes(6 * MIB, 2);
    await client.getBlockBlobClient("a").upload(old, old.length);
    const bench = createBench();
    const account = await store.open();
    let reads = 0;
    const changing = new Proxy(account, {
      get: (target, method) => {
        const value = Reflect.get(target, method);
        if (method !== "read") return typeof value === "function" ? value.bind(target) : value;
        return async (...args: unknown[]) => {
          reads += 1;
          if (reads === 2) await client.getBlockBlobClient("a").upload(now, now.length);
          return value.apply(target, args);
        };
      },
    });
    const { report } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)], parallel: 1 }, changing);
    expect(report).toMatchObject({ exportedBlobs: 1, exitCode: 0 });
    const [drive = ""] = bench.drives;
    expect(now.equals(onDrive(drive, `\\${name}\\a`))).toBe(true);
    expect(manifestOf(drive)).toMatchObject([{ snapshot: expect.any(String) }]);
    expect(await verify(drive)).toMatchObject({ problems: 0 });
  });

  it("for which no snapshot can be taken are on the incomplete list", async () => {
    const { name, client } = await newContainer();
    await client.getBlockBlobClient("a").upload("leased", 6);
    await client.getBlobClient("a").getBlobLeaseClient().acquireLease(-1);
    await client.getBlockBlobClient("cold").upload("cold", 4);
    await client.getBlobClient("cold").setAccessTier("Archive");
    const account = await store.open();
    const without = new Proxy(account, {
      get: (target, method) => {
        const value = Reflect.get(target, method);
        if (method !== "createSnapshot") return typeof value === "function" ? value.bind(target) : value;
        return async () => {
          const { BlobRequestError } = await import("../../src/blobs/blob-account.ts");
          throw new BlobRequestError("forbidden", "not allowed");
        };
      },
    });
    const bench = createBench();
    const { report, events } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)] }, without);
    expect(report).toMatchObject({ exportedBlobs: 0, incompleteBlobs: 2, exitCode: 3 });
    expect(report.blobs).toEqual({ LeasePresent: 1, BlobRequestFailed: 1 });
    expect(events).toContainEqual(
      expect.objectContaining({ blobPath: `${name}/cold`, reason: "it is in the archive tier" }),
    );
    expect(readdirSync(bench.drives[0] ?? "")).toEqual([]);
  });
});

describe("an export that is interrupted", () => {
  it("anywhere goes on to the same drive", async () => {
    const { name, client } = await newContainer();
    for (let i = 0; i < 6; i++) {
      const bytes = patternBytes(i * 3000, i);
      await client.getBlockBlobClient(`f${i}`).upload(bytes, bytes.length, { metadata: { n: String(i) } });
    }
    const account = await store.open();
    const selectors = [toPrefixSelector(`/${name}/`)];
    const whole = createBench();
    await whole.run({ selectors }, account);
    const expected = readFileSync(join(whole.drives[0] ?? "", "DRIVE0.manifest"), "utf8");
    for (let calls = 1; ; calls++) {
      const bench = createBench();
      let left = calls;
      const dying = new Proxy(account, {
        get: (target, method) => {
          const value = Reflect.get(target, method);
          if (typeof value !== "function" || method === "listBlobs")
            return typeof value === "function" ? value.bind(target) : value;
          return async (...args: unknown[]) => {
            if (left-- <= 0) throw new Error("killed");
            return value.apply(target, args);
          };
        },
      });
      const first = await bench.run({ selectors, parallel: 2 }, dying).catch((error: Error) => error.message);
      if (first !== "killed") return expect(calls).toBeGreaterThan(10);
      const { report } = await bench.run({ selectors }, account);
      expect(report, `killed at request ${calls}`).toMatchObject({ exportedBlobs: 6, exitCode: 0 });
      expect(readFileSync(join(bench.drives[0] ?? "", "DRIVE0.manifest"), "utf8")).toBe(expected);
      expect(await verify(bench.drives[0] ?? "")).toMatchObject({ problems: 0, unnamedFiles: 1 });
    }
  });

  it("notes a blob as done only when its volume was flushed", async () => {
    const { name, client } = await newContainer();
    for (const blob of ["a", "b"]) await client.getBlockBlobClient(blob).upload(blob, 1);
    const bench = createBench();
    const [root = ""] = bench.drives;
    const drives = [
      { driveId: "DRIVE0", root, capacityBytes: MIB, clusterBytes: 4096, flushMethod: "volume" as const },
    ];
    const selectors = [toPrefixSelector(`/${name}/`)];
    const failing = async () => {
      throw new DriveRefusedError("DRIVE_FAILED", "the drive is gone");
    };
    await expect(bench.run({ selectors, drives }, undefined, failing)).rejects.toMatchObject({ code: "DRIVE_FAILED" });
    const flushed: string[] = [];
    const { report } = await bench.run(
      { selectors, drives },
      undefined,
      async (directory) => void flushed.push(directory),
    );
    expect(report).toMatchObject({ earlierBlobs: 0, exportedBlobs: 2, exitCode: 0 });
    expect(flushed).toEqual([root]);
  });

  it("never writes over what is there", async () => {
    const { name, client } = await newContainer();
    await client.getBlockBlobClient("a").upload("new", 3);
    const bench = createBench();
    const [drive = ""] = bench.drives;
    mkdirSync(join(drive, name));
    writeFileSync(join(drive, name, "a"), "mine");
    const { report } = await bench.run({ selectors: [toPrefixSelector(`/${name}/`)] });
    expect(report).toMatchObject({ blobs: { RenameFailed: 1 }, incompleteBlobs: 1, exitCode: 3 });
    expect(readFileSync(join(drive, name, "a"), "utf8")).toBe("mine");
  });
});
