/**
 * Mounting an NTFS volume that lies in a file, through ntfs-3g and FUSE: no loop device, no root. After unmounting, its
 * process still has to end before the file may be read: the kernel does not wait for it.
 */
import { setTimeout as wait } from "node:timers/promises";
import { EncryptionError, errnoOf } from "../../platform/app-error.ts";
import { makeDirectories, readWholeFile } from "../../platform/durable-file.ts";
import { joinPath } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import { describeRun, type ProcessRunner } from "../../platform/processes.ts";
import { readText } from "./machine.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { requireTool, runTool } from "./tools.ts";

const PROC = "/proc";
/** Other users see nothing; names that Windows could not read are refused; large writes reach ntfs-3g in one piece. */
const OPTIONS = "umask=0077,windows_names,big_writes,noatime";
const POLL_MS = 50;
const UNMOUNT_ATTEMPTS = 100;
const END_ATTEMPTS = 1_200;

export interface MountPorts {
  fs: FileSystem;
  runner: ProcessRunner;
}

/** Mounts `volume` (a file or a device) at `mountPoint`, which is made. What was mounted there before is unmounted. */
export async function mountNtfs(ports: MountPorts, volume: string, mountPoint: string): Promise<void> {
  await unmount(ports, mountPoint);
  makeDirectories(ports.fs, mountPoint, 0o700);
  await requireTool(ports.runner, `mount "${volume}"`, "ntfs-3g", ["-o", OPTIONS, volume, mountPoint]);
  if (isMounted(ports.fs, mountPoint) && mountProcesses(ports.fs, mountPoint).length > 0) return;
  await unmount(ports, mountPoint);
  throw new EncryptionError("ENCRYPTION_FAILED", `cannot see the process that mounts "${volume}"`, {
    hint: "mount /proc without hidepid, or run as root",
  });
}

/** Resolves when nothing is mounted there and the process behind the mount has ended. */
export async function unmount(ports: MountPorts, mountPoint: string): Promise<void> {
  const { fs, runner } = ports;
  const pids = mountProcesses(fs, mountPoint);
  let said = "it stays mounted";
  for (let attempt = 0; isMounted(fs, mountPoint); attempt++) {
    if (attempt === UNMOUNT_ATTEMPTS) {
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot unmount "${mountPoint}": ${said}`, {
        hint: "close what uses it and run the same command again",
      });
    }
    if (attempt > 0) await wait(POLL_MS);
    for (const [tool, args] of [
      ["fusermount3", ["-u", "--", mountPoint]],
      ["umount", ["--", mountPoint]],
    ] as const) {
      if (!isMounted(fs, mountPoint)) break;
      const result = await runTool(runner, tool, args);
      if (result.exitCode !== 0) said = describeRun(tool, result);
    }
  }
  await processesEnd(fs, mountPoint, pids);
  removeMountPoint(fs, mountPoint);
}

async function processesEnd(fs: FileSystem, mountPoint: string, pids: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < END_ATTEMPTS; attempt++) {
    if (!pids.some((pid) => mountsAt(fs, pid, mountPoint))) return;
    await wait(POLL_MS);
  }
  throw new EncryptionError("ENCRYPTION_FAILED", `the process that mounted "${mountPoint}" does not end`);
}

export function isMounted(fs: FileSystem, mountPoint: string): boolean {
  return parseMountinfo(readText(fs, `${PROC}/self/mountinfo`)).some((mount) => mount.mountPoint === mountPoint);
}

function mountProcesses(fs: FileSystem, mountPoint: string): string[] {
  const pids = fs.readdir(PROC).map((entry) => entry.name);
  return pids.filter((name) => /^\d+$/.test(name) && mountsAt(fs, name, mountPoint));
}

/** The arguments of a process that has ended read as empty. */
function mountsAt(fs: FileSystem, pid: string, mountPoint: string): boolean {
  try {
    const args = readWholeFile(fs, joinPath(joinPath(PROC, pid), "cmdline"), 1024 * 1024)
      .toString("utf8")
      .split("\0");
    return /(^|\/)ntfs-3g$/.test(args[0] ?? "") && args.includes(mountPoint);
  } catch {
    return false;
  }
}

function removeMountPoint(fs: FileSystem, mountPoint: string): void {
  try {
    fs.rmdir(mountPoint);
  } catch (error) {
    // Somebody's file lies in it, or it was never made.
    if (errnoOf(error) === undefined) throw error;
  }
}
