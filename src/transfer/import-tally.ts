/** Counts what became of the blobs, and what that makes of the drive. */
import { hasDispositionWarning } from "../copy-log/error-log-form.ts";
import type { BlobStatus, DispositionStatus, DriveStatus } from "../copy-log/status-codes.ts";
import type { BlobOutcome } from "./blob-outcome.ts";

export class ImportTally {
  readonly blobs: Partial<Record<BlobStatus, number>> = {};
  readonly dispositions: Partial<Record<DispositionStatus, number>> = {};
  bytesSucceeded = 0;
  done = 0;
  #warnings = 0;

  add({ status, disposition }: Pick<BlobOutcome, "status" | "disposition">, bytesSucceeded: number): void {
    this.done += 1;
    this.blobs[status] = (this.blobs[status] ?? 0) + 1;
    this.dispositions[disposition] = (this.dispositions[disposition] ?? 0) + 1;
    this.bytesSucceeded += bytesSucceeded;
    if (hasDispositionWarning({ disposition: { rule: "", status: disposition } })) this.#warnings += 1;
  }

  driveStatus(): DriveStatus {
    if (this.done > (this.blobs.Completed ?? 0)) return "CompletedWithErrors";
    return this.#warnings > 0 ? "CompletedWithWarnings" : "Completed";
  }
}
