/**
 * The metadata block: its fixed fields, and reading one, of Windows or of ours. Which key opens what is in
 * `open-volume.ts`, writing in `metadata-writer.ts`.
 */
import { crc32 } from "node:zlib";
import { type Datum, DatumRole, DatumType, parseDatums, parseText } from "./datum.ts";
import { BitLockerFormatError } from "./format-error.ts";
import { SIGNATURE } from "./volume-header.ts";
import { BOOT_BYTES, METADATA_BYTES, SECTOR_BYTES, type VolumeLayout } from "./volume-layout.ts";

export const FORMAT_VERSION = 2;
export const STATE_ENCRYPTED = 4;
export const DATASET_AT = 64;
export const DATASET_HEADER_BYTES = 48;
export const CREATED_AT = 104;

/** By what a copy of the volume master key is protected. */
export const Protection = { ClearKey: 0x0000, RecoveryPassword: 0x0800 } as const;

export interface KeyProtector {
  guid: Buffer;
  protection: number;
  entries: Datum[];
}

export interface Metadata {
  layout: VolumeLayout;
  description: string;
  /** Cipher of the data, as a `KeyMethod`. */
  method: number;
  protectors: KeyProtector[];
  /** The sealed data key. */
  dataKey: Buffer;
  /** Hashed and checked by who has the volume master key. */
  info: Buffer;
  sealedHash: Buffer | undefined;
}

export function roundUp16(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** Reads one copy. The result holds views of `block`. */
export function parseMetadataBlock(block: Buffer): Metadata {
  if (block.length !== METADATA_BYTES || block.toString("latin1", 0, 8) !== SIGNATURE) {
    throw new BitLockerFormatError("damaged", "a copy of the metadata is not there");
  }
  const version = block.readUInt16LE(10);
  if (version !== FORMAT_VERSION) {
    throw new BitLockerFormatError("unsupported", `its metadata has version ${version}, not ${FORMAT_VERSION}`);
  }
  const infoBytes = block.readUInt16LE(8) * 16;
  const datasetBytes = block.readUInt32LE(DATASET_AT);
  const headerBytes = block.readUInt32LE(DATASET_AT + 8);
  const isInside =
    infoBytes + 8 <= METADATA_BYTES &&
    DATASET_AT + datasetBytes <= infoBytes &&
    headerBytes >= DATASET_HEADER_BYTES &&
    headerBytes <= datasetBytes;
  if (!isInside) throw new BitLockerFormatError("damaged", "the lengths in the metadata contradict each other");
  const info = block.subarray(0, infoBytes);
  if (crc32(info) !== block.readUInt32LE(infoBytes + 4)) {
    throw new BitLockerFormatError("damaged", "the checksum of the metadata is wrong");
  }
  const states = [block.readUInt16LE(12), block.readUInt16LE(14)];
  if (states.some((state) => state !== STATE_ENCRYPTED)) {
    throw new BitLockerFormatError("unsupported", "it is not fully encrypted, or is being converted");
  }
  const entries = parseDatums(block.subarray(DATASET_AT + headerBytes, DATASET_AT + datasetBytes));
  const dataKey = entries.find((entry) => entry.role === DatumRole.DataKey && entry.type === DatumType.Sealed);
  if (dataKey === undefined) throw new BitLockerFormatError("unsupported", "its metadata holds no data key");
  const description = entries.find((entry) => entry.role === DatumRole.Description && entry.type === DatumType.Text);
  const hash = parseDatums(block.subarray(infoBytes + 8)).find((entry) => entry.type === DatumType.Sealed);
  return {
    layout: parseLayout(block, entries),
    description: description === undefined ? "" : parseText(description.data),
    method: block.readUInt16LE(DATASET_AT + 36),
    protectors: entries.filter((entry) => entry.type === DatumType.VolumeMasterKey).map(parseProtector),
    dataKey: dataKey.data,
    info,
    sealedHash: hash?.data,
  };
}

function parseLayout(block: Buffer, entries: readonly Datum[]): VolumeLayout {
  const offset = (at: number): number => Number(block.readBigUInt64LE(at));
  const virtualisation = entries.find((entry) => entry.type === DatumType.Virtualisation)?.data;
  const hasSize = virtualisation !== undefined && virtualisation.length >= 16;
  const layout: VolumeLayout = {
    sizeBytes: offset(16),
    metadataAt: [offset(32), offset(40), offset(48)],
    bootCopyAt: hasSize ? Number(virtualisation.readBigUInt64LE(0)) : offset(56),
    bootCopyBytes: hasSize ? Number(virtualisation.readBigUInt64LE(8)) : BOOT_BYTES,
  };
  const { sizeBytes, bootCopyAt, bootCopyBytes } = layout;
  const areas = [...layout.metadataAt.map((at) => [at, METADATA_BYTES] as const), [bootCopyAt, bootCopyBytes] as const];
  const isSound = areas.every(
    ([at, bytes]) =>
      at % SECTOR_BYTES === 0 && bytes % SECTOR_BYTES === 0 && at >= SECTOR_BYTES && at + bytes <= sizeBytes,
  );
  if (!isSound || bootCopyBytes < SECTOR_BYTES || bootCopyBytes > METADATA_BYTES) {
    throw new BitLockerFormatError("damaged", "its metadata names places outside of the volume");
  }
  return layout;
}

function parseProtector(entry: Datum): KeyProtector {
  if (entry.data.length < 28) throw new BitLockerFormatError("damaged", "a key protector is too short");
  return {
    guid: entry.data.subarray(0, 16),
    protection: entry.data.readUInt16LE(26),
    entries: parseDatums(entry.data.subarray(28)),
  };
}
