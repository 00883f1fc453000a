/**
 * The files by which an NTFS volume keeps BitLocker's areas to itself. NTFS chooses their places; the metadata is then
 * put where they lie. Names are Windows' own.
 */
import { BitLockerFormatError } from "./format-error.ts";
import { NtfsVolume } from "./ntfs-volume.ts";
import type { ReadAt } from "./open-volume.ts";
import { BOOT_BYTES, METADATA_BYTES, SPARE_BYTES, type VolumeLayout } from "./volume-layout.ts";

export const RESERVED_DIRECTORY = "System Volume Information";

const METADATA_FILES = [1, 2, 3].map((copy) => `FVE2.{e40ad34d-dae9-4bc7-95bd-b16218c10f72}.${copy}`);
const BOOT_FILE = "FVE2.{24e6f0ae-6a00-4f73-984b-75ce9942852d}";
const SPARE_FILE = "FVE2.{da392a22-cae0-4f0f-9a30-b8830385d046}";

/** To be created, filled with zeros, on a fresh volume. */
export const RESERVED_FILES: readonly { name: string; bytes: number }[] = [
  ...METADATA_FILES.map((name) => ({ name, bytes: METADATA_BYTES })),
  { name: BOOT_FILE, bytes: BOOT_BYTES },
  { name: SPARE_FILE, bytes: SPARE_BYTES },
];

/** Hidden and system, as `system.ntfs_attrib_be` takes it. */
export const RESERVED_ATTRIBUTES = "0x00000006";

export interface ReservedAreas {
  layout: VolumeLayout;
  spareAt: number;
}

/** Where the files came to lie. Throws when one is missing or lies in pieces. */
export function findReservedAreas(read: ReadAt, sizeBytes: number): ReservedAreas {
  const volume = new NtfsVolume(read);
  const files = volume.filesIn(RESERVED_DIRECTORY);
  const placeOf = (name: string): number => {
    const file = files.find((one) => one.name === name);
    const wanted = RESERVED_FILES.find((one) => one.name === name)?.bytes ?? 0;
    const extents = file === undefined ? [] : volume.extentsOf(file.record);
    const [only] = extents;
    if (only === undefined || extents.length !== 1 || only.bytes < wanted) {
      throw new BitLockerFormatError("damaged", `"${RESERVED_DIRECTORY}\\${name}" does not lie in one piece`);
    }
    return only.at;
  };
  const [a = 0, b = 0, c = 0] = METADATA_FILES.map(placeOf);
  return {
    layout: { sizeBytes, metadataAt: [a, b, c], bootCopyAt: placeOf(BOOT_FILE), bootCopyBytes: BOOT_BYTES },
    spareAt: placeOf(SPARE_FILE),
  };
}
