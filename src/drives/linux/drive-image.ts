/**
 * Drive images: BitLocker volumes in regular files, without a kernel that knows anything of it. While a session works on
 * an image its volume lies in clear beside it (`<image>.plain`, for its owner alone) and is mounted from there; closing
 * encrypts it into the image and removes the plain file. What phase it is in is `image-state.ts`.
 */
import { BitLockerFormatError } from "../../bitlocker/format-error.ts";
import { NtfsVolume } from "../../bitlocker/ntfs-volume.ts";
import { openVolume } from "../../bitlocker/open-volume.ts";
import { plainView } from "../../bitlocker/plain-view.ts";
import { isVolumeHeader } from "../../bitlocker/volume-header.ts";
import { SECTOR_BYTES } from "../../bitlocker/volume-layout.ts";
import { describeErrno, EncryptionError, errnoOf } from "../../platform/app-error.ts";
import { fsyncDirectory } from "../../platform/durable-file.ts";
import { directoryOf, joinPath } from "../../platform/file-path.ts";
import type { Drive } from "../drive.ts";
import { driveIdToFileName } from "../drive-id.ts";
import type { ClosedVolume, CloseReport, EncryptionStatus, EncryptOptions } from "../encryption/encryption.ts";
import { createPlainFile, fillPlainFile, looksLikeNtfs, makePlainVolume, removePlainFile } from "./image-plain.ts";
import { alreadyEncrypted, checkSize, formatNeeded, makeImageFile } from "./image-rules.ts";
import { openPlainFile, sealImage } from "./image-seal.ts";
import { HostSpace } from "./image-space.ts";
import {
  type ImageState,
  imagePlaces,
  isComplete,
  newState,
  type OpenImageState,
  plainPath,
  readState,
  removeState,
  writeState,
} from "./image-state.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { emptyVolumeBytes, USUAL_START_SECTOR } from "./ntfs-format.ts";
import { isMounted, mountNtfs, unmount } from "./ntfs-mount.ts";
import { checkVolume, requireOpened } from "./self-check.ts";
import { StretchCache } from "./stretch-cache.ts";
import { contentsOfVolume } from "./volume-contents.ts";
import { withVolume } from "./volume-file.ts";
import { named, toDriveError } from "./volume-keys.ts";

const CLUSTER_BYTES = 4096;
const NOTHING_DONE: CloseReport = { checks: [], missing: [] };

export class DriveImages {
  readonly #ports: LinuxPorts;
  readonly #space: HostSpace;
  readonly #stretched: StretchCache;

  constructor(ports: LinuxPorts) {
    this.#stretched = new StretchCache(ports.stretch);
    this.#ports = { ...ports, stretch: this.#stretched.stretch };
    this.#space = new HostSpace(ports.fs);
  }

  status(drive: Drive): EncryptionStatus {
    const state = readState(this.#ports.fs, imagePlaces(drive.root));
    if (state === undefined || state.phase === "opening") {
      return { state: this.#content(drive) === "bitlocker" ? "locked" : "off" };
    }
    if (state.phase === "making") return { state: "off" };
    return { state: state.phase === "open" ? "on" : state.phase === "sealed" ? "locked" : "encrypting" };
  }

  async inspect(drive: Drive, wish: { key: string } | { format: boolean }): Promise<ClosedVolume> {
    if (!("key" in wish)) {
      checkSize(drive);
      if (!wish.format) throw formatNeeded(drive, this.#content(drive));
      const freeBytes = Math.max(0, drive.sizeBytes - emptyVolumeBytes(drive.sizeBytes));
      return { freeBytes, clusterBytes: CLUSTER_BYTES, rootNames: [] };
    }
    const { key } = wish;
    return await this.#told(drive, async () => {
      const state = readState(this.#ports.fs, imagePlaces(drive.root));
      if (state !== undefined && ["open", "sealing"].includes(state.phase)) {
        await this.#unmount(drive);
        await this.#checkKey(drive, state, key);
        return withVolume(this.#ports.fs, plainPath(drive.root), "read", (file) =>
          contentsOfVolume(new NtfsVolume(file.read)),
        );
      }
      return await withVolume(this.#ports.fs, drive.root, "read", async (file) => {
        const opened = await openVolume(file.read, file.sizeBytes(), key, this.#ports.stretch);
        try {
          return contentsOfVolume(new NtfsVolume(plainView(file.read, opened)));
        } finally {
          opened.dataKey.fill(0);
        }
      });
    });
  }

  /** Makes an empty volume in the plain file. The same key again confirms or repeats an earlier call. */
  async encrypt(drive: Drive, key: string, options: EncryptOptions): Promise<void> {
    await this.#told(drive, async () => {
      const state = readState(this.#ports.fs, imagePlaces(drive.root));
      if (state !== undefined && state.phase !== "making" && state.phase !== "opening") {
        if (await this.#opens(drive, state, key)) return;
        throw alreadyEncrypted(drive);
      }
      const content = this.#content(drive);
      if (content === "bitlocker" && (await this.#opens(drive, undefined, key))) return;
      if (options.format === undefined) throw formatNeeded(drive, content);
      await this.#make(drive, key, options.format.label, options);
    });
  }

  async adopt(drive: Drive, key: string): Promise<void> {
    await this.#told(drive, () => this.#checkKey(drive, readState(this.#ports.fs, imagePlaces(drive.root)), key));
  }

  async open(drive: Drive, key: string, options: EncryptOptions): Promise<{ root: string }> {
    return await this.#told(drive, async () => {
      const mountPoint = this.#mountPoint(drive);
      await unmount(this.#ports, mountPoint);
      const state = this.#afterInterruption(drive, readState(this.#ports.fs, imagePlaces(drive.root)));
      if (state === undefined) await this.#fill(drive, key, options);
      else {
        await this.#checkKey(drive, state, key);
        // Sealing that was cut short is begun anew after this session's work.
        if (state.phase === "sealing")
          writeState(this.#ports.fs, imagePlaces(drive.root), { ...state, phase: "open", doneBelow: 0 });
      }
      await mountNtfs(this.#ports, plainPath(drive.root), mountPoint);
      return { root: mountPoint };
    });
  }

  async close(drive: Drive, key: string, options: EncryptOptions): Promise<CloseReport> {
    return await this.#told(drive, async () => {
      await this.#unmount(drive);
      const state = this.#afterInterruption(drive, readState(this.#ports.fs, imagePlaces(drive.root)));
      if (state === undefined) return NOTHING_DONE;
      await sealImage(this.#ports, imagePlaces(drive.root), state, key, options);
      const report = await this.#check(drive, key, state, options);
      await this.#stretched.forget();
      const leftBehind = this.#removePlain(drive);
      return leftBehind === undefined ? report : { ...report, leftBehind };
    });
  }

  /** A volume that others do not open is made again from its plain file, which is kept for that. */
  async #check(drive: Drive, key: string, state: OpenImageState, { signal }: EncryptOptions): Promise<CloseReport> {
    const report = await checkVolume(this.#ports.runner, drive.root, key, signal);
    try {
      requireOpened(drive, report);
      return report;
    } catch (error) {
      writeState(this.#ports.fs, imagePlaces(drive.root), { ...state, phase: "open", doneBelow: 0 });
      throw error;
    }
  }

  async release(drive: Drive): Promise<void> {
    await this.#stretched.forget();
    await this.#unmount(drive);
  }

  async #unmount(drive: Drive): Promise<void> {
    const mountPoint = this.#mountPoint(drive);
    if (isMounted(this.#ports.fs, mountPoint)) await unmount(this.#ports, mountPoint);
  }

  #mountPoint(drive: Drive): string {
    return joinPath(joinPath(this.#ports.stateDirectory, "mounts"), driveIdToFileName(drive.driveId));
  }

  async #make(drive: Drive, key: string, label: string, options: EncryptOptions): Promise<void> {
    const { fs } = this.#ports;
    const places = imagePlaces(drive.root);
    const { sizeBytes } = drive;
    checkSize(drive);
    this.#refuseForeignPlainFile(drive);
    const mountPoint = this.#mountPoint(drive);
    await unmount(this.#ports, mountPoint);
    this.#space.require(drive, 2 * (emptyVolumeBytes(sizeBytes) + (options.plannedBytes ?? 0)));
    writeState(fs, places, newState("making", sizeBytes, true));
    removePlainFile(fs, places);
    createPlainFile(fs, places, sizeBytes);
    makeImageFile(fs, drive);
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    const made = await makePlainVolume(this.#ports, places, key, {
      label,
      sizeBytes,
      mountPoint,
      startSector: USUAL_START_SECTOR,
      ...signal,
    });
    writeState(fs, places, { ...newState("making", sizeBytes, true), ...made, phase: "open" });
  }

  /** Decrypts the image into the plain file. */
  async #fill(drive: Drive, key: string, options: EncryptOptions): Promise<void> {
    const { fs } = this.#ports;
    const places = imagePlaces(drive.root);
    this.#refuseForeignPlainFile(drive);
    const { freeBytes } = await this.inspect(drive, { key });
    this.#space.require(drive, drive.sizeBytes - freeBytes + 2 * (options.plannedBytes ?? 0));
    const { sizeBytes } = drive;
    writeState(fs, places, newState("opening", sizeBytes, false));
    removePlainFile(fs, places);
    createPlainFile(fs, places, sizeBytes);
    const filled = await fillPlainFile(this.#ports, places, key, options);
    writeState(fs, places, {
      ...newState("opening", sizeBytes, false),
      ...filled,
      sizeBytes: filled.layout.sizeBytes,
      phase: "open",
    });
  }

  /** The open state, or undefined when the image is the whole truth; what is only in the way is removed. */
  #afterInterruption(drive: Drive, state: ImageState | undefined): OpenImageState | undefined {
    if (state === undefined) return undefined;
    if (state.phase === "sealed" || !isComplete(state)) {
      this.#removePlain(drive);
      return undefined;
    }
    return state;
  }

  /** The path of the plain file when it cannot be removed; the state stays then, and the next call tries again. */
  #removePlain(drive: Drive): string | undefined {
    const { fs } = this.#ports;
    const path = plainPath(drive.root);
    try {
      fs.unlink(path);
      fsyncDirectory(fs, directoryOf(path));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") return path;
    }
    removeState(fs, imagePlaces(drive.root));
    return undefined;
  }

  /** A file of this name that no state speaks of is somebody's. */
  #refuseForeignPlainFile(drive: Drive): void {
    const path = plainPath(drive.root);
    if (readState(this.#ports.fs, imagePlaces(drive.root)) !== undefined) return;
    try {
      this.#ports.fs.lstat(path);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot look at "${path}": ${describeErrno(error)}`);
    }
    throw new EncryptionError("ENCRYPTION_FAILED", `"${path}" is there already and would be overwritten`, {
      hint: "move it away",
    });
  }

  async #checkKey(drive: Drive, state: ImageState | undefined, key: string): Promise<void> {
    const { fs, stretch } = this.#ports;
    if (state !== undefined && isComplete(state) && state.phase !== "sealed") {
      (await openPlainFile(this.#ports, imagePlaces(drive.root), state, key)).dataKey.fill(0);
      return;
    }
    await withVolume(fs, drive.root, "read", async (file) => {
      (await openVolume(file.read, file.sizeBytes(), key, stretch)).dataKey.fill(0);
    });
  }

  async #opens(drive: Drive, state: ImageState | undefined, key: string): Promise<boolean> {
    try {
      await this.#checkKey(drive, state, key);
      return true;
    } catch (error) {
      if (!(error instanceof BitLockerFormatError)) throw error;
      // A volume that cannot be read here is not one that an earlier call made.
      if (error.problem === "wrong-key" || state === undefined) return false;
      throw error;
    }
  }

  #content(drive: Drive): "bitlocker" | "ntfs" | "other" | "absent" {
    try {
      return withVolume(this.#ports.fs, drive.root, "read", (file) => {
        if (isVolumeHeader(file.read(0, SECTOR_BYTES))) return "bitlocker";
        return looksLikeNtfs(file) ? "ntfs" : "other";
      });
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return "absent";
      throw error;
    }
  }

  async #told<T>(drive: Drive, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const told = toDriveError(drive, error);
      if (errnoOf(told) === undefined) throw told;
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot use ${named(drive)}: ${describeErrno(told)}`, {
        cause: error,
      });
    }
  }
}
