/** Reading and writing a volume in a file or on a device piece by piece, through the file system port. */
import { constants } from "node:fs";
import { readFully } from "../../bitlocker/convert-range.ts";
import { type NtfsBoot, parseNtfsBoot } from "../../bitlocker/ntfs-boot.ts";
import type { ReadAt } from "../../bitlocker/open-volume.ts";
import { SECTOR_BYTES } from "../../bitlocker/volume-layout.ts";
import { writeAll } from "../../platform/durable-file.ts";
import type { FileSystem } from "../../platform/file-system.ts";

export class VolumeFile {
  readonly #fs: FileSystem;
  readonly #fd: number;

  /** A device has a size of its own. */
  readonly isDevice: boolean;

  /** Never follows a link in the last component: what is written is the file that was checked. */
  constructor(fs: FileSystem, path: string, flags: "read" | "write") {
    this.#fs = fs;
    this.#fd = fs.open(path, (flags === "read" ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NOFOLLOW);
    this.isDevice = fs.fstat(this.#fd).kind === "block-device";
  }

  readonly read: ReadAt = (at, bytes) => {
    const buffer = Buffer.alloc(bytes);
    readFully(this.#fs, this.#fd, buffer, at);
    return buffer;
  };

  write(at: number, bytes: Buffer): void {
    writeAll(this.#fs, this.#fd, bytes, at);
  }

  truncate(bytes: number): void {
    this.#fs.ftruncate(this.#fd, bytes);
  }

  sizeBytes(): number {
    return this.#fs.fstat(this.#fd).sizeBytes;
  }

  flush(): void {
    this.#fs.fsync(this.#fd);
  }

  close(): void {
    this.#fs.close(this.#fd);
  }
}

/** Opens, and closes whatever happens. */
export function withVolume<T>(fs: FileSystem, path: string, flags: "read" | "write", step: (file: VolumeFile) => T): T {
  const file = new VolumeFile(fs, path, flags);
  let result: T;
  try {
    result = step(file);
  } catch (error) {
    file.close();
    throw error;
  }
  if (!(result instanceof Promise)) {
    file.close();
    return result;
  }
  return result.finally(() => file.close()) as T;
}

export function bootOf(file: VolumeFile): NtfsBoot {
  return parseNtfsBoot(file.read(0, SECTOR_BYTES));
}
