/** One blob of the manifest while it is under way: the reader's view copied, because the reader reuses its own. */

import type { BlobRef } from "../blobs/blob-account.ts";
import { SEGMENT_BYTES } from "../blobs/blob-kinds.ts";
import type { SegmentStatus } from "../copy-log/status-codes.ts";
import { DIGEST_BYTES, type Disposition, type SideFile } from "../manifest/manifest-model.ts";
import type { ReadBlob } from "../manifest/read-blob.ts";

export interface BlobWork {
  /** Its place in the manifest, from 0. */
  index: number;
  blobPath: string;
  filePath: string;
  sizeBytes: number;
  blobType: "block" | "page";
  disposition: Disposition;
  snapshot?: string;
  /** False: the manifest has no segments; those here are of the usual length and have no digests yet. */
  isListed: boolean;
  offsets: Float64Array;
  lengths: Float64Array;
  /** 16 bytes per segment. */
  digests: Uint8Array;
  /** The manifest's own block ids, where they are not simply made from the digests. */
  ids: readonly string[] | undefined;
  globalMetadata?: SideFile;
  metadata?: SideFile;
  globalProperties?: SideFile;
  properties?: SideFile;
}

export function toBlobWork(blob: ReadBlob, index: number): BlobWork {
  const { metadata, properties, list, snapshot } = blob;
  return {
    index,
    blobPath: blob.blobPath,
    filePath: blob.filePath,
    sizeBytes: blob.sizeBytes,
    blobType: blob.blobType,
    disposition: blob.disposition ?? "rename",
    ...(snapshot === undefined ? {} : { snapshot }),
    isListed: blob.isListed,
    ...(blob.isListed ? copySegments(blob) : cutIntoSegments(blob.sizeBytes)),
    ...(list.metadata === undefined ? {} : { globalMetadata: list.metadata }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(list.properties === undefined ? {} : { globalProperties: list.properties }),
    ...(properties === undefined ? {} : { properties }),
  };
}

export function segmentCount(work: BlobWork): number {
  return work.offsets.length;
}

export function digestOf(work: BlobWork, index: number): Uint8Array {
  return work.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}

/** Equal content has equal ids, and all ids of a blob have the same length, as Put Block wants. */
export function blockId(work: BlobWork, index: number): string {
  return work.ids?.[index] ?? `MD5/${Buffer.from(digestOf(work, index)).toString("base64")}`;
}

/** Where a blob path leads: the container's name never holds a slash. */
export function toBlobRef(blobPath: string): BlobRef {
  const slash = blobPath.indexOf("/");
  return { container: blobPath.slice(0, slash), name: blobPath.slice(slash + 1) };
}

export type SegmentStatuses = SegmentStatus[];

type Segments = Pick<BlobWork, "offsets" | "lengths" | "digests" | "ids">;

function copySegments({ segments }: ReadBlob): Segments {
  const { count } = segments;
  const offsets = new Float64Array(count);
  const lengths = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    offsets[index] = segments.offset(index);
    lengths[index] = segments.length(index);
  }
  const digests = Uint8Array.from(segments.digests);
  return { offsets, lengths, digests, ids: usableIds(segments.ids, digests) };
}

/**
 * The ids to use, or undefined for those made from the digests: when they are the same, and when two different blocks
 * share one id, which would lose one of them.
 */
function usableIds(ids: readonly string[], digests: Uint8Array): readonly string[] | undefined {
  if (ids.length === 0) return undefined;
  const hex = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
  const digestById = new Map<string, string>();
  let isOwnForm = true;
  for (const [index, id] of ids.entries()) {
    const start = index * DIGEST_BYTES;
    const digest = hex.toString("base64", start, start + DIGEST_BYTES);
    const earlier = digestById.get(id);
    if (earlier !== undefined && earlier !== digest) return undefined;
    digestById.set(id, digest);
    isOwnForm &&= id === `MD5/${digest}`;
  }
  return isOwnForm ? undefined : [...ids];
}

function cutIntoSegments(sizeBytes: number): Segments {
  const count = Math.ceil(sizeBytes / SEGMENT_BYTES);
  const offsets = Float64Array.from({ length: count }, (_, index) => index * SEGMENT_BYTES);
  const lengths = offsets.map((offset) => Math.min(SEGMENT_BYTES, sizeBytes - offset));
  return { offsets, lengths, digests: new Uint8Array(count * DIGEST_BYTES), ids: undefined };
}
