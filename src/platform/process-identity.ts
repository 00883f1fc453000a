/**
 * Who this process is and whether another one still runs, as the lock files need it: a pid alone is not enough, because
 * the system hands it out again.
 *
 * Linux: start time from /proc/<pid>/stat, boot id from the kernel; both exact. macOS: start time as `ps` prints it (to
 * the second), boot session from sysctl. Windows: the process exists or not, and a lock older than the boot is dead; a
 * pid that was handed out again since then looks alive.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { hostname, uptime } from "node:os";
import { errnoOf } from "./app-error.ts";
import { readWholeFile } from "./durable-file.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";

export interface ProcessIdentity {
  pid: number;
  /** Comparable by equality only; "" where the platform does not tell. */
  startTime: string;
  /** Changes with every start of the machine; "" where the platform does not tell. */
  bootId: string;
  host: string;
  /** Tells machines of the same host name, and containers of one machine, apart. */
  machine: string;
}

export interface ProcessTable {
  currentProcess(): ProcessIdentity;
  /** Is the process that had this pid and start time, on this machine and boot, still there? */
  isAlive(pid: number, startTime: string): boolean;
  /** Calls back when this process exits by itself; returns how to call that off. */
  onExit(callback: () => void): () => void;
}

export function createProcessTable(platform: NodeJS.Platform, fs: FileSystem = nodeFileSystem): ProcessTable {
  const startTimeOf = startTimeReader(platform, fs);
  const identity: ProcessIdentity = {
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? "",
    bootId: bootId(platform, fs),
    host: hostname(),
    machine: machineId(fs),
  };
  return {
    currentProcess: () => identity,
    isAlive: (pid, startTime) => {
      if (!exists(pid)) return false;
      const actual = startTimeOf(pid, startTime);
      return actual === undefined || startTime === "" || actual === startTime;
    },
    onExit,
  };
}

/** Does a process of this pid exist? A process of another user does, too. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}

type StartTimeReader = (pid: number, claimed?: string) => string | undefined;

function startTimeReader(platform: NodeJS.Platform, fs: FileSystem): StartTimeReader {
  if (platform === "linux") return (pid) => linuxStartTime(fs, pid);
  if (platform === "win32") {
    const ownStartMs = String(Math.round(Date.now() - process.uptime() * 1000));
    return (pid, claimed) => (pid === process.pid ? ownStartMs : afterBoot(claimed));
  }
  return (pid) => {
    const listed = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env: { LC_ALL: "C" } });
    return listed.status === 0 ? listed.stdout.trim() || undefined : undefined;
  };
}

/** Field 22 of /proc/<pid>/stat, clock ticks since boot; the program's name before it may hold blanks and brackets. */
function linuxStartTime(fs: FileSystem, pid: number): string | undefined {
  const stat = readText(fs, `/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/** A start before the machine's start cannot be that of a process that exists now; otherwise the claim stands. */
function afterBoot(claimedMs = ""): string | undefined {
  const bootMs = Date.now() - uptime() * 1000;
  const toleranceMs = 60_000;
  return claimedMs !== "" && Number(claimedMs) < bootMs - toleranceMs ? "before boot" : claimedMs;
}

function bootId(platform: NodeJS.Platform, fs: FileSystem): string {
  if (platform === "linux") return readText(fs, "/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  if (platform !== "darwin") return "";
  const asked = spawnSync("sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" });
  return asked.status === 0 ? asked.stdout.trim() : "";
}

/** A digest, since the machine id itself is not to be published; with the pid namespace, since pids mean nothing outside. */
function machineId(fs: FileSystem): string {
  const id = readText(fs, "/etc/machine-id")?.trim() ?? "";
  const digest = id === "" ? "" : createHash("sha256").update(`waimportexport ${id}`).digest("hex").slice(0, 12);
  try {
    return `${digest}/${fs.stat("/proc/self/ns/pid").fileId}`;
  } catch {
    return digest;
  }
}

function readText(fs: FileSystem, path: string): string | undefined {
  try {
    return readWholeFile(fs, path, 64 * 1024).toString("utf8");
  } catch {
    return undefined;
  }
}

const exitCallbacks = new Set<() => void>();

/** One listener for all callbacks: a run holds a lock per drive, and Node warns above ten listeners. */
function onExit(callback: () => void): () => void {
  if (exitCallbacks.size === 0) process.once("exit", runExitCallbacks);
  exitCallbacks.add(callback);
  return () => {
    exitCallbacks.delete(callback);
    if (exitCallbacks.size === 0) process.off("exit", runExitCallbacks);
  };
}

function runExitCallbacks(): void {
  for (const callback of [...exitCallbacks]) callback();
}
