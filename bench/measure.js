// Running a command and knowing what it cost: wall time from the monotonic clock, CPU time and peak memory from GNU time
// where it is installed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const GNU_TIME = "/usr/bin/time";
const hasGnuTime = existsSync(GNU_TIME);
const scratch = mkdtempSync(join(tmpdir(), "waimportexport-bench-time-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** Seconds, and MiB of the largest process; throws with the command's own words when it fails. */
export function measure(command, args, env = {}) {
  const report = join(scratch, "report");
  const [file, all] = hasGnuTime ? [GNU_TIME, ["-o", report, "-f", "%U %S %M", command, ...args]] : [command, args];
  const startedMs = performance.now();
  const result = spawnSync(file, all, { encoding: "utf8", env: { ...process.env, ...env }, maxBuffer: 2 ** 28 });
  const seconds = (performance.now() - startedMs) / 1000;
  if (result.status !== 0) {
    throw new Error(`${command} ended with ${result.status ?? result.signal}: ${result.stderr ?? result.error}`);
  }
  if (!hasGnuTime) return { seconds };
  const [user, system, peakKiB] = readFileSync(report, "utf8").trim().split("\n").at(-1).split(" ").map(Number);
  return { seconds, cpuSeconds: user + system, peakMiB: peakKiB / 1024 };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function isInstalled(command) {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, command)));
}

export function firstLine(command, args) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return (
    `${stdout}${stderr}`
      .split("\n")
      .find((line) => line.trim() !== "")
      ?.trim() ?? "unknown"
  );
}
