/** A real process for the lock test: tries to take the lock named on its command line, stays until its input ends. */
import { AppError } from "../../src/platform/app-error.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { acquireLock } from "../../src/platform/file-lock.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { createProcessTable } from "../../src/platform/process-identity.ts";
import { systemRandom } from "../../src/platform/random.ts";

const ports = {
  fs: nodeFileSystem,
  clock: systemClock,
  random: systemRandom,
  processes: createProcessTable(process.platform),
};

function answer(): string {
  try {
    acquireLock(ports, process.argv[2] ?? "", { breakLock: false, purpose: "the test" });
    return "won";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

process.stdout.write(answer());
process.stdin.resume();
