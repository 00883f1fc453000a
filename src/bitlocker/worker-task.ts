/** What is said between the main thread and the threads that stretch keys and convert volumes. */
import type { Direction } from "./convert-range.ts";

/** Keys travel in shared memory: there is one copy of them, which the main thread zeroes. */
export type WorkerTask =
  | { kind: "stretch"; recoveryKey: SharedArrayBuffer; salt: Uint8Array; result: SharedArrayBuffer }
  | { kind: "convert"; from: string; to: string; direction: Direction; dataKey: SharedArrayBuffer };

export interface RangeMessage {
  at: number;
  bytes: number;
}

/** Answer to a range. `errno` of the system call that failed, where one did. */
export type RangeAnswer = { at: number; bytes: number } & (
  | { failed?: never }
  | { failed: "read" | "write"; errno: string | undefined; reason: string }
);
