/**
 * The inner loop of the copy engine: takes files, moves their bytes and hashes them, synchronously, over the FileSystem
 * port. Worker threads and the in-thread engine run the same loop. (A little over the usual length: the ways of a file
 * through the lanes belong together.)
 *
 * Bytes are read straight into the buffer of an MD5 lane, written from there and hashed there. The lanes hold many
 * small files or several segments of a large one. What must be written strictly in order (drives in sequential mode) or
 * needs one sum over the whole file goes through one buffer and `createHash` instead.
 *
 * A file that fits one chunk is read and checked before its target is made; its bytes are on the drive before its sum is
 * known, so that small files are written in plan order while their sums are computed twelve at a time.
 */
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type NotDoneCode, SLOW_FILE_MS } from "./copy-contract.ts";
import { NoHandles, SourceChanged, SourceGrew, SourceProblem, Stopped, TargetProblem } from "./copy-problems.ts";
import { ChangedTo, FileMover, type SmallFile } from "./file-mover.ts";
import type { CopyJob, LoopControl } from "./loop-contract.ts";
import { createMd5 } from "./md5/crypto-md5.ts";
import { type LaneHasher, MD5_BYTES } from "./md5/lane-hasher.ts";
import { type FileTask, needsContentMd5, OpenFile, type Piece, type SmallPiece } from "./open-unit.ts";
import { UnitFeed } from "./unit-feed.ts";
import type { UnitResult, WorkUnit } from "./work-unit.ts";

const MAX_CHANGES = 3;
const KEPT_CHANGING = "kept changing while it was read";

export class CopyLoop {
  readonly #mover: FileMover;
  readonly #feed: UnitFeed;
  /** What is in each lane: a segment of a file, or a whole small one. */
  readonly #pieces: (Piece | undefined)[];
  readonly #smallPieces: (SmallPiece | undefined)[];
  /** The file whose segments are being dealt to lanes. */
  #current: OpenFile | undefined;
  readonly #handles: SmallFile = { source: -1, target: -1, targetPath: "" };

  constructor(
    fs: FileSystem,
    private readonly clock: Clock,
    private readonly hasher: LaneHasher,
    private readonly job: CopyJob,
    private readonly control: LoopControl,
  ) {
    this.#mover = new FileMover(fs, clock, hasher, job, control);
    this.#feed = new UnitFeed(clock, this.#mover, control);
    this.#pieces = new Array(hasher.laneCount).fill(undefined);
    this.#smallPieces = new Array(hasher.laneCount).fill(undefined);
  }

  /**
   * Works until `poll` (which must not block) has no more units and all that were taken are delivered. Units are taken
   * ahead while lanes are free, so that the lanes stay full from one unit to the next.
   */
  run(poll: () => WorkUnit | undefined, deliver: (result: UnitResult) => void): void {
    this.#feed.begin(poll, deliver);
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
    this.#mover.releaseHeld();
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
      const task = this.#feed.next();
      if (task === undefined) return false;
      if (this.#isSmall(task) ? this.#copySmall(task, lane) : this.#begin(task)) return true;
    }
  }

  /** Begins a file of which lanes take segments; one that must be copied in order is done when this returns. */
  #begin(task: FileTask): false {
    const file = new OpenFile(task, this.clock.monotonicMs());
    try {
      if (task.range === undefined) this.#mover.openWhole(file);
      else this.#mover.openRange(file, task.range);
      if (this.#isInOrder(file)) this.#copyInOrder(file);
      else if (file.bytesLeft > 0) this.#current = file;
      else {
        this.#mover.finish(file);
        this.#settle(file);
      }
    } catch (error) {
      this.#fail(file, error);
    }
    return false;
  }

  /**
   * Copies a file that fits one chunk and leaves it in the lane to be hashed; true when it did. Nearly all files of most
   * shipments come this way: it makes no objects but the one in the lane until something goes wrong.
   */
  #copySmall(task: FileTask, lane: number): boolean {
    const startedMs = this.clock.monotonicMs();
    const handles = this.#handles;
    let sizeBytes: number;
    try {
      sizeBytes = this.#mover.copySmall(task, this.hasher.bufferOffset(lane), handles);
      handles.targetPath = "";
    } catch (error) {
      const { source, target, targetPath } = handles;
      handles.source = -1;
      handles.target = -1;
      handles.targetPath = "";
      this.#fail(new OpenFile(task, startedMs, source, target, targetPath), error);
      return false;
    }
    this.#feed.countSmall(task.unit, sizeBytes);
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
    this.#feed.leave(unit);
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
    const length = Math.min(this.hasher.chunkBytes, piece.end - piece.position);
    try {
      this.#mover.moveChunk(file, this.hasher.bufferOffset(lane), length, piece.position);
      piece.position += length;
      this.hasher.feed(lane, length, piece.position === piece.end);
      if (file.bytesLeft === 0) this.#mover.finish(file);
      return true;
    } catch (error) {
      this.#pieces[lane] = undefined;
      this.#fail(file, error);
      return false;
    }
  }

  #copyInOrder(file: OpenFile): void {
    const { segmentBytes } = file.task.planned;
    const { memory, scratchOffset, scratchBytes } = this.hasher;
    const content = needsContentMd5(file.task.planned) ? createMd5() : undefined;
    for (; file.nextSegment < file.endSegment; file.nextSegment++) {
      const hash = createMd5();
      const end = Math.min((file.nextSegment + 1) * segmentBytes, file.task.expected.sizeBytes);
      for (let position = file.nextSegment * segmentBytes; position < end; ) {
        const length = Math.min(scratchBytes, end - position);
        this.#mover.moveChunk(file, scratchOffset, length, position);
        const bytes = memory.subarray(scratchOffset, scratchOffset + length);
        hash.update(bytes);
        content?.update(bytes);
        position += length;
      }
      file.digests.set(hash.digest(), MD5_BYTES * (file.nextSegment - file.firstSegment));
    }
    this.#mover.finish(file);
    file.contentMd5 = content?.digest();
    this.#settle(file);
  }

  /** The task is done and its sums are known. */
  #settle(file: OpenFile): void {
    const { unit, planned, expected, range } = file.task;
    const { sizeBytes, mtimeNs, fileId } = expected;
    const { digests, contentMd5, firstSegment } = file;
    if (range === undefined) {
      const elapsedMs = this.clock.monotonicMs() - file.startedMs;
      unit.results.done({
        outcome: "done",
        position: planned.position,
        sizeBytes,
        mtimeNs,
        digests,
        elapsedMs,
        ...(contentMd5 && { contentMd5 }),
        ...(elapsedMs > SLOW_FILE_MS ? { sourcePath: this.#mover.sources.path(planned) } : {}),
      });
    } else {
      unit.range = { outcome: "done", identity: { sizeBytes, mtimeNs, fileId }, firstSegment, digests };
    }
    this.#feed.leave(unit);
  }

  /** Gives up a task: closes, removes the partial target, and tries again or answers by what went wrong. */
  #fail(file: OpenFile, error: unknown): void {
    file.isDead = true;
    if (this.#current === file) this.#current = undefined;
    this.#mover.giveUp(file);
    if (this.#isTriedAgain(file.task, error)) return;
    this.#report(file, error);
    this.#feed.leave(file.task.unit);
  }

  #isTriedAgain(task: FileTask, error: unknown): boolean {
    if (error instanceof NoHandles) {
      const mayGetSome = this.#mover.releaseHeld() || this.#feed.openFiles > 1;
      if (mayGetSome) this.#feed.tryAgain(task, true);
      return mayGetSome;
    }
    if (!(error instanceof SourceChanged) || task.range !== undefined || task.changes === MAX_CHANGES) return false;
    const expected = error instanceof ChangedTo ? error.seen : task.expected;
    this.#feed.tryAgain({ ...task, expected, changes: task.changes + 1 }, false);
    return true;
  }

  #report(file: OpenFile, error: unknown): void {
    const { unit, planned, range } = file.task;
    if (error instanceof Stopped) {
      unit.stopAt(planned.position);
    } else if (error instanceof TargetProblem || (error instanceof NoHandles && error.side === "target")) {
      unit.failure ??= error.failure;
      unit.stopAt(planned.position);
      this.control.driveFailed(file.drive);
      this.#mover.removeTarget(file.drive, planned);
    } else if (error instanceof SourceGrew) {
      if (range === undefined) unit.results.grew(planned.position, error.sizeBytes);
      else unit.range = { outcome: "grew", sizeBytes: error.sizeBytes };
    } else if (error instanceof SourceChanged) {
      if (range === undefined) this.#notDone(file, "FILE_CHANGED", KEPT_CHANGING);
      else unit.range = { outcome: "changed", reason: KEPT_CHANGING };
    } else if (error instanceof SourceProblem || error instanceof NoHandles) {
      this.#notDone(file, error.fileCode, error.reason);
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
    this.#mover.removeTarget(file.drive, planned);
    const { position } = planned;
    unit.results.notDone({ position, sourcePath: this.#mover.sources.path(planned), code, reason });
  }

  /** Fits one chunk (with a byte to spare, to see it grow) and one segment. */
  #isSmall({ expected, planned, range }: FileTask): boolean {
    if (range !== undefined || needsContentMd5(planned)) return false;
    return expected.sizeBytes < this.hasher.chunkBytes && expected.sizeBytes <= planned.segmentBytes;
  }

  #isInOrder(file: OpenFile): boolean {
    return needsContentMd5(file.task.planned) || this.job.drives[file.drive]?.ioMode === "sequential";
  }
}
