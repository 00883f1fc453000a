/** Finding out what is at a place: one interface, one implementation for each platform. */
import type { FileSystem } from "../platform/file-system.ts";
import type { ProcessRunner } from "../platform/processes.ts";
import type { Drive } from "./drive.ts";

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

/** The platform's own part is loaded with the first question: parsers of other systems cost start-up time. */
export function createDriveProbe(platform: NodeJS.Platform, fs: FileSystem, runner: ProcessRunner): DriveProbe {
  let loaded: Promise<DriveProbe> | undefined;
  const load = (): Promise<DriveProbe> => {
    loaded ??= loadProbe(platform, fs, runner);
    return loaded;
  };
  return {
    probe: async (place, options) => (await load()).probe(place, options),
    list: async () => (await load()).list(),
  };
}

async function loadProbe(platform: NodeJS.Platform, fs: FileSystem, runner: ProcessRunner): Promise<DriveProbe> {
  if (platform === "win32") return (await import("./probe-windows.ts")).createWindowsProbe(fs, runner);
  if (platform === "darwin") return (await import("./probe-macos.ts")).createMacosProbe(fs, runner);
  return (await import("./probe-linux.ts")).createLinuxProbe(fs, runner);
}
