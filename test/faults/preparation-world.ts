/**
 * A whole machine in memory for preparations: sources, drives, a journal's directory, a clock that only moves when asked,
 * and runs of the real `prepareDrives` with the in-thread copy engine. Every run is a process of its own.
 */
import { createInlineCopyEngine } from "../../src/copy/inline-engine.ts";
import { pathToDriveId } from "../../src/drives/drive-id.ts";
import { createEncryptionChooser } from "../../src/drives/encryption/choose-encryption.ts";
import { createMockEncryption } from "../../src/drives/encryption/mock.ts";
import type { DriveProbe } from "../../src/drives/probe.ts";
import { findPlace, plainDrive, withDriveId } from "../../src/drives/probe-place.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { acquireLock } from "../../src/platform/file-lock.ts";
import type { FileSystem } from "../../src/platform/file-system.ts";
import type { ProcessRunner } from "../../src/platform/processes.ts";
import { type FlushMethod, flushVolume } from "../../src/platform/volume-flush.ts";
import {
  DEFAULT_PREP_OPTIONS,
  type PrepEvent,
  type PrepOptions,
  type PrepOutcome,
  type PrepRequest,
} from "../../src/prep/prep-contract.ts";
import type { PrepPorts } from "../../src/prep/prep-ports.ts";
import { prepareDrives } from "../../src/prep/prepare.ts";
import { Faults } from "./fault-file-system.ts";
import { MemoryFileSystem } from "./memory-file-system.ts";
import { seededBytes } from "./seeded-random.ts";

export const KIB = 1024;
export const MIB = 1024 * KIB;
/** A segment and a bit: the smallest file with two digests. */
const TWO_SEGMENTS = 4 * MIB + 1000;
export const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const DRIVE_HEADER = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
const DATA_HEADER = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
const METADATA = '<?xml version="1.0" encoding="UTF-8"?>\n<Metadata><station>lake</station></Metadata>\n';

export const DRIVES = ["/drives/one", "/drives/two", "/drives/three", "/drives/four"] as const;

class TestClock implements Clock {
  #nowMs = Date.UTC(2024, 4, 2, 18, 24, 14);

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  nowMs(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }

  /** Runs fast, so that a few files are enough for several checkpoints. */
  monotonicMs(): number {
    this.#nowMs += 100;
    return this.#nowMs;
  }
}

export interface RunResult {
  outcome?: PrepOutcome;
  error?: unknown;
  events: PrepEvent[];
}

export interface WorldOptions {
  flush?: FlushMethod;
  /** With a file and a page blob of two segments each: ten times the work. */
  large?: boolean;
  driveBytes?: readonly [number, number, number];
}

/** How many files a session of `createWorld` has, and how many a later one. */
export const FILES = 26;
export const LATER_FILES = 5;

export class World {
  readonly clock = new TestClock();
  readonly faults = new Faults((ms) => this.clock.advance(ms));
  disk: MemoryFileSystem;
  readonly #options: WorldOptions;
  #pid = 1000;
  #boot = 1;
  #runs = 0;

  constructor(disk: MemoryFileSystem, options: WorldOptions = {}) {
    this.disk = disk;
    this.#options = options;
  }

  /** The same machine, disks included, to go another way from here. */
  fork(): World {
    const world = new World(this.disk.clone(), this.#options);
    world.#pid = this.#pid;
    world.#runs = this.#runs;
    return world;
  }

  /** Nothing that was not flushed can be relied on; nothing of before runs any more. */
  cutPower(random: () => number): void {
    this.disk = this.disk.afterPowerCut(random);
    this.#boot += 1;
  }

  async run(request: PrepRequest): Promise<RunResult> {
    const events: PrepEvent[] = [];
    this.#pid += 1;
    this.#runs += 1;
    this.clock.advance(60_000);
    const { signal } = new AbortController();
    try {
      const ports = this.#ports();
      const outcome = await prepareDrives(
        request,
        ports,
        (event) => events.push(event),
        async () => true,
        signal,
      );
      return { outcome, events };
    } catch (error) {
      return { error, events };
    }
  }

  #ports(): PrepPorts {
    const { clock, faults } = this;
    const fs = faults.over(this.disk);
    const random = seededBytes(`run ${this.#runs}`);
    const runner = faults.overProcesses(this.#runner());
    const identity = { pid: this.#pid, startTime: "1", bootId: `boot ${this.#boot}`, host: "here", machine: "m" };
    const processes = {
      currentProcess: () => identity,
      isAlive: (pid: number) => pid === identity.pid,
      onExit: () => () => {},
    };
    return {
      fs,
      clock,
      random,
      platform: "posix",
      clientCreator: "waimportexport 0.0.0-test",
      probe: memoryProbe(fs),
      copyEngine: createInlineCopyEngine(fs, { clock }),
      flushMethod: async () => this.#options.flush ?? "volume",
      flushVolume: (directory) => flushVolume(runner, fs, directory),
      encryption: createEncryptionChooser({ mock: createMockEncryption(fs, "/state") }),
      lock: (path, purpose, breakLock) => acquireLock({ fs, clock, random, processes }, path, { purpose, breakLock }),
      driveLocks: "/state/locks",
      temporaryDirectory: "/tmp",
    };
  }

  /** `sync -f -- <directory>`, the only program that a preparation starts here. */
  #runner(): ProcessRunner {
    return {
      run: async (_command, args) => {
        this.disk.flushVolume(args.at(-1) ?? "/");
        return { exitCode: 0, stdout: "", stderr: "" };
      },
    };
  }
}

function memoryProbe(fs: FileSystem): DriveProbe {
  const probe: DriveProbe["probe"] = async (place, options = {}) => {
    const found = findPlace(fs, place, place, place.startsWith("/"));
    const known = { kind: "loop", model: "loop device", fileSystem: "ext4", idPath: found.root } as const;
    return withDriveId(plainDrive(fs, found, known), options.idOverride);
  };
  return { probe, list: async () => [] };
}

/** Two drives that together hold the first session and a later one, a third to be added, and a spare. */
export function createWorld(options: WorldOptions = {}): World {
  const extra = options.large === true ? 5 * MIB : 0;
  const [one, two, three] = options.driveBytes ?? [MIB + 220 * KIB + extra, MIB + 240 * KIB + extra, 16 * MIB];
  const world = new World(
    new MemoryFileSystem({
      volumes: { "/drives/one": one, "/drives/two": two, "/drives/three": three, "/drives/four": 16 * MIB },
    }),
    options,
  );
  const { disk } = world;
  for (const directory of ["/tmp", "/state", "/trip"]) disk.makeDirectories(directory);
  writeSources(disk, options.large === true);
  writeDriveSet(disk, "/trip/drives.csv", DRIVES.slice(0, 2));
  writeDriveSet(disk, "/trip/more.csv", DRIVES.slice(2, 3));
  writeDriveSet(disk, "/trip/spare.csv", DRIVES.slice(3));
  disk.writeFile(
    "/trip/data.csv",
    `${DATA_HEADER}/data/photos/,box/trip/,BlockBlob,rename,/data/metadata.xml,None\n/data/disk.vhd,disks/disk.vhd,PageBlob,overwrite,None,None\n`,
  );
  disk.writeFile("/trip/later.csv", `${DATA_HEADER}/data/later/,box/later/,BlockBlob,rename,/data/metadata.xml,None\n`);
  disk.flushAll();
  return world;
}

function writeSources(disk: MemoryFileSystem, isLarge: boolean): void {
  disk.writeFile("/data/metadata.xml", METADATA);
  for (let i = 0; i < 20; i++) disk.writeFile(`/data/photos/${i % 4}/p${i}.jpg`, pattern(i * 777, i));
  disk.writeFile("/data/photos/big.bin", pattern(isLarge ? TWO_SEGMENTS : 30_000, 3));
  disk.writeFile("/data/photos/empty", "");
  disk.writeFile("/data/photos/deep/er/still/deeper/file.txt", "deep");
  disk.writeFile("/data/photos/名前 ünï.txt", "name");
  disk.writeFile("/data/photos/AUX.txt", "a name that NTFS cannot hold");
  // A page blob; in the large world its first segment is all zeros.
  disk.writeFile("/data/disk.vhd", Buffer.concat([Buffer.alloc(isLarge ? 4 * MIB : 512), pattern(1536, 9)]));
  for (let i = 0; i < LATER_FILES; i++) disk.writeFile(`/data/later/l${i}.txt`, pattern(100 + i * 5000, i));
}

export function writeDriveSet(disk: MemoryFileSystem, path: string, places: readonly string[]): void {
  const rows = places.map((place) => `${place},AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`);
  disk.writeFile(path, DRIVE_HEADER + rows.join(""));
}

function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 7 + (i >> 8)) & 255;
  return bytes;
}

export const driveId = (place: string): string => pathToDriveId(place);

// --- commands

function request(change: Partial<PrepRequest>, options: Partial<PrepOptions> = {}): PrepRequest {
  return {
    journalPath: "/trip/trip.jrn",
    silentMode: true,
    resumeSession: false,
    abortSession: false,
    ...change,
    options: { ...DEFAULT_PREP_OPTIONS, ...options },
  };
}

export const withOptions = (command: PrepRequest, options: Partial<PrepOptions>): PrepRequest => ({
  ...command,
  options: { ...command.options, ...options },
});

export const FIRST = request({
  sessionId: "day#1",
  dataSetPath: "/trip/data.csv",
  initialDriveSetPath: "/trip/drives.csv",
});
export const LATER = request({ sessionId: "day#2", dataSetPath: "/trip/later.csv" });
export const ADD_DRIVES = request({ sessionId: "day#1", additionalDriveSetPath: "/trip/more.csv" });
export const ADD_SPARE = request({ sessionId: "day#1", additionalDriveSetPath: "/trip/spare.csv" });
export const RESUME = request({ resumeSession: true });
export const ABORT_FIRST = request({ sessionId: "day#1", abortSession: true });
export const ABORT_LATER = request({ sessionId: "day#2", abortSession: true });
export const giveUp = (place: string): PrepRequest =>
  request({ sessionId: "day#1", additionalDriveSetPath: "/trip/more.csv" }, { giveUpDrives: [driveId(place)] });
