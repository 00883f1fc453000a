/**
 * How one blob of an import ended, in the words of the log; kept in the state file as a short record and turned into a
 * log entry together with the blob in the manifest.
 */

import type { BlobRequestError } from "../blobs/blob-account.ts";
import type { LogBlob, LogSegment, LogSide } from "../copy-log/copy-log-model.ts";
import {
  type BlobStatus,
  type DispositionStatus,
  SEGMENT_STATUSES,
  type SegmentStatus,
  type SideStatus,
} from "../copy-log/status-codes.ts";
import { type SideFile, toBase16 } from "../manifest/manifest-model.ts";
import { type BlobWork, blockId, digestOf, type SegmentStatuses, segmentCount } from "./blob-work.ts";
import type { WrittenSides } from "./write-values.ts";

export interface BlobOutcome {
  status: BlobStatus;
  disposition: DispositionStatus;
  /** Where the blob is now, when it is not where the manifest says. */
  renamedTo?: string;
  /** `skipped`: the blob was left as it was, its segments were not looked at. */
  segments: SegmentStatuses | "skipped";
  metadata?: SideStatus;
  properties?: SideStatus;
  /** In words. */
  reason?: string;
}

/** Nothing of the blob was done. */
export function cancelled(work: BlobWork, status: BlobStatus, reason?: string): BlobOutcome {
  const side = (...files: readonly unknown[]): SideStatus | undefined =>
    files.some((file) => file !== undefined) ? "Cancelled" : undefined;
  const metadata = side(work.globalMetadata, work.metadata);
  const properties = side(work.globalProperties, work.properties);
  return {
    status,
    disposition: "Cancelled",
    segments: new Array(segmentCount(work)).fill("Cancelled"),
    ...(metadata === undefined ? {} : { metadata }),
    ...(properties === undefined ? {} : { properties }),
    ...(reason === undefined ? {} : { reason }),
  };
}

export function statusOf(error: BlobRequestError): BlobStatus {
  if (error.kind === "leased") return "LeasePresent";
  return error.kind === "forbidden" ? "BlobRequestForbidden" : "BlobRequestFailed";
}

/** How a blob ended whose content and values were written, well or not. */
export function finishedStatus(segments: SegmentStatuses, sides: WrittenSides): BlobStatus {
  const isGood = (status: SideStatus | undefined): boolean => status === undefined || status === "Completed";
  const isWhole = segments.every((status) => status === "Completed");
  return isWhole && isGood(sides.metadata) && isGood(sides.properties) ? "Completed" : "CompletedWithErrors";
}

/** Bytes of complete segments; of a blob without segments nothing can be incomplete. */
export function succeededBytes(work: BlobWork, { segments }: BlobOutcome): number {
  if (segments === "skipped") return 0;
  let bytes = 0;
  for (const [index, status] of segments.entries()) if (status === "Completed") bytes += work.lengths[index] ?? 0;
  return bytes;
}

export function toLogBlob(work: BlobWork, outcome: BlobOutcome): LogBlob {
  const { segments } = outcome;
  const isListed = work.isListed && segments !== "skipped";
  return {
    kind: "blob",
    status: outcome.status,
    blobPath: outcome.renamedTo ?? work.blobPath,
    filePath: work.filePath,
    sizeBytes: work.sizeBytes,
    disposition: { rule: work.disposition, status: outcome.disposition },
    ...(isListed ? { segments: { type: work.blobType, items: toLogSegments(work, segments) } } : {}),
    ...side("metadata", outcome.metadata, work.globalMetadata, work.metadata),
    ...side("properties", outcome.properties, work.globalProperties, work.properties),
  };
}

function toLogSegments(work: BlobWork, statuses: SegmentStatuses): LogSegment[] {
  return statuses.map((status, index) => ({
    offset: work.offsets[index] ?? 0,
    length: work.lengths[index] ?? 0,
    ...(work.blobType === "block" ? { id: blockId(work, index) } : {}),
    hash: toBase16(digestOf(work, index)),
    status,
  }));
}

function side<K extends string>(
  name: K,
  status: SideStatus | undefined,
  global: SideFile | undefined,
  own: SideFile | undefined,
): { [P in K]?: LogSide } {
  if (status === undefined) return {};
  const value: LogSide = {
    status,
    ...(global === undefined ? {} : { globalPath: global }),
    ...(own === undefined ? {} : { path: own }),
  };
  return { [name]: value } as { [P in K]?: LogSide };
}

/** Runs of equal statuses as `[count, status number]`: a page blob of 8 TiB has two million. */
type Runs = [count: number, status: number][];

/** The record's short names save a third of the state file's size. */
export interface OutcomeRecord {
  s: BlobStatus;
  d: DispositionStatus;
  p?: string;
  /** Absent: skipped. */
  g?: Runs;
  m?: SideStatus;
  r?: SideStatus;
  w?: string;
}

export function toOutcomeRecord(outcome: BlobOutcome): OutcomeRecord {
  const { status, disposition, renamedTo, segments, metadata, properties, reason } = outcome;
  return {
    s: status,
    d: disposition,
    ...(renamedTo === undefined ? {} : { p: renamedTo }),
    ...(segments === "skipped" ? {} : { g: toRuns(segments) }),
    ...(metadata === undefined ? {} : { m: metadata }),
    ...(properties === undefined ? {} : { r: properties }),
    ...(reason === undefined ? {} : { w: reason }),
  };
}

export function fromOutcomeRecord(record: OutcomeRecord): BlobOutcome {
  const { s, d, p, g, m, r, w } = record;
  return {
    status: s,
    disposition: d,
    segments: g === undefined ? "skipped" : fromRuns(g),
    ...(p === undefined ? {} : { renamedTo: p }),
    ...(m === undefined ? {} : { metadata: m }),
    ...(r === undefined ? {} : { properties: r }),
    ...(w === undefined ? {} : { reason: w }),
  };
}

function toRuns(statuses: SegmentStatuses): Runs {
  const runs: Runs = [];
  for (const status of statuses) {
    const number = SEGMENT_STATUSES.indexOf(status);
    const last = runs.at(-1);
    if (last?.[1] === number) last[0] += 1;
    else runs.push([1, number]);
  }
  return runs;
}

function fromRuns(runs: Runs): SegmentStatuses {
  const statuses: SegmentStatus[] = [];
  for (const [count, number] of runs) {
    for (let left = count; left > 0; left--) statuses.push(SEGMENT_STATUSES[number] ?? "Failed");
  }
  return statuses;
}
