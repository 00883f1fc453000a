/**
 * The mock: keeps the states of an encrypted volume and its key, and encrypts nothing. For rehearsals and tests; the
 * service refuses drives prepared with it, and everything that shows such a drive says so.
 *
 * Its state is a file per drive id in the user's state directory (mode 0600, replaced durably), never on the drive.
 */
import * as z from "zod/mini";
import { generateBitLockerKey, validateBitLockerKey } from "../../bitlocker/recovery-password.ts";
import { AppError, DamagedError, describeErrno, EncryptionError, errnoOf } from "../../platform/app-error.ts";
import { makeDirectories, readWholeFile, writeFileDurably } from "../../platform/durable-file.ts";
import { joinPath } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { Drive } from "../drive.ts";
import { MANIFEST_NAME } from "../drive-check.ts";
import { driveIdToFileName } from "../drive-id.ts";
import type { DriveEncryption } from "./encryption.ts";

const State = z.object({
  version: z.literal(1),
  note: z.string(),
  driveId: z.string(),
  state: z.enum(["on", "locked"]),
  key: z.string(),
});
type State = z.infer<typeof State>;

const NOTE = "a rehearsal: this drive is NOT encrypted";
const MAX_STATE_BYTES = 64 * 1024;

export function createMockEncryption(fs: FileSystem, stateDirectory: string): DriveEncryption {
  const store = new MockStore(fs, joinPath(stateDirectory, "mock-drives"));
  return {
    kind: "mock",
    capabilities: async () => ({ canEncrypt: true, canUnlock: true, missing: [] }),
    newKey: (random) => generateBitLockerKey(random),
    status: async (drive) => ({ state: store.read(drive)?.state ?? "off", method: "none" }),
    encrypt: async (drive, text, options = {}) => {
      const key = requireValid(text);
      const known = store.read(drive);
      // Without a manifest nothing is prepared there: the place was emptied since, as by formatting.
      if (known !== undefined && known.key !== key && hasManifest(fs, drive)) {
        throw new EncryptionError("ENCRYPTION_FAILED", `${named(drive)} is already encrypted with another key`, {
          hint: "use AlreadyEncrypted with its key",
        });
      }
      store.write(drive, "on", key);
      options.onPercent?.(100);
    },
    adopt: async (drive, text) => {
      const key = requireValid(text);
      const known = store.read(drive);
      if (known !== undefined) requireSame(drive, known, key);
      store.write(drive, "on", key);
    },
    unlock: async (drive, text) => {
      const key = requireValid(text);
      const known = requireOn(drive, store.read(drive));
      requireSame(drive, known, key);
      if (known.state !== "on") store.write(drive, "on", key);
    },
    lock: async (drive) => {
      const known = requireOn(drive, store.read(drive));
      if (known.state !== "locked") store.write(drive, "locked", known.key);
    },
  };
}

class MockStore {
  readonly #fs: FileSystem;
  readonly #directory: string;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  read(drive: Drive): State | undefined {
    const path = this.#path(drive);
    let text: string;
    try {
      text = readWholeFile(this.#fs, path, MAX_STATE_BYTES).toString("utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot read "${path}": ${describeErrno(error)}`, {
        cause: error,
      });
    }
    const state = State.safeParse(parseJson(text));
    if (state.success && state.data.driveId === drive.driveId) return state.data;
    throw new DamagedError("STATE_DAMAGED", `"${path}" does not hold the state of mock drive ${drive.driveId}`, {
      hint: "delete the file; the drive counts as not encrypted then",
    });
  }

  write(drive: Drive, state: State["state"], key: string): void {
    const path = this.#path(drive);
    const value: State = { version: 1, note: NOTE, driveId: drive.driveId, state, key };
    try {
      makeDirectories(this.#fs, this.#directory, 0o700);
      writeFileDurably(this.#fs, path, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`), 0o600);
    } catch (error) {
      throw new EncryptionError("ENCRYPTION_FAILED", `cannot write "${path}": ${describeErrno(error)}`, {
        cause: error,
      });
    }
  }

  #path(drive: Drive): string {
    return joinPath(this.#directory, `${driveIdToFileName(drive.driveId)}.json`);
  }
}

/** The key in its one written form. */
function requireValid(text: string): string {
  const check = validateBitLockerKey(text);
  if (check.ok) return check.key;
  throw new AppError("BITLOCKER_KEY_INVALID", `this is not a BitLocker key: ${check.reason}`);
}

function requireOn(drive: Drive, state: State | undefined): State {
  if (state !== undefined) return state;
  throw new EncryptionError("ENCRYPTION_FAILED", `${named(drive)} is not encrypted`);
}

function requireSame(drive: Drive, state: State, key: string): void {
  if (state.key === key) return;
  throw new EncryptionError("BITLOCKER_KEY_WRONG", `the BitLocker key does not open ${named(drive)}`);
}

function named(drive: Drive): string {
  return `drive ${drive.driveId} at "${drive.place}"`;
}

function hasManifest(fs: FileSystem, drive: Drive): boolean {
  try {
    fs.lstat(joinPath(drive.root, MANIFEST_NAME));
    return true;
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
