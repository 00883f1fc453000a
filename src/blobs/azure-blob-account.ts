/**
 * The real service behind `BlobAccount`: Azure, Azure Stack or Azurite, through @azure/storage-blob. This module is heavy
 * (some 100 ms to load); commands import it only when they talk to an account.
 */
import { setMaxListeners } from "node:events";
import type {
  BlobClient,
  BlobItem,
  BlobServiceClient,
  ContainerClient,
  StoragePipelineOptions,
} from "@azure/storage-blob";
import {
  type BlobAccount,
  type BlobProperties,
  type BlobRef,
  BlobRequestError,
  type BlobValues,
  type FoundBlob,
  type WriteCondition,
} from "./blob-account.ts";
import type { BlobEndpoint } from "./blob-endpoint.ts";
import { toBlobRequestError } from "./service-errors.ts";

export interface AzureAccountOptions {
  /** Ends every request that is under way. */
  signal?: AbortSignal;
  /** Of one request, the first included. */
  maxTries?: number;
  /** Grows with every try. */
  retryDelayMs?: number;
}

const MAX_TRIES = 6;
const RETRY_DELAY_MS = 800;
const MAX_RETRY_DELAY_MS = 20_000;
/** A block of 100 MiB over a slow line takes that long. */
const TRY_TIMEOUT_MS = 600_000;
const LIST_PAGE = 5000;

type Sdk = typeof import("@azure/storage-blob");

export async function createAzureBlobAccount(
  endpoint: BlobEndpoint,
  options: AzureAccountOptions = {},
): Promise<BlobAccount> {
  // One listener per request under way; node takes more than ten for a leak.
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  const sdk = await import("@azure/storage-blob");
  return new AzureBlobAccount(endpoint, createClient(sdk, endpoint, options), options.signal);
}

function createClient(sdk: Sdk, endpoint: BlobEndpoint, options: AzureAccountOptions): BlobServiceClient {
  const pipeline: StoragePipelineOptions = {
    retryOptions: {
      maxTries: options.maxTries ?? MAX_TRIES,
      retryDelayInMs: options.retryDelayMs ?? RETRY_DELAY_MS,
      maxRetryDelayInMs: MAX_RETRY_DELAY_MS,
      tryTimeoutInMs: TRY_TIMEOUT_MS,
    },
  };
  const { credential, url, account } = endpoint;
  switch (credential.kind) {
    case "key":
      return new sdk.BlobServiceClient(url, new sdk.StorageSharedKeyCredential(account, credential.key), pipeline);
    case "sas":
      return new sdk.BlobServiceClient(`${url}?${credential.sas}`, new sdk.AnonymousCredential(), pipeline);
    case "token": {
      // Asked for before each request; the service itself refuses one that is too old.
      const getToken = async () => ({ token: credential.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER });
      return new sdk.BlobServiceClient(url, { getToken }, pipeline);
    }
  }
}

class AzureBlobAccount implements BlobAccount {
  readonly url: string;
  readonly onlyContainer?: string;
  readonly #service: BlobServiceClient;
  readonly #signal: AbortSignal | undefined;

  constructor(endpoint: BlobEndpoint, service: BlobServiceClient, signal: AbortSignal | undefined) {
    this.url = endpoint.url;
    if (endpoint.onlyContainer !== undefined) this.onlyContainer = endpoint.onlyContainer;
    this.#service = service;
    this.#signal = signal;
  }

  async createContainer(name: string): Promise<"created" | "exists"> {
    const response = await request(() => this.#container(name).createIfNotExists(this.#common()));
    return response.succeeded ? "created" : "exists";
  }

  async *listContainers(prefix: string): AsyncIterable<string> {
    const pages = this.#service.listContainers({ prefix, ...this.#common() }).byPage({ maxPageSize: LIST_PAGE });
    for await (const page of mapped(pages)) for (const { name } of page.containerItems) yield name;
  }

  async *listBlobs(container: string, prefix: string, withSnapshots: boolean): AsyncIterable<FoundBlob> {
    const pages = this.#container(container)
      .listBlobsFlat({ prefix, includeMetadata: true, includeSnapshots: withSnapshots, ...this.#common() })
      .byPage({ maxPageSize: LIST_PAGE });
    for await (const page of mapped(pages)) for (const item of page.segment.blobItems) yield toFoundBlob(item);
  }

  async find(ref: BlobRef): Promise<FoundBlob | undefined> {
    try {
      const found = await this.#blob(ref).getProperties(this.#common());
      return {
        name: ref.name,
        ...(ref.snapshot === undefined ? {} : { snapshot: ref.snapshot }),
        type: toType(found.blobType),
        sizeBytes: found.contentLength ?? 0,
        etag: quoted(found.etag),
        lastModified: toTime(found.lastModified),
        isLeased: found.leaseState === "leased" || found.leaseState === "breaking",
        isArchived: found.accessTier === "Archive",
        metadata: found.metadata ?? {},
        properties: toProperties(found),
      };
    } catch (error) {
      const known = toBlobRequestError(error);
      if (known.kind === "missing") return undefined;
      throw known;
    }
  }

  async stageBlock(ref: BlobRef, id: string, bytes: Uint8Array, md5: Uint8Array): Promise<void> {
    const options = { transactionalContentMD5: md5, ...this.#common() };
    await request(() => this.#blob(ref).getBlockBlobClient().stageBlock(id, asBuffer(bytes), bytes.length, options));
  }

  async commitBlocks(
    ref: BlobRef,
    ids: readonly string[],
    values: BlobValues,
    condition: WriteCondition,
  ): Promise<void> {
    const options = { ...toWriteOptions(values, condition), ...this.#common() };
    await request(() =>
      this.#blob(ref)
        .getBlockBlobClient()
        .commitBlockList([...ids], options),
    );
  }

  async replaceByEmpty(ref: BlobRef): Promise<void> {
    await request(() => this.#blob(ref).getBlockBlobClient().upload("", 0, this.#common()));
  }

  async createPageBlob(ref: BlobRef, sizeBytes: number, values: BlobValues, condition: WriteCondition): Promise<void> {
    const options = { ...toWriteOptions(values, condition), ...this.#common() };
    await request(() => this.#blob(ref).getPageBlobClient().create(sizeBytes, options), condition);
  }

  async writePages(ref: BlobRef, offset: number, bytes: Uint8Array, md5: Uint8Array): Promise<void> {
    const options = { transactionalContentMD5: md5, ...this.#common() };
    const client = this.#blob(ref).getPageBlobClient();
    await request(() => client.uploadPages(asBuffer(bytes), offset, bytes.length, options));
  }

  async setMetadata(ref: BlobRef, metadata: Readonly<Record<string, string>>): Promise<void> {
    await request(() => this.#blob(ref).setMetadata({ ...metadata }, this.#common()));
  }

  async setProperties(ref: BlobRef, properties: BlobProperties): Promise<void> {
    await request(() => this.#blob(ref).setHTTPHeaders(toHeaders(properties), this.#common()));
  }

  async committedBlocks(ref: BlobRef): Promise<{ id: string; sizeBytes: number }[]> {
    const client = this.#blob(ref).getBlockBlobClient();
    const { committedBlocks } = await request(() => client.getBlockList("committed", this.#common()));
    return (committedBlocks ?? []).map(({ name, size }) => ({ id: name, sizeBytes: size }));
  }

  async *pageRanges(ref: BlobRef): AsyncIterable<{ offset: number; length: number }> {
    // The paged call gives the service's own inclusive ends; the plain one gives lengths that are one too small.
    const ranges = mapped(this.#blob(ref).getPageBlobClient().listPageRanges(0, undefined, this.#common()));
    for await (const { start, end, isClear } of ranges) {
      if (!isClear) yield { offset: start, length: end - start + 1 };
    }
  }

  async read(ref: BlobRef, offset: number, bytes: Uint8Array, condition: { etag?: string }): Promise<void> {
    const conditions = condition.etag === undefined ? {} : { conditions: { ifMatch: condition.etag } };
    const options = { ...conditions, blockSize: Math.max(1, bytes.length), concurrency: 1, ...this.#common() };
    await request(() => this.#blob(ref).downloadToBuffer(asBuffer(bytes), offset, bytes.length, options));
  }

  async createSnapshot(ref: BlobRef): Promise<string> {
    const { snapshot } = await request(() => this.#blob(ref).createSnapshot(this.#common()));
    return snapshot ?? "";
  }

  /** A new object each time: the client writes into the options that it is given. */
  #common(): { abortSignal?: AbortSignal } {
    return this.#signal === undefined ? {} : { abortSignal: this.#signal };
  }

  #container(name: string): ContainerClient {
    return this.#service.getContainerClient(name);
  }

  #blob({ container, name, snapshot }: BlobRef): BlobClient {
    const client = this.#container(container).getBlobClient(name);
    return snapshot === undefined ? client : client.withSnapshot(snapshot);
  }
}

async function request<T>(call: () => Promise<T>, condition: WriteCondition = "always"): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const known = toBlobRequestError(error);
    // The service answers a failed "if absent" in two ways.
    if (condition !== "if-absent" || known.kind !== "changed") throw known;
    throw new BlobRequestError("exists", known.message, { status: known.status, cause: error });
  }
}

async function* mapped<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* items;
  } catch (error) {
    throw toBlobRequestError(error);
  }
}

function toWriteOptions({ metadata, properties }: BlobValues, condition: WriteCondition) {
  return {
    metadata: { ...metadata },
    blobHTTPHeaders: toHeaders(properties),
    ...(condition === "if-absent" ? { conditions: { ifNoneMatch: "*" } } : {}),
  };
}

function toHeaders(properties: BlobProperties) {
  const { contentType, contentMd5, contentEncoding, contentLanguage, cacheControl, contentDisposition } = properties;
  return {
    ...(contentType === undefined ? {} : { blobContentType: contentType }),
    ...(contentMd5 === undefined ? {} : { blobContentMD5: contentMd5 }),
    ...(contentEncoding === undefined ? {} : { blobContentEncoding: contentEncoding }),
    ...(contentLanguage === undefined ? {} : { blobContentLanguage: contentLanguage }),
    ...(cacheControl === undefined ? {} : { blobCacheControl: cacheControl }),
    ...(contentDisposition === undefined ? {} : { blobContentDisposition: contentDisposition }),
  };
}

interface ServiceProperties {
  contentType?: string;
  contentMD5?: Uint8Array;
  contentEncoding?: string;
  contentLanguage?: string;
  cacheControl?: string;
  contentDisposition?: string;
}

function toProperties(found: ServiceProperties): BlobProperties {
  const { contentType, contentMD5, contentEncoding, contentLanguage, cacheControl, contentDisposition } = found;
  return {
    ...(contentType ? { contentType } : {}),
    ...(contentMD5 !== undefined && contentMD5.length > 0 ? { contentMd5: contentMD5 } : {}),
    ...(contentEncoding ? { contentEncoding } : {}),
    ...(contentLanguage ? { contentLanguage } : {}),
    ...(cacheControl ? { cacheControl } : {}),
    ...(contentDisposition ? { contentDisposition } : {}),
  };
}

function toFoundBlob({ name, snapshot, properties, metadata }: BlobItem): FoundBlob {
  return {
    name,
    ...(snapshot === undefined || snapshot === "" ? {} : { snapshot }),
    type: toType(properties.blobType),
    sizeBytes: properties.contentLength ?? 0,
    etag: quoted(properties.etag),
    lastModified: toTime(properties.lastModified),
    isLeased: properties.leaseState === "leased" || properties.leaseState === "breaking",
    isArchived: properties.accessTier === "Archive",
    metadata: metadata ?? {},
    properties: toProperties(properties),
  };
}

function toType(type: string | undefined): FoundBlob["type"] {
  return type === "PageBlob" ? "page" : type === "AppendBlob" ? "append" : "block";
}

/** Listings leave the quotes of an ETag out, conditions need them. */
function quoted(etag: string | undefined): string {
  return etag === undefined || etag.startsWith('"') || etag.startsWith("W/") ? (etag ?? "") : `"${etag}"`;
}

function toTime(date: Date | undefined): string {
  return date === undefined ? "" : date.toISOString().replace(".000Z", "Z");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
