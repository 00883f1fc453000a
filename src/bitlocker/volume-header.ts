/**
 * Sector 0 of a BitLocker volume: looks like a FAT32 boot sector to systems that do not know BitLocker, and says where
 * the metadata lies.
 */
import { BitLockerFormatError } from "./format-error.ts";
import { METADATA_BYTES, SECTOR_BYTES } from "./volume-layout.ts";

export const SIGNATURE = "-FVE-FS-";
/** {4967d63b-2e29-4ad8-8399-f6a339e3d001} in the byte order of the disk: an encrypted volume. */
const VOLUME_GUID = Buffer.from("3bd66749292ed84a8399f6a339e3d001", "hex");
/** {92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8}: a volume of which only what was written since is encrypted. */
const ENCRYPT_ON_WRITE_GUID = Buffer.from("3b4da89280dd0e4d9e4eb1e3284eaed8", "hex");
/** Windows' signature for removable drives that old releases can open: a FAT file system holds the volume. */
const TO_GO_SIGNATURE = "MSWIN4.1";

const GUID_AT = 160;
const OFFSETS_AT = 176;
/** cli; hlt; jump to the hlt: what a machine executes that is started from this volume. */
const STUB = Buffer.from("faf4ebfd", "hex");

export interface HeaderFacts {
  /** From the NTFS boot sector. */
  bytesPerSector: number;
  sectorsPerCluster: number;
  hiddenSectors: number;
  metadataAt: readonly [number, number, number];
}

export function buildVolumeHeader(facts: HeaderFacts): Buffer {
  const header = Buffer.alloc(SECTOR_BYTES);
  header.set([0xeb, 0x58, 0x90], 0);
  header.write(SIGNATURE, 3, "latin1");
  header.writeUInt16LE(facts.bytesPerSector, 11);
  header[13] = facts.sectorsPerCluster;
  header[21] = 0xf8;
  header.writeUInt16LE(63, 24);
  header.writeUInt16LE(255, 26);
  header.writeUInt32LE(facts.hiddenSectors, 28);
  header.writeUInt32LE(0x1fe0, 36);
  header.writeUInt16LE(1, 48);
  header.writeUInt16LE(6, 50);
  header.set([0x80], 64);
  header.set([0x29], 66);
  header.write("NO NAME    FAT32   ", 71, "latin1");
  header.set(STUB, 90);
  header.set(VOLUME_GUID, GUID_AT);
  for (const [i, at] of facts.metadataAt.entries()) header.writeBigUInt64LE(BigInt(at), OFFSETS_AT + i * 8);
  header.set([0x55, 0xaa], 510);
  return header;
}

/** Whether the sector is a BitLocker header, or could be one of a kind that is not supported. */
export function isVolumeHeader(sector: Buffer): boolean {
  const signature = sector.toString("latin1", 3, 11);
  if (signature === SIGNATURE) return true;
  const guid = sector.subarray(424, 440);
  return signature === TO_GO_SIGNATURE && (guid.equals(VOLUME_GUID) || guid.equals(ENCRYPT_ON_WRITE_GUID));
}

export interface VolumeHeader {
  bytesPerSector: number;
  metadataAt: readonly [number, number, number];
}

export function parseVolumeHeader(sector: Buffer, volumeBytes: number): VolumeHeader {
  if (!isVolumeHeader(sector)) throw new BitLockerFormatError("not-bitlocker", "it holds no BitLocker volume");
  if (sector.toString("latin1", 3, 11) === TO_GO_SIGNATURE) {
    throw new BitLockerFormatError("unsupported", "it is in the form for removable drives (BitLocker To Go)");
  }
  const guid = sector.subarray(GUID_AT, GUID_AT + 16);
  if (guid.equals(ENCRYPT_ON_WRITE_GUID)) {
    throw new BitLockerFormatError("unsupported", "Windows is still converting it");
  }
  if (!guid.equals(VOLUME_GUID)) throw new BitLockerFormatError("unsupported", "its header has a form not known here");
  const bytesPerSector = sector.readUInt16LE(11);
  if (bytesPerSector !== SECTOR_BYTES) {
    throw new BitLockerFormatError("unsupported", `its sectors have ${bytesPerSector} bytes, not ${SECTOR_BYTES}`);
  }
  const [a = 0, b = 0, c = 0] = [0, 1, 2].map((i) => Number(sector.readBigUInt64LE(OFFSETS_AT + i * 8)));
  for (const at of [a, b, c]) {
    if (at < SECTOR_BYTES || at % SECTOR_BYTES !== 0 || at + METADATA_BYTES > volumeBytes) {
      throw new BitLockerFormatError("damaged", "its header names places outside of the volume");
    }
  }
  return { bytesPerSector, metadataAt: [a, b, c] };
}
