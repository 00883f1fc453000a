/**
 * A blob store on loopback for one test file: Azurite in this process, on a free port, in memory. Each store has its own
 * account; the list of accounts is read from the environment when a store starts.
 */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { createAzureBlobAccount } from "../../src/blobs/azure-blob-account.ts";
import type { BlobAccount } from "../../src/blobs/blob-account.ts";
import type { BlobEndpoint } from "../../src/blobs/blob-endpoint.ts";

const accounts: string[] = [];

interface Server {
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

export interface TestStore {
  /** Of the account. */
  url: string;
  account: string;
  key: string;
  endpoint: BlobEndpoint;
  connectionString: string;
  /** The public client, for looking at what was written. */
  client: BlobServiceClient;
  /** As the product talks to it: without waiting long between tries. */
  open(signal?: AbortSignal): Promise<BlobAccount>;
  stop(): Promise<void>;
}

export async function startBlobStore(): Promise<TestStore> {
  const account = `test${randomBytes(4).toString("hex")}`;
  const key = randomBytes(64).toString("base64");
  const server = createServer(account, key);
  await server.start();
  const url = `${server.getHttpServerAddress()}/${account}`;
  const endpoint: BlobEndpoint = { url, account, credential: { kind: "key", key } };
  return {
    url,
    account,
    key,
    endpoint,
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${url};`,
    client: new BlobServiceClient(url, new StorageSharedKeyCredential(account, key)),
    open: (signal) =>
      createAzureBlobAccount(endpoint, { maxTries: 2, retryDelayMs: 1, ...(signal === undefined ? {} : { signal }) }),
    stop: () => server.close(),
  };
}

function createServer(account: string, key: string): Server {
  const load = createRequire(import.meta.url);
  const BlobServer = load("azurite/dist/src/blob/BlobServer").default;
  const BlobConfiguration = load("azurite/dist/src/blob/BlobConfiguration").default;
  // Read again by running stores from time to time, so the accounts of earlier ones stay in it.
  accounts.push(`${account}:${key}`);
  process.env.AZURITE_ACCOUNTS = accounts.join(";");
  return new BlobServer(
    new BlobConfiguration(
      "127.0.0.1",
      0,
      undefined,
      "unused-metadata",
      "unused-extents",
      [{ locationId: "Default", locationPath: "unused-blobs", maxConcurrency: 10 }],
      false,
      undefined,
      false,
      undefined,
      false,
      true,
      "",
      "",
      "",
      undefined,
      false,
      true,
    ),
  ) as Server;
}
