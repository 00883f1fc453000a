import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import type { ExitCode } from "./exit-codes.ts";

/** Whether trying the same thing again can help. `stop-all` ends the whole run, not just one file or drive. */
export type Retry = "again" | "later" | "never" | "stop-all";

export interface AppErrorOptions {
  /** What to do next; the table's hint when absent. */
  hint?: string;
  /** Serialisable details for `--json`. Never secrets. */
  facts?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/**
 * The base of every expected failure. `message` is one sentence (lower-case start, no full stop, paths quoted) that
 * says what failed and on what; the exit code and default hint come from the table in `error-codes.ts`.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;
  readonly hint: string;
  readonly retry: Retry;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const row = ERROR_CODES[code];
    this.name = new.target.name;
    this.code = code;
    this.exitCode = row.exitCode;
    this.hint = options.hint ?? row.hint;
    this.retry = row.retry ?? "never";
    this.facts = options.facts ?? {};
  }
}

/** The command line is wrong: unknown switch, missing value, switches that exclude each other. */
export class UsageError extends AppError {}

/** One mistake in an input file. `line` and `column` count from 1. */
export interface InputProblem {
  file: string;
  line?: number;
  column?: string;
  value?: string;
  message: string;
  /** What would have been right, in words. */
  expected?: string;
}

/** An input file (CSV, metadata, properties) is wrong. Carries all mistakes of the file, not just the first. */
export class InputError extends AppError {
  readonly problems: readonly InputProblem[];
  constructor(code: ErrorCode, message: string, problems: readonly InputProblem[], options: AppErrorOptions = {}) {
    super(code, message, { ...options, facts: { ...options.facts, problems } });
    this.problems = problems;
  }
}

/** A drive is missing, not the expected one, or must not be touched. */
export class DriveRefusedError extends AppError {}
/** The data does not fit on the drives. */
export class NoSpaceError extends AppError {}
/** What lies on a drive differs from what its manifest says. */
export class VerifyMismatchError extends AppError {}
/** A journal, manifest or state file is damaged. */
export class DamagedError extends AppError {}
/** Another process holds the journal or the drive. */
export class LockedError extends AppError {}
/** Encryption could not be turned on, checked or opened. */
export class EncryptionError extends AppError {}
/** The user or the system asked to stop. */
export class CanceledError extends AppError {}

/** The errno name (`ENOSPC`) of a failed system call, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code) && !(error instanceof AppError) ? code : undefined;
}

const ERRNO_WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the drive",
  EDQUOT: "disk quota exceeded",
  EIO: "input/output error",
  EROFS: "read-only file system",
  EMFILE: "too many open files",
  ENFILE: "too many open files in the system",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "name too long",
  EEXIST: "already exists",
  EBUSY: "in use",
  ENODEV: "device is gone",
  ENXIO: "device is gone",
  ESTALE: "network share lost the file",
  EFBIG: "file too large for the file system",
};

/** A failed system call in plain words; never a bare errno. */
export function describeErrno(error: unknown): string {
  const code = errnoOf(error);
  if (code !== undefined) return ERRNO_WORDS[code] ?? `system error ${code}`;
  return error instanceof Error ? error.message : String(error);
}
