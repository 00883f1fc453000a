/**
 * One drive while files are copied onto it: hands out what is left of its plan, takes the answers, and makes them durable
 * in the only order that never lies: first the data is flushed to the drive, then the record says that it is there.
 */
import type { DriveFailure, FileResult, WorkBatch } from "../copy/copy-contract.ts";
import { planRecordLength, planRecordSizeBytes, readPlanRecord } from "../copy/plan-record.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { isDriveFailure } from "./failed-calls.ts";
import { PlanFileReader } from "./plan-files.ts";
import { ResultsReader, ResultsWriter } from "./results-file.ts";

/** Answers kept in memory between two checkpoints: at 48 bytes each, 3 MB a drive. */
const MAX_PENDING_FILES = 65_536;
const CHECKPOINT_EVERY_MS = 5_000;

export interface DriveCopyPaths {
  plan: string;
  results: string;
  digests: string;
}

export interface DriveFlush {
  /**
   * Resolves when all that was written is safe on the drive. `directories`: those of the files that were finished since
   * the last call, below the session root; only filled with `needsDirectories`.
   */
  flush(directories: ReadonlySet<string>): Promise<void>;
  /** Files are flushed one by one: their names must be, too. */
  needsDirectories: boolean;
  /** The drive cannot be flushed: it gets nothing more. */
  onFailed(failure: DriveFailure): void;
}

export class DriveCopy {
  readonly #plan: PlanFileReader;
  readonly #earlier: ResultsReader;
  readonly #results: ResultsWriter;
  readonly #until: number;
  readonly #only: ReadonlySet<number> | undefined;
  readonly #flush: DriveFlush["flush"];
  readonly #onFlushFailed: DriveFlush["onFailed"];
  /** By position, of files that are out; only when the flush needs them. */
  readonly #directories: Map<number, string> | undefined;
  #finishedDirectories = new Set<string>();
  #checkpoint: Promise<void> = Promise.resolve();
  #isCheckpointing = false;
  #lastCheckpointMs = 0;
  #stateError: { error: unknown } | undefined;
  /** Finished by earlier runs of this session, met so far while handing out. */
  earlierFiles = 0;
  earlierBytes = 0;
  doneFiles = 0;
  doneBytes = 0;
  notDoneFiles = 0;
  failure: DriveFailure | undefined;

  /** `until`: the plan counts up to this position; `only` these of its positions are handed out. */
  constructor(
    fs: FileSystem,
    paths: DriveCopyPaths,
    seed: number,
    until: number,
    drive: DriveFlush,
    only?: ReadonlySet<number>,
  ) {
    this.#plan = new PlanFileReader(fs, paths.plan);
    this.#earlier = new ResultsReader(fs, paths, seed);
    this.#results = new ResultsWriter(fs, paths, seed);
    this.#until = until;
    this.#only = only;
    this.#flush = drive.flush;
    this.#onFlushFailed = drive.onFailed;
    if (drive.needsDirectories) this.#directories = new Map();
  }

  /** The next unfinished records in plan order; a file larger than `maxBytes` comes alone. */
  nextBatch(maxFiles: number, maxBytes: number): WorkBatch | undefined {
    this.#throwStateError();
    const pieces: Buffer[] = [];
    let bytes = 0;
    if (this.failure !== undefined) return undefined;
    while (pieces.length < maxFiles) {
      const offset = this.#plan.peek();
      if (offset < 0 || this.#plan.peekPosition() >= this.#until) break;
      const buffer = this.#plan.buffer;
      const sizeBytes = planRecordSizeBytes(buffer, offset);
      if (pieces.length > 0 && bytes + sizeBytes > maxBytes) break;
      const earlier = this.#earlier.next();
      if (earlier === undefined && this.#only?.has(this.#plan.peekPosition()) === false) {
        // Not done, and not asked for now.
      } else if (earlier === undefined) {
        this.#directories?.set(this.#plan.peekPosition(), directoryOf(buffer, offset));
        pieces.push(Buffer.from(buffer.subarray(offset, offset + planRecordLength(buffer, offset))));
        bytes += sizeBytes;
      } else {
        this.earlierFiles += 1;
        this.earlierBytes += earlier.sizeBytes;
      }
      this.#plan.skip();
    }
    if (pieces.length === 0) return undefined;
    return { records: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces), count: pieces.length };
  }

  accept(results: readonly FileResult[]): void {
    for (const result of results) {
      const directory = this.#directories?.get(result.position);
      if (directory !== undefined) this.#finishedDirectories.add(directory);
      this.#directories?.delete(result.position);
      if (result.outcome === "done") {
        this.#results.add(result.position, result);
        this.doneFiles += 1;
        this.doneBytes += result.sizeBytes;
      } else this.notDoneFiles += 1;
    }
  }

  /** Starts a checkpoint when enough has come together; at most one runs at a time. */
  checkpointIfDue(nowMs: number): void {
    if (this.#isCheckpointing || this.failure?.kind === "failed") return;
    const isDue =
      this.#results.pendingFiles >= MAX_PENDING_FILES || nowMs - this.#lastCheckpointMs >= CHECKPOINT_EVERY_MS;
    if (!isDue || this.#results.pendingFiles === 0) return;
    this.#lastCheckpointMs = nowMs;
    void this.#checkpointNow();
  }

  /** Resolves when every answer taken so far is durable, or the drive has failed. Rejects when the state cannot be written. */
  async checkpoint(): Promise<void> {
    await this.#checkpointNow();
    this.#throwStateError();
  }

  #checkpointNow(): Promise<void> {
    this.#isCheckpointing = true;
    this.#checkpoint = this.#checkpoint.then(async () => {
      try {
        await this.#writePending();
      } catch (error) {
        this.#stateError ??= { error };
      }
      this.#isCheckpointing = false;
    });
    return this.#checkpoint;
  }

  /** A drive that cannot be flushed has failed, even if every write seemed to go well: nothing of it is recorded. */
  async #writePending(): Promise<void> {
    if (this.failure?.kind === "failed" || this.#stateError !== undefined) return;
    const taken = this.#results.takePending();
    if (taken.count === 0) return;
    const directories = this.#finishedDirectories;
    this.#finishedDirectories = new Set();
    try {
      await this.#flush(directories);
    } catch (error) {
      if (!isDriveFailure(error)) throw error;
      this.failure = { kind: "failed", errno: "EIO", position: 0, reason: error.message };
      this.#onFlushFailed(this.failure);
      return;
    }
    this.#results.write(taken);
  }

  /** Told where the engine will hear it: it stops all drives and throws it again. */
  #throwStateError(): void {
    if (this.#stateError !== undefined) throw this.#stateError.error;
  }

  close(): void {
    this.#plan.close();
    this.#earlier.close();
    this.#results.close();
  }
}

function directoryOf(buffer: Buffer, offset: number): string {
  const { row, storedPath } = readPlanRecord(buffer, offset);
  return `${row}/${storedPath}`.slice(0, -1 - storedPath.slice(storedPath.lastIndexOf("/") + 1).length);
}
