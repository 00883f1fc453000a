/**
 * The packed form of one planned file: what the session's frozen plan keeps on disk and what travels to a copy worker,
 * byte for byte the same, so that a batch of work is a slice of the plan file and nothing is parsed in between.
 *
 * Little-endian, 8-byte header fields first; strings are UTF-8.
 *
 *   @0  u32 record length in bytes, this field included
 *   @4  u32 position in its drive's plan, from 0
 *   @8  f64 sequence number in the whole walk of the session, from 0
 *   @16 f64 size in bytes when planned
 *   @24 i64 modification time when planned, nanoseconds since 1970
 *   @32 u64 file id (inode) when planned
 *   @40 u32 mode bits
 *   @44 u32 segment size in bytes (4 MiB unless large blocks were asked for)
 *   @48 u16 dataset row, from 0
 *   @50 u16 flags (PlanFlag)
 *   @52 u32 length of the relative path in bytes
 *   @56     relative path, then stored path up to the end of the record (empty: the same as the relative path)
 */

export const PlanFlag = {
  /** The blob is a page blob: all-zero segments may be left out of the manifest. */
  PageBlob: 1,
  /** The row names this one file: the relative path is its name, the source root is the file itself. */
  FileRow: 2,
  /** A whole-file MD5 is wanted beside those of the segments. */
  ContentMd5: 4,
} as const;

export interface PlannedFile {
  position: number;
  sequence: number;
  sizeBytes: number;
  mtimeNs: bigint;
  fileId: bigint;
  mode: number;
  segmentBytes: number;
  row: number;
  flags: number;
  /** `/`-separated, below the row's source root; for a file row the file's name. */
  relativePath: string;
  /** `/`-separated, below the row's directory on the drive; differs from `relativePath` where NTFS cannot hold it. */
  storedPath: string;
}

const HEADER_BYTES = 56;

/** Upper bound of the packed length, without encoding anything. */
export function maxPlanRecordBytes(file: Pick<PlannedFile, "relativePath" | "storedPath">): number {
  const stored = file.storedPath === file.relativePath ? 0 : file.storedPath.length;
  return HEADER_BYTES + 3 * (file.relativePath.length + stored);
}

/**
 * Packs `file` into `target` at `offset` (which must have `maxPlanRecordBytes` of room); returns the packed length.
 * `view` must cover the same bytes: its setters are compiled to single stores, those of Buffer are four times as slow.
 */
export function writePlanRecord(file: PlannedFile, target: Buffer, view: DataView, offset: number): number {
  const relativeBytes = target.write(file.relativePath, offset + HEADER_BYTES, "utf8");
  const storedBytes =
    file.storedPath === file.relativePath
      ? 0
      : target.write(file.storedPath, offset + HEADER_BYTES + relativeBytes, "utf8");
  const length = HEADER_BYTES + relativeBytes + storedBytes;
  view.setUint32(offset, length, true);
  view.setUint32(offset + 4, file.position, true);
  view.setFloat64(offset + 8, file.sequence, true);
  view.setFloat64(offset + 16, file.sizeBytes, true);
  view.setBigInt64(offset + 24, file.mtimeNs, true);
  view.setBigUint64(offset + 32, file.fileId, true);
  view.setUint32(offset + 40, file.mode, true);
  view.setUint32(offset + 44, file.segmentBytes, true);
  view.setUint16(offset + 48, file.row, true);
  view.setUint16(offset + 50, file.flags, true);
  view.setUint32(offset + 52, relativeBytes, true);
  return length;
}

/** A view of all of `buffer`, for `writePlanRecord`. */
export function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

/** Length in bytes of the record that starts at `offset`. */
export function planRecordLength(source: Buffer, offset: number): number {
  return source.readUInt32LE(offset);
}

export function planRecordPosition(source: Buffer, offset: number): number {
  return source.readUInt32LE(offset + 4);
}

export function planRecordSequence(source: Buffer, offset: number): number {
  return source.readDoubleLE(offset + 8);
}

export function planRecordSizeBytes(source: Buffer, offset: number): number {
  return source.readDoubleLE(offset + 16);
}

export function planRecordRow(source: Buffer, offset: number): number {
  return source.readUInt16LE(offset + 48);
}

/** Unpacks the record that starts at `offset`. */
export function readPlanRecord(source: Buffer, offset: number): PlannedFile {
  const view = viewOf(source);
  const end = offset + view.getUint32(offset, true);
  const relativeEnd = offset + HEADER_BYTES + view.getUint32(offset + 52, true);
  const relativePath = source.toString("utf8", offset + HEADER_BYTES, relativeEnd);
  return {
    position: view.getUint32(offset + 4, true),
    sequence: view.getFloat64(offset + 8, true),
    sizeBytes: view.getFloat64(offset + 16, true),
    mtimeNs: view.getBigInt64(offset + 24, true),
    fileId: view.getBigUint64(offset + 32, true),
    mode: view.getUint32(offset + 40, true),
    segmentBytes: view.getUint32(offset + 44, true),
    row: view.getUint16(offset + 48, true),
    flags: view.getUint16(offset + 50, true),
    relativePath,
    storedPath: relativeEnd === end ? relativePath : source.toString("utf8", relativeEnd, end),
  };
}
