/** Where the parts of a BitLocker volume lie. Offsets and sizes are bytes from the start of the volume. */

export const SECTOR_BYTES = 512;
export const METADATA_BYTES = 65_536;
/** The volume's own first sectors, which lie elsewhere because BitLocker's header stands in their place. */
export const BOOT_SECTORS = 16;
export const BOOT_BYTES = BOOT_SECTORS * SECTOR_BYTES;
/** The area that the metadata names without saying what it is for. */
export const SPARE_BYTES = 65_536;

export interface VolumeLayout {
  sizeBytes: number;
  /** The three copies of the metadata. */
  metadataAt: readonly [number, number, number];
  /** The encrypted first sectors. */
  bootCopyAt: number;
  bootCopyBytes: number;
}

/** A stretch of the volume. */
export interface Extent {
  at: number;
  bytes: number;
}
