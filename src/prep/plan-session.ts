/**
 * Planning: walk every row, check every name, decide the drive of every file, and freeze all of it on disk before the
 * first byte moves. Memory stays that of one batch.
 */
import { constants } from "node:fs";
import { planRecordSizeBytes, readPlanRecord } from "../copy/plan-record.ts";
import { fileCostBytes } from "../drives/capacity.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { Distributor, type DriveCapacity, type PoolCapacity, RestCounter, UNPLACED } from "./distribute.ts";
import type { NotDoneCounts } from "./frozen-plan.ts";
import { DIRECTORY_BYTES, PlanBatch } from "./plan-batch.ts";
import { mergePlans, type PlanFileFacts, PlanFileReader, PlanFileWriter } from "./plan-files.ts";
import type { PrepEvent } from "./prep-contract.ts";
import type { SessionFiles } from "./session-files.ts";
import type { SourceEntry, SourceFile, SourceLeftOut } from "./walk-sources.ts";

/** Entries between two turns of the event loop, where signals are seen. */
const ENTRIES_PER_TURN = 2048;

export interface PlanTarget extends DriveCapacity {
  driveId: string;
  place: string;
  clusterBytes: number;
}

export interface PlanContext {
  fs: FileSystem;
  files: SessionFiles;
  /** Position of the first target among the session's drives: above 0 when drives are added. */
  firstDrive: number;
  generation: number;
  targets: readonly PlanTarget[];
  pools: readonly PoolCapacity[];
  distribute: "fill" | "spread";
  onEvent(event: PrepEvent): void;
  signal: AbortSignal;
}

export interface PlannedPart {
  drives: { driveId: string; place: string; capacityBytes: number; usedBytes: number; facts: PlanFileFacts }[];
  unplaced: PlanFileFacts & { moreDrivesNeeded: number; tooLargeFiles: number };
}

export interface WalkCounts {
  notDone: NotDoneCounts;
  special: number;
}

/** Plans a new session from its sources. */
export async function planSources(
  context: PlanContext,
  entries: Iterable<SourceEntry>,
): Promise<PlannedPart & { counts: WalkCounts }> {
  const planner = new Planner(context);
  const leftOut = new LeftOutWriter(context.fs, context.files.leftOut);
  const counts: WalkCounts = { notDone: {}, special: 0 };
  const directories = new DirectoryCounter();
  let sequence = 0;
  let turn = 0;
  try {
    for (const entry of entries) {
      if (++turn % ENTRIES_PER_TURN === 0) await planner.breathe();
      if (entry.kind === "file") planner.add(entry, sequence++, directories.newFor(entry));
      else if (entry.kind === "left-out") noteLeftOut(entry, counts, leftOut, context);
      else warnExcluded(entry, context);
    }
    leftOut.finish();
    return { ...planner.finish(), counts };
  } catch (error) {
    planner.discard();
    leftOut.discard();
    throw error;
  }
}

/**
 * Plans again what has no drive: the rest of earlier plannings, the tail of a drive that turned out too small, all of
 * a drive that was given up. `sources` lists those plan files with the part that counts.
 */
export async function planRemaining(
  context: PlanContext,
  sources: readonly { path: string; from: number; until: number }[],
): Promise<PlannedPart> {
  const planner = new Planner(context);
  const readers = sources.map((source) => {
    const reader = new PlanFileReader(context.fs, source.path);
    while (reader.peekPosition() >= 0 && reader.peekPosition() < source.from) reader.skip();
    return reader;
  });
  const directories = new DirectoryCounter();
  let turn = 0;
  try {
    const until = sources.map((source) => source.until);
    for (const { reader } of mergePlans(readers, until)) {
      if (++turn % ENTRIES_PER_TURN === 0) await planner.breathe();
      const offset = reader.peek();
      const { row, relativePath } = readPlanRecord(reader.buffer, offset);
      planner.addPacked(reader.buffer, offset, directories.newFor({ row, relativePath }));
    }
    return planner.finish();
  } catch (error) {
    planner.discard();
    throw error;
  }
}

function noteLeftOut(entry: SourceLeftOut, counts: WalkCounts, out: LeftOutWriter, context: PlanContext): void {
  if (entry.code === "FILE_SPECIAL") counts.special += 1;
  else counts.notDone[entry.code] = (counts.notDone[entry.code] ?? 0) + 1;
  out.add(entry);
  context.onEvent({ type: "file-not-done", sourcePath: entry.sourcePath, code: entry.code, reason: entry.reason });
}

function warnExcluded(entry: SourceLeftOut, context: PlanContext): void {
  const message = `"${entry.sourcePath}" is part of this preparation and is not copied: ${entry.reason}`;
  context.onEvent({ type: "warning", message });
}

class Planner {
  readonly #context: PlanContext;
  readonly #batch = new PlanBatch();
  readonly #distributor: Distributor;
  readonly #writers: PlanFileWriter[];
  readonly #unplaced: PlanFileWriter;
  readonly #rest: RestCounter;
  /** The largest cluster of all drives: the plan never promises less than a file will take. */
  readonly #clusterBytes: number;
  #files = 0;
  #bytes = 0;

  constructor(context: PlanContext) {
    this.#context = context;
    const { fs, files, targets } = context;
    this.#distributor = new Distributor(targets, context.pools, context.distribute);
    this.#clusterBytes = Math.max(4096, ...targets.map((target) => target.clusterBytes));
    this.#rest = new RestCounter(Math.max(0, ...targets.map((target) => target.capacityBytes)));
    this.#writers = targets.map((_, index) => new PlanFileWriter(fs, files.plan(context.firstDrive + index)));
    this.#unplaced = new PlanFileWriter(fs, files.unplaced(context.generation));
  }

  add(file: SourceFile, sequence: number, newDirectories: number): void {
    const { sizeBytes, mtimeNs, fileId, mode } = file.stat;
    const cost = this.#cost(sizeBytes, file.segmentBytes, newDirectories);
    const { row, relativePath, storedPath, segmentBytes, flags } = file;
    // Written out: spreading costs a microsecond, of which a million make a second.
    const planned = {
      position: 0,
      sequence,
      sizeBytes,
      mtimeNs,
      fileId,
      mode,
      segmentBytes,
      row,
      flags,
      relativePath,
      storedPath,
    };
    this.#batch.add(planned, cost);
    this.#noteAdded(sizeBytes);
  }

  addPacked(source: Buffer, offset: number, newDirectories: number): void {
    const sizeBytes = planRecordSizeBytes(source, offset);
    const cost = this.#cost(sizeBytes, readPlanRecord(source, offset).segmentBytes, newDirectories);
    this.#batch.addPacked(source, offset, cost);
    this.#noteAdded(sizeBytes);
  }

  /** Lets timers and signals run; stops here when the run was interrupted. */
  async breathe(): Promise<void> {
    this.#context.onEvent({ type: "walk", files: this.#files, bytes: this.#bytes, done: false });
    await new Promise((resolve) => setImmediate(resolve));
    this.#context.signal.throwIfAborted();
  }

  finish(): PlannedPart {
    this.#assign();
    this.#context.onEvent({ type: "walk", files: this.#files, bytes: this.#bytes, done: true });
    return {
      drives: this.#context.targets.map(({ driveId, place, capacityBytes }, index) => ({
        driveId,
        place,
        capacityBytes,
        usedBytes: this.#distributor.usedBytes(index),
        facts: (this.#writers[index] as PlanFileWriter).finish(),
      })),
      unplaced: {
        ...this.#unplaced.finish(),
        moreDrivesNeeded: this.#rest.drives,
        tooLargeFiles: this.#rest.tooLargeFiles,
      },
    };
  }

  discard(): void {
    for (const writer of [...this.#writers, this.#unplaced]) writer.discard();
  }

  #cost(sizeBytes: number, segmentBytes: number, newDirectories: number): number {
    const segments = Math.ceil(sizeBytes / segmentBytes);
    return fileCostBytes(sizeBytes, segments, this.#clusterBytes) + newDirectories * DIRECTORY_BYTES;
  }

  #noteAdded(sizeBytes: number): void {
    this.#files += 1;
    this.#bytes += sizeBytes;
    if (this.#batch.isFull) this.#assign();
  }

  #assign(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    const drives = this.#distributor.assign(batch);
    const first = drives[0] as number;
    if (first !== UNPLACED && drives.every((drive) => drive === first)) {
      const writer = this.#writers[first] as PlanFileWriter;
      batch.setPositions(writer.files);
      writer.addBatch(batch);
      batch.clear();
      return;
    }
    for (let i = 0; i < batch.count; i++) {
      const drive = drives[i] as number;
      if (drive === UNPLACED) this.#rest.add(batch.costs[i] as number);
      const writer = drive === UNPLACED ? this.#unplaced : (this.#writers[drive] as PlanFileWriter);
      const { buffer, offset } = batch.record(i);
      writer.addPacked(buffer, offset, batch.sizeBytes(i));
    }
    batch.clear();
  }
}

/** Counts directories that a file brings with it, walking in order: those its predecessor's path did not have. */
class DirectoryCounter {
  #row = -1;
  #parent = "";

  newFor({ row, relativePath }: { row: number; relativePath: string }): number {
    const parentLength = relativePath.lastIndexOf("/") + 1;
    const isSameRow = row === this.#row;
    if (isSameRow && parentLength === this.#parent.length && relativePath.startsWith(this.#parent)) return 0;
    const parent = relativePath.slice(0, parentLength);
    const known = isSameRow ? commonDirectories(parent, this.#parent) : -1;
    this.#row = row;
    this.#parent = parent;
    return depthOf(parent) - known;
  }
}

const depthOf = (directory: string): number => directory.split("/").length - 1;

function commonDirectories(a: string, b: string): number {
  let depth = 0;
  for (let i = 0; i < a.length && a[i] === b[i]; i++) if (a[i] === "/") depth += 1;
  return depth;
}

/** Keeps what planning left out, so that a resumed run can tell it again without walking. JSON lines, buffered. */
class LeftOutWriter {
  readonly #fs: FileSystem;
  readonly #fd: number;
  #isClosed = false;
  #text = "";

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#fd = fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  }

  add(entry: SourceLeftOut): void {
    const { sourcePath, code, reason } = entry;
    this.#text += `${JSON.stringify({ sourcePath, code, reason })}\n`;
    if (this.#text.length > 64 * 1024) this.#flush();
  }

  finish(): void {
    this.#flush();
    this.#fs.fsync(this.#fd);
    this.#close();
  }

  discard(): void {
    try {
      this.#close();
    } catch {
      // What made the caller give up is the error to tell.
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#fs.close(this.#fd);
  }

  #flush(): void {
    writeAll(this.#fs, this.#fd, Buffer.from(this.#text), null);
    this.#text = "";
  }
}
