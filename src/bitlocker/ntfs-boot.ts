/** The boot sector of an NTFS volume: how large things are, and where the table of files begins. */
import { BitLockerFormatError } from "./format-error.ts";

export interface NtfsBoot {
  bytesPerSector: number;
  sectorsPerCluster: number;
  clusterBytes: number;
  /** As the file system counts: one sector less than the volume, whose last one is a copy of the boot sector. */
  totalSectors: number;
  hiddenSectors: number;
  mftAt: number;
  recordBytes: number;
}

export function isNtfsBoot(sector: Buffer): boolean {
  return sector.toString("latin1", 3, 11) === "NTFS    " && sector.readUInt16LE(510) === 0xaa55;
}

export function parseNtfsBoot(sector: Buffer): NtfsBoot {
  if (!isNtfsBoot(sector)) throw new BitLockerFormatError("unsupported", "it holds no NTFS file system");
  const bytesPerSector = sector.readUInt16LE(11);
  const rawCluster = sector.readUInt8(13);
  // Beyond 128 sectors the field is a negative power of two.
  const sectorsPerCluster = rawCluster <= 128 ? rawCluster : 2 ** (256 - rawCluster);
  const clusterBytes = bytesPerSector * sectorsPerCluster;
  const rawRecord = sector.readInt8(64);
  const recordBytes = rawRecord > 0 ? rawRecord * clusterBytes : 2 ** -rawRecord;
  const isSound =
    [512, 1024, 2048, 4096].includes(bytesPerSector) &&
    isPowerOfTwo(clusterBytes) &&
    clusterBytes <= 2 * 1024 * 1024 &&
    isPowerOfTwo(recordBytes) &&
    recordBytes >= 512 &&
    recordBytes <= 65_536;
  if (!isSound) throw new BitLockerFormatError("damaged", "its NTFS boot sector holds sizes that cannot be");
  return {
    bytesPerSector,
    sectorsPerCluster,
    clusterBytes,
    totalSectors: Number(sector.readBigUInt64LE(40)),
    hiddenSectors: sector.readUInt32LE(28),
    mftAt: Number(sector.readBigUInt64LE(48)) * clusterBytes,
    recordBytes,
  };
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
