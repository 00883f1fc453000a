/** Which parts of a volume are converted: what is in use, without the areas that BitLocker keeps for itself. */
import { RANGE_BYTES } from "./convert-range.ts";
import type { NtfsVolume } from "./ntfs-volume.ts";
import { hiddenAreas } from "./plain-view.ts";
import { type Extent, SECTOR_BYTES, type VolumeLayout } from "./volume-layout.ts";

/** In ascending order, each at most `RANGE_BYTES` long; only what lies at or above `from`. */
export function* rangesToConvert(volume: NtfsVolume, layout: VolumeLayout, from = 0): Generator<Extent> {
  const skipped = [{ at: 0, bytes: layout.bootCopyBytes }, ...hiddenAreas(layout)].sort((a, b) => a.at - b.at);
  for (const extent of partsInUse(volume, layout)) {
    for (const part of without(extent, skipped)) {
      const end = part.at + part.bytes;
      for (let at = Math.max(part.at, from); at < end; at += RANGE_BYTES) {
        yield { at, bytes: Math.min(RANGE_BYTES, end - at) };
      }
    }
  }
}

/** Allocated clusters, and what lies behind the last one: the copy of the boot sector. */
function* partsInUse(volume: NtfsVolume, layout: VolumeLayout): Generator<Extent> {
  yield* volume.usedExtents();
  const { totalSectors, bytesPerSector, clusterBytes } = volume.boot;
  const clusters = Math.floor((totalSectors * bytesPerSector) / clusterBytes);
  const at = clusters * clusterBytes;
  const end = Math.min(layout.sizeBytes, (totalSectors + 1) * bytesPerSector);
  if (end > at) yield { at, bytes: Math.floor((end - at) / SECTOR_BYTES) * SECTOR_BYTES };
}

function* without(extent: Extent, skipped: readonly Extent[]): Generator<Extent> {
  let at = extent.at;
  const end = extent.at + extent.bytes;
  for (const area of skipped) {
    const areaEnd = area.at + area.bytes;
    if (areaEnd <= at || area.at >= end) continue;
    if (area.at > at) yield { at, bytes: area.at - at };
    at = Math.max(at, areaEnd);
  }
  if (at < end) yield { at, bytes: end - at };
}
