/**
 * Two files that would become the same blob. Within one row that cannot happen; between rows only where the destination
 * of one is a prefix of the other's. Only such rows are walked side by side, as sorted streams.
 */
import { compareUtf8 } from "./byte-order.ts";
import type { DatasetRow } from "./dataset-row.ts";
import { mergeSorted } from "./merge-sorted.ts";

/** Groups of rows (by `index`) that may give the same blob path; rows in no group cannot. */
export function groupOverlappingRows(rows: readonly DatasetRow[]): number[][] {
  const sorted = [...rows].sort((a, b) => compareUtf8(a.destination, b.destination) || a.index - b.index);
  const groups: number[][] = [];
  let widest: DatasetRow | undefined;
  let current: number[] = [];
  for (const row of sorted) {
    // Sorting puts a prefix before all that begins with it, and nothing else in between.
    if (widest === undefined || !overlaps(widest, row)) {
      if (current.length > 1) groups.push(current);
      widest = row;
      current = [];
    }
    current.push(row.index);
  }
  if (current.length > 1) groups.push(current);
  return groups.map((group) => group.sort((a, b) => a - b));
}

export function destinationsOverlap(rows: readonly DatasetRow[]): boolean {
  return groupOverlappingRows(rows).length > 0;
}

function overlaps(first: DatasetRow, later: DatasetRow): boolean {
  if (first.kind === "file") return later.destination === first.destination;
  return later.destination.startsWith(first.destination);
}

export interface BlobSource {
  blobPath: string;
  sourcePath: string;
}

export interface BlobPathClash {
  blobPath: string;
  /** At least two, in the order of the streams. */
  sources: string[];
}

/** Each stream is sorted by the UTF-8 bytes of its blob paths, as a walk of a row is. Reads all of them once. */
export function* findBlobPathClashes(streams: readonly Iterable<BlobSource>[]): Generator<BlobPathClash, void, void> {
  let blobPath: string | undefined;
  let sources: string[] = [];
  for (const { item } of mergeSorted(streams, (a, b) => compareUtf8(a.blobPath, b.blobPath))) {
    if (item.blobPath !== blobPath) {
      if (blobPath !== undefined && sources.length > 1) yield { blobPath, sources };
      blobPath = item.blobPath;
      sources = [];
    }
    sources.push(item.sourcePath);
  }
  if (blobPath !== undefined && sources.length > 1) yield { blobPath, sources };
}
