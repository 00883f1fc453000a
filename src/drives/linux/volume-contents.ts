/** What planning wants to know of a volume that is not mounted. */
import type { NtfsVolume } from "../../bitlocker/ntfs-volume.ts";
import type { ClosedVolume } from "../encryption/encryption.ts";

export function contentsOfVolume(volume: NtfsVolume): ClosedVolume {
  const { totalSectors, bytesPerSector, clusterBytes } = volume.boot;
  const freeBytes = Math.max(0, totalSectors * bytesPerSector - volume.usedBytes());
  return { freeBytes, clusterBytes, rootNames: volume.rootNames() };
}
