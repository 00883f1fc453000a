/**
 * Whose failure a failed call of the system is. Sources are told file by file where they are read. What a step does on a
 * drive fails as that drive's: it stops, the others go on. Everything else that a preparation touches lies beside the
 * journal, and without that nothing can go on.
 */
import { AppError, DriveRefusedError, describeErrno, errnoOf } from "../platform/app-error.ts";
import type { OpenDrive } from "./open-session.ts";

/** Runs a step that touches this drive only. */
export function onDrive<T>(open: OpenDrive, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw toDriveFailure(open, error);
  }
}

export function toDriveFailure({ record: { driveId, place } }: OpenDrive, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  return new DriveRefusedError("DRIVE_FAILED", `drive ${driveId} at "${place}" fails: ${describeErrno(error)}`, {
    cause: error,
    facts: { driveId, place, errno },
  });
}

/** A drive stopped working: the preparation goes on with the others. */
export function isDriveFailure(error: unknown): error is AppError {
  return error instanceof AppError && error.code === "DRIVE_FAILED";
}

/** The drive works and is full. */
export function isFullDrive(error: unknown): boolean {
  const errno = isDriveFailure(error) ? errnoOf(error.cause) : undefined;
  return errno === "ENOSPC" || errno === "EDQUOT";
}

/** What is left once sources and drives have told theirs. */
export function toStateFailure(journal: string, error: unknown): unknown {
  if (errnoOf(error) === undefined) return error;
  const { path } = error as { path?: unknown };
  const where = typeof path === "string" ? ` on "${path}"` : "";
  const message = `cannot use what is kept beside the journal "${journal}": ${describeErrno(error)}${where}`;
  return new AppError("JOURNAL_WRITE_FAILED", message, { cause: error });
}
