/** How one blob of an export ended; kept in the state file, turned into manifest, log and incomplete list at the end. */
import type { LogBlob, LogSegment } from "../copy-log/copy-log-model.ts";
import type { BlobStatus, SegmentStatus, SideStatus } from "../copy-log/status-codes.ts";
import type { ExportedBlob } from "../manifest/export-manifest-writer.ts";
import { DIGEST_BYTES, toBase16 } from "../manifest/manifest-model.ts";
import { blobPathOf, type ExportEntry } from "./export-entry.ts";
import type { StateRecord } from "./transfer-state.ts";

export interface WrittenSideFile {
  path: string;
  /** Upper-case Base16 MD5; absent when it could not be written. */
  hash?: string;
  status: SideStatus;
}

export interface ExportOutcome {
  /** `NotExported`: no drive has room; it is no error of the blob and stands in no log. */
  status: BlobStatus | "NotExported";
  reason?: string;
  /** The file on the drive is whole. */
  isOnDrive: boolean;
  filePath: string;
  /** That was exported: the listed one, or one taken because the blob is leased or changes. */
  snapshot?: string;
  sizeBytes: number;
  lastModified: string;
  offsets: number[];
  lengths: number[];
  ids?: string[];
  /** 16 bytes per segment as Base64; empty when the blob is not on the drive. */
  digests: string;
  /** Of all segments, when the blob is not whole. */
  segmentStatus?: SegmentStatus;
  properties?: WrittenSideFile;
  metadata?: WrittenSideFile;
}

export interface ExportRecord extends StateRecord {
  /** The blob's file is about to be made. */
  w?: true;
  /** The blob has ended. */
  o?: ExportOutcome;
}

export function toExportedBlob(entry: ExportEntry, outcome: ExportOutcome): ExportedBlob {
  const { properties, metadata } = outcome;
  const file = (written: WrittenSideFile | undefined): { path: string; hash: string } | undefined =>
    written?.hash === undefined ? undefined : { path: written.path, hash: written.hash };
  const propertiesFile = file(properties);
  const metadataFile = file(metadata);
  return {
    blobPath: blobPathOf(entry),
    filePath: outcome.filePath,
    // The format knows blocks and pages only; an import makes a block blob of it.
    ...(entry.type === "append" ? { clientData: "AppendBlob" } : {}),
    ...(outcome.snapshot === undefined ? {} : { snapshot: outcome.snapshot }),
    sizeBytes: outcome.sizeBytes,
    blobType: entry.type === "page" ? "page" : "block",
    offsets: outcome.offsets,
    lengths: outcome.lengths,
    digests: Buffer.from(outcome.digests, "base64"),
    ...(outcome.ids === undefined ? {} : { ids: outcome.ids }),
    ...(metadataFile === undefined ? {} : { metadata: metadataFile }),
    ...(propertiesFile === undefined ? {} : { properties: propertiesFile }),
  };
}

export function toExportLogBlob(entry: ExportEntry, outcome: ExportOutcome): LogBlob {
  const { properties, metadata } = outcome;
  return {
    kind: "blob",
    status: outcome.status,
    blobPath: blobPathOf(entry),
    filePath: outcome.filePath,
    ...(outcome.snapshot === undefined ? {} : { snapshot: outcome.snapshot }),
    sizeBytes: outcome.sizeBytes,
    lastModified: outcome.lastModified,
    segments: { type: entry.type === "page" ? "page" : "block", items: toLogSegments(outcome) },
    ...(metadata === undefined ? {} : { metadata: { status: metadata.status, path: withHash(metadata) } }),
    ...(properties === undefined ? {} : { properties: { status: properties.status, path: withHash(properties) } }),
  };
}

function withHash({ path, hash }: WrittenSideFile): { path: string; hash?: string } {
  return hash === undefined ? { path } : { path, hash };
}

function toLogSegments({ offsets, lengths, ids, digests, segmentStatus = "Completed" }: ExportOutcome): LogSegment[] {
  const bytes = Buffer.from(digests, "base64");
  return offsets.map((offset, index) => {
    const at = index * DIGEST_BYTES;
    const id = ids?.[index];
    return {
      offset,
      length: lengths[index] ?? 0,
      ...(id === undefined ? {} : { id }),
      ...(at < bytes.length ? { hash: toBase16(bytes.subarray(at, at + DIGEST_BYTES)) } : {}),
      status: segmentStatus,
    };
  });
}
