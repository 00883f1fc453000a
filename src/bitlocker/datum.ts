/**
 * A datum is the unit in which BitLocker's metadata is kept: size, role, type and flags of 16 bits each, then data that
 * may hold further datums. Little-endian throughout.
 */
import { BitLockerFormatError } from "./format-error.ts";

export interface Datum {
  role: number;
  type: number;
  flags: number;
  data: Buffer;
}

export const DatumType = {
  Key: 1,
  Text: 2,
  StretchKey: 3,
  Sealed: 5,
  VolumeMasterKey: 8,
  Virtualisation: 15,
} as const;

/** What a datum is there for, where the type alone does not tell. */
export const DatumRole = {
  Property: 0,
  VolumeMasterKey: 2,
  DataKey: 3,
  Description: 7,
  Virtualisation: 15,
  /** In a stretch key: the recovery key and the stretched key, both sealed with the volume master key. */
  RecoveryKeyCopy: 0x12,
  StretchedKeyCopy: 0x13,
} as const;

/** Kind of a key inside a datum; for data keys it names the cipher too. */
export const KeyMethod = {
  RecoveryKey: 0x1000,
  VolumeMasterKey: 0x2003,
  MetadataHash: 0x2005,
  StretchedRecoveryKey: 0x2008,
  Xts128: 0x8004,
  Xts256: 0x8005,
} as const;

const HEADER_BYTES = 8;

export function encodeDatum(role: number, type: number, data: readonly Buffer[], flags = 1): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(HEADER_BYTES + data.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeUInt16LE(role, 2);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return Buffer.concat([header, ...data]);
}

/** The datums in `bytes`, as views of it. Zeros after the last one are filler. */
export function parseDatums(bytes: Buffer): Datum[] {
  const datums: Datum[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const sizeBytes = bytes.readUInt16LE(at);
    if (sizeBytes === 0) break;
    if (sizeBytes < HEADER_BYTES || at + sizeBytes > bytes.length) {
      throw new BitLockerFormatError("damaged", "an entry of the metadata reaches past its end");
    }
    datums.push({
      role: bytes.readUInt16LE(at + 2),
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      data: bytes.subarray(at + HEADER_BYTES, at + sizeBytes),
    });
    at += sizeBytes;
  }
  return datums;
}

/** A key in the form in which it is sealed: without the flag that keys in clear have. The caller zeroes it. */
export function encodeKey(method: number, key: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(method, 0);
  return encodeDatum(DatumRole.Property, DatumType.Key, [head, key], 0);
}

/** The reverse; the key is a view of `bytes`. */
export function parseKey(bytes: Buffer): { method: number; key: Buffer } {
  const datum = parseDatums(bytes)[0];
  if (datum === undefined || datum.type !== DatumType.Key || datum.data.length < 4) {
    throw new BitLockerFormatError("damaged", "what should be a key is none");
  }
  return { method: datum.data.readUInt16LE(0), key: datum.data.subarray(4) };
}

/** UTF-16 with a terminating zero. */
export function encodeText(role: number, text: string): Buffer {
  return encodeDatum(role, DatumType.Text, [Buffer.from(`${text}\0`, "utf16le")]);
}

export function parseText(data: Buffer): string {
  return data.toString("utf16le").replace(/\0.*$/s, "");
}
