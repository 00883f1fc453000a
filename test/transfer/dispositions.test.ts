/** What happens when the destination exists, for every disposition and type of blob. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBlobStore, type TestStore } from "../support/azurite.ts";
import { type FileToSend, ImportBench } from "./import-bench.ts";

let store: TestStore;
let containers = 0;
beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.stop());

const OLD = Buffer.from("old content");
const BLOCKS: FileToSend = { bytes: Buffer.from("new content!") };
const PAGES: FileToSend = { bytes: Buffer.alloc(1024, 7), blobType: "page" };

async function newContainer(): Promise<string> {
  const name = `disposition-${containers++}`;
  await store.client.createContainer(name);
  return name;
}

async function putOld(container: string, name: string, type: "block" | "page" | "append" = "block"): Promise<void> {
  const client = store.client.getContainerClient(container);
  const metadata = { old: "1" };
  if (type === "block") await client.getBlockBlobClient(name).upload(OLD, OLD.length, { metadata });
  else if (type === "page") await client.getPageBlobClient(name).create(512, { metadata });
  else await client.getAppendBlobClient(name).create({ metadata });
}

async function importOne(container: string, name: string, file: FileToSend) {
  const bench = new ImportBench(store);
  bench.prepare([{ files: { [name]: { ...file, blobPath: `${container}/${name}` } } }]);
  const { report, events } = await bench.run();
  const [entry] = await bench.log(report, "verbose");
  const [failed] = await bench.log(report, "error");
  return { bench, report, events, entry, failed };
}

describe.each([
  ["a block blob", BLOCKS],
  ["a page blob", PAGES],
])("%s onto an existing blob", (_, file) => {
  it("rename: goes beside it, before the last dot, counting up; the log has the new name", async () => {
    const container = await newContainer();
    await putOld(container, "v1.2/a.tar.gz");
    await putOld(container, "v1.2/a.tar (2).gz");
    const { bench, report, entry, failed } = await importOne(container, "v1.2/a.tar.gz", {
      ...file,
      disposition: "rename",
    });
    expect(report).toMatchObject({ driveStatus: "CompletedWithWarnings", dispositions: { Renamed: 1 }, exitCode: 0 });
    expect(entry).toMatchObject({
      status: "Completed",
      blobPath: `${container}/v1.2/a.tar (3).gz`,
      disposition: { rule: "rename", status: "Renamed" },
    });
    expect(failed).toMatchObject({ blobPath: `${container}/v1.2/a.tar (3).gz` });
    expect(OLD.equals(await bench.content(container, "v1.2/a.tar.gz"))).toBe(true);
    expect(Buffer.from(file.bytes).equals(await bench.content(container, "v1.2/a.tar (3).gz"))).toBe(true);
  });

  it("rename: a name without a dot gets the number behind it", async () => {
    const container = await newContainer();
    await putOld(container, "BlobNameWithoutDot");
    const { entry } = await importOne(container, "BlobNameWithoutDot", file);
    expect(entry).toMatchObject({ blobPath: `${container}/BlobNameWithoutDot (2)` });
  });

  it("rename: a name that would become too long", async () => {
    const container = await newContainer();
    const name = "n".repeat(1022);
    await putOld(container, name);
    const bench = new ImportBench(store);
    bench.prepare([{ files: { short: { ...file, blobPath: `${container}/${name}` } } }]);
    const { report } = await bench.run();
    expect(report).toMatchObject({ blobs: { RenameFailed: 1 }, dispositions: { Cancelled: 1 }, exitCode: 3 });
  });

  it("no-overwrite: leaves it as it is", async () => {
    const container = await newContainer();
    await putOld(container, "a.txt");
    const { bench, report, entry } = await importOne(container, "a.txt", { ...file, disposition: "no-overwrite" });
    expect(report).toMatchObject({ driveStatus: "CompletedWithWarnings", dispositions: { Skipped: 1 }, exitCode: 0 });
    expect(entry).toMatchObject({ status: "Completed", disposition: { status: "Skipped" } });
    expect(entry).not.toHaveProperty("segments");
    expect(OLD.equals(await bench.content(container, "a.txt"))).toBe(true);
  });

  it.each(["block", "page", "append"] as const)("overwrite: replaces a %s blob wholly", async (type) => {
    const container = await newContainer();
    await putOld(container, "a.txt", type);
    const { bench, report, entry } = await importOne(container, "a.txt", { ...file, disposition: "overwrite" });
    expect(report).toMatchObject({ dispositions: { Overwritten: 1 }, blobs: { Completed: 1 }, exitCode: 0 });
    expect(entry).toMatchObject({ status: "Completed", disposition: { rule: "overwrite", status: "Overwritten" } });
    expect(Buffer.from(file.bytes).equals(await bench.content(container, "a.txt"))).toBe(true);
    const now = await store.client.getContainerClient(container).getBlobClient("a.txt").getProperties();
    expect(now).toMatchObject({ metadata: {}, blobType: file.blobType === "page" ? "PageBlob" : "BlockBlob" });
  });

  it.each(["rename", "no-overwrite", "overwrite"] as const)("%s: a new name is simply created", async (disposition) => {
    const container = await newContainer();
    const { report } = await importOne(container, "a.txt", { ...file, disposition });
    expect(report).toMatchObject({ dispositions: { Created: 1 }, driveStatus: "Completed" });
  });

  it("a leased blob is neither overwritten nor in the way of a rename", async () => {
    const container = await newContainer();
    await putOld(container, "a.txt");
    const blob = store.client.getContainerClient(container).getBlobClient("a.txt");
    await blob.getBlobLeaseClient().acquireLease(-1);
    const overwritten = await importOne(container, "a.txt", { ...file, disposition: "overwrite" });
    expect(overwritten.report).toMatchObject({
      blobs: { LeasePresent: 1 },
      dispositions: { Cancelled: 1 },
      exitCode: 3,
    });
    expect((await importOne(container, "a.txt", file)).report.dispositions).toEqual({ Renamed: 1 });
    expect(OLD.equals(await overwritten.bench.content(container, "a.txt"))).toBe(true);
  });
});
