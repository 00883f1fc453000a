/** Drives that are not as their manifests say: the documented status of every part, and what of a blob is kept. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogBlob } from "../../src/copy-log/copy-log-model.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { startBlobStore, type TestStore } from "../support/azurite.ts";
import { patternBytes } from "../verify/prepared-drive.ts";
import { ImportBench, type ListToSend } from "./import-bench.ts";

let store: TestStore;
let containers = 0;
beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.stop());

const SEGMENT = 1024;
const FOUR_BLOCKS = patternBytes(4 * SEGMENT, 1);

function damage(bytes: Uint8Array, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  return damaged;
}

function bench(list: (container: string) => ListToSend): { bench: ImportBench; container: string } {
  const container = `damage-${containers++}`;
  const made = new ImportBench(store);
  made.prepare([list(container)]);
  return { bench: made, container };
}

async function logOf(made: ImportBench): Promise<LogBlob> {
  const { report } = await made.run();
  expect(report).toMatchObject({ driveStatus: "CompletedWithErrors", exitCode: 3 });
  return (await made.log(report, "verbose"))[0] as LogBlob;
}

const statuses = (blob: LogBlob): string[] => blob.segments?.items.map(({ status }) => status) ?? [];

describe("a damaged block", () => {
  const list =
    (disposition: "rename" | "overwrite") =>
    (container: string): ListToSend => ({
      files: { a: { bytes: FOUR_BLOCKS, blobPath: `${container}/a`, segmentBytes: SEGMENT, disposition } },
    });

  it("is left out, the good blocks make a partial blob where there was none", async () => {
    const made = bench(list("rename"));
    made.bench.put("\\s\\0\\a", damage(FOUR_BLOCKS, SEGMENT + 5));
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({ status: "CompletedWithErrors", disposition: { status: "Created" } });
    expect(statuses(entry)).toEqual(["Committed", "Corrupted", "Committed", "Committed"]);
    const content = await made.bench.content(made.container, "a");
    expect(content.equals(Buffer.concat([FOUR_BLOCKS.subarray(0, SEGMENT), FOUR_BLOCKS.subarray(2 * SEGMENT)]))).toBe(
      true,
    );
  });

  it("keeps an existing blob as it was", async () => {
    const made = bench(list("overwrite"));
    await store.client.createContainer(made.container);
    await store.client.getContainerClient(made.container).getBlockBlobClient("a").upload("old", 3);
    made.bench.put("\\s\\0\\a", damage(FOUR_BLOCKS, 0));
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({ status: "CompletedWithErrors", disposition: { status: "Cancelled" } });
    expect(statuses(entry)).toEqual(["Corrupted", "Uncommitted", "Uncommitted", "Uncommitted"]);
    expect((await made.bench.content(made.container, "a")).toString()).toBe("old");
  });

  it("keeps an existing blob of another type as it was", async () => {
    const made = bench(list("overwrite"));
    await store.client.createContainer(made.container);
    await store.client.getContainerClient(made.container).getPageBlobClient("a").create(512);
    made.bench.put("\\s\\0\\a", damage(FOUR_BLOCKS, 0));
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({ disposition: { status: "Cancelled" } });
    expect(statuses(entry)).toEqual(["Corrupted", "Cancelled", "Cancelled", "Cancelled"]);
    const { blobType } = await store.client.getContainerClient(made.container).getBlobClient("a").getProperties();
    expect(blobType).toBe("PageBlob");
  });

  it("of a blob with no good block makes no blob", async () => {
    const made = bench(list("rename"));
    made.bench.put("\\s\\0\\a", Buffer.alloc(FOUR_BLOCKS.length, 9));
    const entry = await logOf(made.bench);
    expect(statuses(entry)).toEqual(Array(4).fill("Corrupted"));
    expect(await store.client.getContainerClient(made.container).getBlobClient("a").exists()).toBe(false);
  });

  it("is read error, too short a file, in the middle of a file", async () => {
    const made = bench(list("rename"));
    truncateSync(made.bench.pathOf("\\s\\0\\a"), 2 * SEGMENT + 10);
    expect(statuses(await logOf(made.bench))).toEqual([
      "Committed",
      "Committed",
      "FileUnexpectedEnd",
      "FileUnexpectedEnd",
    ]);
    const failing = bench(list("rename"));
    const fs = {
      ...nodeFileSystem,
      read: (...args: Parameters<typeof nodeFileSystem.read>) => {
        if (args[4] === SEGMENT && args[3] === SEGMENT) throw Object.assign(new Error("i/o"), { code: "EIO" });
        return nodeFileSystem.read(...args);
      },
    };
    const { report } = await failing.bench.run({}, { fs });
    const [entry] = await failing.bench.log(report, "verbose");
    expect(statuses(entry as LogBlob)).toEqual(["Committed", "IOFailed", "Committed", "Committed"]);
  });
});

describe("a damaged page range", () => {
  const list =
    (disposition: "rename" | "overwrite") =>
    (container: string): ListToSend => ({
      files: {
        a: { bytes: FOUR_BLOCKS, blobPath: `${container}/a`, segmentBytes: SEGMENT, disposition, blobType: "page" },
      },
    });

  it("is not written, the others stay", async () => {
    const made = bench(list("rename"));
    made.bench.put("\\s\\0\\a", damage(FOUR_BLOCKS, SEGMENT));
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({ status: "CompletedWithErrors", disposition: { status: "Created" } });
    expect(statuses(entry)).toEqual(["Completed", "Corrupted", "Completed", "Completed"]);
    const expected = Buffer.from(FOUR_BLOCKS).fill(0, SEGMENT, 2 * SEGMENT);
    expect(expected.equals(await made.bench.content(made.container, "a"))).toBe(true);
  });

  it("keeps an existing blob as it was", async () => {
    const made = bench(list("overwrite"));
    await store.client.createContainer(made.container);
    await store.client.getContainerClient(made.container).getBlockBlobClient("a").upload("old", 3);
    made.bench.put("\\s\\0\\a", damage(FOUR_BLOCKS, 0));
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({ disposition: { status: "Cancelled" } });
    expect(statuses(entry)).toEqual(["Corrupted", "Cancelled", "Cancelled", "Cancelled"]);
    expect((await made.bench.content(made.container, "a")).toString()).toBe("old");
  });
});

describe("a file that cannot be opened", () => {
  const list = (container: string): ListToSend => ({
    metadata: "<Metadata><a>1</a></Metadata>",
    files: { "in/a": { bytes: FOUR_BLOCKS, blobPath: `${container}/a`, segmentBytes: 2 * SEGMENT } },
  });
  const path = "\\s\\0\\in\\a";

  it.each<[string, string, (made: ImportBench) => void]>([
    ["missing", "FileNotFound", (made) => rmSync(made.pathOf(path))],
    [
      "a directory",
      "FileAccessDenied",
      (made) => {
        rmSync(made.pathOf(path));
        mkdirSync(made.pathOf(path));
      },
    ],
    [
      "a link",
      "FileAccessDenied",
      (made) => {
        rmSync(made.pathOf(path));
        writeFileSync(join(made.path, "outside"), FOUR_BLOCKS);
        symlinkSync(join(made.path, "outside"), made.pathOf(path));
      },
    ],
    [
      "behind a linked folder",
      "FileAccessDenied",
      (made) => {
        const folder = made.pathOf("\\s\\0\\in");
        rmSync(folder, { recursive: true });
        mkdirSync(join(made.path, "elsewhere"));
        writeFileSync(join(made.path, "elsewhere", "a"), FOUR_BLOCKS);
        symlinkSync(join(made.path, "elsewhere"), folder);
      },
    ],
  ])("%s: everything of the blob is cancelled", async (_, status, change) => {
    const made = bench(list);
    change(made.bench);
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({ status, disposition: { status: "Cancelled" }, metadata: { status: "Cancelled" } });
    expect(statuses(entry)).toEqual(["Cancelled", "Cancelled"]);
  });

  it.runIf(process.getuid?.() !== 0)("without permission (not run as root)", async () => {
    const made = bench(list);
    chmodSync(made.bench.pathOf(path), 0);
    expect(await logOf(made.bench)).toMatchObject({ status: "FileAccessDenied" });
  });

  it("with a name longer than the file system takes", async () => {
    const made = bench(list);
    const fs = {
      ...nodeFileSystem,
      open: (...args: Parameters<typeof nodeFileSystem.open>) => {
        if (args[0].endsWith("/in/a")) throw Object.assign(new Error("long"), { code: "ENAMETOOLONG" });
        return nodeFileSystem.open(...args);
      },
    };
    const { report } = await made.bench.run({}, { fs });
    expect(report.blobs).toEqual({ FileNameTooLong: 1 });
  });
});

describe("metadata and properties files", () => {
  const METADATA = "<Metadata><a>1</a></Metadata>";
  const PROPERTIES = "<Properties><Content-Type>text/x</Content-Type></Properties>";
  const list = (container: string): ListToSend => ({
    metadata: "<Metadata><global>g</global></Metadata>",
    files: { a: { bytes: FOUR_BLOCKS, blobPath: `${container}/a`, metadata: METADATA, properties: PROPERTIES } },
  });

  it.each<[string, string, (made: ImportBench, path: string) => void]>([
    ["changed", "Corrupted", (made, path) => made.put(path, Buffer.from("<Metadata/>"))],
    ["missing", "FileNotFound", (made, path) => rmSync(made.pathOf(path))],
    [
      "a directory",
      "FileAccessDenied",
      (made, path) => {
        rmSync(made.pathOf(path));
        mkdirSync(made.pathOf(path));
      },
    ],
  ])("%s: the blob is there without them", async (_, status, change) => {
    const made = bench(list);
    change(made.bench, "\\s\\0\\a.metadata");
    change(made.bench, "\\s\\0\\a.properties");
    const entry = await logOf(made.bench);
    expect(entry).toMatchObject({
      status: "CompletedWithErrors",
      disposition: { status: "Created" },
      metadata: { status, globalPath: { path: "\\s\\0.metadata.xml" }, path: { path: "\\s\\0\\a.metadata" } },
      properties: { status },
    });
    const blob = await store.client.getContainerClient(made.container).getBlobClient("a").getProperties();
    expect(blob.metadata).toEqual({ global: "g" });
    expect(FOUR_BLOCKS.equals(await made.bench.content(made.container, "a"))).toBe(true);
  });

  it.each([
    ["metadata", "<Wrong/>"],
    ["metadata", "<Metadata><a-b>1</a-b></Metadata>"],
    ["metadata", "<Metadata><a>\u00e4</a></Metadata>"],
    ["properties", "<Properties><Content-MD5>short</Content-MD5></Properties>"],
    ["properties", "<Properties>"],
  ] as const)("%s that is %s", async (kind, content) => {
    const made = bench((container) => ({
      files: { a: { bytes: FOUR_BLOCKS, blobPath: `${container}/a`, [kind]: content } },
    }));
    expect(await logOf(made.bench)).toMatchObject({
      status: "CompletedWithErrors",
      [kind]: { status: "XmlReadFailed" },
    });
  });
});

describe("names that Azure refuses", () => {
  it.each(["Upper/a", "ab/a", "$root/x/y", "good-name/a\\b", `good-name/${"x".repeat(1025)}`, "good-name/a/../b"])(
    "%.40s",
    async (blobPath) => {
      const made = new ImportBench(store);
      made.prepare([{ files: { a: { bytes: Buffer.from("x"), blobPath } } }]);
      const { report, events } = await made.run();
      expect(report).toMatchObject({ blobs: { BlobRequestFailed: 1 }, dispositions: { Cancelled: 1 }, exitCode: 3 });
      expect(events).toContainEqual(expect.objectContaining({ type: "blob", reason: expect.any(String) }));
    },
  );
});

describe("a manifest that is not the expected one", () => {
  const small = (container: string): ListToSend => ({
    files: { a: { bytes: Buffer.from("x"), blobPath: `${container}/a` } },
  });

  it.each<[string, string, number, (made: ImportBench) => object]>([
    ["another hash", "ManifestCorrupted", 4, () => ({ expectedHash: "0".repeat(32) })],
    ["another drive", "ManifestDriveIdMismatch", 5, () => ({ expectedDriveId: "OTHER" })],
    ["no manifest", "ManifestNotFound", 5, () => ({ manifestFile: "\\Other.xml" })],
    ["a path off the drive", "ManifestNameInvalid", 5, () => ({ manifestFile: "\\..\\x.xml" })],
    ["an endless path", "ManifestNameTooLong", 5, () => ({ manifestFile: `\\${"x".repeat(300)}` })],
    ["a directory in its place", "ManifestAccessDenied", 5, () => ({ manifestFile: "\\s" })],
    ["no drive", "DiskNotFound", 5, (made) => ({ driveRoot: join(made.path, "nowhere") })],
    [
      "another form",
      "ManifestFormatInvalid",
      9,
      (made) => {
        writeFileSync(join(made.drive, "DriveManifest.xml"), "<DriveManifest/>");
        return { expectedHash: undefined };
      },
    ],
  ])("%s: nothing is sent, the log tells", async (_, driveStatus, exitCode, change) => {
    const made = bench(small);
    const { report } = await made.bench.run(change(made.bench) as never);
    expect(report).toMatchObject({ driveStatus, exitCode, reason: expect.any(String), totalBlobs: 0 });
    expect(await store.client.getContainerClient(made.container).exists()).toBe(false);
    const log = (await made.bench.download(report.logs[0]?.uri ?? "")).toString();
    expect(log).toContain(`<Status>${driveStatus}</Status>`);
  });

  it("is imported all the same when no hash is given, and the report says so", async () => {
    const made = bench(small);
    const { report } = await made.bench.run({ expectedHash: undefined } as never);
    expect(report).toMatchObject({ isManifestChecked: false, driveStatus: "Completed" });
  });
});
