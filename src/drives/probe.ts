/** Finding out what is at a place: one interface, one implementation for each platform. */
import type { FileSystem } from "../platform/file-system.ts";
import type { ProcessRunner } from "../platform/processes.ts";
import type { Drive } from "./drive.ts";
import { createLinuxProbe } from "./probe-linux.ts";
import { createMacosProbe } from "./probe-macos.ts";
import { createWindowsProbe } from "./probe-windows.ts";

export interface ProbeOptions {
  /** The drive id the user gave for this place. */
  idOverride?: string;
}

export interface DriveProbe {
  /**
   * What is at `place`: a letter (Windows) or an absolute path. Throws DriveRefusedError when nothing is there or the
   * kind is not known; what speaks against using a drive that is there is part of the answer.
   */
  probe(place: string, options?: ProbeOptions): Promise<Drive>;
  /** The volumes of this machine that could be drives, those in use and the system's included, so that one sees why. */
  list(): Promise<Drive[]>;
}

export function createDriveProbe(platform: NodeJS.Platform, fs: FileSystem, runner: ProcessRunner): DriveProbe {
  if (platform === "win32") return createWindowsProbe(fs, runner);
  if (platform === "darwin") return createMacosProbe(fs, runner);
  return createLinuxProbe(fs, runner);
}
