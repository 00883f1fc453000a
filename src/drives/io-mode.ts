/** How a drive wants to be written, by what it says of itself. */
import type { Drive } from "./drive.ts";

export interface IoChoice {
  mode: "sequential" | "parallel";
  reason: string;
}

/**
 * Sequential (one writer, files in order) where several writers would make heads seek or a file system serialise:
 * rotating disks, NTFS, USB bridges that do not say what is behind them. Parallel elsewhere.
 */
export function chooseIoMode(drive: Pick<Drive, "kind" | "rotational" | "ntfs" | "transport">): IoChoice {
  if (drive.kind === "tmpfs") return { mode: "parallel", reason: "in memory" };
  if (drive.kind === "network") return { mode: "parallel", reason: "network file system" };
  if (drive.ntfs) return { mode: "sequential", reason: "NTFS" };
  if (drive.rotational === true) return { mode: "sequential", reason: "rotating disk" };
  if (drive.rotational === false) return { mode: "parallel", reason: "solid state" };
  if (drive.transport === "usb") return { mode: "sequential", reason: "USB, kind of disk not known" };
  return { mode: "parallel", reason: "kind of disk not known" };
}
