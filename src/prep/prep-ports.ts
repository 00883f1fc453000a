/** Everything of the outside world that a preparation needs, in one place; `create-prep-ports.ts` binds the real one. */
import type { CopyEngine } from "../copy/copy-contract.ts";
import type { EncryptionChooser } from "../drives/encryption/choose-encryption.ts";
import type { DriveProbe } from "../drives/probe.ts";
import type { Clock } from "../platform/clock.ts";
import type { Lock } from "../platform/file-lock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { Random } from "../platform/random.ts";
import type { FlushMethod } from "../platform/volume-flush.ts";

export interface PrepPorts {
  fs: FileSystem;
  clock: Clock;
  random: Random;
  platform: "win32" | "posix";
  /** Written into manifests as `ClientCreator`: `waimportexport <version>`. */
  clientCreator: string;
  probe: DriveProbe;
  copyEngine: CopyEngine;
  /** How what was written below a directory is made durable: the whole volume at once, or each file by its worker. */
  flushMethod(directory: string): Promise<FlushMethod>;
  flushVolume(directory: string): Promise<void>;
  encryption: EncryptionChooser;
  /** Takes a lock or throws who holds it. `purpose` is for people. */
  lock(path: string, purpose: string, breakLock: boolean): Lock;
  /** Directory of the drive locks on this machine; made when it is missing. */
  driveLocks: string;
  /** For plans that are only shown. */
  temporaryDirectory: string;
}
