/** One record of NTFS' table of files: fix-ups, attributes, run lists and names. Reads what was there before; writes nothing. */
import { BitLockerFormatError } from "./format-error.ts";
import type { Extent } from "./volume-layout.ts";

export const AttributeType = { AttributeList: 0x20, FileName: 0x30, Data: 0x80, IndexRoot: 0x90 } as const;

export interface Attribute {
  type: number;
  /** Empty for the unnamed one. */
  name: string;
  /** Content, where it lies in the record itself. */
  resident: Buffer | undefined;
  /** Where the content lies. Holes have no place and are left out. */
  extents: readonly Extent[];
  /** First cluster of the file that these extents hold: above 0 in the later parts of a very fragmented file. */
  firstCluster: number;
  sizeBytes: number;
  holes: boolean;
}

export interface FileRecord {
  isInUse: boolean;
  isDirectory: boolean;
  /** The record that this one is a part of; 0 when it stands for itself. */
  base: number;
  attributes: Attribute[];
}

const FIXUP_STRIDE = 512;
const END_MARK = 0xffff_ffff;

/** Undefined for a record that was never written. */
export function parseFileRecord(bytes: Buffer, clusterBytes: number): FileRecord | undefined {
  if (bytes.toString("latin1", 0, 4) !== "FILE") return undefined;
  const record = applyFixups(bytes);
  const flags = record.readUInt16LE(22);
  const attributes: Attribute[] = [];
  let at = record.readUInt16LE(20);
  while (at + 16 <= record.length && record.readUInt32LE(at) !== END_MARK) {
    const length = record.readUInt32LE(at + 4);
    if (length < 24 || length % 8 !== 0 || at + length > record.length) throw damagedRecord();
    attributes.push(parseAttribute(record.subarray(at, at + length), clusterBytes));
    at += length;
  }
  return {
    isInUse: (flags & 1) !== 0,
    isDirectory: (flags & 2) !== 0,
    base: recordNumber(record, 32),
    attributes,
  };
}

/** The last two bytes of every 512 are kept elsewhere, so that a torn write shows. */
function applyFixups(bytes: Buffer): Buffer {
  const record = Buffer.from(bytes);
  const at = record.readUInt16LE(4);
  const count = record.readUInt16LE(6);
  if (at + count * 2 > FIXUP_STRIDE || (count - 1) * FIXUP_STRIDE !== record.length) throw damagedRecord();
  const check = record.readUInt16LE(at);
  for (let i = 1; i < count; i++) {
    const end = i * FIXUP_STRIDE - 2;
    if (record.readUInt16LE(end) !== check) throw damagedRecord();
    record.writeUInt16LE(record.readUInt16LE(at + i * 2), end);
  }
  return record;
}

function parseAttribute(bytes: Buffer, clusterBytes: number): Attribute {
  const nameLength = bytes.readUInt8(9);
  const nameAt = bytes.readUInt16LE(10);
  const common = {
    type: bytes.readUInt32LE(0),
    name: bytes.toString("utf16le", nameAt, Math.min(bytes.length, nameAt + nameLength * 2)),
  };
  if (bytes.readUInt8(8) === 0) {
    const sizeBytes = bytes.readUInt32LE(16);
    const at = bytes.readUInt16LE(20);
    if (at + sizeBytes > bytes.length) throw damagedRecord();
    const resident = bytes.subarray(at, at + sizeBytes);
    return { ...common, resident, extents: [], firstCluster: 0, sizeBytes, holes: false };
  }
  if (bytes.length < 64) throw damagedRecord();
  const firstCluster = Number(bytes.readBigUInt64LE(16));
  const runs = parseRuns(bytes.subarray(bytes.readUInt16LE(32)), clusterBytes);
  const sizeBytes = firstCluster === 0 ? Number(bytes.readBigUInt64LE(48)) : 0;
  return { ...common, resident: undefined, ...runs, firstCluster, sizeBytes };
}

/** Pairs of length and distance from the place before, each as short as it can be written. */
function parseRuns(bytes: Buffer, clusterBytes: number): { extents: Extent[]; holes: boolean } {
  const extents: Extent[] = [];
  let holes = false;
  let cluster = 0;
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const head = bytes.readUInt8(at);
    const lengthBytes = head & 0x0f;
    const placeBytes = head >>> 4;
    if (lengthBytes === 0 || lengthBytes > 6 || placeBytes > 6 || at + 1 + lengthBytes + placeBytes > bytes.length) {
      throw damagedRecord();
    }
    const clusters = bytes.readUIntLE(at + 1, lengthBytes);
    if (placeBytes === 0) holes = true;
    else {
      cluster += bytes.readIntLE(at + 1 + lengthBytes, placeBytes);
      if (cluster < 0) throw damagedRecord();
      extents.push({ at: cluster * clusterBytes, bytes: clusters * clusterBytes });
    }
    at += 1 + lengthBytes + placeBytes;
  }
  return { extents, holes };
}

/** Without the sequence number that a reference carries in its upper two bytes. */
export function recordNumber(bytes: Buffer, at: number): number {
  return bytes.readUIntLE(at, 6);
}

/** The directory that a name lies in, and the name. */
export function parseFileName(content: Buffer): { parent: number; name: string } {
  if (content.length < 66) throw damagedRecord();
  const length = content.readUInt8(64);
  return { parent: recordNumber(content, 0), name: content.toString("utf16le", 66, 66 + length * 2) };
}

function damagedRecord(): BitLockerFormatError {
  return new BitLockerFormatError("damaged", "its NTFS file table is damaged");
}
