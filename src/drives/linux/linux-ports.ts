/** What BitLocker on Linux needs of the outside world. */
import type { Stretch } from "../../bitlocker/open-volume.ts";
import type { ConvertJob } from "../../bitlocker/worker-threads.ts";
import type { Clock } from "../../platform/clock.ts";
import type { FileSystem } from "../../platform/file-system.ts";
import type { ProcessRunner } from "../../platform/processes.ts";
import type { Random } from "../../platform/random.ts";

export interface LinuxPorts {
  fs: FileSystem;
  runner: ProcessRunner;
  clock: Clock;
  random: Random;
  /** `stretchKey`, off the main thread. */
  stretch: Stretch;
  convert(job: ConvertJob): Promise<void>;
  /** Volumes are mounted below it; readable by this user alone. */
  stateDirectory: string;
  /** Name of this machine, for the description that a volume carries. */
  machine: string;
}
