/**
 * A Linux machine in a directory: its files and devices are files there, its programs are played by a few lines each
 * (mkntfs writes the recorded volume, mounting and mapping leave traces where the kernel would). What runs on it can be
 * killed before any of its steps; mounts and mappings outlive it, as they do.
 */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { convertRange, RANGE_BYTES } from "../../../src/bitlocker/convert-range.ts";
import { stretchKey } from "../../../src/bitlocker/key-stretch.ts";
import { NtfsVolume } from "../../../src/bitlocker/ntfs-volume.ts";
import { openVolume, type Stretch } from "../../../src/bitlocker/open-volume.ts";
import type { ConvertJob } from "../../../src/bitlocker/worker-threads.ts";
import { SectorCipher } from "../../../src/bitlocker/xts.ts";
import type { LinuxPorts } from "../../../src/drives/linux/linux-ports.ts";
import { type FileSystem, nodeFileSystem } from "../../../src/platform/file-system.ts";
import type { ProcessResult, ProcessRunner, RunOptions } from "../../../src/platform/processes.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { ntfsFixture, readerOf } from "../../bitlocker/ntfs-fixture.ts";

const VOLUME = ntfsFixture();
export const VOLUME_BYTES = VOLUME.length;
const LAST_SECTOR = { at: VOLUME_BYTES - 512, bytes: 512 };
const VOLUME_EXTENTS = [...new NtfsVolume(readerOf(VOLUME)).usedExtents(), LAST_SECTOR];
const MOUNT_PID = "4711";

/** What a kill looks like from inside: nothing that the program does afterwards has any effect. */
export class Killed extends Error {}

export class SimulatedLinux {
  readonly base: string;
  /** Steps so far: changes of files and programs run. */
  steps = 0;
  /** The step before which the program is killed. */
  killBefore = Number.POSITIVE_INFINITY;
  /** Programs run, with their arguments; never what went in on standard input. */
  readonly runs: string[] = [];
  /** Programs that fail, by a part of their line, with this exit code. */
  readonly failing = new Map<string, number>();
  readonly missing = new Set(["bdeinfo", "dislocker-metadata"]);

  constructor(base: string) {
    this.base = base;
    this.write("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
    this.write("/proc/swaps", "");
    this.write("/proc/devices", "Block devices:\n253 device-mapper\n");
    this.write("/dev/fuse", "");
    fs.mkdirSync(this.at("/dev/mapper"), { recursive: true });
    fs.mkdirSync(this.at("/data"), { recursive: true });
  }

  at(path: string): string {
    return join(this.base, path);
  }

  write(path: string, content: string | Buffer): void {
    fs.mkdirSync(dirname(this.at(path)), { recursive: true });
    fs.writeFileSync(this.at(path), content);
  }

  /** Another run on the same machine. */
  ports(): LinuxPorts {
    this.steps = 0;
    return {
      fs: this.#fileSystem(),
      runner: this.#runner(),
      clock: { nowMs: () => Date.UTC(2026, 2, 1), monotonicMs: () => this.steps * 10_000 },
      random: systemRandom,
      stretch: this.stretch,
      convert: async (job) => this.#convert(job),
      stateDirectory: "/state",
      machine: "prephost",
    };
  }

  /** One round instead of a million. */
  readonly stretch: Stretch = async (key, salt) => stretchKey(key, salt, 1);

  /** What the kernel forgets when the machine starts again. */
  restart(): void {
    for (const mountPoint of this.mounts()) this.#unmount(mountPoint);
    for (const name of fs.readdirSync(this.at("/dev/mapper"))) fs.unlinkSync(this.at(`/dev/mapper/${name}`));
  }

  mounts(): string[] {
    const lines = fs.readFileSync(this.at("/proc/self/mountinfo"), "utf8").split("\n").filter(Boolean);
    return lines.map((line) => line.split(" ")[4] as string).filter((mountPoint) => mountPoint !== "/");
  }

  mappings(): string[] {
    return fs.readdirSync(this.at("/dev/mapper"));
  }

  #step(): void {
    this.steps += 1;
    if (this.steps >= this.killBefore) throw new Killed(`killed before step ${this.killBefore}`);
  }

  #alive(): void {
    if (this.steps >= this.killBefore) throw new Killed("this program was killed");
  }

  #fileSystem(): FileSystem {
    const real = nodeFileSystem;
    const at = (path: string): string => this.at(path);
    const looks = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        this.#alive();
        return call(...args);
      };
    };
    const changes = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        this.#step();
        return call(...args);
      };
    };
    return {
      ...real,
      open: (path, flags, mode) => {
        if ((flags & fs.constants.O_CREAT) !== 0) this.#step();
        this.#alive();
        return real.open(at(path), flags, mode);
      },
      write: looks(real.write),
      // Kills lose nothing that was written; power cuts are not simulated here.
      fsync: changes(() => undefined),
      ftruncate: changes(real.ftruncate),
      lstat: looks((path) => real.lstat(at(path))),
      stat: looks((path) => real.stat(at(path))),
      readdir: looks((path) => real.readdir(at(path))),
      openDirectory: looks((path) => real.openDirectory(at(path))),
      mkdir: changes((path, mode) => real.mkdir(at(path), mode)),
      rmdir: changes((path) => real.rmdir(at(path))),
      unlink: changes((path) => real.unlink(at(path))),
      rename: changes((from, to) => real.rename(at(from), at(to))),
      realpath: looks((path) => real.realpath(at(path)).slice(this.base.length) || "/"),
      statfs: looks((path) => real.statfs(at(path))),
    };
  }

  #runner(): ProcessRunner {
    return {
      run: async (command, args, options = {}) => {
        this.#step();
        const line = [command, ...args].join(" ");
        if (this.missing.has(command.split("/").at(-1) ?? "")) return ended(-1, { failure: "missing" });
        if (args[0] === "--version" || args[0] === "-V") return ended(0, { stdout: `${command} 2.6.1` });
        this.runs.push(line);
        for (const [part, exitCode] of this.failing) {
          if (line.includes(part)) return ended(exitCode, { stderr: `${command} failed as told` });
        }
        return await this.#run(command, args, options);
      },
    };
  }

  async #run(command: string, args: readonly string[], { input }: RunOptions): Promise<ProcessResult> {
    const last = args.at(-1) ?? "";
    switch (command) {
      case "mkntfs":
        this.#format(last);
        return ended(0);
      case "ntfs-3g":
        this.#mount(args.at(-2) ?? "", last);
        return ended(0);
      case "fusermount3":
      case "umount":
        this.#unmount(last);
        return ended(0);
      case "cryptsetup":
        return await this.#cryptsetup(args, input ?? "");
      case "lsblk":
        return ended(0, { stdout: '{"blockdevices":[]}' });
      case "setfattr":
        return ended(0);
      default:
        return ended(-1, { failure: "missing" });
    }
  }

  /** Sparse, as the real one leaves it. */
  #format(path: string): void {
    const fd = fs.openSync(this.at(path), "r+");
    for (const { at, bytes } of VOLUME_EXTENTS) fs.writeSync(fd, VOLUME, at, bytes, at);
    fs.closeSync(fd);
  }

  #mount(volume: string, mountPoint: string): void {
    const line = `30 1 0:50 / ${mountPoint} rw,relatime - fuse ${volume} rw\n`;
    fs.appendFileSync(this.at("/proc/self/mountinfo"), line);
    this.write(`/proc/${MOUNT_PID}/cmdline`, ["ntfs-3g", volume, mountPoint, ""].join("\0"));
  }

  #unmount(mountPoint: string): void {
    const path = this.at("/proc/self/mountinfo");
    const lines = fs.readFileSync(path, "utf8").split("\n").filter(Boolean);
    fs.writeFileSync(
      path,
      lines
        .filter((line) => line.split(" ")[4] !== mountPoint)
        .map((line) => `${line}\n`)
        .join(""),
    );
    fs.rmSync(this.at(`/proc/${MOUNT_PID}`), { recursive: true, force: true });
    fs.rmSync(this.at(mountPoint), { recursive: true, force: true });
    fs.mkdirSync(this.at(mountPoint));
  }

  async #cryptsetup(args: readonly string[], key: string): Promise<ProcessResult> {
    if (args[0] === "close") {
      fs.unlinkSync(this.at(`/dev/mapper/${args.at(-1)}`));
      return ended(0);
    }
    const isTest = args.includes("--test-passphrase");
    const device = args.at(isTest ? -1 : -2) ?? "";
    if (!(await this.opens(device, key))) return ended(2, { stderr: "No key available with this passphrase." });
    if (!isTest) this.write(`/dev/mapper/${args.at(-1)}`, "");
    return ended(0);
  }

  async opens(device: string, key: string): Promise<boolean> {
    const bytes = fs.readFileSync(this.at(device));
    try {
      await openVolume(readerOf(bytes), bytes.length, key, this.stretch);
      return true;
    } catch {
      return false;
    }
  }

  #convert({ from, to, direction, dataKey, ranges, onProgress }: ConvertJob): void {
    const files = {
      fromFd: fs.openSync(this.at(from), "r"),
      toFd: fs.openSync(this.at(to), "r+"),
    };
    const cipher = new SectorCipher(dataKey);
    const buffer = Buffer.alloc(RANGE_BYTES);
    let converted = 0;
    try {
      for (const range of ranges) {
        this.#step();
        convertRange(nodeFileSystem, files, cipher, direction, buffer, range);
        converted += range.bytes;
        onProgress(range.at + range.bytes, converted);
      }
    } finally {
      fs.closeSync(files.fromFd);
      fs.closeSync(files.toFd);
    }
  }
}

function ended(exitCode: number, more: Partial<ProcessResult> = {}): ProcessResult {
  return { exitCode, stdout: "", stderr: "", ...more };
}
