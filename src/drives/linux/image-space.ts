/** Space on the disk that holds an image: its plain file and the image grow there side by side. */
import { NoSpaceError } from "../../platform/app-error.ts";
import { directoryOf } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { Drive } from "../drive.ts";
import { sizeToWords } from "../size-words.ts";

/** Left for everything else that writes there. */
const RESERVE_BYTES = 64 * 1024 * 1024;

export class HostSpace {
  readonly #fs: FileSystem;
  /** Promised in this run and not written yet, by device. */
  readonly #promised = new Map<bigint, number>();

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** Throws when the disk below the image cannot take `bytes` more, beside what was promised to other images. */
  require(drive: Drive, bytes: number): void {
    const directory = directoryOf(drive.root);
    const { device } = this.#fs.stat(directory);
    const promised = this.#promised.get(device) ?? 0;
    const { freeBytes } = this.#fs.statfs(directory);
    if (freeBytes < promised + bytes + RESERVE_BYTES) {
      const free = `${sizeToWords(Math.max(0, freeBytes - promised - RESERVE_BYTES))} can be used`;
      throw new NoSpaceError(
        "NO_SPACE",
        `drive ${drive.driveId} at "${drive.place}" needs ${sizeToWords(bytes)} in "${directory}" for the image and, until it is encrypted, a second copy of what is in use; ${free}`,
        { hint: "free space there, or put the image on another disk" },
      );
    }
    this.#promised.set(device, promised + bytes);
  }
}
