/**
 * Decides which worker does what next, and turns what workers answer into the results the room above wants. Knows
 * nothing of threads: the threaded and the in-thread engine both ask it.
 *
 * - Drives get turns by how little of theirs is out, so that a slow drive does not hold up the others.
 * - A drive in sequential mode is written by one worker at a time, in plan order.
 * - A large file has one owner; workers with nothing else to do help with its ranges on drives in parallel mode (two
 *   workers in one file block each other in the kernel, but less than an idle one wastes). With nothing to help with,
 *   they read ahead for sequential drives whose writer waits for its source.
 */
import type { Clock } from "../platform/clock.ts";
import type { CopyRequest, DriveProgress, FileResult, NotDoneCode } from "./copy-contract.ts";
import { DriveQueue } from "./drive-queue.ts";
import { readFileResults } from "./file-results.ts";
import { LargeFile } from "./large-file.ts";
import type { PlannedFile } from "./plan-record.ts";
import { sourcePath } from "./source-files.ts";
import { findRecord, toPlanned } from "./unit-records.ts";
import type { RangeResult, UnitResult, WorkUnit } from "./work-unit.ts";

const CLUSTER_BYTES = 4096;

type UnitWithoutId = WorkUnit extends infer U ? (U extends WorkUnit ? Omit<U, "id"> : never) : never;

interface Outstanding {
  unit: UnitWithoutId;
  worker: number;
  sizeBytes: number;
  file: LargeFile | undefined;
}

export class UnitScheduler {
  readonly #drives: readonly DriveQueue[];
  readonly #outstanding = new Map<number, Outstanding>();
  #nextId = 0;
  #turn = 0;
  #isAborted = false;
  #directFiles = 0;
  #bufferedFiles = 0;

  constructor(
    private readonly request: CopyRequest,
    private readonly clock: Clock,
  ) {
    this.#drives = request.drives.map((drive, index) => new DriveQueue(index, drive, request));
  }

  /** Nothing is out and nothing is left. */
  get isDone(): boolean {
    return this.#outstanding.size === 0 && this.#drives.every((drive) => drive.isDone);
  }

  get readMethod(): "direct" | "buffered" | "mixed" {
    if (this.#directFiles === 0) return "buffered";
    return this.#bufferedFiles === 0 ? "direct" : "mixed";
  }

  /** Planned bytes of the units that `worker` has. */
  outstandingBytes(worker: number): number {
    let bytes = 0;
    for (const out of this.#outstanding.values()) if (out.worker === worker) bytes += out.sizeBytes;
    return bytes;
  }

  progress(bytes: (drive: number) => number): DriveProgress[] {
    return this.#drives.map((drive) => ({ bytes: bytes(drive.index), files: drive.filesDone }));
  }

  /** The next unit for `worker`; undefined when there is none for it now. */
  next(worker: number): WorkUnit | undefined {
    const drives = [...this.#drives].sort((a, b) => a.outstandingBytes - b.outstandingBytes || a.turn - b.turn);
    for (const drive of drives) {
      const unit = this.#nextOf(drive, worker);
      if (unit !== undefined) return unit;
    }
    if (this.#isAborted) return undefined;
    return this.#help(drives, worker) ?? this.#readAhead(drives, worker);
  }

  /** Hands out nothing more. What is out is still answered; partial large files are removed. */
  abort(): void {
    this.#isAborted = true;
    for (const drive of this.#drives) {
      drive.stop();
      for (const file of [...drive.largeFiles]) if (file.outstanding === 0) this.#giveUp(drive, file);
    }
  }

  /** Takes the answer to a unit and tells the room above what follows from it. */
  take(result: UnitResult): void {
    const out = this.#outstanding.get(result.id);
    if (out === undefined) throw new Error(`unit ${result.id} was answered twice`);
    this.#outstanding.delete(result.id);
    this.#directFiles += result.directFiles;
    this.#bufferedFiles += result.bufferedFiles;
    if (out.unit.kind === "warm") return;
    const drive = this.#drive(result.drive);
    drive.outstandingUnits--;
    drive.outstandingBytes -= out.sizeBytes;
    drive.adaptReadAhead(result.readMs, result.busyMs);
    if (result.stoppedAt !== undefined) drive.stoppedAt(result.stoppedAt);
    if (result.failure !== undefined && drive.failure === undefined) {
      drive.failure = result.failure;
    }
    if (out.unit.kind === "files") this.#takeFiles(drive, out.unit.records, result.files);
    if (out.file !== undefined && result.range !== undefined)
      this.#takeRange(drive, out.file, out.worker, result.range);
    if (drive.outstandingUnits === 0) this.#rest(drive);
  }

  #drive(index: number): DriveQueue {
    return this.#drives[index] as DriveQueue;
  }

  #nextOf(drive: DriveQueue, worker: number): WorkUnit | undefined {
    if (drive.failure !== undefined) return undefined;
    if (drive.isSequential && drive.holder !== undefined && drive.holder !== worker) return undefined;
    const discard = drive.discards.shift();
    if (discard !== undefined)
      return this.#issue(drive, worker, { kind: "discard", drive: drive.index, record: discard });
    if (this.#isAborted) return undefined;
    for (const file of drive.largeFiles) {
      if (file.owner !== worker) continue;
      const unit = file.next(worker);
      if (unit !== undefined) return this.#issue(drive, worker, unit, file);
      // In a moment there will be ranges of it, which are to be written before anything else.
      if (file.isBeginning || (drive.isSequential && !file.isFinalOut)) return undefined;
    }
    const again = drive.again.shift();
    if (again !== undefined) return this.#issue(drive, worker, again);
    if (drive.slices.length === 0 && !drive.pull()) return undefined;
    const slice = drive.slices.shift();
    if (slice === undefined) return undefined;
    const { records, sizeBytes } = slice;
    if (!slice.isLarge) {
      return this.#issue(
        drive,
        worker,
        { kind: "files", drive: drive.index, records, extraBytes: 0 },
        undefined,
        sizeBytes,
      );
    }
    const file = new LargeFile(drive.index, worker, records, toPlanned(records), this.clock.monotonicMs());
    drive.largeFiles.push(file);
    const unit = file.next(worker);
    return unit === undefined ? undefined : this.#issue(drive, worker, unit, file);
  }

  /** A range of somebody else's large file: of the one with most left. */
  #help(drives: readonly DriveQueue[], worker: number): WorkUnit | undefined {
    let best: LargeFile | undefined;
    for (const drive of drives) {
      if (drive.isSequential || drive.failure !== undefined) continue;
      for (const file of drive.largeFiles) {
        if (file.owner !== worker && file.bytesLeft > (best?.bytesLeft ?? 0)) best = file;
      }
    }
    const unit = best?.next(worker);
    return best === undefined || unit === undefined
      ? undefined
      : this.#issue(this.#drive(best.drive), worker, unit, best);
  }

  #readAhead(drives: readonly DriveQueue[], worker: number): WorkUnit | undefined {
    for (const drive of drives) {
      if (drive.readAhead === 0 || drive.holder === worker || drive.failure !== undefined) continue;
      const slice = drive.nextCold();
      if (slice === undefined) continue;
      slice.isWarm = true;
      const id = this.#nextId++;
      const unit = { kind: "warm", drive: drive.index, records: slice.records } as const;
      this.#outstanding.set(id, { unit, worker, sizeBytes: 0, file: undefined });
      return { ...unit, id };
    }
    return undefined;
  }

  #issue(drive: DriveQueue, worker: number, unit: UnitWithoutId, file?: LargeFile, filesBytes = 0): WorkUnit {
    const id = this.#nextId++;
    const sizeBytes =
      unit.kind === "range" && file !== undefined
        ? (unit.endSegment - unit.firstSegment) * file.planned.segmentBytes
        : filesBytes;
    drive.outstandingUnits++;
    drive.outstandingBytes += sizeBytes;
    drive.turn = ++this.#turn;
    if (drive.isSequential) drive.holder = worker;
    this.#outstanding.set(id, { unit, worker, sizeBytes, file });
    return { ...unit, id };
  }

  #takeFiles(drive: DriveQueue, records: Uint8Array, packed: Uint8Array): void {
    const results: FileResult[] = [];
    for (const result of readFileResults(packed)) {
      if (result.outcome === "grew") {
        const record = findRecord(records, result.position);
        const extraBytes = this.#growth(drive, toPlanned(record), result.sizeBytes);
        if (this.#isAborted) drive.stoppedAt(result.position);
        else if (extraBytes > 0) drive.again.push({ kind: "files", drive: drive.index, records: record, extraBytes });
        else results.push(this.#notDone(drive, record, "FILE_GREW", GREW));
      } else {
        if (result.outcome === "done") drive.filesDone++;
        results.push(result);
      }
    }
    if (results.length > 0) this.request.onResults(drive.index, results);
  }

  #takeRange(drive: DriveQueue, file: LargeFile, worker: number, range: RangeResult): void {
    file.outstanding--;
    if (worker !== file.owner) file.outstandingElsewhere--;
    if (range.outcome !== "done") {
      file.trouble ??= range;
    } else if (file.trouble === undefined && file.take(range)) {
      this.#finishLarge(drive, file);
      return;
    }
    if (file.outstanding > 0) return;
    if (this.#isAborted || drive.failure !== undefined) this.#giveUp(drive, file);
    else if (file.trouble !== undefined) this.#resolve(drive, file, file.trouble);
  }

  #finishLarge(drive: DriveQueue, file: LargeFile): void {
    const { identity, planned } = file;
    if (identity === undefined) throw new Error("a large file ended before it began");
    drive.largeFiles.splice(drive.largeFiles.indexOf(file), 1);
    drive.filesDone++;
    const done: FileResult = {
      outcome: "done",
      position: planned.position,
      sizeBytes: identity.sizeBytes,
      mtimeNs: identity.mtimeNs,
      digests: file.digests,
      elapsedMs: this.clock.monotonicMs() - file.startedMs,
      sourcePath: sourcePath(this.request.sourceRoots, planned),
    };
    this.request.onResults(drive.index, [done]);
  }

  /** Nothing of the file is out any more and something was wrong with it: tries again or answers. */
  #resolve(drive: DriveQueue, file: LargeFile, trouble: Exclude<RangeResult, { outcome: "done" }>): void {
    if (trouble.outcome === "grew") {
      file.extraBytes = this.#growth(drive, file.planned, trouble.sizeBytes);
      if (file.extraBytes > 0 && file.restart()) return;
      this.#endLarge(drive, file, "FILE_GREW", GREW);
    } else if (trouble.outcome === "changed") {
      if (!file.restart()) this.#endLarge(drive, file, "FILE_CHANGED", trouble.reason);
    } else if (trouble.outcome === "not-done") {
      this.#endLarge(drive, file, trouble.code, trouble.reason);
    } else {
      this.#giveUp(drive, file);
    }
  }

  #endLarge(drive: DriveQueue, file: LargeFile, code: NotDoneCode, reason: string): void {
    drive.largeFiles.splice(drive.largeFiles.indexOf(file), 1);
    this.request.onResults(drive.index, [this.#notDone(drive, file.record, code, reason)]);
  }

  /** Leaves a large file undone, after an abort or on a drive that failed. */
  #giveUp(drive: DriveQueue, file: LargeFile): void {
    drive.largeFiles.splice(drive.largeFiles.indexOf(file), 1);
    drive.stoppedAt(file.planned.position);
    this.#discard(drive, file.record);
  }

  #notDone(drive: DriveQueue, record: Uint8Array, code: NotDoneCode, reason: string): FileResult {
    const planned = toPlanned(record);
    this.#discard(drive, record);
    const path = sourcePath(this.request.sourceRoots, planned);
    return { outcome: "not-done", position: planned.position, sourcePath: path, code, reason };
  }

  #discard(drive: DriveQueue, record: Uint8Array): void {
    if (this.request.mode === "copy" && drive.failure === undefined) drive.discards.push(record);
  }

  /** How many bytes beyond its clusters the file may have, now that it has `sizeBytes`; 0: it may not. */
  #growth(drive: DriveQueue, planned: PlannedFile, sizeBytes: number): number {
    const clusters = Math.ceil(planned.sizeBytes / CLUSTER_BYTES) * CLUSTER_BYTES;
    const extraBytes = sizeBytes - clusters;
    return this.request.allowGrowth?.(drive.index, planned.position, extraBytes) === true ? extraBytes : 0;
  }

  /** Nothing of the drive is out. */
  #rest(drive: DriveQueue): void {
    if (drive.largeFiles.length === 0) drive.holder = undefined;
    if (drive.failure === undefined || drive.isFailureTold) return;
    drive.isFailureTold = true;
    this.request.onDriveFailed(drive.index, { ...drive.failure, position: drive.firstUndone() });
  }
}

const GREW = "grew after planning and no longer fits its drive";
