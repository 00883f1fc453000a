/**
 * The sources of a dataset as one stream in the order that is frozen: row by row, each row in byte order of its paths.
 * Every name is checked against the rules of blobs and of NTFS on the way; what cannot be done is told, not thrown.
 */
import { PlanFlag } from "../copy/plan-record.ts";
import type { DatasetRow } from "../dataset/dataset-row.ts";
import { mapEntry } from "../dataset/map-entry.ts";
import type { WalkOptions } from "../dataset/walk.ts";
import { walkRow } from "../dataset/walk-row.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import type { FileStat, FileSystem } from "../platform/file-system.ts";

export interface SourceFile {
  kind: "file";
  row: number;
  relativePath: string;
  storedPath: string;
  stat: FileStat;
  segmentBytes: number;
  flags: number;
}

export interface SourceLeftOut {
  /** `excluded`: a target, the journal or a log inside the source. */
  kind: "left-out" | "excluded";
  sourcePath: string;
  code: ErrorCode;
  reason: string;
}

export type SourceEntry = SourceFile | SourceLeftOut;

export interface SourceWalkOptions extends WalkOptions {
  largeBlocks: boolean;
}

export function* walkSources(
  fs: FileSystem,
  rows: readonly DatasetRow[],
  options: SourceWalkOptions,
): Generator<SourceEntry, void, void> {
  for (const row of rows) {
    for (const entry of walkRow(fs, row, options)) {
      if (entry.kind === "file") yield toSourceFile(row, entry, options);
      else {
        const { kind, relativePath, code, reason } = entry;
        yield { kind, sourcePath: sourcePath(row, relativePath), code, reason };
      }
    }
  }
}

function toSourceFile(
  row: DatasetRow,
  file: { relativePath: string; storedPath: string; stat: FileStat },
  options: SourceWalkOptions,
): SourceEntry {
  const { relativePath, storedPath, stat } = file;
  const mapped = mapEntry(row, { relativePath, storedPath, sizeBytes: stat.sizeBytes }, options);
  if (!mapped.ok) {
    return { kind: "left-out", sourcePath: sourcePath(row, relativePath), code: mapped.code, reason: mapped.reason };
  }
  let flags = row.kind === "file" ? PlanFlag.FileRow : 0;
  if (mapped.blobType === "PageBlob") flags |= PlanFlag.PageBlob;
  return { kind: "file", row: row.index, relativePath, storedPath, stat, segmentBytes: mapped.segmentBytes, flags };
}

export function sourcePath(row: { kind: string; basePath: string }, relativePath: string): string {
  if (row.kind === "file" || relativePath === "") return row.basePath;
  const separator = row.basePath.includes("\\") ? "\\" : "/";
  return `${row.basePath.replace(/[\\/]$/, "")}${separator}${relativePath.replaceAll("/", separator)}`;
}
