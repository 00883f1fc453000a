/**
 * The units of work of one copy loop: taken one after another as the loop gets free, files that must be tried again
 * first, and delivered when the last of their files is answered.
 */
import type { Clock } from "../platform/clock.ts";
import type { FileMover } from "./file-mover.ts";
import type { LoopControl } from "./loop-contract.ts";
import { type FileTask, OpenUnit } from "./open-unit.ts";
import type { UnitResult, WorkUnit } from "./work-unit.ts";

/** Small files are counted as progress several at a time. */
const COUNT_BYTES = 1_048_576;

export class UnitFeed {
  /** Files taken and not answered. */
  openFiles = 0;
  /** The unit whose files are being taken. */
  #unit: OpenUnit | undefined;
  readonly #again: FileTask[] = [];
  /** Handles ran out: begin nothing new while files are open that will give theirs back. */
  #isShortOfHandles = false;
  #markMs = 0;
  #poll: () => WorkUnit | undefined = () => undefined;
  #deliver: (result: UnitResult) => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly mover: FileMover,
    private readonly control: LoopControl,
  ) {}

  begin(poll: () => WorkUnit | undefined, deliver: (result: UnitResult) => void): void {
    this.#poll = poll;
    this.#deliver = deliver;
    this.#markMs = this.clock.monotonicMs();
  }

  /** The next file; undefined when there is none now. */
  next(): FileTask | undefined {
    if (this.#isShortOfHandles && this.openFiles > 0) return undefined;
    this.#isShortOfHandles = false;
    const task = this.#again.length > 0 ? this.#again.shift() : this.#take();
    if (task !== undefined) this.openFiles++;
    return task;
  }

  /** The file of `task` is open no more and will be begun once again, perhaps not before others gave back handles. */
  tryAgain(task: FileTask, whenHandlesAreFree: boolean): void {
    this.openFiles--;
    this.#isShortOfHandles ||= whenHandlesAreFree;
    this.#again.push(task);
  }

  /** A file of the unit is answered. */
  leave(unit: OpenUnit): void {
    this.openFiles--;
    unit.openFiles--;
    this.#deliverIfDone(unit);
  }

  countSmall(unit: OpenUnit, bytes: number): void {
    unit.uncountedBytes += bytes;
    if (unit.uncountedBytes >= COUNT_BYTES) this.#flushCount(unit);
  }

  #take(): FileTask | undefined {
    for (;;) {
      if (this.#unit === undefined) {
        const next = this.#poll();
        if (next === undefined) return undefined;
        this.#unit = this.#open(next);
      }
      const unit = this.#unit;
      if (!unit.isExhausted && this.control.shouldStop(unit.unit.drive)) unit.stop();
      if (!unit.isExhausted) {
        const planned = unit.take();
        unit.openFiles++;
        const range = unit.unit.kind === "range" ? unit.unit : undefined;
        return { unit, planned, range, expected: range?.identity ?? planned, changes: 0 };
      }
      this.#unit = undefined;
      this.#deliverIfDone(unit);
    }
  }

  /** Units that only clean up or read ahead are done on the spot. */
  #open(unit: WorkUnit): OpenUnit {
    const open = new OpenUnit(unit);
    if (unit.kind === "discard") {
      this.mover.removeTarget(unit.drive, open.take());
    } else if (unit.kind === "warm") {
      while (!open.isExhausted && !this.control.shouldStop(unit.drive)) this.mover.warm(open.take());
      open.stop();
    }
    return open;
  }

  #deliverIfDone(unit: OpenUnit): void {
    if (!unit.isExhausted || unit.openFiles > 0 || unit === this.#unit) return;
    this.#flushCount(unit);
    const nowMs = this.clock.monotonicMs();
    const { sources } = this.mover;
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

  #flushCount(unit: OpenUnit): void {
    if (unit.uncountedBytes === 0) return;
    this.control.transferred(unit.unit.drive, unit.uncountedBytes);
    unit.uncountedBytes = 0;
  }
}
