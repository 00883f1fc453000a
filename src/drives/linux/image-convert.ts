/** One pass over the used parts of a volume on worker threads: progress in percent, failures told with the file's name. */
import type { Direction } from "../../bitlocker/convert-range.ts";
import type { Extent } from "../../bitlocker/volume-layout.ts";
import { ConversionFailed } from "../../bitlocker/worker-threads.ts";
import { EncryptionError, NoSpaceError } from "../../platform/app-error.ts";
import { directoryOf } from "../../platform/file-path.ts";
import type { EncryptOptions } from "../encryption/encryption.ts";
import type { LinuxPorts } from "./linux-ports.ts";

/** Between two durable marks: what an interruption costs at most. */
const MARK_EVERY_MS = 5_000;

export interface ConvertPass extends Pick<EncryptOptions, "signal" | "onPercent"> {
  ranges(): Iterable<Extent>;
  totalBytes: number;
  /** Everything below is written; called now and then, to be made durable. */
  onMark?: (doneBelow: number) => void;
}

export async function convertVolume(
  ports: LinuxPorts,
  files: { from: string; to: string },
  direction: Direction,
  dataKey: Buffer,
  pass: ConvertPass,
): Promise<void> {
  let markedMs = ports.clock.monotonicMs();
  let percent = -1;
  const onProgress = (doneBelow: number, convertedBytes: number): void => {
    const now = Math.min(100, Math.floor((100 * convertedBytes) / Math.max(1, pass.totalBytes)));
    if (now > percent) {
      percent = now;
      pass.onPercent?.(now);
    }
    const nowMs = ports.clock.monotonicMs();
    if (nowMs - markedMs < MARK_EVERY_MS) return;
    markedMs = nowMs;
    pass.onMark?.(doneBelow);
  };
  const signal = pass.signal === undefined ? {} : { signal: pass.signal };
  try {
    await ports.convert({ ...files, direction, dataKey, ranges: pass.ranges(), onProgress, ...signal });
  } catch (error) {
    throw error instanceof ConversionFailed ? toAppError(error, files) : error;
  }
}

function toAppError(error: ConversionFailed, files: { from: string; to: string }): Error {
  const path = files[error.file];
  const step = error.file === "from" ? "read" : "write";
  const message = `cannot ${step} "${path}": ${error.message}`;
  if (error.errno === "ENOSPC" || error.errno === "EDQUOT") {
    return new NoSpaceError("NO_SPACE", message, {
      hint: `free space in "${directoryOf(path)}" and run the same command again`,
      cause: error,
    });
  }
  return new EncryptionError("ENCRYPTION_FAILED", message, { cause: error });
}
