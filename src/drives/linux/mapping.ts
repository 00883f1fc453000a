/** BitLocker volumes mapped by the kernel (device mapper, through cryptsetup): the key goes in on standard input only. */
import { EncryptionError } from "../../platform/app-error.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import { describeRun, type ProcessRunner } from "../../platform/processes.ts";
import { driveIdToFileName } from "../drive-id.ts";
import { requireTool, runTool } from "./tools.ts";

/** Mappings of this tool; whatever else maps a drive is none of its business. */
export const MAPPING_PREFIX = "waimportexport-";
const MAPPER = "/dev/mapper";
/** A wrong key, by cryptsetup's manual. */
const NO_PERMISSION = 2;

export function mappingOf(driveId: string): string {
  return `${MAPPING_PREFIX}${driveIdToFileName(driveId)}`;
}

export function mappingPath(name: string): string {
  return `${MAPPER}/${name}`;
}

export function isMapped(fs: FileSystem, name: string): boolean {
  try {
    fs.stat(mappingPath(name));
    return true;
  } catch {
    return false;
  }
}

export async function openMapping(
  runner: ProcessRunner,
  device: string,
  name: string,
  key: string,
  signal?: AbortSignal,
): Promise<void> {
  const args = ["open", "--type", "bitlk", "--key-file", "-", "--", device, name];
  const result = await runTool(runner, "cryptsetup", args, { input: key, ...(signal === undefined ? {} : { signal }) });
  if (result.exitCode === 0) return;
  signal?.throwIfAborted();
  if (result.exitCode === NO_PERMISSION) {
    throw new EncryptionError("BITLOCKER_KEY_WRONG", `the BitLocker key does not open "${device}"`);
  }
  const message = `cannot open "${device}": ${describeRun("cryptsetup", result)}`;
  throw new EncryptionError("ENCRYPTION_FAILED", message, { hint: "the kernel must have dm-crypt; run as root" });
}

export async function closeMapping(fs: FileSystem, runner: ProcessRunner, name: string): Promise<void> {
  if (!isMapped(fs, name)) return;
  await requireTool(runner, `close "${mappingPath(name)}"`, "cryptsetup", ["close", "--", name]);
}
