/**
 * Getting what was written onto the drive's medium. Where a whole volume can be flushed at once (Linux: `sync -f`, which
 * is syncfs and reports write errors) a checkpoint costs one flush; elsewhere every file is fsynced by who writes it.
 * macOS has no such call: sync(2) there only schedules the writes, so it counts as "per-file".
 */
import { DriveRefusedError, describeErrno } from "./app-error.ts";
import { fsyncDirectory } from "./durable-file.ts";
import type { FileSystem } from "./file-system.ts";
import { describeRun, type ProcessRunner } from "./processes.ts";

export type FlushMethod = "volume" | "per-file";

/** What the platform can do at best. */
export function chooseFlush(platform: NodeJS.Platform): FlushMethod {
  return platform === "linux" ? "volume" : "per-file";
}

/** What works here: the platform's choice, tried once on `directory`; a missing or too old `sync` means "per-file". */
export async function probeFlush(
  runner: ProcessRunner,
  platform: NodeJS.Platform,
  directory: string,
): Promise<FlushMethod> {
  if (chooseFlush(platform) === "per-file") return "per-file";
  const result = await runner.run("sync", ["-f", "--", directory]);
  return result.exitCode === 0 ? "volume" : "per-file";
}

/** Flushes the volume that holds `directory`; only for volumes whose probe said "volume". */
export async function flushVolume(runner: ProcessRunner, fs: FileSystem, directory: string): Promise<void> {
  // Through the port, so that tests of faults and power cuts see the barrier; it also fails at once if the drive is gone.
  try {
    fsyncDirectory(fs, directory);
  } catch (error) {
    const message = `cannot flush "${directory}": ${describeErrno(error)}`;
    throw new DriveRefusedError("DRIVE_FAILED", message, { cause: error });
  }
  const result = await runner.run("sync", ["-f", "--", directory]);
  if (result.exitCode === 0) return;
  throw new DriveRefusedError("DRIVE_FAILED", `cannot flush "${directory}": ${describeRun("sync", result)}`);
}
