/** One pass over the plan of an export: its blobs side by side, each noted when it has ended. */
import type { BlobStatus } from "../copy-log/status-codes.ts";
import { joinPath } from "../platform/file-path.ts";
import { Budget } from "./budget.ts";
import { DriveTarget } from "./drive-target.ts";
import { type ExportContext, exportBlob, failed } from "./export-blob.ts";
import type { TransferExportEvent, TransferExportRequest } from "./export-contract.ts";
import { blobPathOf } from "./export-entry.ts";
import { naturalPaths, renamedPaths } from "./export-names.ts";
import type { ExportOutcome, ExportRecord } from "./export-outcome.ts";
import { type ExportPlan, type PlannedBlob, plannedBlobs } from "./export-plan.ts";
import { BufferPool } from "./import-context.ts";
import type { TransferPorts } from "./import-contract.ts";
import { TaskGroup } from "./task-group.ts";
import { TransferState } from "./transfer-state.ts";

const DEFAULT_PARALLEL = 16;
const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;
const PROGRESS_INTERVAL_MS = 250;
/** A kill costs at most what was exported in this time. */
const FLUSH_INTERVAL_MS = 5_000;
const MAX_UNFLUSHED = 5_000;

export class ExportRun {
  readonly state: TransferState<ExportRecord>;
  readonly blobs: Partial<Record<BlobStatus, number>> = {};
  exportedBlobs = 0;
  exportedBytes = 0;
  incompleteBlobs = 0;
  readonly earlierBlobs: number;
  readonly #request: TransferExportRequest;
  readonly #ports: TransferPorts;
  readonly #plan: ExportPlan;
  readonly #directory: string;
  readonly #onEvent: (event: TransferExportEvent) => void;
  readonly #startedMs: number;
  readonly #earlierBytes: number;
  /** One bit per blob. */
  readonly #done: Uint8Array;
  /** Blobs whose file an earlier run began. */
  readonly #begun = new Set<number>();
  /** Written, but not flushed yet. */
  #unflushed: { drive: number; record: ExportRecord }[] = [];
  #flushedMs = 0;
  #finished = 0;
  #bytes = 0;

  constructor(
    request: TransferExportRequest,
    ports: TransferPorts,
    plan: ExportPlan,
    directory: string,
    onEvent: (event: TransferExportEvent) => void,
  ) {
    this.#request = request;
    this.#ports = ports;
    this.#plan = plan;
    this.#directory = directory;
    this.#onEvent = onEvent;
    this.#startedMs = ports.clock.monotonicMs();
    this.#done = new Uint8Array(Math.ceil(plan.blobs / 8));
    const path = joinPath(directory, "blobs.jsonl");
    this.state = new TransferState(ports.fs, ports.clock, path, (record) => this.#remember(record));
    this.earlierBlobs = this.#finished;
    this.#earlierBytes = this.#bytes;
  }

  /** Throws what makes going on pointless; everything that has ended by then is noted. */
  async exportBlobs(): Promise<void> {
    this.#tellPlan();
    const { signal, drives } = this.#request;
    const context = this.#createContext();
    const targets = drives.map(
      ({ root }, drive) => new DriveTarget(this.#ports.fs, root, !this.#isFlushedWhole(drive)),
    );
    const sideBySide = new Budget(this.#request.parallel ?? DEFAULT_PARALLEL);
    const group = new TaskGroup();
    const timer = setInterval(() => this.#tellProgress(), PROGRESS_INTERVAL_MS);
    try {
      for (const planned of plannedBlobs(this.#ports.fs, this.#directory)) {
        if (this.#isDone(planned.entry.index)) continue;
        await sideBySide.take();
        if (this.#isFlushDue()) await this.#flush();
        if (group.hasFailed || signal?.aborted === true) break;
        group.add(() => this.#exportOne(context, targets, planned).finally(() => sideBySide.give()));
      }
    } finally {
      try {
        await group.end();
      } finally {
        clearInterval(timer);
        await this.#flush();
      }
    }
    signal?.throwIfAborted();
    this.#tellProgress();
  }

  async #exportOne(
    shared: ExportContext,
    targets: readonly DriveTarget[],
    { entry, placement }: PlannedBlob,
  ): Promise<void> {
    const paths = (placement.isRenamed ? undefined : naturalPaths(entry)) ?? renamedPaths(entry);
    const target = placement.drive === undefined ? undefined : targets[placement.drive];
    let counted = 0;
    const addBytes = (bytes: number): void => {
      const added = Math.min(bytes, entry.sizeBytes - counted);
      counted += added;
      this.#bytes += added;
    };
    let outcome: ExportOutcome;
    if (entry.isArchived) outcome = failed(entry, paths, "BlobRequestFailed", "it is in the archive tier");
    else if (target === undefined) outcome = failed(entry, paths, "NotExported", "no drive has room for it");
    else {
      const mayReplace = this.#begun.has(entry.index);
      if (!mayReplace) this.state.append({ i: entry.index, w: true });
      outcome = await exportBlob({ ...shared, addBytes }, entry, target, paths, mayReplace);
    }
    const record = { i: entry.index, o: outcome };
    if (placement.drive !== undefined && this.#isFlushedWhole(placement.drive)) {
      this.#unflushed.push({ drive: placement.drive, record });
    } else this.state.append(record);
    this.#count(outcome);
    addBytes(entry.sizeBytes);
    if (outcome.status !== "Completed") this.#tellBlob(blobPathOf(entry), outcome);
  }

  #isFlushedWhole(drive: number): boolean {
    return this.#ports.flushVolume !== undefined && this.#request.drives[drive]?.flushMethod === "volume";
  }

  #isFlushDue(): boolean {
    const ageMs = this.#ports.clock.monotonicMs() - this.#flushedMs;
    return this.#unflushed.length >= MAX_UNFLUSHED || (this.#unflushed.length > 0 && ageMs >= FLUSH_INTERVAL_MS);
  }

  /** The record follows the data: what is noted as done survives a power cut. */
  async #flush(): Promise<void> {
    const unflushed = this.#unflushed;
    this.#unflushed = [];
    for (const drive of new Set(unflushed.map((one) => one.drive))) {
      await this.#ports.flushVolume?.(this.#request.drives[drive]?.root ?? "");
    }
    for (const { record } of unflushed) this.state.append(record);
    this.#flushedMs = this.#ports.clock.monotonicMs();
  }

  #count({ status, isOnDrive, sizeBytes }: ExportOutcome): void {
    this.#finished += 1;
    if (status !== "NotExported") this.blobs[status] = (this.blobs[status] ?? 0) + 1;
    if (!isOnDrive) this.incompleteBlobs += 1;
    else {
      this.exportedBlobs += 1;
      this.exportedBytes += sizeBytes;
    }
  }

  #remember({ i, o }: ExportRecord): void {
    if (this.#isDone(i)) return;
    if (o === undefined) {
      this.#begun.add(i);
      return;
    }
    this.#begun.delete(i);
    this.#done[i >> 3] = (this.#done[i >> 3] ?? 0) | (1 << (i & 7));
    this.#count(o);
    this.#bytes += o.sizeBytes;
  }

  #isDone(index: number): boolean {
    return ((this.#done[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  #createContext(): ExportContext {
    return {
      account: this.#ports.account,
      requests: new Budget(this.#request.parallel ?? DEFAULT_PARALLEL),
      memory: new Budget(this.#request.memoryBytes ?? DEFAULT_MEMORY_BYTES),
      buffers: new BufferPool(),
      addBytes: () => {},
      warn: (message) => this.#onEvent({ type: "warning", message }),
    };
  }

  #tellPlan(): void {
    const { blobs, bytes, leftOut, drives } = this.#plan;
    this.#onEvent({
      type: "plan",
      blobs,
      bytes,
      leftOut,
      drives: this.#request.drives.map(({ driveId, root }, index) => ({
        driveId,
        root,
        blobs: drives[index]?.blobs ?? 0,
        bytes: drives[index]?.bytes ?? 0,
      })),
      earlierBlobs: this.earlierBlobs,
    });
  }

  #tellProgress(): void {
    this.#onEvent({
      type: "progress",
      blobs: this.#finished,
      bytes: Math.min(this.#bytes, this.#plan.bytes),
      totalBlobs: this.#plan.blobs,
      totalBytes: this.#plan.bytes,
      earlierBytes: this.#earlierBytes,
      elapsedMs: Math.round(this.#ports.clock.monotonicMs() - this.#startedMs),
    });
  }

  #tellBlob(blobPath: string, { status, reason, snapshot }: ExportOutcome): void {
    this.#onEvent({
      type: "blob",
      blobPath,
      ...(snapshot === undefined ? {} : { snapshot }),
      status,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}
