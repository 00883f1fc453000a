/** A fresh NTFS volume with the files that keep BitLocker's areas, in a file or on a mapped device. */
import { constants } from "node:fs";
import {
  findReservedAreas,
  RESERVED_ATTRIBUTES,
  RESERVED_DIRECTORY,
  RESERVED_FILES,
  type ReservedAreas,
} from "../../bitlocker/reserved-files.ts";
import { writeAll } from "../../platform/durable-file.ts";
import { joinPath } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { mountNtfs, unmount } from "./ntfs-mount.ts";
import { requireTool } from "./tools.ts";
import { withVolume } from "./volume-file.ts";

export interface FormatOptions {
  label: string;
  sizeBytes: number;
  mountPoint: string;
  /** First sector of the partition on its disk. */
  startSector: number;
  signal?: AbortSignal;
}

/** Where partitions begin by convention: whoever writes an image into one finds the field right. */
export const USUAL_START_SECTOR = 2048;

/** Smallest volume on which everything finds its place. */
export const MIN_VOLUME_BYTES = 16 * 1024 * 1024;
const CLUSTER_BYTES = 4096;
const SECTOR_BYTES = 512;
/** A geometry that every BIOS takes, as Windows writes it. */
const GEOMETRY = ["-H", "255", "-S", "63"];

const MIB = 1024 * 1024;

/** What file system and reserved files take of a new volume: measured between 16 MiB and 8 TiB, and rounded up. */
export function emptyVolumeBytes(sizeBytes: number): number {
  const logBytes = Math.min(64 * MIB, sizeBytes * 0.005);
  const mapBytes = sizeBytes / (8 * CLUSTER_BYTES);
  return Math.ceil((3.5 * MIB + logBytes + mapBytes) / CLUSTER_BYTES) * CLUSTER_BYTES;
}

export async function formatNtfs(ports: LinuxPorts, volume: string, options: FormatOptions): Promise<ReservedAreas> {
  const { runner, fs } = ports;
  const { label, mountPoint, startSector, signal } = options;
  const sizes = ["-c", String(CLUSTER_BYTES), "-s", String(SECTOR_BYTES), "-p", String(startSector), ...GEOMETRY];
  const run = signal === undefined ? {} : { signal };
  await requireTool(runner, `format "${volume}"`, "mkntfs", ["-F", "-Q", ...sizes, "-L", label, volume], run);
  await mountNtfs(ports, volume, mountPoint);
  try {
    await makeReservedFiles(ports, mountPoint);
  } finally {
    await unmount(ports, mountPoint);
  }
  return withVolume(fs, volume, "read", (file) => findReservedAreas(file.read, options.sizeBytes));
}

async function makeReservedFiles({ fs, runner }: LinuxPorts, mountPoint: string): Promise<void> {
  const directory = joinPath(mountPoint, RESERVED_DIRECTORY);
  fs.mkdir(directory, 0o700);
  const paths = [directory];
  for (const { name, bytes } of RESERVED_FILES) {
    const path = joinPath(directory, name);
    writeZeros(fs, path, bytes);
    paths.push(path);
  }
  for (const path of paths) {
    const args = ["-h", "-n", "system.ntfs_attrib_be", "-v", RESERVED_ATTRIBUTES, "--", path];
    await requireTool(runner, `hide "${path}"`, "setfattr", args);
  }
}

function writeZeros(fs: FileSystem, path: string, bytes: number): void {
  const fd = fs.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    writeAll(fs, fd, Buffer.alloc(bytes), 0);
    fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
}
