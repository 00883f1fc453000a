/**
 * The journal on disk. Append only: `append` returns when its record and the check behind it are durable, and leaves
 * the file as it was when that fails. It holds secrets, so it is readable by its owner only.
 */
import { constants } from "node:fs";
import { basename } from "node:path";
import { AppError, DamagedError, describeErrno, errnoOf, UsageError } from "../platform/app-error.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { FileTooLongError, readWholeFile, writeAll, writeFileDurably } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type JournalEntry, type JournalRecord, printRecord } from "./journal-record.ts";
import {
  CHECK_KEY,
  CHECK_METHOD,
  FORMAT_VERSION,
  type JournalContent,
  parseJournal,
  VOCABULARY_VERSION,
} from "./read-journal.ts";
import { printCheck } from "./record-check.ts";

/** The portal takes 2 MB; the contents of large CSVs may make it longer. Bounds what a hostile file can ask for. */
const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;
const OWNER_ONLY = 0o600;

export interface OpenedJournal {
  records: JournalRecord[];
  journal: JournalFile;
  /** What the user should know, in words: a torn tail that was dropped. */
  notices: string[];
}

export class JournalFile {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  /** Up to here the file is good. */
  #goodBytes: number;
  /** How long the file is: more than that after a torn tail or a failed append. Undefined: not known. */
  #fileBytes: number | undefined;
  /** A journal of the original may end without a line end. */
  #needsLineEnd: boolean;
  #fd: number | undefined;

  private constructor(fs: FileSystem, path: string, clock: Clock, content: JournalContent, needsLineEnd: boolean) {
    this.path = path;
    this.#fs = fs;
    this.#clock = clock;
    this.#goodBytes = content.goodBytes;
    this.#fileBytes = content.goodBytes + content.tornBytes;
    this.#needsLineEnd = needsLineEnd;
  }

  /**
   * Creates the journal with its opening record and `firstRecords` already in it: after a power cut there is either
   * none or this one. `writer` names the release, for readers that are too old. Never replaces an existing journal.
   */
  static create(
    fs: FileSystem,
    path: string,
    firstRecords: readonly (readonly JournalEntry[])[],
    clock: Clock = systemClock,
    writer?: string,
  ): OpenedJournal {
    const timeMs = clock.nowMs();
    const opening: JournalEntry[] = [
      ["VocabularyVersion", VOCABULARY_VERSION],
      ["FormatVersion", String(FORMAT_VERSION)],
      [CHECK_KEY, CHECK_METHOD],
    ];
    if (writer !== undefined) opening.push(["Writer", writer]);
    const records: JournalRecord[] = [
      { timeMs, type: "NewJournalFile", entries: opening },
      ...firstRecords.map((entries) => ({ timeMs, type: "ActivityRecord", entries })),
    ];
    let bytes = Buffer.alloc(0);
    for (const record of records) bytes = Buffer.concat([bytes, printWithCheck(record, bytes.length)]);
    try {
      if (exists(fs, path)) throw new AppError("JOURNAL_WRITE_FAILED", `the journal "${path}" exists already`);
      // A name of its own: what a killed run leaves holds keys and must go with the next one.
      writeFileDurably(fs, path, bytes, OWNER_ONLY, `.${basename(path)}.tmp`);
    } catch (error) {
      throw writeFailed(path, error);
    }
    const content = { records, goodBytes: bytes.length, tornBytes: 0 };
    return { records, journal: new JournalFile(fs, path, clock, content, false), notices: [] };
  }

  /** Reads the journal whole. A torn tail is dropped now and cut off by the next append. */
  static open(fs: FileSystem, path: string, clock: Clock = systemClock): OpenedJournal {
    const bytes = readJournalBytes(fs, path);
    const content = parseJournal(bytes, path);
    const needsLineEnd = bytes[content.goodBytes - 1] !== 0x0a;
    const notices =
      content.tornBytes === 0
        ? []
        : [`the last record of the journal "${path}" was cut off while it was written; it is left out`];
    const journal = new JournalFile(fs, path, clock, content, needsLineEnd);
    return { records: content.records, journal, notices };
  }

  /** Adds an activity record; durable on return. Throws JOURNAL_WRITE_FAILED and stays usable. */
  append(entries: readonly JournalEntry[]): JournalRecord {
    const record: JournalRecord = { timeMs: this.#clock.nowMs(), type: "ActivityRecord", entries };
    const lineEnd = Buffer.from(this.#needsLineEnd ? "\n" : "");
    const bytes = Buffer.concat([lineEnd, printWithCheck(record, this.#goodBytes + lineEnd.length)]);
    const end = this.#goodBytes + bytes.length;
    if (end > MAX_JOURNAL_BYTES) {
      throw new AppError(
        "JOURNAL_WRITE_FAILED",
        `the journal "${this.path}" would grow over ${MAX_JOURNAL_BYTES} bytes`,
      );
    }
    try {
      const fd = this.#openForAppend();
      this.#cutToGood(fd);
      this.#fileBytes = undefined;
      writeAll(this.#fs, fd, bytes, this.#goodBytes);
      this.#fs.fsync(fd);
    } catch (error) {
      this.#takeBack();
      throw writeFailed(this.path, error);
    }
    this.#goodBytes = end;
    this.#fileBytes = end;
    this.#needsLineEnd = false;
    return record;
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    try {
      this.#fs.close(fd);
    } catch {
      // Every append was durable when it returned.
    }
  }

  #openForAppend(): number {
    this.#fd ??= this.#fs.open(this.path, constants.O_RDWR);
    const { sizeBytes } = this.#fs.fstat(this.#fd);
    if (this.#fileBytes !== undefined && this.#fileBytes !== sizeBytes) {
      throw new DamagedError("JOURNAL_DAMAGED", `the journal "${this.path}" was changed by another program`, {
        facts: { path: this.path, offset: this.#goodBytes },
      });
    }
    return this.#fd;
  }

  #cutToGood(fd: number): void {
    if (this.#fileBytes === this.#goodBytes) return;
    this.#fs.ftruncate(fd, this.#goodBytes);
    this.#fileBytes = this.#goodBytes;
  }

  /** After a failed append: the file as it was before, where the disk still allows it; else the next append tries again. */
  #takeBack(): void {
    if (this.#fd === undefined || this.#fileBytes !== undefined) return;
    try {
      this.#cutToGood(this.#fd);
      this.#fs.fsync(this.#fd);
    } catch {
      // What is behind the good bytes is a torn tail to every reader.
      this.#fileBytes = undefined;
    }
  }
}

function printWithCheck(record: JournalRecord, offset: number): Buffer {
  const bytes = Buffer.from(printRecord(record), "utf8");
  return Buffer.concat([bytes, Buffer.from(printCheck(record, bytes, offset), "utf8")]);
}

function readJournalBytes(fs: FileSystem, path: string): Buffer {
  try {
    return readWholeFile(fs, path, MAX_JOURNAL_BYTES);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") {
      throw new UsageError("JOURNAL_MISSING", `there is no journal "${path}"`, { facts: { path } });
    }
    if (error instanceof FileTooLongError) {
      throw new DamagedError("JOURNAL_DAMAGED", `"${path}" is longer than a journal can be`, { facts: { path } });
    }
    throw new UsageError("JOURNAL_UNREADABLE", `cannot read the journal "${path}": ${describeErrno(error)}`, {
      facts: { path },
      cause: error,
    });
  }
}

function exists(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

function writeFailed(path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("JOURNAL_WRITE_FAILED", `cannot write the journal "${path}": ${describeErrno(error)}`, {
    facts: { path },
    cause: error,
  });
}
