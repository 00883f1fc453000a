/**
 * Which blob goes on which drive. Whole blobs only. Large ones are placed first, the largest first, each on the first
 * drive with room; then the others in their order. So that memory does not grow with the number of small blobs, only large
 * ones are sorted: of those no drive can hold many.
 */
import { constants } from "node:fs";
import { SEGMENT_BYTES } from "../blobs/blob-kinds.ts";
import { ENTRY_COST_BYTES, fileCostBytes } from "../drives/capacity.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { ExportDrive } from "./export-contract.ts";
import type { ExportEntry } from "./export-entry.ts";

/** On 20 TB there is room for 300,000 of them. */
export const LARGE_BLOB_BYTES = 64 * 1024 * 1024;
export const NO_DRIVE = 0;
const RECORD_BYTES = 2;
const CHUNK_RECORDS = 32 * 1024;
export const MAX_DRIVES = 200;

export interface Placement {
  /** Index into the drives; undefined: on none. */
  drive: number | undefined;
  /** The natural place on the drive is taken. */
  isRenamed: boolean;
}

/** What an exported blob takes, side files and manifest included. */
export function exportCostBytes(entry: ExportEntry, clusterBytes: number): number {
  const segments = Math.ceil(entry.sizeBytes / SEGMENT_BYTES);
  const sideFiles = Object.keys(entry.metadata).length > 0 ? 2 : 1;
  const folders = entry.name.split("/").length;
  // Folders are shared, but their number is not known beforehand: a blob brings a tenth of its own.
  const folderBytes = Math.ceil((folders * ENTRY_COST_BYTES) / 10);
  return (
    fileCostBytes(entry.sizeBytes, segments, clusterBytes) + sideFiles * (clusterBytes + ENTRY_COST_BYTES) + folderBytes
  );
}

export class DrivePacker {
  readonly #drives: readonly ExportDrive[];
  readonly #freeBytes: number[];
  readonly #large = new Map<number, number | undefined>();
  #waiting: { index: number; entry: ExportEntry }[] = [];

  constructor(drives: readonly ExportDrive[]) {
    this.#drives = drives;
    this.#freeBytes = drives.map(({ capacityBytes }) => capacityBytes);
  }

  /** First every entry once; small ones are only looked at. */
  see(entry: ExportEntry): void {
    if (entry.sizeBytes < LARGE_BLOB_BYTES || entry.isArchived) return;
    // What a placement needs to know, not the whole entry.
    const slim: ExportEntry = { ...entry, name: entry.name.replaceAll(/[^/]/g, ""), properties: {}, etag: "" };
    this.#waiting.push({ index: entry.index, entry: slim });
  }

  placeLarge(): void {
    this.#waiting.sort((a, b) => b.entry.sizeBytes - a.entry.sizeBytes || a.index - b.index);
    for (const { index, entry } of this.#waiting) this.#large.set(index, this.#place(entry));
    this.#waiting = [];
  }

  /** Then every entry again, in order. */
  place(entry: ExportEntry): number | undefined {
    if (entry.isArchived) return undefined;
    if (entry.sizeBytes >= LARGE_BLOB_BYTES) return this.#large.get(entry.index);
    return this.#place(entry);
  }

  #place(entry: ExportEntry): number | undefined {
    for (const [drive, { clusterBytes }] of this.#drives.entries()) {
      const cost = exportCostBytes(entry, clusterBytes);
      const free = this.#freeBytes[drive] ?? 0;
      if (cost > free) continue;
      this.#freeBytes[drive] = free - cost;
      return drive;
    }
    return undefined;
  }
}

/** The placements of all blobs, two bytes each, in a file. */
export function writePlacements(fs: FileSystem, path: string, placements: Iterable<Placement>): void {
  const fd = fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    const buffer = Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES);
    let filled = 0;
    let position = 0;
    const flush = (): void => {
      writeAll(fs, fd, buffer.subarray(0, filled), position);
      position += filled;
      filled = 0;
    };
    for (const { drive, isRenamed } of placements) {
      buffer[filled] = drive === undefined ? NO_DRIVE : drive + 1;
      buffer[filled + 1] = isRenamed ? 1 : 0;
      filled += RECORD_BYTES;
      if (filled === buffer.length) flush();
    }
    flush();
    fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
}

export function* readPlacements(fs: FileSystem, path: string): Generator<Placement> {
  const fd = fs.open(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES);
    for (let position = 0; ; ) {
      const count = fs.read(fd, buffer, 0, buffer.length, position);
      if (count < RECORD_BYTES) return;
      const whole = count - (count % RECORD_BYTES);
      position += whole;
      for (let at = 0; at < whole; at += RECORD_BYTES) {
        const drive = buffer[at] ?? NO_DRIVE;
        yield { drive: drive === NO_DRIVE ? undefined : drive - 1, isRenamed: buffer[at + 1] === 1 };
      }
    }
  } finally {
    fs.close(fd);
  }
}
