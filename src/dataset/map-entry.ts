/** What a file of the source becomes: its blob path and type, or the reason why no blob can hold it. */
import {
  type BlobType,
  MAX_BLOCK_COUNT,
  MAX_LARGE_PAGE_BLOB_BYTES,
  MAX_LARGE_SEGMENT_BYTES,
  MAX_PAGE_BLOB_BYTES,
  PAGE_BYTES,
  SEGMENT_BYTES,
} from "../blobs/blob-kinds.ts";
import { checkBlobNameLength } from "../blobs/name-rules.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import type { DatasetRow } from "./dataset-row.ts";

/** UTF-16 units of a path on the drive. */
const MAX_STORED_PATH = 32_000;

export interface EntryToMap {
  /** `/`-separated, below the row's directory; of a file row the file's name. */
  relativePath: string;
  storedPath: string;
  sizeBytes: number;
}

export interface MapOptions {
  /** Segments over 4 MiB for files that need them, page blobs over 1 TiB. */
  largeBlocks: boolean;
}

export type MappedEntry =
  | { ok: true; blobPath: string; blobType: BlobType; segmentBytes: number }
  | { ok: false; blobPath: string; code: ErrorCode; reason: string };

/** Characters are not looked at again: the row's destination and each name of the walk were checked before. */
export function mapEntry(row: DatasetRow, entry: EntryToMap, options: MapOptions): MappedEntry {
  const blobPath = row.kind === "directory" ? row.destination + entry.relativePath : row.destination;
  const violation = checkBlobNameLength(blobPath.slice(row.container.length + 1), row.container);
  if (violation !== undefined) return { ok: false, blobPath, ...violation };
  if (entry.storedPath.length > MAX_STORED_PATH) {
    const reason = `the path on the drive would have over ${MAX_STORED_PATH} characters`;
    return { ok: false, blobPath, code: "FILE_NAME_TOO_LONG", reason };
  }
  const blobType = blobTypeOf(row, entry.relativePath);
  const problem = blobType === "PageBlob" ? checkPageBlob(entry.sizeBytes, options) : checkBlockBlob(entry, options);
  if (problem !== undefined) return { ok: false, blobPath, ...problem };
  const segmentBytes = blobType === "PageBlob" ? SEGMENT_BYTES : segmentBytesOf(entry.sizeBytes);
  return { ok: true, blobPath, blobType, segmentBytes };
}

export function blobTypeOf(row: DatasetRow, relativePath: string): BlobType {
  if (row.blobType !== "ByExtension") return row.blobType;
  return /\.vhdx?$/i.test(relativePath) ? "PageBlob" : "BlockBlob";
}

type Problem = { code: ErrorCode; reason: string } | undefined;

function checkPageBlob(sizeBytes: number, options: MapOptions): Problem {
  if (sizeBytes % PAGE_BYTES !== 0) {
    const reason = `a page blob's length is a multiple of ${PAGE_BYTES}, this file has ${sizeBytes} bytes`;
    return { code: "FILE_NOT_PAGE_ALIGNED", reason };
  }
  return tooLarge(sizeBytes, options.largeBlocks ? MAX_LARGE_PAGE_BLOB_BYTES : MAX_PAGE_BLOB_BYTES, "page");
}

function checkBlockBlob({ sizeBytes }: EntryToMap, options: MapOptions): Problem {
  const segmentBytes = options.largeBlocks ? MAX_LARGE_SEGMENT_BYTES : SEGMENT_BYTES;
  return tooLarge(sizeBytes, segmentBytes * MAX_BLOCK_COUNT, "block");
}

function tooLarge(sizeBytes: number, maxBytes: number, kind: string): Problem {
  if (sizeBytes <= maxBytes) return undefined;
  const reason = `the file has ${sizeBytes} bytes, a ${kind} blob at most ${maxBytes}`;
  return { code: "FILE_TOO_LARGE", reason };
}

/** The smallest multiple of 4 MiB that needs at most 50,000 segments. */
function segmentBytesOf(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / (MAX_BLOCK_COUNT * SEGMENT_BYTES))) * SEGMENT_BYTES;
}
