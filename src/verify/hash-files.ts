/**
 * Hashes the files that a manifest names with the copy engine and holds the sums against it. The manifest is read
 * piece by piece as the engine asks for work, so that only the files in the engine's hands are in memory.
 */
import type { CopySummary, FileResult, WorkBatch } from "../copy/copy-contract.ts";
import { maxPlanRecordBytes, type PlannedFile, viewOf, writePlanRecord } from "../copy/plan-record.ts";
import { DIGEST_BYTES, toBase16 } from "../manifest/manifest-model.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import type { ReadBlob } from "../manifest/read-blob.ts";
import { AppError } from "../platform/app-error.ts";
import { DriveFiles } from "./drive-files.ts";
import { checkSideFiles, examineBlob, segmentProblem, sizeProblem } from "./examine-blob.ts";
import { type ExpectedSegments, toExpectedSegments } from "./expected-segments.ts";
import type { VerifyPorts, VerifyProblem, VerifyProblemKind, VerifyRequest } from "./verify-contract.ts";
import type { VerifyTally } from "./verify-tally.ts";

interface WaitingFile {
  planned: PlannedFile;
  filePath: string;
  blobPath: string;
  sizeBytes: number;
  segments: ExpectedSegments;
  /** Of its metadata and properties files; the file itself may still be good. */
  problems: VerifyProblem[];
}

export interface HashedFiles extends CopySummary {
  /** Files whose segments are uneven: still to be done. */
  unevenFiles: number;
}

const CODE_KINDS: Readonly<Record<string, VerifyProblemKind>> = {
  FILE_UNREADABLE: "unreadable",
  FILE_VANISHED: "missing",
};

export class FileHashing {
  readonly #ports: VerifyPorts;
  readonly #request: VerifyRequest;
  readonly #tally: VerifyTally;
  readonly #files: DriveFiles;
  readonly #reader: ManifestReader;
  readonly #queue: WaitingFile[] = [];
  #queueStart = 0;
  /** By position: in the engine's hands. */
  readonly #waiting = new Map<number, WaitingFile>();
  #positions = 0;
  #unevenFiles = 0;
  #error: unknown;
  #progress: () => number = () => 0;

  constructor(request: VerifyRequest, ports: VerifyPorts, manifestPath: string, tally: VerifyTally) {
    this.#request = request;
    this.#ports = ports;
    this.#tally = tally;
    this.#files = new DriveFiles(ports.fs, request.driveRoot);
    this.#reader = new ManifestReader(ports.fs, manifestPath, {
      blobListStart: (list) => {
        const problems = checkSideFiles(ports.fs, this.#files, [list.metadata, list.properties]);
        for (const problem of problems) this.#tally.problem(problem);
      },
      blob: (blob) => this.#take(blob),
    });
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#progress();
  }

  async run(): Promise<HashedFiles> {
    const { workers, signal, driveRoot } = this.#request;
    try {
      const running = this.#ports.engine({
        mode: "hash",
        sourceRoots: [driveRoot],
        drives: [{ sessionRoot: driveRoot, ioMode: "parallel" }],
        directRead: true,
        flush: "none",
        nextBatch: (_, maxFiles, maxBytes) => this.#nextBatch(maxFiles, maxBytes),
        onResults: (_, results) => {
          for (const result of results) this.#answer(result);
        },
        onDriveFailed: (_, failure) => {
          this.#error ??= new AppError("DRIVE_FAILED", `the drive at "${driveRoot}" failed: ${failure.reason}`);
        },
        ...(workers === undefined ? {} : { workers }),
        ...(signal === undefined ? {} : { signal }),
      });
      this.#progress = () => running.progress()[0]?.bytes ?? 0;
      const summary = await running.finished;
      if (this.#error !== undefined) throw this.#error;
      return { ...summary, unevenFiles: this.#unevenFiles };
    } finally {
      this.#reader.close();
    }
  }

  #nextBatch(maxFiles: number, maxBytes: number): WorkBatch | undefined {
    if (this.#error !== undefined) return undefined;
    while (this.#queueStart === this.#queue.length) {
      this.#queue.length = 0;
      this.#queueStart = 0;
      if (this.#request.signal?.aborted === true || !this.#reader.step()) break;
    }
    const files: PlannedFile[] = [];
    for (let bytes = 0; files.length < maxFiles; ) {
      const file = this.#queue[this.#queueStart];
      if (file === undefined) break;
      bytes += file.sizeBytes;
      if (files.length > 0 && bytes > maxBytes) break;
      this.#queueStart += 1;
      this.#waiting.set(file.planned.position, file);
      files.push(file.planned);
    }
    return files.length === 0 ? undefined : { records: pack(files), count: files.length };
  }

  /** A blob of the manifest: queued for the engine, or done at once when there is nothing to hash. */
  #take(blob: ReadBlob): void {
    const { filePath, blobPath, sizeBytes } = blob;
    const isHashed = blob.isListed && sizeBytes > 0;
    const segments = isHashed ? toExpectedSegments(blob) : undefined;
    if (isHashed && segments === undefined) {
      this.#unevenFiles += 1;
      return;
    }
    const { problems, file } = examineBlob(this.#ports.fs, this.#files, blob);
    if (!blob.isListed && sizeBytes > 0) this.#tally.unchecked(filePath);
    if (file === undefined || segments === undefined) {
      this.#tally.file(sizeBytes, problems);
      return;
    }
    const planned: PlannedFile = {
      position: this.#positions,
      sequence: this.#positions,
      sizeBytes,
      mtimeNs: file.stat.mtimeNs,
      fileId: file.stat.fileId,
      mode: file.stat.mode,
      segmentBytes: segments.segmentBytes,
      row: 0,
      flags: 0,
      relativePath: file.relativePath,
      storedPath: file.relativePath,
    };
    this.#queue.push({ planned, filePath, blobPath, sizeBytes, segments, problems });
    this.#positions += 1;
  }

  #answer(result: FileResult): void {
    const file = this.#waiting.get(result.position);
    if (file === undefined) return;
    this.#waiting.delete(result.position);
    this.#tally.file(file.sizeBytes, findProblems(file, result));
  }
}

/** One at a time: a file that was overwritten has as many problems as segments. */
function* findProblems(file: WaitingFile, result: FileResult): Generator<VerifyProblem> {
  yield* file.problems;
  const { filePath, blobPath } = file;
  if (result.outcome === "not-done") {
    yield { kind: CODE_KINDS[result.code] ?? "changing", filePath, blobPath, reason: result.reason };
  } else if (result.sizeBytes !== file.sizeBytes) {
    yield sizeProblem(filePath, blobPath, file.sizeBytes, result.sizeBytes);
  } else if (file.segments.digests.compare(result.digests) !== 0) {
    yield* findDifferences(file, result.digests);
  }
}

function* findDifferences(file: WaitingFile, digests: Uint8Array): Generator<VerifyProblem> {
  const { sizeBytes, segments } = file;
  for (let index = 0; index < segments.count; index++) {
    const at = index * DIGEST_BYTES;
    const expected = segments.digests.subarray(at, at + DIGEST_BYTES);
    const actual = digests.subarray(at, at + DIGEST_BYTES);
    if (expected.compare(actual) === 0) continue;
    const offset = index * segments.segmentBytes;
    const length = Math.min(segments.segmentBytes, sizeBytes - offset);
    const isLeftOut = segments.leftOut[index] === 1;
    const found = { offset, length, isLeftOut, expected: toBase16(expected), actual: toBase16(actual) };
    yield segmentProblem(file, found);
  }
}

function pack(files: readonly PlannedFile[]): Buffer {
  let room = 0;
  for (const file of files) room += maxPlanRecordBytes(file);
  const buffer = Buffer.allocUnsafeSlow(room);
  const view = viewOf(buffer);
  let used = 0;
  for (const file of files) used += writePlanRecord(file, buffer, view, used);
  return buffer.subarray(0, used);
}
