/**
 * Partitions of real disks. The empty encrypted volume is laid out like that of an image: made in a sparse file, from
 * which only what is in use, a few megabytes, is encrypted onto the partition, its sector 0 last. From then on the kernel
 * does the work: cryptsetup maps the volume, ntfs-3g mounts the mapping, and files are copied at the disk's speed.
 *
 * Before anything is written the partition was found to be unmounted, no part of anything, and not the system's (the
 * probe); here it is looked at once more.
 */
import { BitLockerFormatError } from "../../bitlocker/format-error.ts";
import { NtfsVolume } from "../../bitlocker/ntfs-volume.ts";
import { openVolume } from "../../bitlocker/open-volume.ts";
import { plainView } from "../../bitlocker/plain-view.ts";
import { isVolumeHeader } from "../../bitlocker/volume-header.ts";
import { SECTOR_BYTES } from "../../bitlocker/volume-layout.ts";
import { DriveRefusedError, describeErrno, EncryptionError, errnoOf } from "../../platform/app-error.ts";
import { makeDirectories } from "../../platform/durable-file.ts";
import { joinPath } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { Drive } from "../drive.ts";
import { driveIdToFileName } from "../drive-id.ts";
import type { ClosedVolume, CloseReport, EncryptionStatus, EncryptOptions } from "../encryption/encryption.ts";
import { createPlainFile, makePlainVolume } from "./image-plain.ts";
import { sealImage } from "./image-seal.ts";
import { newState, type OpenImageState, removeState, type VolumePlaces, writeState } from "./image-state.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { lookAtMachine, REAL_PATHS } from "./machine.ts";
import { closeMapping, isMapped, mappingOf, mappingPath, openMapping } from "./mapping.ts";
import { emptyVolumeBytes, MIN_VOLUME_BYTES } from "./ntfs-format.ts";
import { isMounted, mountNtfs, unmount } from "./ntfs-mount.ts";
import { checkVolume, requireOpened } from "./self-check.ts";
import { StretchCache } from "./stretch-cache.ts";
import { contentsOfVolume } from "./volume-contents.ts";
import { withVolume } from "./volume-file.ts";
import { named, toDriveError } from "./volume-keys.ts";

const CLUSTER_BYTES = 4096;
const NOTHING_DONE: CloseReport = { checks: [], missing: [] };

export class DrivePartitions {
  readonly #ports: LinuxPorts;
  readonly #stretched: StretchCache;

  constructor(ports: LinuxPorts) {
    this.#stretched = new StretchCache(ports.stretch);
    this.#ports = { ...ports, stretch: this.#stretched.stretch };
  }

  status(drive: Drive): EncryptionStatus {
    if (isMapped(this.#ports.fs, mappingOf(drive.driveId))) return { state: "on" };
    return { state: this.#isBitLocker(drive) ? "locked" : "off" };
  }

  async inspect(drive: Drive, wish: { key: string } | { format: boolean }): Promise<ClosedVolume> {
    return await this.#told(drive, async () => {
      if (!("key" in wish)) {
        if (!wish.format) throw formatNeeded(drive, this.#isBitLocker(drive));
        checkSize(drive);
        const freeBytes = Math.max(0, drive.sizeBytes - emptyVolumeBytes(drive.sizeBytes));
        return { freeBytes, clusterBytes: CLUSTER_BYTES, rootNames: [] };
      }
      return await withVolume(this.#ports.fs, drive.root, "read", async (file) => {
        const opened = await openVolume(file.read, drive.sizeBytes, wish.key, this.#ports.stretch);
        try {
          return contentsOfVolume(new NtfsVolume(plainView(file.read, opened)));
        } finally {
          opened.dataKey.fill(0);
        }
      });
    });
  }

  /** Repeatable with the same key: a volume that it opens is taken as made, anything less is made anew. */
  async encrypt(drive: Drive, key: string, options: EncryptOptions): Promise<void> {
    await this.#told(drive, async () => {
      await this.#letGo(drive);
      this.#forgetMaking(drive);
      if (this.#isBitLocker(drive) && (await this.#opens(drive, key))) return;
      if (options.format === undefined) throw formatNeeded(drive, this.#isBitLocker(drive));
      checkSize(drive);
      await this.#refuseIfInUse(drive);
      await this.#make(drive, key, options.format.label, options);
    });
  }

  async adopt(drive: Drive, key: string): Promise<void> {
    await this.#told(drive, () => this.#checkKey(drive, key));
  }

  async #checkKey(drive: Drive, key: string): Promise<void> {
    await withVolume(this.#ports.fs, drive.root, "read", async (file) => {
      (await openVolume(file.read, drive.sizeBytes, key, this.#ports.stretch)).dataKey.fill(0);
    });
  }

  async open(drive: Drive, key: string, options: EncryptOptions): Promise<{ root: string }> {
    return await this.#told(drive, async () => {
      await this.#letGo(drive);
      const name = mappingOf(drive.driveId);
      await openMapping(this.#ports.runner, drive.root, name, key, options.signal);
      try {
        const mountPoint = this.#mountPoint(drive);
        await mountNtfs(this.#ports, mappingPath(name), mountPoint);
        return { root: mountPoint };
      } catch (error) {
        await closeMapping(this.#ports.fs, this.#ports.runner, name);
        throw error;
      }
    });
  }

  async close(drive: Drive, key: string, options: EncryptOptions): Promise<CloseReport> {
    return await this.#told(drive, async () => {
      const wasOpen = isMapped(this.#ports.fs, mappingOf(drive.driveId));
      await this.release(drive);
      if (!wasOpen) return NOTHING_DONE;
      const report = await checkVolume(this.#ports.runner, drive.root, key, options.signal);
      requireOpened(drive, report);
      return report;
    });
  }

  async release(drive: Drive): Promise<void> {
    await this.#stretched.forget();
    await this.#letGo(drive);
  }

  /** Also what a run left that died. */
  async #letGo(drive: Drive): Promise<void> {
    const mountPoint = this.#mountPoint(drive);
    if (isMounted(this.#ports.fs, mountPoint)) await unmount(this.#ports, mountPoint);
    await closeMapping(this.#ports.fs, this.#ports.runner, mappingOf(drive.driveId));
  }

  async #make(drive: Drive, key: string, label: string, options: EncryptOptions): Promise<void> {
    const { fs } = this.#ports;
    const places = this.#places(drive);
    const mountPoint = this.#mountPoint(drive);
    const { sizeBytes, startSector = 0 } = drive;
    const state = newState("making", sizeBytes, true);
    makeDirectories(fs, this.#directory("volumes"), 0o700);
    await unmount(this.#ports, mountPoint);
    try {
      createPlainFile(fs, places, sizeBytes);
      const signal = options.signal === undefined ? {} : { signal: options.signal };
      const layout = { label, sizeBytes, mountPoint, startSector, ...signal };
      const made = await makePlainVolume(this.#ports, places, key, layout);
      const open: OpenImageState = { ...state, ...made, phase: "open" };
      writeState(fs, places, open);
      await sealImage(this.#ports, places, open, key, options);
    } finally {
      this.#forgetMaking(drive);
    }
  }

  /** Nothing in it is worth keeping: it holds an empty file system, and is made anew when it was not finished. */
  #forgetMaking(drive: Drive): void {
    const { fs } = this.#ports;
    const places = this.#places(drive);
    for (const path of [places.plain, places.state]) if (exists(fs, path)) removeState(fs, { ...places, state: path });
  }

  #places(drive: Drive): VolumePlaces {
    const plain = joinPath(this.#directory("volumes"), `${driveIdToFileName(drive.driveId)}.plain`);
    return { target: drive.root, plain, state: `${plain}.json` };
  }

  #mountPoint(drive: Drive): string {
    return joinPath(this.#directory("mounts"), driveIdToFileName(drive.driveId));
  }

  #directory(name: string): string {
    return joinPath(this.#ports.stateDirectory, name);
  }

  #isBitLocker(drive: Drive): boolean {
    return withVolume(this.#ports.fs, drive.root, "read", (file) => isVolumeHeader(file.read(0, SECTOR_BYTES)));
  }

  async #opens(drive: Drive, key: string): Promise<boolean> {
    try {
      await this.#checkKey(drive, key);
      return true;
    } catch (error) {
      // A volume that cannot be read here is not one that an earlier call made.
      if (error instanceof BitLockerFormatError) return false;
      throw error;
    }
  }

  /** Between the plan and now somebody may have mounted it. */
  async #refuseIfInUse(drive: Drive): Promise<void> {
    const { fs, runner } = this.#ports;
    const { mounts, devices } = await lookAtMachine(fs, runner, REAL_PATHS);
    const device = devices.byPath(drive.root);
    if (device === undefined) return;
    const mount = mounts.find((one) => devices.ofMount(one)?.name === device.name);
    const user = mount === undefined ? device.holders[0] : mount.mountPoint;
    if (user === undefined) return;
    throw new DriveRefusedError("DRIVE_IN_USE", `${named(drive)} is in use by "${user}"`);
  }

  async #told<T>(drive: Drive, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const told = toDriveError(drive, error);
      if (errnoOf(told) === undefined) throw told;
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot use ${named(drive)}: ${describeErrno(told)}`, {
        cause: error,
        ...(errnoOf(told) === "EACCES" ? { hint: "run as root: partitions belong to it" } : {}),
      });
    }
  }
}

function checkSize(drive: Drive): void {
  if (drive.sizeBytes >= MIN_VOLUME_BYTES) return;
  throw new DriveRefusedError("DRIVE_KIND_UNSUPPORTED", `${named(drive)} is too small for an encrypted volume`);
}

function formatNeeded(drive: Drive, isEncrypted: boolean): EncryptionError {
  const why = isEncrypted ? "is already encrypted with another key" : "is not encrypted";
  return new EncryptionError("ENCRYPTION_FAILED", `${named(drive)} ${why}, and AlreadyFormatted was given`, {
    hint: isEncrypted
      ? "use AlreadyEncrypted with its key, or Format to erase it"
      : "on Linux a partition is encrypted when it is formatted: use Format, which erases it",
  });
}

function exists(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
