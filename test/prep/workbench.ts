/**
 * A place to prepare drives in, in process: sources, drives (directories that keep their id when they are moved), both
 * CSVs and ports on which a run can be repeated byte for byte.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createInlineCopyEngine } from "../../src/copy/inline-engine.ts";
import type { Drive } from "../../src/drives/drive.ts";
import { createEncryptionChooser } from "../../src/drives/encryption/choose-encryption.ts";
import { createMockEncryption } from "../../src/drives/encryption/mock.ts";
import { DriveRefusedError } from "../../src/platform/app-error.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import type { Random } from "../../src/platform/random.ts";
import {
  type Confirm,
  DEFAULT_PREP_OPTIONS,
  type PrepEvent,
  type PrepOptions,
  type PrepOutcome,
  type PrepRequest,
} from "../../src/prep/prep-contract.ts";
import type { PrepPorts } from "../../src/prep/prep-ports.ts";
import { prepareDrives } from "../../src/prep/prepare.ts";

/** Tests of what is there after a kill, not after a power cut: the disk of the machine need not be waited for. */
export const unflushedFileSystem: FileSystem = { ...nodeFileSystem, fsync: () => {} };

export const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const DATASET_HEADER = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile";
const DRIVESET_HEADER = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey";
const GIB = 1024 ** 3;

export interface DatasetLine {
  base: string;
  to: string;
  type?: "BlockBlob" | "PageBlob";
  disposition?: string;
  metadata?: string;
  properties?: string;
}

export type Call = Partial<Omit<PrepRequest, "options">> & { options?: Partial<PrepOptions> };

export interface RunParts {
  fs?: FileSystem;
  ports?: Partial<PrepPorts>;
  onEvent?: (event: PrepEvent) => void;
  confirm?: Confirm;
  signal?: AbortSignal;
}

export interface Run {
  outcome: PrepOutcome;
  events: PrepEvent[];
}

export class Workbench {
  readonly path = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "waie-prep-")));
  readonly source = join(this.path, "source");
  readonly journal = join(this.path, "trip.jrn");
  readonly dataset = join(this.path, "dataset.csv");
  readonly driveset = join(this.path, "drives.csv");
  /** What a drive has free, by its directory's name; 100 GiB unless it says otherwise. */
  readonly freeBytes = new Map<string, number>();
  #nextDrive = 0;

  constructor() {
    fs.mkdirSync(this.source);
    fs.mkdirSync(join(this.path, "drives"));
  }

  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, content);
    return path;
  }

  read(name: string): string {
    return fs.readFileSync(join(this.path, name), "utf8");
  }

  exists(name: string): boolean {
    return fs.existsSync(join(this.path, name));
  }

  /** A source file; bytes that do not repeat when a length is given. */
  add(name: string, content: string | number): void {
    this.write(`source/${name}`, typeof content === "number" ? bytesOf(name, content) : content);
  }

  addDrive(name: string, freeBytes?: number): string {
    const place = join(this.path, "drives", name);
    fs.mkdirSync(place);
    // The id is a hidden file outside the drive, found by the directory's inode: it moves with the directory.
    const { ino } = fs.statSync(place, { bigint: true });
    this.write(`serials/${ino}`, `DRV${this.#nextDrive++}`);
    if (freeBytes !== undefined) this.freeBytes.set(name, freeBytes);
    return place;
  }

  idOf(name: string): string {
    return this.#serialOf(join(this.path, "drives", name));
  }

  moveDrive(name: string, to: string): void {
    fs.renameSync(join(this.path, "drives", name), join(this.path, "drives", to));
  }

  manifest(name: string): string {
    return this.read(`drives/${name}/DriveManifest.xml`);
  }

  manifestHash(name: string): string {
    return createHash("md5").update(this.manifest(name)).digest("hex").toUpperCase();
  }

  writeDataset(lines: readonly DatasetLine[], file = this.dataset): string {
    const text = lines.map(
      ({ base, to, type = "BlockBlob", disposition = "rename", metadata = "None", properties = "None" }) =>
        `"${base}","${to}",${type},${disposition},"${metadata}","${properties}"`,
    );
    fs.writeFileSync(file, `${DATASET_HEADER}\n${text.join("\n")}\n`);
    return file;
  }

  /** Names of drives, with the key they are encrypted with or `Encrypt`. */
  writeDriveset(names: readonly string[], key = KEY, file = this.driveset): string {
    const rows = names.map((name) => {
      const place = join(this.path, "drives", name);
      const encryption = key === "" ? "Encrypt," : `AlreadyEncrypted,${key}`;
      return `"${place}",AlreadyFormatted,SilentMode,${encryption}`;
    });
    fs.writeFileSync(file, `${DRIVESET_HEADER}\n${rows.join("\n")}\n`);
    return file;
  }

  request(call: Call): PrepRequest {
    const { options, ...rest } = call;
    return {
      journalPath: this.journal,
      silentMode: true,
      resumeSession: false,
      abortSession: false,
      ...rest,
      options: { ...DEFAULT_PREP_OPTIONS, ...options },
    };
  }

  /** The call of a first session; the same again goes on with it. */
  first(call: Call = {}): Call {
    return { sessionId: "s-1", dataSetPath: this.dataset, initialDriveSetPath: this.driveset, ...call };
  }

  ports(fileSystem: FileSystem = unflushedFileSystem): PrepPorts {
    const mock = createMockEncryption(fileSystem, join(this.path, "state"));
    return {
      fs: fileSystem,
      clock: standingClock(),
      random: repeatableRandom(),
      platform: "posix",
      clientCreator: "waimportexport 0.0.0",
      probe: {
        probe: async (place, options = {}) => this.#drive(place, options.idOverride),
        list: async () =>
          fs.readdirSync(join(this.path, "drives")).map((name) => this.#drive(join(this.path, "drives", name))),
      },
      copyEngine: createInlineCopyEngine(fileSystem),
      flushMethod: async () => "volume",
      flushVolume: async (directory) => void fileSystem.statfs(directory),
      encryption: createEncryptionChooser({ mock }),
      lock: () => ({ release: () => {} }),
      driveLocks: join(this.path, "state", "locks"),
      temporaryDirectory: this.path,
    };
  }

  async run(call: Call, parts: RunParts = {}): Promise<Run> {
    const events: PrepEvent[] = [];
    const outcome = await prepareDrives(
      this.request(call),
      { ...this.ports(parts.fs), ...parts.ports },
      (event) => {
        events.push(event);
        parts.onEvent?.(event);
      },
      parts.confirm ?? (async () => true),
      parts.signal ?? new AbortController().signal,
    );
    return { outcome, events };
  }

  /** Every file below a directory with its content, for comparing states. */
  snapshot(name: string): Map<string, string> {
    const root = join(this.path, name);
    const entries = fs.readdirSync(root, { withFileTypes: true, recursive: true });
    return new Map(
      entries
        .map((entry): [string, string] => {
          const path = join(entry.parentPath, entry.name);
          return [relative(root, path), entry.isFile() ? fs.readFileSync(path, "latin1") : "directory"];
        })
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }

  #serialOf(place: string): string {
    const { ino } = fs.statSync(place, { bigint: true });
    return this.read(`serials/${ino}`);
  }

  #drive(place: string, idOverride?: string): Drive {
    if (!fs.existsSync(place)) {
      throw new DriveRefusedError("DRIVE_NOT_FOUND", `the drive "${place}" does not exist`);
    }
    const root = fs.realpathSync(place);
    return {
      driveId: idOverride ?? this.#serialOf(root),
      place,
      root,
      kind: "directory",
      model: "directory",
      sizeBytes: 200 * GIB,
      freeBytes: (this.freeBytes.get(relative(join(this.path, "drives"), root)) ?? 100 * GIB) + RESERVE_BYTES,
      clusterBytes: 4096,
      fileSystem: "ext4",
      volumeKey: root,
      rotational: false,
      transport: "",
      ntfs: false,
      removable: false,
      contents: "",
      isSystem: false,
      encryptable: "mock",
      reasons: [],
      warnings: [],
    };
  }
}

/** What capacity planning keeps back on a drive of 200 GiB: so `freeBytes` above is what may be used. */
const RESERVE_BYTES = Math.max(64 * 1024 ** 2, Math.ceil(200 * GIB * 0.0005));

export function bytesOf(seed: string, length: number): Buffer {
  const block = createHash("sha512").update(seed).digest();
  const bytes = Buffer.alloc(length, block);
  for (let at = 0; at + 8 <= length; at += 4096) bytes.writeDoubleLE(at, at);
  return bytes;
}

export function standingClock(): Clock {
  return { nowMs: () => Date.UTC(2026, 2, 1, 10), monotonicMs: () => 0 };
}

/** The same bytes in every run. */
export function repeatableRandom(): Random {
  let calls = 0;
  return {
    bytes: (length) => {
      calls += 1;
      const parts: Buffer[] = [];
      for (let n = 0; n * 32 < length; n++) parts.push(createHash("sha256").update(`${calls}.${n}`).digest());
      return Buffer.concat(parts).subarray(0, length);
    },
  };
}
