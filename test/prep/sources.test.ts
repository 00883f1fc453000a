/** What becomes of files: sources that change, vanish or appear, page blobs, side files, clashes, what is refused. */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InputError } from "../../src/platform/app-error.ts";
import { type Call, unflushedFileSystem, Workbench } from "./workbench.ts";

const MIB = 1024 * 1024;

let bench: Workbench;
beforeEach(() => {
  bench = new Workbench();
  bench.addDrive("a");
  bench.add("a.txt", "alpha");
  bench.add("b.txt", "beta");
  bench.add("c.txt", "gamma");
  bench.writeDataset([{ base: `${bench.source}/`, to: "box/" }]);
  bench.writeDriveset(["a"]);
});
afterEach(() => bench.remove());

const md5 = (bytes: string | Uint8Array): string => createHash("md5").update(bytes).digest("hex").toUpperCase();
const blobPaths = (): string[] =>
  [...bench.manifest("a").matchAll(/<BlobPath>([^<]*)</g)].map((match) => match[1] ?? "");

/** Runs until every file is copied and recorded; only the sealing is missing. */
async function copiedOnly(call: Call = bench.first()): Promise<void> {
  const open: typeof unflushedFileSystem.open = (path, flags, mode) => {
    if (path.endsWith("DriveManifest.xml.new")) throw new Error("killed");
    return unflushedFileSystem.open(path, flags, mode);
  };
  await expect(bench.run(call, { fs: { ...unflushedFileSystem, open } })).rejects.toThrow("killed");
}

describe("between planning and copying", () => {
  /** Changes the sources when the plan was shown. */
  const whenPlanned = (change: () => void) => ({
    confirm: async () => {
      change();
      return true;
    },
  });

  it("a file that vanished is reported", async () => {
    const { outcome, events } = await bench.run(
      bench.first(),
      whenPlanned(() => unlinkSync(join(bench.source, "b.txt"))),
    );
    expect(outcome).toMatchObject({ state: "completed", exitCode: 3, files: 2, notDone: { FILE_VANISHED: 1 } });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "file-not-done",
        code: "FILE_VANISHED",
        sourcePath: join(bench.source, "b.txt"),
      }),
    );
    expect(blobPaths()).toEqual(["box/a.txt", "box/c.txt"]);
    expect(bench.read("trip.events.jsonl")).toContain("FILE_VANISHED");
  });

  it("a file that grew is copied as it is while the plan left room", async () => {
    const { outcome } = await bench.run(
      bench.first(),
      whenPlanned(() => bench.add("b.txt", 100_000)),
    );
    expect(outcome).toMatchObject({ exitCode: 0, files: 3, bytes: 100_010 });
  });

  it("a file that grew beyond what its drive has left is reported", async () => {
    bench.freeBytes.set("a", 60_000);
    const { outcome } = await bench.run(
      bench.first(),
      whenPlanned(() => bench.add("b.txt", 100_000)),
    );
    expect(outcome).toMatchObject({ state: "completed", exitCode: 3, files: 2, notDone: { FILE_GREW: 1 } });
  });
});

describe("when a session is resumed", () => {
  it("new files are counted and not taken", async () => {
    await copiedOnly();
    bench.add("aa.txt", "new");
    const { outcome, events } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ state: "completed", exitCode: 3, files: 3, newSinceWalk: 1 });
    expect(events).toContainEqual(
      expect.objectContaining({ code: "FILE_NEW", sourcePath: join(bench.source, "aa.txt") }),
    );
    expect(blobPaths()).toEqual(["box/a.txt", "box/b.txt", "box/c.txt"]);
  });

  it("a finished file that has changed is copied again", async () => {
    await copiedOnly();
    bench.add("b.txt", "BETA, longer");
    const { outcome } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0, files: 3, newSinceWalk: 0 });
    expect(bench.read("drives/a/s-1/0/b.txt")).toBe("BETA, longer");
    expect(bench.manifest("a")).toContain(md5("BETA, longer"));
  });

  it("a finished file that has vanished is kept; files that have not changed are not read again", async () => {
    await copiedOnly();
    unlinkSync(join(bench.source, "b.txt"));
    const read: string[] = [];
    const open: typeof unflushedFileSystem.open = (path, flags, mode) => {
      read.push(path);
      return unflushedFileSystem.open(path, flags, mode);
    };
    const { outcome } = await bench.run(bench.first(), { fs: { ...unflushedFileSystem, open } });
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0, files: 3 });
    expect(read.filter((path) => path.startsWith(`${bench.source}/`))).toEqual([]);
  });
});

describe("page blobs", () => {
  it("leave out all-zero segments; the file on the drive is whole", async () => {
    const content = Buffer.alloc(3 * 4 * MIB + 1024);
    content.fill(7, 4 * MIB, 4 * MIB + 512);
    bench.write("disk.vhd", content);
    bench.writeDataset([{ base: join(bench.path, "disk.vhd"), to: "box/disk.vhd", type: "PageBlob" }]);
    const { outcome } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ exitCode: 0, files: 1 });
    const ranges = [...bench.manifest("a").matchAll(/<PageRange [^>]*>/g)].map((match) => match[0]);
    const hash = md5(content.subarray(4 * MIB, 8 * MIB));
    expect(ranges).toEqual([`<PageRange Offset="${4 * MIB}" Length="${4 * MIB}" Hash="${hash}" />`]);
    expect(statSync(join(bench.path, "drives/a/s-1/0/disk.vhd")).size).toBe(content.length);
  });

  it("want whole sectors: others are not done", async () => {
    bench.writeDataset([{ base: `${bench.source}/`, to: "box/", type: "PageBlob" }]);
    bench.add("whole", 512);
    const { outcome } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ exitCode: 3, files: 1, notDone: { FILE_NOT_PAGE_ALIGNED: 3 } });
  });

  it("that are not aligned any more when they are copied are left out of the manifest", async () => {
    bench.writeDataset([{ base: `${bench.source}/whole`, to: "box/whole", type: "PageBlob" }]);
    bench.add("whole", 512);
    const confirm = async (): Promise<boolean> => {
      bench.add("whole", 700);
      return true;
    };
    const { outcome } = await bench.run(bench.first(), { confirm });
    expect(outcome).toMatchObject({ exitCode: 3, files: 0, notDone: { FILE_NOT_PAGE_ALIGNED: 1 } });
    expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
  });
});

describe("metadata and properties files", () => {
  const METADATA = '<?xml version="1.0" encoding="UTF-8"?>\n<Metadata><Project>alpha</Project></Metadata>\n';
  const PROPERTIES = "<Properties><Content-Type>text/plain</Content-Type></Properties>";

  beforeEach(() => {
    bench.write("meta.xml", METADATA);
    bench.write("props.xml", PROPERTIES);
    const base = `${bench.source}/`;
    bench.writeDataset([
      { base, to: "box/", metadata: join(bench.path, "meta.xml"), properties: join(bench.path, "props.xml") },
      { base: `${bench.source}/a.txt`, to: "other/a.txt" },
    ]);
  });

  it("lie on the drive and are named with their hashes", async () => {
    await bench.run(bench.first());
    expect(bench.read("drives/a/s-1/0.metadata.xml")).toBe(METADATA);
    expect(bench.read("drives/a/s-1/0.properties.xml")).toBe(PROPERTIES);
    expect(bench.manifest("a")).toContain(`<MetadataPath Hash="${md5(METADATA)}">\\s-1\\0.metadata.xml</MetadataPath>`);
    expect(bench.manifest("a")).toContain(
      `<PropertiesPath Hash="${md5(PROPERTIES)}">\\s-1\\0.properties.xml</PropertiesPath>`,
    );
    expect([...bench.manifest("a").matchAll(/<(Metadata|Properties)Path /g)]).toHaveLength(2);
  });

  it("are those of the plan, however they are edited later", async () => {
    const confirm = async (): Promise<boolean> => {
      bench.write("meta.xml", "<Metadata><Project>beta</Project></Metadata>");
      unlinkSync(join(bench.path, "props.xml"));
      return true;
    };
    await bench.run(bench.first(), { confirm });
    expect(bench.read("drives/a/s-1/0.metadata.xml")).toBe(METADATA);
    expect(bench.read("drives/a/s-1/0.properties.xml")).toBe(PROPERTIES);
  });
});

describe("the same blob from two files", () => {
  it("lists every pair and leaves nothing", async () => {
    bench.write("twin/a.txt", "other");
    bench.write("twin/c.txt", "other");
    bench.writeDataset([
      { base: `${bench.source}/`, to: "box/" },
      { base: join(bench.path, "twin/"), to: "box/" },
      { base: `${bench.source}/b.txt`, to: "box/b.txt" },
    ]);
    const error = await bench.run(bench.first()).then(
      () => undefined,
      (thrown: InputError) => thrown,
    );
    expect(error).toMatchObject({ code: "BLOB_PATH_CLASH", exitCode: 2, facts: { clashes: 3 } });
    expect(error?.problems.map(({ value, message }) => [value, message])).toEqual([
      ["box/a.txt", expect.stringContaining(`"${bench.source}/a.txt" and "${bench.path}/twin/a.txt"`)],
      ["box/b.txt", expect.stringContaining(`"${bench.source}/b.txt" and "${bench.source}/b.txt"`)],
      ["box/c.txt", expect.stringContaining(`"${bench.source}/c.txt" and "${bench.path}/twin/c.txt"`)],
    ]);
  });

  it("leaves neither journal nor state", async () => {
    bench.writeDataset([
      { base: `${bench.source}/`, to: "box/" },
      { base: `${bench.source}/`, to: "box/" },
    ]);
    const before = [...bench.snapshot(".").keys()].filter((name) => !name.startsWith("state"));
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "BLOB_PATH_CLASH" });
    expect([...bench.snapshot(".").keys()].filter((name) => !name.startsWith("state"))).toEqual(before);
  });
});

describe("places that overlap", () => {
  it("a drive inside a source is left out of it with a warning", async () => {
    bench.writeDataset([{ base: `${bench.path}/`, to: "box/" }]);
    writeFileSync(join(bench.path, "drives/a/mine.txt"), "on the drive");
    const { outcome, events } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0 });
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    expect(warnings).toContainEqual(expect.stringContaining(`"${bench.path}/drives/a"`));
    expect(blobPaths().filter((path) => path.includes("drives/a") || path.includes("trip.jrn"))).toEqual([]);
    expect(blobPaths()).toContain("box/source/a.txt");
  });

  it("a source on a drive is refused", async () => {
    bench.write("drives/a/data/x.txt", "x");
    bench.writeDataset([{ base: join(bench.path, "drives/a/data/"), to: "box/" }]);
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "SOURCE_CONTAINS_TARGET", exitCode: 2 });
  });

  it("a journal on a drive is refused, also behind a link", async () => {
    for (const journalPath of [join(bench.path, "drives/a/x.jrn"), join(bench.path, "link/x.jrn")]) {
      if (!bench.exists("link")) symlinkSync(join(bench.path, "drives/a"), join(bench.path, "link"));
      await expect(bench.run(bench.first({ journalPath }))).rejects.toMatchObject({
        code: "JOURNAL_ON_DRIVE",
        exitCode: 2,
      });
      expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
    }
  });

  it("a directory of the session's name on a drive is refused, whatever its letter case", async () => {
    mkdirSync(join(bench.path, "drives/a/S-1"));
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "DRIVE_HAS_SESSION", exitCode: 5 });
    expect(bench.exists("trip.jrn")).toBe(false);
  });

  it("a drive with another journal's manifest is refused", async () => {
    writeFileSync(join(bench.path, "drives/a/DriveManifest.xml"), "<DriveManifest/>");
    await expect(bench.run(bench.first())).rejects.toMatchObject({
      code: "DRIVE_HAS_MANIFEST",
      message: expect.stringMatching(/^A DriveManifest\.xml file exists on the target drive\./),
    });
  });
});

describe("links", () => {
  beforeEach(() => symlinkSync("a.txt", join(bench.source, "link")));

  it("are a notice", async () => {
    const { outcome, events } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ exitCode: 0, files: 3, notDone: {} });
    expect(events).toContainEqual(expect.objectContaining({ type: "file-not-done", code: "FILE_SPECIAL" }));
  });

  it("count as not done with --links fail", async () => {
    expect((await bench.run(bench.first({ options: { links: "fail" } }))).outcome.exitCode).toBe(3);
  });
});

describe("secrets", () => {
  const withKey = (change: Call = {}): Call => bench.first({ storageAccountKey: "QUNDT1VOVC1LRVk=", ...change });

  it("an account key is refused on a drive that is not encrypted", async () => {
    await expect(bench.run(withKey())).rejects.toMatchObject({ code: "UNENCRYPTED_SECRETS", exitCode: 2 });
    expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
  });

  it("is written when that is allowed, for the owner's eyes only, and never told", async () => {
    const call = withKey({ options: { allowUnencryptedSecrets: true } });
    const { outcome, events } = await bench.run(call);
    expect(outcome.exitCode).toBe(0);
    expect(bench.manifest("a")).toContain("<StorageAccountKey>QUNDT1VOVC1LRVk=</StorageAccountKey>");
    expect(statSync(join(bench.path, "drives/a/DriveManifest.xml")).mode & 0o777).toBe(0o600);
    expect(JSON.stringify([outcome, events])).not.toContain("QUNDT1VOVC1LRVk=");
    expect(bench.read("trip.events.jsonl")).not.toContain("QUNDT1VOVC1LRVk=");
  });

  it("what was allowed when the session began need not be said again to resume it", async () => {
    await copiedOnly(withKey({ options: { allowUnencryptedSecrets: true } }));
    expect((await bench.run({ sessionId: "s-1", resumeSession: true })).outcome).toMatchObject({ exitCode: 0 });
    expect(bench.manifest("a")).toContain("<StorageAccountKey>");
  });

  it("--require-encryption refuses a drive that would not be encrypted", async () => {
    await expect(bench.run(bench.first({ options: { requireEncryption: true } }))).rejects.toMatchObject({
      code: "ENCRYPTION_REQUIRED",
      exitCode: 5,
    });
    expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
    expect(bench.exists("trip.jrn")).toBe(false);
  });

  it("the state beside the journal holds no key", async () => {
    await copiedOnly(withKey({ options: { allowUnencryptedSecrets: true } }));
    for (const [name, content] of bench.snapshot("trip.jrn.d")) {
      expect([name, content.includes("QUNDT1VOVC1LRVk="), content.includes("000011-000022")]).toEqual([
        name,
        false,
        false,
      ]);
    }
    expect(statSync(join(bench.path, "trip.jrn.d")).mode & 0o777).toBe(0o700);
  });
});

it("a journal with bytes of others is refused", async () => {
  await bench.run(bench.first());
  appendFileSync(bench.journal, "junk\njunk\n");
  await expect(bench.run({ resumeSession: true })).rejects.toMatchObject({ code: "JOURNAL_DAMAGED", exitCode: 9 });
});
