/** Drive images for tests: which programs there are, the encryption bound to the real machine, files to put in. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { convertOnThreads, stretchOnThread } from "../../../src/bitlocker/worker-threads.ts";
import type { Drive } from "../../../src/drives/drive.ts";
import { pathToDriveId } from "../../../src/drives/drive-id.ts";
import type { LinuxPorts } from "../../../src/drives/linux/linux-ports.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { nodeFileSystem } from "../../../src/platform/file-system.ts";
import { type ProcessRunner, systemProcessRunner } from "../../../src/platform/processes.ts";
import { systemRandom } from "../../../src/platform/random.ts";

export function has(tool: string): boolean {
  const { error } = spawnSync(tool, ["--version"], { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  return error === undefined;
}

export const HAS_NTFS = has("mkntfs") && has("ntfs-3g") && has("setfattr") && fs.existsSync("/dev/fuse");
export const HAS_READERS = has("cryptsetup") && has("bdeinfo") && has("dislocker-file");

export function realPorts(directory: string, runner: ProcessRunner = systemProcessRunner): LinuxPorts {
  return {
    fs: nodeFileSystem,
    runner,
    clock: systemClock,
    random: systemRandom,
    stretch: stretchOnThread,
    convert: convertOnThreads,
    stateDirectory: join(directory, "state"),
    machine: hostname(),
  };
}

export function imageAt(path: string, sizeBytes: number): Drive {
  return {
    driveId: pathToDriveId(path),
    place: path,
    root: path,
    kind: "image",
    model: "drive image",
    sizeBytes,
    freeBytes: 0,
    clusterBytes: 4096,
    fileSystem: "",
    volumeKey: path,
    rotational: "unknown",
    transport: "",
    ntfs: false,
    removable: false,
    contents: "a file",
    isSystem: false,
    encryptable: "bitlocker",
    reasons: [],
    warnings: [],
  };
}

/** What no test may leave mounted. */
export function mountsBelow(directory: string): string[] {
  return fs
    .readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(` ${directory}/`));
}

export function unmountAll(directory: string): void {
  for (const line of mountsBelow(directory)) execFileSync("umount", [line.split(" ")[4] ?? ""]);
}

/** Decrypts by an independent program into a file in clear. */
export function dislock(image: string, key: string, to: string): void {
  const { status, stderr } = spawnSync("dislocker-file", ["-q", "-V", image, `-p${key}`, "--", to], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`dislocker-file ended with ${status}: ${stderr}`);
}

/** A file of a volume in clear, without mounting it. */
export function ntfsRead(plain: string, path: string): Buffer {
  return execFileSync("ntfscat", ["-f", plain, path], { maxBuffer: 1024 ** 3 });
}
