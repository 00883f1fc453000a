/**
 * Into which segments a blob's manifest entry is cut: the blocks as they were committed where each fits into a segment,
 * pieces of 4 MiB without ids otherwise; of page blobs only ranges with data.
 */
import type { BlobAccount, BlobRef, StoredBlobType } from "../blobs/blob-account.ts";
import { SEGMENT_BYTES } from "../blobs/blob-kinds.ts";

export interface ExportSegments {
  offsets: number[];
  lengths: number[];
  /** Block ids, all or none. */
  ids?: string[];
}

export async function findSegments(
  account: BlobAccount,
  ref: BlobRef,
  type: StoredBlobType,
  sizeBytes: number,
): Promise<ExportSegments> {
  if (sizeBytes === 0) return { offsets: [], lengths: [] };
  if (type === "page") return pageSegments(account, ref, sizeBytes);
  return (type === "block" ? await blockSegments(account, ref, sizeBytes) : undefined) ?? cutEvenly(0, sizeBytes);
}

/** Undefined when the blob was not made of blocks, or of larger ones than a manifest may have. */
async function blockSegments(
  account: BlobAccount,
  ref: BlobRef,
  sizeBytes: number,
): Promise<ExportSegments | undefined> {
  const blocks = await account.committedBlocks(ref);
  const offsets: number[] = [];
  const lengths: number[] = [];
  const ids: string[] = [];
  let end = 0;
  for (const { id, sizeBytes: length } of blocks) {
    if (length > SEGMENT_BYTES || length === 0 || (id.length !== ids[0]?.length && ids.length > 0)) return undefined;
    offsets.push(end);
    lengths.push(length);
    ids.push(id);
    end += length;
  }
  return end === sizeBytes ? { offsets, lengths, ids } : undefined;
}

async function pageSegments(account: BlobAccount, ref: BlobRef, sizeBytes: number): Promise<ExportSegments> {
  const segments: ExportSegments = { offsets: [], lengths: [] };
  let open: { start: number; end: number } | undefined;
  for await (const { offset, length } of account.pageRanges(ref)) {
    const end = Math.min(sizeBytes, offset + length);
    // Neighbours may be told apart by how they were written.
    if (open?.end === offset) open.end = end;
    else {
      addOnGrid(segments, open);
      open = { start: offset, end };
    }
  }
  addOnGrid(segments, open);
  return segments;
}

/** Cut where segments of the whole blob would be, so that ranges that grow together keep their cuts. */
function addOnGrid({ offsets, lengths }: ExportSegments, range: { start: number; end: number } | undefined): void {
  if (range === undefined) return;
  for (let start = range.start; start < range.end; ) {
    const next = Math.min(range.end, start - (start % SEGMENT_BYTES) + SEGMENT_BYTES);
    offsets.push(start);
    lengths.push(next - start);
    start = next;
  }
}

function cutEvenly(start: number, end: number): ExportSegments {
  const segments: ExportSegments = { offsets: [], lengths: [] };
  for (let offset = start; offset < end; offset += SEGMENT_BYTES) {
    segments.offsets.push(offset);
    segments.lengths.push(Math.min(SEGMENT_BYTES, end - offset));
  }
  return segments;
}

/** Neighbouring segments that are fetched by one request. */
export interface FetchUnit {
  first: number;
  /** Behind the last. */
  end: number;
  offset: number;
  length: number;
}

export function* fetchUnits({ offsets, lengths }: ExportSegments): Generator<FetchUnit> {
  for (let first = 0; first < offsets.length; ) {
    const offset = offsets[first] ?? 0;
    let length = lengths[first] ?? 0;
    let end = first + 1;
    while (end < offsets.length && offsets[end] === offset + length && length + (lengths[end] ?? 0) <= SEGMENT_BYTES) {
      length += lengths[end] ?? 0;
      end += 1;
    }
    yield { first, end, offset, length };
    first = end;
  }
}
