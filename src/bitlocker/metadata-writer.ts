/**
 * Writes the metadata block of a volume: 64 KiB that lie on the volume three times, byte for byte the same. Version 2
 * (Windows 7 and later), volume fully encrypted, opened by one recovery password.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { DatumRole, DatumType, encodeDatum, encodeKey, encodeText, KeyMethod } from "./datum.ts";
import {
  CREATED_AT,
  DATASET_AT,
  DATASET_HEADER_BYTES,
  FORMAT_VERSION,
  Protection,
  roundUp16,
  STATE_ENCRYPTED,
} from "./metadata-block.ts";
import { NonceCounter, sealDatum } from "./sealed-datum.ts";
import { SIGNATURE } from "./volume-header.ts";
import {
  BOOT_BYTES,
  BOOT_SECTORS,
  METADATA_BYTES,
  SECTOR_BYTES,
  SPARE_BYTES,
  type VolumeLayout,
} from "./volume-layout.ts";

/** Secrets; who made them zeroes them. */
export interface VolumeSecrets {
  /** The 16 bytes of the recovery password. */
  recoveryKey: Buffer;
  /** What `stretchKey` made of them with `salt`. */
  stretchedKey: Buffer;
  volumeMasterKey: Buffer;
  /** 32 bytes: XTS-128; 64 bytes: XTS-256. */
  dataKey: Buffer;
}

export interface MetadataFacts {
  layout: VolumeLayout;
  spareAt: number;
  salt: Buffer;
  /** As Windows shows it: machine, label, date. */
  description: string;
  /** Windows' time of now: base of all nonces, so it must differ whenever a volume is made anew with the same keys. */
  time: bigint;
  volumeGuid: Buffer;
  protectorGuid: Buffer;
}

/** The Windows release whose volumes these are like. */
const WINDOWS_MAJOR = 10;
const WINDOWS_BUILD = 19_045;
/** Name that Windows' command line gives to the protector. */
const PROTECTOR_NAME = "DiskPassword";

export function buildMetadataBlock(secrets: VolumeSecrets, facts: MetadataFacts): Buffer {
  const nonces = new NonceCounter(facts.time);
  const method = secrets.dataKey.length === 32 ? KeyMethod.Xts128 : KeyMethod.Xts256;
  const entries = Buffer.concat([
    encodeText(DatumRole.Description, facts.description),
    masterKeyDatum(secrets, facts, nonces),
    sealKey(DatumRole.DataKey, secrets.volumeMasterKey, nonces, method, secrets.dataKey),
    virtualisationDatum(facts),
  ]);
  const datasetBytes = DATASET_HEADER_BYTES + entries.length;
  const infoBytes = roundUp16(DATASET_AT + datasetBytes);
  const block = Buffer.alloc(METADATA_BYTES);
  writeBlockHeader(block, infoBytes, facts.layout);
  block.writeUInt32LE(datasetBytes, DATASET_AT);
  block.writeUInt32LE(1, DATASET_AT + 4);
  block.writeUInt32LE(DATASET_HEADER_BYTES, DATASET_AT + 8);
  block.writeUInt32LE(datasetBytes, DATASET_AT + 12);
  facts.volumeGuid.copy(block, DATASET_AT + 16, 0, 16);
  const validationNonce = nonces.take();
  block.writeUInt32LE(nonces.next, DATASET_AT + 32);
  block.writeUInt16LE(method, DATASET_AT + 36);
  block.writeBigUInt64LE(facts.time, CREATED_AT);
  entries.copy(block, DATASET_AT + DATASET_HEADER_BYTES);
  writeValidation(block, infoBytes, secrets.volumeMasterKey, validationNonce);
  return block;
}

function writeBlockHeader(block: Buffer, infoBytes: number, layout: VolumeLayout): void {
  block.write(SIGNATURE, 0, "latin1");
  block.writeUInt16LE(infoBytes / 16, 8);
  block.writeUInt16LE(FORMAT_VERSION, 10);
  block.writeUInt16LE(STATE_ENCRYPTED, 12);
  block.writeUInt16LE(STATE_ENCRYPTED, 14);
  block.writeBigUInt64LE(BigInt(layout.sizeBytes), 16);
  block.writeUInt32LE(BOOT_SECTORS, 28);
  for (const [i, at] of layout.metadataAt.entries()) block.writeBigUInt64LE(BigInt(at), 32 + i * 8);
  block.writeBigUInt64LE(BigInt(layout.bootCopyAt), 56);
}

function masterKeyDatum(secrets: VolumeSecrets, facts: MetadataFacts, nonces: NonceCounter): Buffer {
  const { recoveryKey, stretchedKey, volumeMasterKey } = secrets;
  const head = Buffer.alloc(28);
  facts.protectorGuid.copy(head, 0, 0, 16);
  head.writeBigUInt64LE(facts.time, 16);
  head.writeUInt16LE(Protection.RecoveryPassword, 26);
  const stretchHead = Buffer.alloc(20);
  stretchHead.writeUInt16LE(KeyMethod.RecoveryKey, 0);
  facts.salt.copy(stretchHead, 4, 0, 16);
  const stretch = encodeDatum(DatumRole.Property, DatumType.StretchKey, [
    stretchHead,
    // With these Windows can show the password again to who has opened the volume.
    sealKey(DatumRole.RecoveryKeyCopy, volumeMasterKey, nonces, KeyMethod.RecoveryKey, recoveryKey),
    sealKey(DatumRole.StretchedKeyCopy, volumeMasterKey, nonces, KeyMethod.StretchedRecoveryKey, stretchedKey),
  ]);
  return encodeDatum(DatumRole.VolumeMasterKey, DatumType.VolumeMasterKey, [
    head,
    encodeText(DatumRole.Property, PROTECTOR_NAME),
    stretch,
    sealKey(DatumRole.Property, stretchedKey, nonces, KeyMethod.VolumeMasterKey, volumeMasterKey),
  ]);
}

function sealKey(role: number, with_: Buffer, nonces: NonceCounter, method: number, key: Buffer): Buffer {
  return sealDatum(role, with_, nonces.take(), encodeKey(method, key));
}

/** Fields after the two addresses are what Windows writes; only a part of their meaning is public. */
function virtualisationDatum({ layout, spareAt }: MetadataFacts): Buffer {
  const data = Buffer.alloc(92);
  data.writeBigUInt64LE(BigInt(layout.bootCopyAt), 0);
  data.writeBigUInt64LE(BigInt(BOOT_BYTES), 8);
  data.writeUInt16LE(5, 16);
  data.writeUInt16LE(76, 18);
  data.writeBigUInt64LE(0x0an, 24);
  data.writeUInt32LE(SECTOR_BYTES, 44);
  data.writeUInt32LE(SECTOR_BYTES, 48);
  data.writeUInt32LE(WINDOWS_MAJOR, 52);
  data.writeUInt32LE(WINDOWS_BUILD, 60);
  data.writeUInt32LE(2, 64);
  data.writeUInt16LE(0x0110, 72);
  data.set([1, 2], 74);
  data.writeBigUInt64LE(BigInt(spareAt), 76);
  data.writeUInt32LE(SPARE_BYTES, 84);
  return encodeDatum(DatumRole.Virtualisation, DatumType.Virtualisation, [data]);
}

/** After the information: its CRC for everybody, and its hash that only the volume's owner can make. */
function writeValidation(block: Buffer, infoBytes: number, volumeMasterKey: Buffer, nonce: Buffer): void {
  const info = block.subarray(0, infoBytes);
  block.writeUInt16LE(METADATA_BYTES - infoBytes, infoBytes);
  block.writeUInt16LE(FORMAT_VERSION, infoBytes + 2);
  block.writeUInt32LE(crc32(info), infoBytes + 4);
  const hash = createHash("sha256").update(info).digest();
  const plain = encodeKey(KeyMethod.MetadataHash, hash);
  sealDatum(DatumRole.Property, volumeMasterKey, nonce, plain).copy(block, infoBytes + 8);
}
