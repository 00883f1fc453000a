/**
 * The plain file of an image: made new with an empty volume, or filled from the image. It carries the metadata where the
 * finished volume will have it, so the data key needs no other place: it lies there under the drive's key, and only so.
 */
import { constants } from "node:fs";
import { rangesToConvert } from "../../bitlocker/convert-plan.ts";
import { isNtfsBoot } from "../../bitlocker/ntfs-boot.ts";
import { NtfsVolume } from "../../bitlocker/ntfs-volume.ts";
import { openVolume } from "../../bitlocker/open-volume.ts";
import { plainView } from "../../bitlocker/plain-view.ts";
import type { ReservedAreas } from "../../bitlocker/reserved-files.ts";
import { buildVolumeHeader } from "../../bitlocker/volume-header.ts";
import { METADATA_BYTES, SECTOR_BYTES, type VolumeLayout } from "../../bitlocker/volume-layout.ts";
import { fsyncDirectory, unlinkQuietly } from "../../platform/durable-file.ts";
import { directoryOf } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { EncryptOptions } from "../encryption/encryption.ts";
import { convertVolume } from "./image-convert.ts";
import type { VolumePlaces } from "./image-state.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { type FormatOptions, formatNtfs } from "./ntfs-format.ts";
import { bootOf, type VolumeFile, withVolume } from "./volume-file.ts";
import { makeVolumeKeys } from "./volume-keys.ts";

export interface PlainVolume {
  layout: VolumeLayout;
  /** Sector 0 of the finished image, hexadecimal. */
  header: string;
}

export function createPlainFile(fs: FileSystem, { plain: path }: VolumePlaces, sizeBytes: number): void {
  const fd = fs.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW, 0o600);
  try {
    fs.ftruncate(fd, sizeBytes);
    fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
  fsyncDirectory(fs, directoryOf(path));
}

export function removePlainFile(fs: FileSystem, { plain }: VolumePlaces): void {
  unlinkQuietly(fs, plain);
  fsyncDirectory(fs, directoryOf(plain));
}

/** An empty volume that `key` opens. */
export async function makePlainVolume(
  ports: LinuxPorts,
  { plain: path }: VolumePlaces,
  key: string,
  options: FormatOptions,
): Promise<PlainVolume> {
  const areas = await formatNtfs(ports, path, options);
  const keys = await makeVolumeKeys(ports, key, options.label);
  try {
    const metadata = keys.metadata(areas);
    return withVolume(ports.fs, path, "write", (file) => {
      for (const at of areas.layout.metadataAt) file.write(at, metadata);
      file.flush();
      return { layout: areas.layout, header: headerOf(file, areas).toString("hex") };
    });
  } finally {
    keys.forget();
  }
}

/** The header that belongs to a volume in clear. */
export function headerOf(plain: VolumeFile, { layout }: Pick<ReservedAreas, "layout">): Buffer {
  const { bytesPerSector, sectorsPerCluster, hiddenSectors } = bootOf(plain);
  return buildVolumeHeader({ bytesPerSector, sectorsPerCluster, hiddenSectors, metadataAt: layout.metadataAt });
}

/** Decrypts what is in use of the image into the plain file. */
export async function fillPlainFile(
  ports: LinuxPorts,
  { target, plain: path }: VolumePlaces,
  key: string,
  options: EncryptOptions,
): Promise<PlainVolume> {
  const { fs } = ports;
  return await withVolume(fs, target, "read", async (file) => {
    const opened = await openVolume(file.read, file.sizeBytes(), key, ports.stretch);
    try {
      const { layout } = opened;
      const view = plainView(file.read, opened);
      const volume = new NtfsVolume(view);
      await convertVolume(ports, { from: target, to: path }, "decrypt", opened.dataKey, {
        ranges: () => rangesToConvert(volume, layout),
        totalBytes: volume.usedBytes(),
        ...options,
      });
      withVolume(fs, path, "write", (plain) => {
        plain.write(0, view(0, layout.bootCopyBytes));
        for (const at of layout.metadataAt) plain.write(at, file.read(at, METADATA_BYTES));
        plain.flush();
      });
      return { layout, header: file.read(0, SECTOR_BYTES).toString("hex") };
    } finally {
      opened.dataKey.fill(0);
    }
  });
}

export function looksLikeNtfs(file: VolumeFile): boolean {
  return isNtfsBoot(file.read(0, SECTOR_BYTES));
}
