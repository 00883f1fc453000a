/**
 * An NTFS volume, read without mounting it: which parts are in use, where files lie, what its root holds. Only for
 * volumes that nobody has mounted at the moment.
 */
import { BitLockerFormatError } from "./format-error.ts";
import { type NtfsBoot, parseNtfsBoot } from "./ntfs-boot.ts";
import {
  type Attribute,
  AttributeType,
  type FileRecord,
  parseFileName,
  parseFileRecord,
  recordNumber,
} from "./ntfs-record.ts";
import type { ReadAt } from "./open-volume.ts";
import { type Extent, SECTOR_BYTES } from "./volume-layout.ts";

const MFT_RECORD = 0;
const ROOT_RECORD = 5;
const BITMAP_RECORD = 6;
const FIRST_USER_RECORD = 16;
const READ_BYTES = 1024 * 1024;

export interface NamedFile {
  record: number;
  parent: number;
  name: string;
  file: FileRecord;
}

export class NtfsVolume {
  readonly boot: NtfsBoot;
  readonly #read: ReadAt;
  readonly #mft: Attribute;

  /** @param read plain bytes of the volume */
  constructor(read: ReadAt) {
    this.#read = read;
    this.boot = parseNtfsBoot(read(0, SECTOR_BYTES));
    const first = parseFileRecord(read(this.boot.mftAt, this.boot.recordBytes), this.boot.clusterBytes);
    const data = first?.attributes.find((one) => one.type === AttributeType.Data && one.name === "");
    if (first === undefined || data === undefined) {
      throw new BitLockerFormatError("damaged", "its NTFS file table cannot be found");
    }
    // A table in very many pieces: its first pieces hold the records that list the others.
    this.#mft = data;
    this.#mft = this.#joined(MFT_RECORD, first, AttributeType.Data);
  }

  /** Everything that is allocated, in order, neighbours joined. */
  *usedExtents(): Generator<Extent> {
    const { clusterBytes } = this.boot;
    let from = -1;
    let cluster = 0;
    for (const part of this.#bitmapParts()) {
      for (const byte of part) {
        if ((byte === 0 && from < 0) || (byte === 0xff && from >= 0)) {
          cluster += 8;
          continue;
        }
        for (let bit = 0; bit < 8; bit++, cluster++) {
          const isUsed = (byte & (1 << bit)) !== 0;
          if (isUsed && from < 0) from = cluster;
          else if (!isUsed && from >= 0) {
            yield { at: from * clusterBytes, bytes: (cluster - from) * clusterBytes };
            from = -1;
          }
        }
      }
    }
    if (from >= 0) yield { at: from * clusterBytes, bytes: (cluster - from) * clusterBytes };
  }

  usedBytes(): number {
    let sum = 0;
    for (const extent of this.usedExtents()) sum += extent.bytes;
    return sum;
  }

  /** Names in the root directory, those of the file system itself left out. */
  rootNames(): string[] {
    const names: string[] = [];
    for (const { parent, name, record } of this.files()) {
      if (parent === ROOT_RECORD && record >= FIRST_USER_RECORD) names.push(name);
    }
    return names;
  }

  /** Every name of every file, in the order of the table. */
  *files(): Generator<NamedFile> {
    for (const { record, file } of this.#records()) {
      if (!file.isInUse || file.base !== 0) continue;
      for (const attribute of file.attributes) {
        if (attribute.type !== AttributeType.FileName || attribute.resident === undefined) continue;
        yield { record, file, ...parseFileName(attribute.resident) };
      }
    }
  }

  /** Files of a directory in the root, found by reading the whole table: for volumes with few files. */
  filesIn(directory: string): NamedFile[] {
    const wanted = [...this.files()].find((one) => one.parent === ROOT_RECORD && one.name === directory);
    return wanted === undefined ? [] : [...this.files()].filter((one) => one.parent === wanted.record);
  }

  /** Where the content of a file lies. */
  extentsOf(record: number): readonly Extent[] {
    const file = this.#record(record);
    return file === undefined ? [] : this.#joined(record, file, AttributeType.Data).extents;
  }

  *#bitmapParts(): Generator<Buffer> {
    const file = this.#record(BITMAP_RECORD);
    if (file === undefined) throw new BitLockerFormatError("damaged", "its NTFS allocation map is missing");
    const attribute = this.#joined(BITMAP_RECORD, file, AttributeType.Data);
    const clusters = Math.floor((this.boot.totalSectors * this.boot.bytesPerSector) / this.boot.clusterBytes);
    let leftBytes = Math.ceil(clusters / 8);
    if (attribute.sizeBytes < leftBytes) {
      throw new BitLockerFormatError("damaged", "its NTFS allocation map is too short");
    }
    if (attribute.resident !== undefined) {
      yield clearBeyond(Buffer.from(attribute.resident.subarray(0, leftBytes)), clusters, 0);
      return;
    }
    let firstCluster = 0;
    for (const part of this.#content(attribute)) {
      const bytes = clearBeyond(part.subarray(0, leftBytes), clusters, firstCluster);
      yield bytes;
      firstCluster += bytes.length * 8;
      leftBytes -= bytes.length;
      if (leftBytes <= 0) return;
    }
    throw new BitLockerFormatError("damaged", "its NTFS allocation map ends early");
  }

  *#content(attribute: Attribute): Generator<Buffer> {
    for (const { at, bytes } of attribute.extents) {
      for (let done = 0; done < bytes; done += READ_BYTES)
        yield this.#read(at + done, Math.min(READ_BYTES, bytes - done));
    }
  }

  *#records(): Generator<{ record: number; file: FileRecord }> {
    const { recordBytes, clusterBytes } = this.boot;
    let record = 0;
    const last = this.#mft.sizeBytes / recordBytes;
    for (const part of this.#content(this.#mft)) {
      for (let at = 0; at + recordBytes <= part.length && record < last; at += recordBytes, record++) {
        const file = parseFileRecord(part.subarray(at, at + recordBytes), clusterBytes);
        if (file !== undefined) yield { record, file };
      }
    }
  }

  #record(record: number): FileRecord | undefined {
    const { recordBytes, clusterBytes } = this.boot;
    let at = record * recordBytes;
    for (const extent of this.#mft.extents) {
      if (at < extent.bytes) return parseFileRecord(this.#read(extent.at + at, recordBytes), clusterBytes);
      at -= extent.bytes;
    }
    throw new BitLockerFormatError("damaged", "its NTFS file table is too short");
  }

  /** The unnamed attribute of a type with all its pieces, those in other records included. */
  #joined(record: number, file: FileRecord, type: number): Attribute {
    const own = file.attributes.filter((one) => one.type === type && one.name === "");
    const list = file.attributes.find((one) => one.type === AttributeType.AttributeList);
    const pieces = list === undefined ? own : [...own, ...this.#listed(record, list, type)];
    pieces.sort((a, b) => a.firstCluster - b.firstCluster);
    const first = pieces[0];
    if (first === undefined) throw new BitLockerFormatError("damaged", `its NTFS file ${record} has no content`);
    return { ...first, extents: pieces.flatMap((piece) => piece.extents), holes: pieces.some((piece) => piece.holes) };
  }

  #listed(record: number, list: Attribute, type: number): Attribute[] {
    const bytes = list.resident ?? Buffer.concat([...this.#content(list)]).subarray(0, list.sizeBytes);
    const others = new Set<number>();
    for (let at = 0; at + 26 <= bytes.length; ) {
      const length = bytes.readUInt16LE(at + 4);
      if (length < 26) throw new BitLockerFormatError("damaged", "its NTFS file table is damaged");
      const other = recordNumber(bytes, at + 16);
      if (bytes.readUInt32LE(at) === type && bytes.readUInt8(at + 6) === 0 && other !== record) others.add(other);
      at += length;
    }
    return [...others].flatMap(
      (other) => this.#record(other)?.attributes.filter((one) => one.type === type && one.name === "") ?? [],
    );
  }
}

/** Bits beyond the last cluster are set in the map and mean nothing. */
function clearBeyond(bytes: Buffer, clusters: number, firstCluster: number): Buffer {
  const inLast = clusters - firstCluster - (bytes.length - 1) * 8;
  const last = bytes.length - 1;
  if (last >= 0 && inLast < 8) bytes[last] = (bytes[last] as number) & ((1 << Math.max(0, inLast)) - 1);
  return bytes;
}
