/** What of BitLocker this machine can do with a drive, and what is missing for the rest. */
import type { Drive } from "../drive.ts";
import type { EncryptionCapabilities } from "../encryption/encryption.ts";
import type { LinuxPorts } from "./linux-ports.ts";
import { readText } from "./machine.ts";
import { missingTools, packageOf } from "./tools.ts";

const VOLUME_TOOLS = ["mkntfs", "ntfs-3g", "setfattr"];
const FUSE_DEVICE = "/dev/fuse";

export async function abilitiesFor(ports: LinuxPorts, drive?: Drive): Promise<EncryptionCapabilities> {
  if (drive?.kind === "volume") {
    const missing = [`it is mounted: unmount it and name its partition instead, as in "/dev/sdb1"`];
    return { canEncrypt: false, canUnlock: true, missing };
  }
  const missing = [
    ...(await missingForVolumes(ports)),
    ...(drive?.kind === "partition" ? await missingForKernel(ports) : []),
  ];
  return { canEncrypt: missing.length === 0, canUnlock: missing.length === 0, missing };
}

async function missingForVolumes(ports: LinuxPorts): Promise<string[]> {
  const missing = await notInstalled(ports, VOLUME_TOOLS);
  if (!exists(ports, FUSE_DEVICE)) missing.push(`this system has no FUSE ("${FUSE_DEVICE}" is missing)`);
  return missing;
}

async function missingForKernel(ports: LinuxPorts): Promise<string[]> {
  const missing = await notInstalled(ports, ["cryptsetup"]);
  if (!/^\s*\d+ device-mapper$/m.test(readText(ports.fs, "/proc/devices"))) {
    missing.push("this kernel has no device mapper, or its module dm_mod is not loaded; a drive image needs none");
  }
  return missing;
}

async function notInstalled({ runner }: LinuxPorts, tools: readonly string[]): Promise<string[]> {
  const missing = await missingTools(runner, tools);
  return missing.map((tool) => `${tool} is not installed (package ${packageOf(tool)})`);
}

function exists({ fs }: LinuxPorts, path: string): boolean {
  try {
    fs.stat(path);
    return true;
  } catch {
    return false;
  }
}
