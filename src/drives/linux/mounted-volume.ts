/**
 * Volumes that the user opened and mounted: nothing is encrypted, formatted or closed here. That the mount lies on an
 * opened BitLocker volume is checked, and that the key is the one which opens it: the service will have nothing else.
 */
import { openVolume } from "../../bitlocker/open-volume.ts";
import { DriveRefusedError, EncryptionError, errnoOf } from "../../platform/app-error.ts";
import type { Drive } from "../drive.ts";
import type { EncryptionStatus } from "../encryption/encryption.ts";
import type { BlockDevice, BlockDevices } from "./block-devices.ts";
import { isBitLockerMapping } from "./disk-guard.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { type LinuxPaths, lookAtMachine, REAL_PATHS } from "./machine.ts";
import { withVolume } from "./volume-file.ts";
import { named, toDriveError } from "./volume-keys.ts";

const OTHER_WAY = "unmount it and name its partition, as in /dev/sdb1, which is then opened and closed for you";

export class MountedVolumes {
  readonly #ports: LinuxPorts;
  readonly #paths: LinuxPaths;

  constructor(ports: LinuxPorts, paths: LinuxPaths = REAL_PATHS) {
    this.#ports = ports;
    this.#paths = paths;
  }

  async status(drive: Drive): Promise<EncryptionStatus> {
    const { device } = await this.#look(drive);
    return { state: device !== undefined && isBitLockerMapping(device) ? "on" : "off" };
  }

  /** A mounted volume cannot be encrypted under its mount. */
  refuseEncrypt(drive: Drive): DriveRefusedError {
    const facts = { driveId: drive.driveId, place: drive.place };
    return new DriveRefusedError("ENCRYPTION_UNAVAILABLE", `${named(drive)} is mounted and cannot be encrypted so`, {
      facts,
      hint: OTHER_WAY,
    });
  }

  async adopt(drive: Drive, key: string): Promise<void> {
    const { device, devices } = await this.#look(drive);
    const below =
      device === undefined || !isBitLockerMapping(device) ? undefined : devices.byName(device.slaves[0] ?? "");
    if (below === undefined) {
      const message = `${named(drive)} does not lie on a BitLocker volume that the kernel opened`;
      throw new EncryptionError("ENCRYPTION_FAILED", message, { hint: OTHER_WAY });
    }
    await this.#checkKey(drive, below, devices, key);
  }

  async #checkKey(drive: Drive, below: BlockDevice, devices: BlockDevices, key: string): Promise<void> {
    const path = `/dev/${below.name}`;
    const sizeBytes = 512 * Number(devices.text(`${below.path}/size`) ?? 0);
    try {
      await withVolume(this.#ports.fs, path, "read", async (file) => {
        (await openVolume(file.read, sizeBytes, key, this.#ports.stretch)).dataKey.fill(0);
      });
    } catch (error) {
      if (errnoOf(error) === undefined) throw toDriveError(drive, error);
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot read "${path}" to check the key of ${named(drive)}`, {
        hint: "run as root: devices belong to it",
        cause: error,
      });
    }
  }

  async #look(drive: Drive): Promise<{ device: BlockDevice | undefined; devices: BlockDevices }> {
    const { devices } = await lookAtMachine(this.#ports.fs, this.#ports.runner, this.#paths);
    const number = /^block (\d+:\d+)$/.exec(drive.volumeKey)?.[1];
    return { device: number === undefined ? undefined : devices.byNumber(number), devices };
  }
}
