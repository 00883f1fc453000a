/** The account as the product talks to it: what it does, and what its failures are called. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAzureBlobAccount } from "../../src/blobs/azure-blob-account.ts";
import { type BlobAccount, BlobRequestError, toAppError } from "../../src/blobs/blob-account.ts";
import { startBlobStore, type TestStore } from "../support/azurite.ts";

let store: TestStore;
let account: BlobAccount;
beforeAll(async () => {
  store = await startBlobStore();
  account = await store.open();
  await account.createContainer("box");
});
afterAll(() => store.stop());

const NOTHING = { metadata: {}, properties: {} };
const md5 = (bytes: Uint8Array): Buffer => createHash("md5").update(bytes).digest();
const ref = (name: string) => ({ container: "box", name });

async function put(name: string, text: string, on: BlobAccount = account): Promise<void> {
  const bytes = Buffer.from(text);
  await on.stageBlock(ref(name), "AAAA", bytes, md5(bytes));
  await on.commitBlocks(ref(name), ["AAAA"], NOTHING, "always");
}

const failsAs = (kind: string) => expect.objectContaining({ name: "BlobRequestError", kind });

describe("an account", () => {
  it("tells a new container from one that exists", async () => {
    expect(await account.createContainer("fresh")).toBe("created");
    expect(await account.createContainer("fresh")).toBe("exists");
    await expect(account.createContainer("Bad_Name")).rejects.toEqual(failsAs("refused"));
  });

  it("finds, lists and reads blobs under names of all kinds", async () => {
    const names = ["a b", "a%20b", "a+b", "a#b", "a?b", "ä/ö", "trail.", "//x", "CON", "a:b", 'a"<>|*b'];
    await account.createContainer("names");
    for (const name of names) {
      await account.commitBlocks(
        { container: "names", name },
        [],
        { metadata: { Name: "1" }, properties: {} },
        "if-absent",
      );
      expect(await account.find({ container: "names", name })).toMatchObject({ name, type: "block", sizeBytes: 0 });
    }
    const listed: string[] = [];
    for await (const { name, metadata } of account.listBlobs("names", "", false)) {
      listed.push(name);
      expect(metadata).toEqual({ Name: "1" });
    }
    expect(listed.sort()).toEqual([...names].sort());
    expect(await account.find(ref("nowhere"))).toBeUndefined();
  });

  it("refuses bytes that are not those of the digest", async () => {
    await expect(account.stageBlock(ref("m"), "AAAA", Buffer.from("x"), md5(Buffer.from("y")))).rejects.toBeInstanceOf(
      BlobRequestError,
    );
  });

  it("sends the digest of pages too, which the real service compares", async () => {
    const seen: unknown[] = [];
    const server = createServer((request, response) => {
      seen.push([request.headers["x-ms-page-write"], request.headers["content-md5"], request.headers["x-ms-range"]]);
      request.resume().on("end", () => response.writeHead(201).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${store.account}`;
      const watched = await createAzureBlobAccount({ ...store.endpoint, url }, { maxTries: 1 });
      const bytes = Buffer.alloc(512, 1);
      await watched.writePages(ref("pages"), 1024, bytes, md5(bytes));
      expect(seen).toEqual([["update", md5(bytes).toString("base64"), "bytes=1024-1535"]]);
    } finally {
      server.close();
    }
  });

  it("reads under the condition that nothing has changed", async () => {
    await put("read", "0123456789");
    const found = await account.find(ref("read"));
    const bytes = Buffer.alloc(4);
    await account.read(ref("read"), 3, bytes, { etag: found?.etag ?? "" });
    expect(bytes.toString()).toBe("3456");
    await put("read", "changed ...");
    await expect(account.read(ref("read"), 0, bytes, { etag: found?.etag ?? "" })).rejects.toEqual(failsAs("changed"));
    for await (const listed of account.listBlobs("box", "read", false)) {
      await account.read(ref("read"), 0, bytes, { etag: listed.etag });
    }
    expect(bytes.toString()).toBe("chan");
  });

  it("tells page ranges with their whole lengths", async () => {
    await account.createPageBlob(ref("ranges"), 1024 * 1024, NOTHING, "always");
    for (const offset of [0, 512, 65_536]) {
      await account.writePages(ref("ranges"), offset, Buffer.alloc(512, 1), md5(Buffer.alloc(512, 1)));
    }
    const ranges: unknown[] = [];
    for await (const range of account.pageRanges(ref("ranges"))) ranges.push(range);
    expect(ranges).toEqual([
      { offset: 0, length: 512 },
      { offset: 512, length: 512 },
      { offset: 65_536, length: 512 },
    ]);
  });

  it("keeps snapshots as they were", async () => {
    await put("snap", "old");
    const snapshot = await account.createSnapshot(ref("snap"));
    await put("snap", "new");
    const bytes = Buffer.alloc(3);
    await account.read({ ...ref("snap"), snapshot }, 0, bytes, {});
    expect(bytes.toString()).toBe("old");
    const listed: (string | undefined)[] = [];
    for await (const blob of account.listBlobs("box", "snap", true)) listed.push(blob.snapshot);
    expect(listed.sort()).toEqual([snapshot, undefined]);
  });
});

describe("failures", () => {
  it("are called by what the caller can do", async () => {
    await put("there", "x");
    await expect(account.commitBlocks(ref("there"), ["AAAA"], NOTHING, "if-absent")).rejects.toEqual(failsAs("exists"));
    await expect(account.createPageBlob(ref("there"), 512, NOTHING, "if-absent")).rejects.toEqual(failsAs("exists"));
    await expect(
      account.stageBlock({ container: "nowhere", name: "a" }, "AAAA", Buffer.from("x"), md5(Buffer.from("x"))),
    ).rejects.toEqual(failsAs("missing"));
    await account.createPageBlob(ref("other-type"), 512, NOTHING, "always");
    await expect(put("other-type", "x")).rejects.toEqual(failsAs("wrong-type"));
    await store.client.getContainerClient("box").getBlobClient("there").getBlobLeaseClient().acquireLease(-1);
    await expect(account.commitBlocks(ref("there"), [], NOTHING, "always")).rejects.toEqual(failsAs("leased"));
    await expect(
      account.commitBlocks(ref("bad-metadata"), [], { metadata: { "a-b": "1" }, properties: {} }, "always"),
    ).rejects.toEqual(failsAs("invalid-value"));
  });

  it("of credentials: a wrong key, an expired SAS, one without the permission", async () => {
    const signer = new StorageSharedKeyCredential(store.account, store.key);
    const sas = (permissions: string, expiresOn: Date): string =>
      generateBlobSASQueryParameters(
        { containerName: "box", permissions: ContainerSASPermissions.parse(permissions), expiresOn },
        signer,
      ).toString();
    const open = (credential: { kind: "sas"; sas: string } | { kind: "key"; key: string }) =>
      createAzureBlobAccount({ ...store.endpoint, credential }, { maxTries: 1 });
    const expired = await open({ kind: "sas", sas: sas("rwdl", new Date("2020-01-01")) });
    await expect(put("x", "x", expired)).rejects.toEqual(failsAs("credential"));
    const readOnly = await open({ kind: "sas", sas: sas("rl", new Date("2099-01-01")) });
    await expect(put("x", "x", readOnly)).rejects.toEqual(failsAs("forbidden"));
    const wrong = await open({ kind: "key", key: Buffer.alloc(64).toString("base64") });
    await expect(put("x", "x", wrong)).rejects.toEqual(failsAs("credential"));
  });

  it("of an account SAS that may not make containers leave existing ones usable", async () => {
    const sas = generateAccountSASQueryParameters(
      {
        permissions: AccountSASPermissions.parse("rwl"),
        resourceTypes: AccountSASResourceTypes.parse("o").toString(),
        services: AccountSASServices.parse("b").toString(),
        expiresOn: new Date("2099-01-01"),
      },
      new StorageSharedKeyCredential(store.account, store.key),
    ).toString();
    const objects = await createAzureBlobAccount(
      { ...store.endpoint, credential: { kind: "sas", sas } },
      { maxTries: 1 },
    );
    await expect(objects.createContainer("another")).rejects.toEqual(failsAs("forbidden"));
    await put("by-sas", "x", objects);
    expect(await account.find(ref("by-sas"))).toMatchObject({ sizeBytes: 1 });
  });

  it("of the network, and of a service that is too busy", async () => {
    const silent = await createAzureBlobAccount(
      { ...store.endpoint, url: `http://127.0.0.1:9/${store.account}` },
      { maxTries: 2, retryDelayMs: 1 },
    );
    await expect(silent.find(ref("x"))).rejects.toEqual(failsAs("unavailable"));
    let requests = 0;
    const busy = createServer((_request, response) => {
      requests += 1;
      response.writeHead(503, { "x-ms-error-code": "ServerBusy" }).end();
    });
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(busy.address() as AddressInfo).port}/${store.account}`;
      const tried = await createAzureBlobAccount({ ...store.endpoint, url }, { maxTries: 3, retryDelayMs: 1 });
      await expect(tried.find(ref("x"))).rejects.toEqual(failsAs("unavailable"));
      expect(requests).toBe(3);
    } finally {
      busy.close();
    }
  });

  it("become the errors of the command", () => {
    const codeOf = (kind: ConstructorParameters<typeof BlobRequestError>[0]) =>
      toAppError(new BlobRequestError(kind, "it failed", { status: 1 }), "cannot list");
    expect(codeOf("unavailable")).toMatchObject({ code: "NETWORK", exitCode: 11, message: "cannot list: it failed" });
    expect(codeOf("credential")).toMatchObject({ code: "ACCESS_REFUSED", exitCode: 10 });
    expect(codeOf("forbidden")).toMatchObject({ code: "ACCESS_REFUSED", exitCode: 10 });
    expect(codeOf("refused")).toMatchObject({ code: "SERVICE_REFUSED", exitCode: 10, facts: { status: 1 } });
  });
});
