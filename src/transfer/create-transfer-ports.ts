/** Binds a transfer to the machine it runs on. */
import { homedir } from "node:os";
import type { BlobAccount } from "../blobs/blob-account.ts";
import { systemClock } from "../platform/clock.ts";
import { acquireLock } from "../platform/file-lock.ts";
import { joinPath } from "../platform/file-path.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import { createProcessTable } from "../platform/process-identity.ts";
import { systemProcessRunner } from "../platform/processes.ts";
import { systemRandom } from "../platform/random.ts";
import { type Environment, openStateDirectory, stateDirectoryPath } from "../platform/state-directory.ts";
import { flushVolume } from "../platform/volume-flush.ts";
import type { TransferPorts } from "./import-contract.ts";

export interface TransferEnvironment {
  platform: NodeJS.Platform;
  environment: Environment;
}

export function createTransferPorts(
  { platform, environment }: TransferEnvironment,
  account: BlobAccount,
): TransferPorts {
  const fs = nodeFileSystem;
  const state = openStateDirectory(fs, stateDirectoryPath(platform, environment, homedir()));
  const processes = createProcessTable(platform, fs);
  return {
    fs,
    clock: systemClock,
    account,
    stateDirectory: openStateDirectory(fs, joinPath(state, "transfers")),
    flushVolume: (directory) => flushVolume(systemProcessRunner, fs, directory),
    lock: (path, purpose) =>
      acquireLock({ fs, clock: systemClock, random: systemRandom, processes }, path, { purpose, breakLock: false }),
  };
}
