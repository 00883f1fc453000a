/**
 * The copy engine's inner loop: opens, reads, writes, hashes and closes files, synchronously, over the FileSystem port.
 * Worker threads and the in-thread engine run the same loop.
 *
 * Bytes are read straight into the buffer of an MD5 lane, written from there and hashed there. The lanes hold many
 * small files or several segments of a large one. What must be written strictly in order (drives in sequential mode) or
 * needs one sum over the whole file goes through one buffer and `createHash` instead.
 *
 * A file that fits one chunk is read and checked before its target is made; its bytes are on the drive before its sum is
 * known, so that small files are written in plan order while their sums are computed twelve at a time.
 *
 * Change is noticed by fstat after the last read: size, modification time (nanoseconds) and file id must be what they
 * were before the first, or what the plan says. A bigint fstat takes 1.1 µs against 1.0 µs with doubles, which lose
 * nanoseconds, so there is nothing to be gained by less exact checks.
 */
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type CopyRequest, type NotDoneCode, SLOW_FILE_MS } from "./copy-contract.ts";
import { NoHandles, SourceChanged, SourceGrew, SourceProblem, Stopped, TargetProblem } from "./copy-problems.ts";
import { createMd5 } from "./md5/crypto-md5.ts";
import { type LaneHasher, MD5_BYTES } from "./md5/lane-hasher.ts";
import { type FileTask, OpenFile, OpenUnit, type Piece, type SmallPiece } from "./open-unit.ts";
import { PlanFlag, type PlannedFile } from "./plan-record.ts";
import { isSameIdentity, SourceFiles } from "./source-files.ts";
import { TargetFiles } from "./target-files.ts";
import type { FileIdentity, UnitResult, WorkUnit } from "./work-unit.ts";

export type CopyJob = Pick<CopyRequest, "mode" | "sourceRoots" | "drives" | "flush"> & { directRead: boolean };

/** What the loop shares with the other loops of the run. */
export interface LoopControl {
  /** The run is aborted or the drive has failed: begin nothing more on it. */
  shouldStop(drive: number): boolean;
  driveFailed(drive: number): void;
  /** Counts bytes that went through (negative: taken back), and blocks while a bandwidth limit says so. */
  transferred(drive: number, bytes: number): void;
}

/** Per lane: twelve of them stay in the second-level cache. Larger was slower. */
export const CHUNK_BYTES = 65_536;
/** Direct reads below this are slow. */
export const DIRECT_CHUNK_BYTES = 1_048_576;
/** The buffer of files that are copied in order. */
export const SCRATCH_BYTES = 262_144;

const MAX_CHANGES = 3;
const COUNT_BYTES = 1_048_576;
const CLUSTER_BYTES = 4096;

interface HeldFile {
  drive: number;
  position: number;
  source: number;
  target: number;
}

export class CopyLoop {
  readonly #sources: SourceFiles;
  readonly #targets: TargetFiles;
  /** What is in each lane: a segment of a file, or a whole small one. */
  readonly #pieces: (Piece | undefined)[];
  readonly #smallPieces: (SmallPiece | undefined)[];
  /** The file whose segments are being dealt to lanes. */
  #current: OpenFile | undefined;
  /** The unit whose files are being taken. */
  #unit: OpenUnit | undefined;
  readonly #again: FileTask[] = [];
  #openFiles = 0;
  /** Handles ran out: begin nothing new while files are open that will give theirs back. */
  #isShortOfHandles = false;
  #held: HeldFile | undefined;
  /** Drives whose held target failed when it was closed. */
  readonly #late = new Map<number, Error>();
  #markMs = 0;
  #poll: () => WorkUnit | undefined = () => undefined;
  #deliver: (result: UnitResult) => void = () => undefined;

  constructor(
    private readonly fs: FileSystem,
    private readonly clock: Clock,
    private readonly hasher: LaneHasher,
    private readonly job: CopyJob,
    private readonly control: LoopControl,
  ) {
    this.#sources = new SourceFiles(fs, clock, job.sourceRoots, job.directRead);
    this.#targets = new TargetFiles(fs, job.drives);
    this.#pieces = new Array(hasher.laneCount).fill(undefined);
    this.#smallPieces = new Array(hasher.laneCount).fill(undefined);
  }

  /**
   * Works until `poll` (which must not block) has no more units and all that were taken are delivered. Units are taken
   * ahead while lanes are free, so that the lanes stay full from one unit to the next.
   */
  run(poll: () => WorkUnit | undefined, deliver: (result: UnitResult) => void): void {
    this.#poll = poll;
    this.#deliver = deliver;
    this.#markMs = this.clock.monotonicMs();
    for (;;) {
      let busyLanes = 0;
      for (let lane = 0; lane < this.#pieces.length; lane++) {
        if (!this.hasher.needsInput(lane) || this.#serve(lane)) busyLanes++;
      }
      if (busyLanes === 0) return;
      this.hasher.advance();
    }
  }

  /** Closes what is kept open between ranges. */
  close(): void {
    this.#releaseHeld();
  }

  /** Gives a lane that needs input its next chunk; false when there is nothing to do for it. */
  #serve(lane: number): boolean {
    const small = this.#smallPieces[lane];
    const piece = this.#pieces[lane];
    if (small !== undefined) {
      this.#smallPieces[lane] = undefined;
      this.#settleSmall(lane, small);
    } else if (piece !== undefined) {
      if (this.#goOn(lane, piece)) return true;
      this.#pieces[lane] = undefined;
    }
    for (;;) {
      if (this.#current !== undefined) {
        if (this.#startPiece(lane, this.#current)) return true;
        continue;
      }
      const task = this.#nextTask();
      if (task === undefined) return false;
      if (this.#begin(task, lane)) return true;
    }
  }

  #nextTask(): FileTask | undefined {
    if (this.#isShortOfHandles && this.#openFiles > 0) return undefined;
    this.#isShortOfHandles = false;
    const again = this.#again.shift();
    if (again !== undefined) return again;
    for (;;) {
      if (this.#unit === undefined) {
        const unit = this.#poll();
        if (unit === undefined) return undefined;
        this.#unit = this.#openUnit(unit);
      }
      const unit = this.#unit;
      if (!unit.isExhausted && this.control.shouldStop(unit.unit.drive)) unit.stop();
      if (unit.isExhausted) {
        this.#unit = undefined;
        this.#deliverIfDone(unit);
        continue;
      }
      const planned = unit.take();
      unit.openFiles++;
      const range = unit.unit.kind === "range" ? unit.unit : undefined;
      return { unit, planned, range, expected: range?.identity ?? planned, changes: 0 };
    }
  }

  /** Units without results of files are done on the spot. */
  #openUnit(unit: WorkUnit): OpenUnit {
    const open = new OpenUnit(unit);
    if (unit.kind === "discard") {
      const planned = open.take();
      if (this.#isHeld(unit.drive, planned.position)) this.#releaseHeld();
      if (this.job.mode === "copy") this.#targets.remove(this.#targets.path(unit.drive, planned));
    } else if (unit.kind === "warm") {
      while (!open.isExhausted && !this.control.shouldStop(unit.drive)) this.#warm(open.take());
      open.stop();
    }
    return open;
  }

  /** Begins a file; true when that fed the lane. */
  #begin(task: FileTask, lane: number): boolean {
    this.#openFiles++;
    if (task.range === undefined && this.#isSmall(task)) return this.#copySmall(task, lane);
    const file = new OpenFile(task, this.clock.monotonicMs());
    try {
      if (task.range === undefined) this.#openWhole(file);
      else this.#openRange(file, task.range);
      if (this.#isInOrder(file)) this.#copyInOrder(file);
      else if (file.bytesLeft === 0) this.#finishEmpty(file);
      else this.#current = file;
    } catch (error) {
      this.#fail(file, error);
    }
    return false;
  }

  /**
   * Copies a file that fits one chunk and leaves it in the lane to be hashed. Nearly all files of most shipments come
   * this way: it makes no objects but the one in the lane until something goes wrong.
   */
  #copySmall(task: FileTask, lane: number): boolean {
    const { planned, expected } = task;
    const { drive } = task.unit.unit;
    const { memory, chunkBytes } = this.hasher;
    const at = this.hasher.bufferOffset(lane);
    const startedMs = this.clock.monotonicMs();
    let source = -1;
    let target = -1;
    let targetPath = "";
    let sizeBytes = 0;
    try {
      this.#checkGrowth(task, expected.sizeBytes);
      source = this.#sources.open(planned);
      sizeBytes = this.#sources.read(source, memory, at, expected.sizeBytes, chunkBytes, 0);
      const seen = this.#sources.identity(source);
      if (sizeBytes !== seen.sizeBytes || !isSameIdentity(seen, expected)) throw new ChangedTo(seen);
      if (this.job.mode === "copy") {
        targetPath = this.#targets.path(drive, planned);
        target = this.#targets.create(drive, targetPath, planned.mode);
        if (sizeBytes > 0) this.#targets.write(target, memory, at, sizeBytes, 0);
        const written = target;
        target = -1;
        this.#targets.finish(written, expected.mtimeNs, this.job.flush === "per-file");
      }
    } catch (error) {
      this.#fail(new OpenFile(task, startedMs, source, target, targetPath), error);
      return false;
    }
    this.#sources.close(source);
    this.#countSmall(task.unit, sizeBytes);
    if (sizeBytes === 0) {
      this.#settle(new OpenFile(task, startedMs));
      return false;
    }
    this.#smallPieces[lane] = { task, startedMs };
    this.hasher.start(lane);
    this.hasher.feed(lane, sizeBytes, true);
    return true;
  }

  /** The sum of the small file in the lane is known. */
  #settleSmall(lane: number, { task, startedMs }: SmallPiece): void {
    const { unit, planned, expected } = task;
    const elapsedMs = this.clock.monotonicMs() - startedMs;
    if (elapsedMs > SLOW_FILE_MS) {
      const file = new OpenFile(task, startedMs);
      file.layOut(expected.sizeBytes);
      this.hasher.digest(lane, file.digestView, 0);
      this.#settle(file);
      return;
    }
    const { sizeBytes, mtimeNs } = expected;
    unit.results.doneInLane(planned.position, sizeBytes, mtimeNs, elapsedMs, this.hasher, lane);
    this.#leave(unit);
  }

  #openWhole(file: OpenFile): void {
    file.source = this.#sources.open(file.task.planned);
    file.task.expected = this.#sources.identity(file.source);
    this.#checkGrowth(file.task, file.task.expected.sizeBytes);
    this.#createTarget(file);
    file.layOut(file.task.expected.sizeBytes);
  }

  #startPiece(lane: number, file: OpenFile): boolean {
    const { segmentBytes } = file.task.planned;
    const segment = file.nextSegment++;
    if (file.nextSegment === file.endSegment) this.#current = undefined;
    const end = Math.min((segment + 1) * segmentBytes, file.task.expected.sizeBytes);
    const piece = { file, segment, position: segment * segmentBytes, end };
    this.#pieces[lane] = piece;
    file.piecesOpen++;
    this.hasher.start(lane);
    return this.#feedChunk(lane, piece);
  }

  /** The lane has taken its chunk: feeds the next, or takes the sum of the segment. False: the lane is free. */
  #goOn(lane: number, piece: Piece): boolean {
    const { file } = piece;
    if (file.isDead) return false;
    if (piece.position < piece.end) return this.#feedChunk(lane, piece);
    this.hasher.digest(lane, file.digestView, MD5_BYTES * (piece.segment - file.firstSegment));
    file.piecesOpen--;
    if (file.piecesOpen === 0 && file.bytesLeft === 0) this.#settle(file);
    return false;
  }

  #feedChunk(lane: number, piece: Piece): boolean {
    const { file } = piece;
    const at = this.hasher.bufferOffset(lane);
    const length = Math.min(this.hasher.chunkBytes, piece.end - piece.position);
    try {
      this.#moveChunk(file, at, length, piece.position);
      piece.position += length;
      this.hasher.feed(lane, length, piece.position === piece.end);
      if (file.bytesLeft === 0) this.#finishIo(file);
      return true;
    } catch (error) {
      this.#pieces[lane] = undefined;
      this.#fail(file, error);
      return false;
    }
  }

  #copyInOrder(file: OpenFile): void {
    const { segmentBytes } = file.task.planned;
    const { memory, scratchOffset } = this.hasher;
    const content = needsContentMd5(file.task.planned) ? createMd5() : undefined;
    for (; file.nextSegment < file.endSegment; file.nextSegment++) {
      const hash = createMd5();
      const end = Math.min((file.nextSegment + 1) * segmentBytes, file.task.expected.sizeBytes);
      for (let position = file.nextSegment * segmentBytes; position < end; ) {
        const length = Math.min(SCRATCH_BYTES, end - position);
        this.#moveChunk(file, scratchOffset, length, position);
        const bytes = memory.subarray(scratchOffset, scratchOffset + length);
        hash.update(bytes);
        content?.update(bytes);
        position += length;
      }
      file.digests.set(hash.digest(), MD5_BYTES * (file.nextSegment - file.firstSegment));
    }
    this.#finishIo(file);
    if (content !== undefined) file.contentMd5 = content.digest();
    this.#settle(file);
  }

  /** Reads `length` bytes into `memory` at `at` and writes them on the drive. */
  #moveChunk(file: OpenFile, at: number, length: number, position: number): void {
    if (this.control.shouldStop(file.drive)) throw new Stopped();
    const { memory } = this.hasher;
    // Whole pages, as direct reads need; more than `length` only where the file was seen to end.
    const room = Math.ceil(length / CLUSTER_BYTES) * CLUSTER_BYTES;
    const got = this.#sources.read(file.source, memory, at, length, room, position);
    if (got < length) throw new SourceChanged("became shorter while it was read");
    if (file.target !== -1) this.#targets.write(file.target, memory, at, length, position);
    file.bytesLeft -= length;
    this.#count(file, length);
  }

  #finishEmpty(file: OpenFile): void {
    this.#finishIo(file);
    this.#settle(file);
  }

  /** All bytes of the task were read and written: checks for change, then closes or keeps the handles. */
  #finishIo(file: OpenFile): void {
    const { range, expected, planned } = file.task;
    if (!isSameIdentity(this.#sources.identity(file.source), expected)) throw new SourceChanged("changed while read");
    if (range === undefined || range.isFinal) {
      this.#closeFiles(file);
      return;
    }
    this.#held = { drive: file.drive, position: planned.position, source: file.source, target: file.target };
    file.source = -1;
    file.target = -1;
  }

  #closeFiles(file: OpenFile): void {
    this.#sources.close(file.source);
    file.source = -1;
    if (file.target === -1) return;
    const target = file.target;
    file.target = -1;
    this.#targets.finish(target, file.task.expected.mtimeNs, this.job.flush === "per-file");
  }

  /** The task is done and its sums are known. */
  #settle(file: OpenFile): void {
    const { unit, planned, expected, range } = file.task;
    if (range === undefined) {
      const elapsedMs = this.clock.monotonicMs() - file.startedMs;
      unit.results.done({
        outcome: "done",
        position: planned.position,
        sizeBytes: expected.sizeBytes,
        mtimeNs: expected.mtimeNs,
        digests: file.digests,
        elapsedMs,
        ...(file.contentMd5 === undefined ? {} : { contentMd5: file.contentMd5 }),
        ...(elapsedMs > SLOW_FILE_MS ? { sourcePath: this.#sources.path(planned) } : {}),
      });
    } else {
      const { sizeBytes, mtimeNs, fileId } = expected;
      const identity = { sizeBytes, mtimeNs, fileId };
      unit.range = { outcome: "done", identity, firstSegment: file.firstSegment, digests: file.digests };
    }
    this.#leave(unit);
  }

  #leave(unit: OpenUnit): void {
    this.#openFiles--;
    unit.openFiles--;
    this.#deliverIfDone(unit);
  }

  /** Gives up a task: closes, removes the partial target, and answers by what went wrong. */
  #fail(file: OpenFile, error: unknown): void {
    file.isDead = true;
    if (this.#current === file) this.#current = undefined;
    if (file.source !== -1) this.#sources.close(file.source);
    if (file.target !== -1) this.#targets.closeQuietly(file.target);
    if (file.ownsTarget) this.#targets.remove(file.targetPath);
    if (file.countedBytes !== 0) this.control.transferred(file.drive, -file.countedBytes);
    if (!this.#isTriedAgain(file.task, error)) this.#report(file, error);
    this.#leave(file.task.unit);
  }

  #isTriedAgain(task: FileTask, error: unknown): boolean {
    if (error instanceof NoHandles) {
      // The file itself still counts as open here.
      if (this.#openFiles === 1 && this.#held === undefined) return false;
      this.#releaseHeld();
      this.#isShortOfHandles = true;
      this.#again.push(task);
    } else if (error instanceof SourceChanged && task.range === undefined && task.changes < MAX_CHANGES) {
      const expected = error instanceof ChangedTo ? error.seen : task.expected;
      this.#again.push({ ...task, expected, changes: task.changes + 1 });
    } else {
      return false;
    }
    task.unit.openFiles++;
    return true;
  }

  #report(file: OpenFile, error: unknown): void {
    const { unit, planned, range } = file.task;
    if (error instanceof Stopped) {
      unit.stopAt(planned.position);
    } else if (error instanceof TargetProblem || (error instanceof NoHandles && error.side === "target")) {
      unit.failure ??= error instanceof TargetProblem ? error.failure : outOfHandles(error);
      unit.stopAt(planned.position);
      this.control.driveFailed(file.drive);
      if (range !== undefined && this.job.mode === "copy") this.#targets.remove(file.targetPath);
    } else if (error instanceof SourceGrew) {
      if (range === undefined) unit.results.grew(planned.position, error.sizeBytes);
      else unit.range = { outcome: "grew", sizeBytes: error.sizeBytes };
    } else if (error instanceof SourceChanged) {
      if (range === undefined) this.#notDone(file, "FILE_CHANGED", KEPT_CHANGING);
      else unit.range = { outcome: "changed", reason: KEPT_CHANGING };
    } else if (error instanceof SourceProblem) {
      this.#notDone(file, error.code, error.reason);
    } else if (error instanceof NoHandles) {
      this.#notDone(file, "FILE_UNREADABLE", error.reason);
    } else {
      throw error;
    }
  }

  #notDone(file: OpenFile, code: NotDoneCode, reason: string): void {
    const { unit, planned, range } = file.task;
    if (range !== undefined) {
      unit.range = { outcome: "not-done", code, reason };
      return;
    }
    // Also what an interrupted run left of it: a file that is not done is not on the drive.
    if (this.job.mode === "copy") this.#targets.remove(this.#targets.path(file.drive, planned));
    unit.results.notDone({ position: planned.position, sourcePath: this.#sources.path(planned), code, reason });
  }

  #deliverIfDone(unit: OpenUnit): void {
    if (!unit.isExhausted || unit.openFiles > 0 || unit === this.#unit) return;
    this.#flushCount(unit);
    const nowMs = this.clock.monotonicMs();
    const sources = this.#sources;
    const result: UnitResult = {
      id: unit.unit.id,
      drive: unit.unit.drive,
      files: unit.results.take(),
      readMs: sources.readMs,
      busyMs: nowMs - this.#markMs,
      directFiles: sources.directFiles,
      bufferedFiles: sources.bufferedFiles,
    };
    if (unit.range !== undefined) result.range = unit.range;
    if (unit.failure !== undefined) result.failure = unit.failure;
    if (unit.stoppedAt !== undefined) result.stoppedAt = unit.stoppedAt;
    this.#markMs = nowMs;
    sources.readMs = 0;
    sources.directFiles = 0;
    sources.bufferedFiles = 0;
    this.#deliver(result);
  }

  #openRange(file: OpenFile, range: NonNullable<FileTask["range"]>): void {
    const { planned } = file.task;
    const late = this.#late.get(file.drive);
    if (late !== undefined) throw late;
    file.targetPath = this.#targets.path(file.drive, planned);
    const held = this.#held;
    if (held !== undefined && this.#isHeld(file.drive, planned.position)) {
      this.#held = undefined;
      file.source = held.source;
      file.target = held.target;
    } else {
      this.#releaseHeld();
      file.source = this.#sources.open(planned);
    }
    if (range.isFirst) {
      file.task.expected = this.#sources.identity(file.source);
      this.#checkGrowth(file.task, file.task.expected.sizeBytes);
    }
    if (this.job.mode === "copy" && file.target === -1) {
      file.target = range.isFirst
        ? this.#targets.create(file.drive, file.targetPath, planned.mode)
        : this.#targets.reopen(file.targetPath);
    }
    file.layOut(file.task.expected.sizeBytes);
  }

  #createTarget(file: OpenFile): void {
    if (this.job.mode !== "copy") return;
    const { planned } = file.task;
    file.targetPath = this.#targets.path(file.drive, planned);
    file.target = this.#targets.create(file.drive, file.targetPath, planned.mode);
    file.ownsTarget = true;
  }

  #checkGrowth(task: FileTask, sizeBytes: number): void {
    if (sizeBytes <= task.planned.sizeBytes || this.job.mode !== "copy") return;
    const { unit } = task.unit;
    const extraBytes = unit.kind === "files" || unit.kind === "range" ? unit.extraBytes : 0;
    const clusters = Math.ceil(task.planned.sizeBytes / CLUSTER_BYTES) * CLUSTER_BYTES;
    if (sizeBytes > clusters + extraBytes) throw new SourceGrew(sizeBytes);
  }

  #isInOrder(file: OpenFile): boolean {
    return needsContentMd5(file.task.planned) || this.job.drives[file.drive]?.ioMode === "sequential";
  }

  /** Fits one chunk (with a byte to spare, to see it grow) and one segment. */
  #isSmall({ expected, planned }: FileTask): boolean {
    if (needsContentMd5(planned)) return false;
    return expected.sizeBytes < this.hasher.chunkBytes && expected.sizeBytes <= planned.segmentBytes;
  }

  #isHeld(drive: number, position: number): boolean {
    return this.#held?.drive === drive && this.#held.position === position;
  }

  #releaseHeld(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#sources.close(held.source);
    if (held.target === -1) return;
    try {
      this.#targets.close(held.target);
    } catch (error) {
      // Told by the next range on this drive: every large file ends with a range of the worker that kept it open.
      this.#late.set(held.drive, error as Error);
    }
  }

  /** Small files are counted several at a time. */
  #countSmall(unit: OpenUnit, bytes: number): void {
    unit.uncountedBytes += bytes;
    if (unit.uncountedBytes >= COUNT_BYTES) this.#flushCount(unit);
  }

  #flushCount(unit: OpenUnit): void {
    if (unit.uncountedBytes === 0) return;
    this.control.transferred(unit.unit.drive, unit.uncountedBytes);
    unit.uncountedBytes = 0;
  }

  #count(file: OpenFile, bytes: number): void {
    file.countedBytes += bytes;
    this.control.transferred(file.drive, bytes);
  }

  /** Reads a file for the page cache's sake. What cannot be read is found by the one who copies it. */
  #warm(planned: PlannedFile): void {
    const { memory, scratchOffset } = this.hasher;
    let fd = -1;
    try {
      fd = this.#sources.open(planned);
      for (let position = 0; ; ) {
        const got = this.fs.read(fd, memory, scratchOffset, SCRATCH_BYTES, position);
        if (got === 0) break;
        position += got;
      }
    } catch {
      // See above.
    }
    if (fd !== -1) this.#sources.close(fd);
  }
}

const KEPT_CHANGING = "kept changing while it was read";

/** The file was not what was expected: the next try expects what was seen. */
class ChangedTo extends SourceChanged {
  constructor(readonly seen: FileIdentity) {
    super("changed");
  }
}

function needsContentMd5(file: PlannedFile): boolean {
  return (file.flags & PlanFlag.ContentMd5) !== 0;
}

function outOfHandles(error: NoHandles): NonNullable<UnitResult["failure"]> {
  return { errno: "EMFILE", kind: "failed", reason: error.reason };
}
