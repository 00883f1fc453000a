/**
 * Files whose manifest lists segments of uneven lengths, as exports may: read range by range in this thread. They are
 * few, so the manifest is read once more for them.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { toBase16 } from "../manifest/manifest-model.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import type { ReadBlob } from "../manifest/read-blob.ts";
import { zeroDigest } from "../manifest/zero-digest.ts";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { DriveFiles } from "./drive-files.ts";
import { examineBlob, segmentProblem, sizeProblem } from "./examine-blob.ts";
import { toExpectedSegments } from "./expected-segments.ts";
import type { VerifyPorts, VerifyProblem, VerifyRequest } from "./verify-contract.ts";
import type { VerifyTally } from "./verify-tally.ts";

const CHUNK_BYTES = 1024 * 1024;
/** What a list leaves out is told in pieces of this length. */
const LEFT_OUT_BYTES = 4 * CHUNK_BYTES;
/** Turns of the event loop come at least this often. */
const BYTES_PER_TURN = 64 * CHUNK_BYTES;

interface Range {
  offset: number;
  length: number;
  /** Base16. */
  expected: string;
  isLeftOut: boolean;
}

export class UnevenFiles {
  readonly #fs: FileSystem;
  readonly #files: DriveFiles;
  readonly #tally: VerifyTally;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #manifestPath: string;
  #sinceTurn = 0;

  constructor(request: VerifyRequest, ports: VerifyPorts, manifestPath: string, tally: VerifyTally) {
    this.#fs = ports.fs;
    this.#files = new DriveFiles(ports.fs, request.driveRoot);
    this.#signal = request.signal;
    this.#manifestPath = manifestPath;
    this.#tally = tally;
  }

  /** Only blobs that the engine left out. */
  async run(): Promise<void> {
    const uneven: { blob: ReadBlob; ranges: Range[] }[] = [];
    const reader = new ManifestReader(this.#fs, this.#manifestPath, {
      blob: (blob) => {
        if (blob.isListed && blob.sizeBytes > 0 && toExpectedSegments(blob) === undefined) {
          uneven.push({ blob, ranges: toRanges(blob) });
        }
      },
    });
    try {
      for (let isMore = true; isMore && this.#signal?.aborted !== true; ) {
        isMore = reader.step();
        for (const { blob, ranges } of uneven.splice(0)) await this.#check(blob, ranges);
      }
    } finally {
      reader.close();
    }
  }

  async #check(blob: ReadBlob, ranges: readonly Range[]): Promise<void> {
    const { problems, file } = examineBlob(this.#fs, this.#files, blob);
    if (file !== undefined) await this.#checkRanges(blob, this.#files.pathOf(file.relativePath), ranges, problems);
    if (this.#signal?.aborted !== true) this.#tally.file(blob.sizeBytes, problems);
  }

  async #checkRanges(
    { filePath, blobPath, sizeBytes }: ReadBlob,
    path: string,
    ranges: readonly Range[],
    problems: VerifyProblem[],
  ): Promise<void> {
    let fd: number | undefined;
    try {
      fd = this.#fs.open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
      for (const range of ranges) {
        if (this.#signal?.aborted === true) return;
        const actual = await this.#hash(fd, range);
        if (actual === undefined) {
          problems.push(sizeProblem(filePath, blobPath, sizeBytes, this.#fs.fstat(fd).sizeBytes));
          return;
        }
        if (actual !== range.expected) problems.push(segmentProblem({ filePath, blobPath }, { ...range, actual }));
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      problems.push({ kind: "unreadable", filePath, blobPath, reason: describeErrno(error) });
    } finally {
      if (fd !== undefined) this.#fs.close(fd);
    }
  }

  /** Undefined: the file ends before the range does. */
  async #hash(fd: number, range: Range): Promise<string | undefined> {
    const md5 = createHash("md5");
    for (let done = 0; done < range.length; ) {
      const wanted = Math.min(CHUNK_BYTES, range.length - done);
      const count = this.#fs.read(fd, this.#buffer, 0, wanted, range.offset + done);
      if (count === 0) return undefined;
      md5.update(this.#buffer.subarray(0, count));
      done += count;
      this.#sinceTurn += count;
      if (this.#sinceTurn < BYTES_PER_TURN) continue;
      this.#sinceTurn = 0;
      await setImmediate();
    }
    return toBase16(md5.digest());
  }
}

/** The listed segments and, as ranges of their own, what lies between them. */
function toRanges(blob: ReadBlob): Range[] {
  const ranges: Range[] = [];
  const { segments } = blob;
  let end = 0;
  for (let index = 0; index < segments.count; index++) {
    const offset = segments.offset(index);
    const length = segments.length(index);
    addLeftOut(ranges, end, offset);
    ranges.push({ offset, length, expected: segments.hash(index), isLeftOut: false });
    end = offset + length;
  }
  addLeftOut(ranges, end, blob.sizeBytes);
  return ranges;
}

function addLeftOut(ranges: Range[], start: number, end: number): void {
  for (let offset = start; offset < end; offset += LEFT_OUT_BYTES) {
    const length = Math.min(LEFT_OUT_BYTES, end - offset);
    ranges.push({ offset, length, expected: toBase16(zeroDigest(length)), isLeftOut: true });
  }
}
