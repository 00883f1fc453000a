/** A source tree, its plan and one run of an engine over it, for the tests of the copy room. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type {
  CopyEngine,
  CopyRequest,
  CopySummary,
  DriveFailure,
  FileDone,
  FileNotDone,
  FileResult,
  IoMode,
} from "../../src/copy/copy-contract.ts";
import { maxPlanRecordBytes, type PlannedFile, viewOf, writePlanRecord } from "../../src/copy/plan-record.ts";
import { patternBytes } from "./md5/hash-messages.ts";

/** Small segments make "large" files cheap: 12 of them are one range. */
export const SEGMENT_BYTES = 65_536;

export interface PlanOptions {
  segmentBytes?: number;
  flags?: number;
  row?: number;
  storedPath?: string;
}

export class CopyFixture {
  readonly root = fs.mkdtempSync(join(tmpdir(), "copy-test-"));
  readonly source = join(this.root, "source");
  readonly sourceRoots = [this.source];
  readonly plans: PlannedFile[][] = [[]];
  #sequence = 0;

  constructor() {
    fs.mkdirSync(this.source);
    fs.mkdirSync(this.sessionRoot(0));
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true });
  }

  sessionRoot(drive: number): string {
    return join(this.root, `drive-${drive}`);
  }

  addDrive(): number {
    this.plans.push([]);
    fs.mkdirSync(this.sessionRoot(this.plans.length - 1));
    return this.plans.length - 1;
  }

  sourcePath(relativePath: string): string {
    return join(this.source, relativePath);
  }

  targetPath(relativePath: string, drive = 0, row = 0): string {
    return join(this.sessionRoot(drive), String(row), relativePath);
  }

  /** Writes a source file without planning it. */
  write(relativePath: string, content: Uint8Array | number): void {
    const path = this.sourcePath(relativePath);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, typeof content === "number" ? patternBytes(content, relativePath.length) : content);
  }

  /** Writes a source file and plans it for a drive. */
  add(relativePath: string, content: Uint8Array | number, drive = 0, options: PlanOptions = {}): PlannedFile {
    this.write(relativePath, content);
    return this.plan(relativePath, drive, options);
  }

  plan(relativePath: string, drive = 0, options: PlanOptions = {}): PlannedFile {
    const stat = fs.lstatSync(this.sourcePath(relativePath), { bigint: true });
    const plan = this.plans[drive] as PlannedFile[];
    const planned: PlannedFile = {
      position: plan.length,
      sequence: this.#sequence++,
      sizeBytes: Number(stat.size),
      mtimeNs: stat.mtimeNs,
      fileId: stat.ino,
      mode: Number(stat.mode),
      segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
      row: options.row ?? 0,
      flags: options.flags ?? 0,
      relativePath,
      storedPath: options.storedPath ?? relativePath,
    };
    plan.push(planned);
    return planned;
  }

  /** Sets an mtime with nanoseconds on a source, before it is planned. */
  setMtime(relativePath: string, mtimeMs: number): void {
    fs.utimesSync(this.sourcePath(relativePath), mtimeMs / 1000, mtimeMs / 1000);
  }
}

export interface RunOutcome {
  summary: CopySummary;
  done: Map<string, FileDone>;
  notDone: Map<string, FileNotDone>;
  /** In the order they came. */
  order: string[];
  failures: Map<number, DriveFailure>;
  progress: readonly { bytes: number; files: number }[];
}

export type RunParts = Partial<Omit<CopyRequest, "drives">> & {
  ioModes?: IoMode[];
  onEach?: (drive: number, result: FileResult) => void;
};

export async function runEngine(engine: CopyEngine, fixture: CopyFixture, parts: RunParts = {}): Promise<RunOutcome> {
  const { ioModes = [], onEach, ...request } = parts;
  const done = new Map<string, FileDone>();
  const notDone = new Map<string, FileNotDone>();
  const order: string[] = [];
  const failures = new Map<number, DriveFailure>();
  const cursors = fixture.plans.map(() => 0);
  const scratch = Buffer.alloc(1024 * 1024);
  const view = viewOf(scratch);
  const running = engine({
    mode: "copy",
    sourceRoots: fixture.sourceRoots,
    drives: fixture.plans.map((_, drive) => ({
      sessionRoot: fixture.sessionRoot(drive),
      ioMode: ioModes[drive] ?? "parallel",
    })),
    flush: "none",
    nextBatch: (drive, maxFiles, maxBytes) => {
      const plan = fixture.plans[drive] as PlannedFile[];
      let at = 0;
      let count = 0;
      let bytes = 0;
      for (; count < maxFiles; count++) {
        const file = plan[cursors[drive] as number];
        if (file === undefined || (count > 0 && bytes + file.sizeBytes > maxBytes)) break;
        if (at + maxPlanRecordBytes(file) > scratch.length) break;
        at += writePlanRecord(file, scratch, view, at);
        bytes += file.sizeBytes;
        cursors[drive] = (cursors[drive] as number) + 1;
      }
      // The same buffer each time: the engine must not rely on it afterwards.
      return count === 0 ? undefined : { records: scratch.subarray(0, at), count };
    },
    onResults: (drive, results) => {
      for (const result of results) {
        const file = (fixture.plans[drive] as PlannedFile[])[result.position] as PlannedFile;
        order.push(file.relativePath);
        if (result.outcome === "done") done.set(file.relativePath, { ...result, digests: result.digests.slice() });
        else notDone.set(file.relativePath, result);
        onEach?.(drive, result);
      }
    },
    onDriveFailed: (drive, failure) => failures.set(drive, failure),
    ...request,
  });
  const summary = await running.finished;
  return { summary, done, notDone, order, failures, progress: running.progress() };
}

/** MD5 of each segment, one after another, as hex. */
export function segmentDigests(content: Uint8Array, segmentBytes = SEGMENT_BYTES): string {
  let all = "";
  for (let at = 0; at < content.length; at += segmentBytes) {
    all += createHash("md5")
      .update(content.subarray(at, at + segmentBytes))
      .digest("hex");
  }
  return all;
}

export function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}
