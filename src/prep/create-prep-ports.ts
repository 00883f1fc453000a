/** Binds a preparation to the machine it runs on. */
import { homedir, hostname, tmpdir } from "node:os";
import { convertOnThreads, stretchOnThread } from "../bitlocker/worker-threads.ts";
import { createThreadedCopyEngine } from "../copy/threaded-engine.ts";
import { createEncryptionChooser } from "../drives/encryption/choose-encryption.ts";
import { createLinuxEncryption } from "../drives/encryption/linux.ts";
import { createMockEncryption } from "../drives/encryption/mock.ts";
import { createWindowsEncryption } from "../drives/encryption/windows.ts";
import type { LinuxPorts } from "../drives/linux/linux-ports.ts";
import { createDriveProbe } from "../drives/probe.ts";
import { systemClock } from "../platform/clock.ts";
import { acquireLock } from "../platform/file-lock.ts";
import { joinPath } from "../platform/file-path.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import { createProcessTable } from "../platform/process-identity.ts";
import { systemProcessRunner } from "../platform/processes.ts";
import { systemRandom } from "../platform/random.ts";
import { type Environment, openStateDirectory, stateDirectoryPath } from "../platform/state-directory.ts";
import { flushVolume, probeFlush } from "../platform/volume-flush.ts";
import type { PrepPorts } from "./prep-ports.ts";

export interface PrepEnvironment {
  platform: NodeJS.Platform;
  environment: Environment;
  version: string;
}

export function createPrepPorts({ platform, environment, version }: PrepEnvironment): PrepPorts {
  const fs = nodeFileSystem;
  const runner = systemProcessRunner;
  const state = openStateDirectory(fs, stateDirectoryPath(platform, environment, homedir()));
  const processes = createProcessTable(platform, fs);
  return {
    fs,
    clock: systemClock,
    random: systemRandom,
    platform: platform === "win32" ? "win32" : "posix",
    clientCreator: `waimportexport ${version}`,
    probe: createDriveProbe(platform, fs, runner),
    copyEngine: createThreadedCopyEngine(),
    flushMethod: (directory) => probeFlush(runner, platform, directory),
    flushVolume: (directory) => flushVolume(runner, fs, directory),
    encryption: createEncryptionChooser({
      mock: createMockEncryption(fs, state),
      ...(platform === "win32" ? { bitlocker: createWindowsEncryption() } : {}),
      ...(platform === "linux" ? { bitlocker: createLinuxEncryption(linuxPorts(state)) } : {}),
    }),
    lock: (path, purpose, breakLock) =>
      acquireLock({ fs, clock: systemClock, random: systemRandom, processes }, path, { purpose, breakLock }),
    driveLocks: joinPath(state, "locks"),
    temporaryDirectory: tmpdir(),
  };
}

function linuxPorts(stateDirectory: string): LinuxPorts {
  return {
    fs: nodeFileSystem,
    runner: systemProcessRunner,
    clock: systemClock,
    random: systemRandom,
    stretch: stretchOnThread,
    convert: convertOnThreads,
    stateDirectory,
    machine: hostname(),
  };
}
