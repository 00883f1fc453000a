/**
 * The I/O of one file at a time for a copy loop: opens source and target, moves chunks, checks that the source held
 * still, sets times, closes; and cleans up after a file that failed. Throws the problems of copy-problems.ts.
 *
 * Change is noticed by fstat after the last read: size, modification time (nanoseconds) and file id must be what they
 * were before the first, or what the plan says. A bigint fstat takes 1.1 µs against 1.0 µs with doubles, which lose
 * nanoseconds, so there is nothing to be gained by less exact checks.
 */
import type { Clock } from "../platform/clock.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { SourceChanged, SourceGrew, Stopped } from "./copy-problems.ts";
import type { CopyJob, LoopControl } from "./loop-contract.ts";
import type { LaneHasher } from "./md5/lane-hasher.ts";
import type { FileTask, OpenFile } from "./open-unit.ts";
import type { PlannedFile } from "./plan-record.ts";
import { isSameIdentity, SourceFiles } from "./source-files.ts";
import { TargetFiles } from "./target-files.ts";
import type { FileIdentity, RangeUnit } from "./work-unit.ts";

const CLUSTER_BYTES = 4096;

/** The file was not what was expected: the next try expects what was seen. */
export class ChangedTo extends SourceChanged {
  constructor(readonly seen: FileIdentity) {
    super("changed");
  }
}

/** A large file whose handles stay open from one of its ranges to the next. */
interface HeldFile {
  drive: number;
  position: number;
  source: number;
  target: number;
}

export class FileMover {
  readonly sources: SourceFiles;
  readonly #targets: TargetFiles;
  readonly #writes: boolean;
  readonly #flushes: boolean;
  #held: HeldFile | undefined;
  /** Drives whose held target failed when it was closed. */
  readonly #late = new Map<number, Error>();

  constructor(
    private readonly fs: FileSystem,
    clock: Clock,
    private readonly hasher: LaneHasher,
    job: CopyJob,
    private readonly control: LoopControl,
  ) {
    this.sources = new SourceFiles(fs, clock, job.sourceRoots, job.directRead);
    this.#targets = new TargetFiles(fs, job.drives);
    this.#writes = job.mode === "copy";
    this.#flushes = job.flush === "per-file";
  }

  /**
   * Copies a file that fits one chunk to the memory at `at` and on its drive; returns its size. The target is made only
   * when the source was seen to have held still. `file` is told of the handles while they are open.
   */
  copySmall(task: FileTask, at: number, file: SmallFile): number {
    const { planned, expected } = task;
    const { memory, chunkBytes } = this.hasher;
    this.#checkGrowth(task, expected.sizeBytes);
    file.source = this.sources.open(planned);
    const sizeBytes = this.sources.read(file.source, memory, at, expected.sizeBytes, chunkBytes, 0);
    const seen = this.sources.identity(file.source);
    if (sizeBytes !== seen.sizeBytes || !isSameIdentity(seen, expected)) throw new ChangedTo(seen);
    if (this.#writes) {
      const { drive } = task.unit.unit;
      file.targetPath = this.#targets.path(drive, planned);
      const target = this.#targets.create(drive, file.targetPath, planned.mode);
      file.target = target;
      if (sizeBytes > 0) this.#targets.write(target, memory, at, sizeBytes, 0);
      file.target = -1;
      this.#targets.finish(target, expected.mtimeNs, this.#flushes);
    }
    this.sources.close(file.source);
    file.source = -1;
    return sizeBytes;
  }

  openWhole(file: OpenFile): void {
    const { task } = file;
    file.source = this.sources.open(task.planned);
    task.expected = this.sources.identity(file.source);
    this.#checkGrowth(task, task.expected.sizeBytes);
    if (this.#writes) {
      file.targetPath = this.#targets.path(file.drive, task.planned);
      file.target = this.#targets.create(file.drive, file.targetPath, task.planned.mode);
      file.ownsTarget = true;
    }
    file.layOut(task.expected.sizeBytes);
  }

  openRange(file: OpenFile, range: RangeUnit): void {
    const { planned } = file.task;
    const late = this.#late.get(file.drive);
    if (late !== undefined) throw late;
    this.#takeHeldOrOpen(file);
    if (range.isFirst) {
      file.task.expected = this.sources.identity(file.source);
      this.#checkGrowth(file.task, file.task.expected.sizeBytes);
    }
    if (this.#writes) {
      file.targetPath = this.#targets.path(file.drive, planned);
      if (file.target === -1) {
        file.target = range.isFirst
          ? this.#targets.create(file.drive, file.targetPath, planned.mode)
          : this.#targets.reopen(file.targetPath);
      }
    }
    file.layOut(file.task.expected.sizeBytes);
  }

  /** Reads `length` bytes into memory at `at` and writes them on the drive. */
  moveChunk(file: OpenFile, at: number, length: number, position: number): void {
    if (this.control.shouldStop(file.drive)) throw new Stopped();
    const { memory } = this.hasher;
    // Whole pages, as direct reads need; more than `length` only where the file was seen to end.
    const room = Math.ceil(length / CLUSTER_BYTES) * CLUSTER_BYTES;
    const got = this.sources.read(file.source, memory, at, length, room, position);
    if (got < length) throw new SourceChanged("became shorter while it was read");
    if (file.target !== -1) this.#targets.write(file.target, memory, at, length, position);
    file.bytesLeft -= length;
    file.countedBytes += length;
    this.control.transferred(file.drive, length);
  }

  /** All bytes of the task were read and written: checks for change, then closes or keeps the handles. */
  finish(file: OpenFile): void {
    const { range, expected, planned } = file.task;
    if (!isSameIdentity(this.sources.identity(file.source), expected)) throw new SourceChanged("changed while read");
    const { source, target } = file;
    file.source = -1;
    file.target = -1;
    if (range !== undefined && !range.isFinal) {
      this.#held = { drive: file.drive, position: planned.position, source, target };
      return;
    }
    this.sources.close(source);
    if (target !== -1) this.#targets.finish(target, expected.mtimeNs, this.#flushes);
  }

  /** Closes a file that failed, and removes the target that it made. */
  giveUp(file: OpenFile): void {
    if (file.source !== -1) this.sources.close(file.source);
    if (file.target !== -1) this.#targets.closeQuietly(file.target);
    if (file.ownsTarget) this.#targets.remove(file.drive, file.targetPath);
    if (file.countedBytes !== 0) this.control.transferred(file.drive, -file.countedBytes);
  }

  /** Removes what is, or was left by an interrupted run, at a file's place on the drive. */
  removeTarget(drive: number, planned: PlannedFile): void {
    if (!this.#writes) return;
    if (this.#isHeld(drive, planned.position)) this.releaseHeld();
    this.#targets.remove(drive, this.#targets.path(drive, planned));
  }

  /** Closes what is kept open between ranges; false when there was nothing. */
  releaseHeld(): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    this.#held = undefined;
    this.sources.close(held.source);
    if (held.target === -1) return true;
    try {
      this.#targets.close(held.target);
    } catch (error) {
      // Told by the next range on this drive: every large file ends with a range of the worker that kept it open.
      this.#late.set(held.drive, error as Error);
    }
    return true;
  }

  /** Reads a file for the page cache's sake. What cannot be read is found by the one who copies it. */
  warm(planned: PlannedFile): void {
    const { memory, scratchOffset, scratchBytes } = this.hasher;
    let fd = -1;
    try {
      fd = this.sources.open(planned);
      for (let position = 0; ; ) {
        const got = this.fs.read(fd, memory, scratchOffset, scratchBytes, position);
        if (got === 0) break;
        position += got;
      }
    } catch {
      // See above.
    }
    if (fd !== -1) this.sources.close(fd);
  }

  #checkGrowth(task: FileTask, sizeBytes: number): void {
    if (sizeBytes <= task.planned.sizeBytes || !this.#writes) return;
    const { unit } = task.unit;
    const extraBytes = unit.kind === "files" || unit.kind === "range" ? unit.extraBytes : 0;
    const clusters = Math.ceil(task.planned.sizeBytes / CLUSTER_BYTES) * CLUSTER_BYTES;
    if (sizeBytes > clusters + extraBytes) throw new SourceGrew(sizeBytes);
  }

  #takeHeldOrOpen(file: OpenFile): void {
    const { planned } = file.task;
    const held = this.#held;
    if (held !== undefined && this.#isHeld(file.drive, planned.position)) {
      this.#held = undefined;
      file.source = held.source;
      file.target = held.target;
    } else {
      this.releaseHeld();
      file.source = this.sources.open(planned);
    }
  }

  #isHeld(drive: number, position: number): boolean {
    return this.#held?.drive === drive && this.#held.position === position;
  }
}

/** The handles of a small file while `copySmall` runs: what is to be cleaned up when it throws. */
export interface SmallFile {
  source: number;
  target: number;
  targetPath: string;
}
