/**
 * Why a file stopped in the middle. Source and target problems are told apart where the call is made, never by errno:
 * the same EIO costs one file when it comes from the source and the whole drive when it comes from the target.
 */
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { DriveFailure, NotDoneCode } from "./copy-contract.ts";

/** The source file cannot be had; the next file is not concerned. */
export class SourceProblem extends Error {
  constructor(
    readonly fileCode: NotDoneCode,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** The source is not, or no longer, what was expected: worth another try. */
export class SourceChanged extends Error {}

/** The source is larger than its drive has room set aside for. */
export class SourceGrew extends Error {
  constructor(readonly sizeBytes: number) {
    super("grew");
  }
}

/** The drive cannot be written any more. */
export class TargetProblem extends Error {
  readonly failure: Omit<DriveFailure, "position">;
  constructor(errno: string, reason: string) {
    super(reason);
    this.failure = { errno, kind: errno === "ENOSPC" || errno === "EDQUOT" ? "no-space" : "failed", reason };
  }
}

/** The process has no file handle left: worth another try when some were given back, else this is what it comes to. */
export class NoHandles extends Error {
  readonly fileCode: NotDoneCode = "FILE_UNREADABLE";
  readonly failure: Omit<DriveFailure, "position">;
  constructor(
    readonly side: "source" | "target",
    errno: string,
    readonly reason: string,
  ) {
    super(reason);
    this.failure = { errno, kind: "failed", reason };
  }
}

/** The run was aborted, or the drive of this file failed elsewhere. */
export class Stopped extends Error {}

export function toSourceProblem(error: unknown): Error {
  const errno = errnoOf(error);
  if (errno === undefined) return error as Error;
  if (errno === "EMFILE" || errno === "ENFILE") return new NoHandles("source", errno, describeErrno(error));
  if (errno === "ENOENT" || errno === "ENOTDIR") return new SourceProblem("FILE_VANISHED", describeErrno(error));
  // The path was a regular file when it was planned.
  if (errno === "ELOOP" || errno === "EISDIR" || errno === "ENXIO" || errno === "ESPIPE") {
    return new SourceProblem("FILE_CHANGED", "not a regular file any more");
  }
  return new SourceProblem("FILE_UNREADABLE", describeErrno(error));
}

export function toTargetProblem(error: unknown): Error {
  const errno = errnoOf(error);
  if (errno === undefined) return error as Error;
  if (errno === "EMFILE" || errno === "ENFILE") return new NoHandles("target", errno, describeErrno(error));
  return new TargetProblem(errno, describeErrno(error));
}
