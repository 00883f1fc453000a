/**
 * A source that went away as a whole (a share that is offline, a disk that was unplugged) is no reason to finish without
 * its files: the session stays open and can be resumed when it is back.
 */
import { describeErrno, errnoOf, UsageError } from "../platform/app-error.ts";
import type { CopyFilesOutcome } from "./copy-files.ts";
import type { OpenSession } from "./open-session.ts";

/** Looked at only when files were not found: what was copied before is kept, wherever its source is now. */
export function refuseLostSources(session: OpenSession, { notDone }: Pick<CopyFilesOutcome, "notDone">): void {
  if ((notDone.FILE_VANISHED ?? 0) + (notDone.FILE_UNREADABLE ?? 0) === 0) return;
  for (const { kind, basePath } of session.plan.rows) {
    if (kind !== "directory") continue;
    try {
      session.ports.fs.stat(basePath);
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause;
      throw new UsageError("SOURCE_MISSING", `the source "${basePath}" has gone: ${describeErrno(cause)}`, {
        hint: "bring it back and run the same command again; an empty directory there means to go on without it",
        cause,
      });
    }
  }
}
