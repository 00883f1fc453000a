/**
 * A storage account's blobs as the rooms above see them. `azure-blob-account.ts` binds the real service; whatever fails
 * there comes back as a BlobRequestError whose kind says what the caller can do.
 */
import { AppError } from "../platform/app-error.ts";

export interface BlobRef {
  container: string;
  /** Plain Unicode, as in manifests; never percent-encoded. */
  name: string;
  snapshot?: string;
}

export type StoredBlobType = "block" | "page" | "append";

/** What of a blob can be set beside its content and metadata. */
export interface BlobProperties {
  contentType?: string;
  /** 16 bytes. */
  contentMd5?: Uint8Array;
  contentEncoding?: string;
  contentLanguage?: string;
  cacheControl?: string;
  contentDisposition?: string;
}

export type BlobMetadata = Readonly<Record<string, string>>;

export interface BlobValues {
  metadata: BlobMetadata;
  properties: BlobProperties;
}

export interface FoundBlob {
  name: string;
  snapshot?: string;
  type: StoredBlobType;
  sizeBytes: number;
  etag: string;
  /** ISO 8601 UTC, seconds. */
  lastModified: string;
  isLeased: boolean;
  /** In the archive tier: cannot be read. */
  isArchived: boolean;
  /** Listings keep the case of the names; a single look lower-cases them. */
  metadata: BlobMetadata;
  properties: BlobProperties;
}

/** `if-absent`: fails with kind `exists` rather than touch a blob that is there. */
export type WriteCondition = "if-absent" | "always";

export interface CommittedBlock {
  id: string;
  sizeBytes: number;
}

export interface ReadCondition {
  /** Fails with kind `changed` when the blob has another ETag. */
  etag?: string;
}

export interface BlobAccount {
  /** Without credential, no slash at its end. */
  readonly url: string;
  /** The only container that the credential opens. */
  readonly onlyContainer?: string;
  createContainer(name: string): Promise<"created" | "exists">;
  /** Names in their order. */
  listContainers(prefix: string): AsyncIterable<string>;
  /** In order of names; the order of a blob and its snapshots is not defined. */
  listBlobs(container: string, prefix: string, withSnapshots: boolean): AsyncIterable<FoundBlob>;
  find(ref: BlobRef): Promise<FoundBlob | undefined>;
  /** The service compares `md5` with the bytes that arrive. */
  stageBlock(ref: BlobRef, id: string, bytes: Uint8Array, md5: Uint8Array): Promise<void>;
  commitBlocks(ref: BlobRef, ids: readonly string[], values: BlobValues, condition: WriteCondition): Promise<void>;
  /** Replaces whatever is there by an empty block blob: the only way from another blob type to blocks. */
  replaceByEmpty(ref: BlobRef): Promise<void>;
  createPageBlob(ref: BlobRef, sizeBytes: number, values: BlobValues, condition: WriteCondition): Promise<void>;
  writePages(ref: BlobRef, offset: number, bytes: Uint8Array, md5: Uint8Array): Promise<void>;
  setMetadata(ref: BlobRef, metadata: BlobMetadata): Promise<void>;
  setProperties(ref: BlobRef, properties: BlobProperties): Promise<void>;
  committedBlocks(ref: BlobRef): Promise<readonly CommittedBlock[]>;
  /** Ranges with data, in order. */
  pageRanges(ref: BlobRef): AsyncIterable<{ offset: number; length: number }>;
  /** Fills `bytes` from `offset` on; the blob must have that many. */
  read(ref: BlobRef, offset: number, bytes: Uint8Array, condition: ReadCondition): Promise<void>;
  /** Returns the snapshot's id. */
  createSnapshot(ref: BlobRef): Promise<string>;
}

/**
 * `unavailable`: network or server trouble, after retries. `credential`: nothing will work with this credential.
 * `forbidden`: it does not cover this operation. `invalid-value`: a metadata or property value is not accepted.
 */
export type BlobRequestErrorKind =
  | "exists"
  | "missing"
  | "leased"
  | "wrong-type"
  | "changed"
  | "forbidden"
  | "credential"
  | "unavailable"
  | "invalid-value"
  | "canceled"
  | "refused";

export interface BlobRequestErrorOptions {
  /** HTTP status; absent when there was no answer. */
  status?: number | undefined;
  /** The service's own code. */
  serviceCode?: string | undefined;
  cause?: unknown;
}

export class BlobRequestError extends Error {
  readonly kind: BlobRequestErrorKind;
  readonly status: number | undefined;
  readonly serviceCode: string | undefined;

  /** `message` without secrets. */
  constructor(kind: BlobRequestErrorKind, message: string, options: BlobRequestErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "BlobRequestError";
    this.kind = kind;
    this.status = options.status;
    this.serviceCode = options.serviceCode;
  }
}

export function isBlobRequestError(error: unknown, ...kinds: BlobRequestErrorKind[]): error is BlobRequestError {
  return error instanceof BlobRequestError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** The failure of a whole run. `what` in words: `cannot list the container "box"`. */
export function toAppError(error: BlobRequestError, what: string): AppError {
  const code =
    error.kind === "unavailable"
      ? "NETWORK"
      : error.kind === "credential" || error.kind === "forbidden"
        ? "ACCESS_REFUSED"
        : error.kind === "canceled"
          ? "CANCELED"
          : "SERVICE_REFUSED";
  return new AppError(code, `${what}: ${error.message}`, {
    facts: {
      ...(error.status === undefined ? {} : { status: error.status }),
      ...(error.serviceCode === undefined ? {} : { serviceCode: error.serviceCode }),
    },
    cause: error,
  });
}
