/** One look at a whole Linux machine: what is mounted, which disks there are, what the system stands on. */
import { DriveRefusedError } from "../../platform/app-error.ts";
import { readWholeFile } from "../../platform/durable-file.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { ProcessRunner } from "../../platform/processes.ts";
import { BlockDevices } from "./block-devices.ts";
import { systemDevices } from "./disk-guard.ts";
import { type BlockFacts, runLsblk } from "./lsblk.ts";
import { type Mount, mountOf, parseMountinfo, parseSwaps } from "./mountinfo.ts";

/** Where the kernel and udev tell about themselves; tests put recorded trees in their place. */
export interface LinuxPaths {
  proc: string;
  sys: string;
  udevData: string;
}

export const REAL_PATHS: LinuxPaths = { proc: "/proc", sys: "/sys", udevData: "/run/udev/data" };

export interface Snapshot {
  mounts: readonly Mount[];
  devices: BlockDevices;
  facts: ReadonlyMap<string, BlockFacts>;
  system: ReadonlySet<string>;
}

export async function lookAtMachine(fs: FileSystem, runner: ProcessRunner, paths: LinuxPaths): Promise<Snapshot> {
  return { ...lookAtMounts(fs, paths), facts: await runLsblk(runner) };
}

/**
 * The same for one place. A place on no block device (memory, network) needs no facts of disks, and asking lsblk costs
 * 50 ms and more.
 */
export async function lookAtPlace(
  fs: FileSystem,
  runner: ProcessRunner,
  paths: LinuxPaths,
  found: { root: string; isBlockDevice: boolean },
): Promise<Snapshot> {
  const seen = lookAtMounts(fs, paths);
  const mount = mountOf(seen.mounts, found.root);
  const isOnDisk = found.isBlockDevice || mount === undefined || seen.devices.ofMount(mount) !== undefined;
  return { ...seen, facts: isOnDisk ? await runLsblk(runner) : new Map() };
}

function lookAtMounts(fs: FileSystem, paths: LinuxPaths): Omit<Snapshot, "facts"> {
  const mounts = readMounts(fs, `${paths.proc}/self/mountinfo`);
  const devices = new BlockDevices(fs, paths.sys, mounts);
  const swaps = parseSwaps(readText(fs, `${paths.proc}/swaps`));
  return { mounts, devices, system: systemDevices(devices, mounts, swaps) };
}

/** One mount of every mounted block device, the one of its whole file system where there is one. */
export function candidateMounts({ mounts, devices }: Snapshot): Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const mount of mounts) {
    const device = devices.ofMount(mount);
    if (device === undefined) continue;
    const known = byDevice.get(device.name);
    if (known === undefined || (known.root !== "/" && mount.root === "/")) byDevice.set(device.name, mount);
  }
  return [...byDevice.values()];
}

/** Without the mounts a real volume would pass for a plain directory: no guess is made. */
function readMounts(fs: FileSystem, path: string): Mount[] {
  const mounts = parseMountinfo(readText(fs, path));
  if (mounts.length > 0) return mounts;
  throw new DriveRefusedError(
    "DRIVE_KIND_UNSUPPORTED",
    `cannot see what is mounted on this machine: "${path}" is empty`,
  );
}

/** A text of the kernel or of udev; empty when it is not there. */
export function readText(fs: FileSystem, path: string): string {
  try {
    return readWholeFile(fs, path, 16 * 1024 * 1024).toString("utf8");
  } catch {
    return "";
  }
}
