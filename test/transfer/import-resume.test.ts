/** Imports that end in the middle: killed, cut off, refused, interrupted. The next run finishes without a second copy. */
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAzureBlobAccount } from "../../src/blobs/azure-blob-account.ts";
import type { BlobAccount } from "../../src/blobs/blob-account.ts";
import type { TransferImportReport } from "../../src/transfer/import-contract.ts";
import { startBlobStore, type TestStore } from "../support/azurite.ts";
import { startCutProxy } from "../support/cut-proxy.ts";
import { patternBytes } from "../verify/prepared-drive.ts";
import { type FileToSend, ImportBench } from "./import-bench.ts";

let store: TestStore;
let containers = 0;
beforeAll(async () => {
  store = await startBlobStore();
});
afterAll(() => store.stop());

const SEGMENT = 1024;

function filesFor(container: string): Record<string, FileToSend> {
  const to = (name: string) => ({ blobPath: `${container}/${name}` });
  return {
    "one.txt": { ...to("one.txt"), bytes: Buffer.from("one") },
    "blocks.bin": { ...to("blocks.bin"), bytes: patternBytes(3 * SEGMENT + 7, 1), segmentBytes: SEGMENT },
    "same.bin": {
      ...to("same.bin"),
      bytes: Buffer.alloc(3 * SEGMENT, 5),
      segmentBytes: SEGMENT,
      disposition: "overwrite",
    },
    empty: { ...to("empty"), bytes: Buffer.alloc(0), disposition: "no-overwrite" },
    "disk.vhd": {
      ...to("disk.vhd"),
      bytes: patternBytes(2 * SEGMENT, 2),
      segmentBytes: SEGMENT,
      blobType: "page",
      metadata: "<Metadata><disk>1</disk></Metadata>",
    },
  };
}

async function expectWhole(bench: ImportBench, container: string, files: Record<string, FileToSend>): Promise<void> {
  const names: string[] = [];
  for await (const { name } of store.client.getContainerClient(container).listBlobsFlat()) names.push(name);
  expect(names.sort()).toEqual(Object.keys(files).sort());
  for (const [name, { bytes }] of Object.entries(files)) {
    expect(Buffer.from(bytes).equals(await bench.content(container, name)), name).toBe(true);
  }
  const disk = await store.client.getContainerClient(container).getBlobClient("disk.vhd").getProperties();
  expect(disk.metadata).toEqual({ disk: "1" });
}

class Killed extends Error {}

/** Dies in its `calls`-th request: after it has reached the service, so that it took effect and nobody knows. */
function dyingAccount(account: BlobAccount, calls: number): BlobAccount {
  let left = calls;
  return new Proxy(account, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        if (left <= 0) throw new Killed();
        const result = await value.apply(target, args);
        left -= 1;
        if (left <= 0) throw new Killed();
        return result;
      };
    },
  });
}

async function unlessKilled(bench: ImportBench, account: BlobAccount): Promise<TransferImportReport | undefined> {
  try {
    return (await bench.run({ parallel: 2, logLevel: "error" }, { account })).report;
  } catch (error) {
    expect(error).toBeInstanceOf(Killed);
    return undefined;
  }
}

describe("an import that is killed", () => {
  it("at any of its requests, and again at any of the next run's, ends as one that was not", async () => {
    const account = await store.open();
    for (let calls = 1; ; calls++) {
      const container = `killed-${containers++}`;
      const bench = new ImportBench(store);
      const files = filesFor(container);
      bench.prepare([{ files }]);
      const first = await unlessKilled(bench, dyingAccount(account, calls));
      if (first !== undefined) return expect(calls).toBeGreaterThan(15);
      const second = await unlessKilled(bench, dyingAccount(account, 1 + (calls % 7)));
      const report = second ?? (await bench.run({ parallel: 2 })).report;
      const where = `killed at request ${calls}`;
      expect(report, where).toMatchObject({ blobs: { Completed: 5 }, totalBlobs: 5, exitCode: 0 });
      expect(report.dispositions.Renamed, where).toBeUndefined();
      await expectWhole(bench, container, files);
      expect(bench.stateFiles()).toEqual([]);
    }
  });

  it("goes on from a state file whose last line is torn, and refuses one that is damaged before", async () => {
    const container = `torn-${containers++}`;
    const bench = new ImportBench(store);
    const files = filesFor(container);
    bench.prepare([{ files }]);
    const dying = dyingAccount(await store.open(), 9);
    await expect(bench.run({ parallel: 1 }, { account: dying })).rejects.toBeInstanceOf(Killed);
    const [name = ""] = readdirSync(bench.stateDirectory);
    const state = join(bench.stateDirectory, name, "blobs.jsonl");
    appendFileSync(state, '{"i":4,"o":{"s":"Compl');
    const { report } = await bench.run();
    expect(report).toMatchObject({ blobs: { Completed: 5 }, exitCode: 0 });
    expect(report.earlierBlobs).toBeGreaterThan(0);
    await expectWhole(bench, container, files);

    const other = new ImportBench(store);
    other.prepare([{ files: filesFor(`torn-${containers++}`) }]);
    await expect(other.run({}, { account: dyingAccount(await store.open(), 5) })).rejects.toBeInstanceOf(Killed);
    const [otherName = ""] = readdirSync(other.stateDirectory);
    writeFileSync(join(other.stateDirectory, otherName, "blobs.jsonl"), "nonsense\n");
    await expect(other.run()).rejects.toMatchObject({ code: "STATE_DAMAGED", exitCode: 9 });
    expect((await other.run({ restart: true })).report.exitCode).toBe(0);
  });
});

describe("an import whose line is cut", () => {
  it("says so, and goes on when the line is mended", async () => {
    const proxy = await startCutProxy(Number(new URL(store.url).port));
    try {
      const container = `cut-${containers++}`;
      const bench = new ImportBench(store);
      const files = filesFor(container);
      bench.prepare([{ files }]);
      const url = store.url.replace(/:\d+/, `:${proxy.port}`);
      const account = await createAzureBlobAccount({ ...store.endpoint, url }, { maxTries: 2, retryDelayMs: 1 });
      let requests = 0;
      const cutting = new Proxy(account, {
        get: (target, name) => {
          const value = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            requests += 1;
            if (requests === 10) proxy.cut();
            return value.apply(target, args);
          };
        },
      });
      await expect(bench.run({ parallel: 2 }, { account: cutting })).rejects.toMatchObject({
        code: "NETWORK",
        exitCode: 11,
      });
      expect(bench.stateFiles()).toHaveLength(1);
      proxy.mend();
      const { report } = await bench.run({}, { account });
      expect(report).toMatchObject({ blobs: { Completed: 5 }, exitCode: 0 });
      expect(report.dispositions.Renamed).toBeUndefined();
      await expectWhole(bench, container, files);
    } finally {
      await proxy.stop();
    }
  });

  it("for a moment only, does not show", async () => {
    const proxy = await startCutProxy(Number(new URL(store.url).port));
    try {
      const container = `blip-${containers++}`;
      const bench = new ImportBench(store);
      const files = filesFor(container);
      bench.prepare([{ files }]);
      const url = store.url.replace(/:\d+/, `:${proxy.port}`);
      const account = await createAzureBlobAccount({ ...store.endpoint, url }, { maxTries: 5, retryDelayMs: 1 });
      let requests = 0;
      const blinking = new Proxy(account, {
        get: (target, name) => {
          const value = Reflect.get(target, name);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            requests += 1;
            const answer = value.apply(target, args);
            if (requests % 4 === 0) {
              proxy.cut();
              proxy.mend();
            }
            return answer;
          };
        },
      });
      const { report } = await bench.run({ parallel: 2 }, { account: blinking });
      expect(report).toMatchObject({ blobs: { Completed: 5 }, exitCode: 0 });
      await expectWhole(bench, container, files);
    } finally {
      await proxy.stop();
    }
  });
});

describe("an import that is told to stop", () => {
  it("stops, and goes on later", async () => {
    const container = `stop-${containers++}`;
    const bench = new ImportBench(store);
    const files = filesFor(container);
    bench.prepare([{ files }]);
    const controller = new AbortController();
    const account = await store.open(controller.signal);
    let requests = 0;
    const stopping = new Proxy(account, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          requests += 1;
          if (requests === 8) controller.abort();
          return value.apply(target, args);
        };
      },
    });
    await expect(bench.run({ signal: controller.signal }, { account: stopping })).rejects.toMatchObject({
      code: "CANCELED",
    });
    const { report } = await bench.run();
    expect(report).toMatchObject({ blobs: { Completed: 5 }, exitCode: 0 });
    await expectWhole(bench, container, files);
  });

  it("a credential that is refused ends it at once", async () => {
    const bench = new ImportBench(store);
    bench.prepare([{ files: filesFor(`refused-${containers++}`) }]);
    const key = Buffer.alloc(64, 1).toString("base64");
    const account = await createAzureBlobAccount({ ...store.endpoint, credential: { kind: "key", key } });
    await expect(bench.run({}, { account })).rejects.toMatchObject({ code: "ACCESS_REFUSED", exitCode: 10 });
  });
});
