/**
 * The story of a preparation, from a frozen plan to sealed drives.
 *
 * Everything before (what the call means, which drives, the plan) is in prepare.ts; each step here is one file beside it.
 * Any step may be cut short by a kill or a power cut; the same command then comes back here and finds what is done.
 */
import { compareSources } from "./compare-sources.ts";
import { copyFiles } from "./copy-files.ts";
import { cutFullDrives } from "./cut-drive.ts";
import { refuseLostSources } from "./lost-sources.ts";
import type { OpenSession } from "./open-session.ts";
import { closeDrives, releaseDrives } from "./opened-drives.ts";
import type { PrepOutcome } from "./prep-contract.ts";
import { OutcomeBuilder, unplacedTotals } from "./prep-outcome.ts";
import { readyDrives } from "./ready-drives.ts";
import { sealDrives } from "./seal-drive.ts";
import { verifyWritten } from "./verify-written.ts";
import type { SourceEntry } from "./walk-sources.ts";

/** Runs the session to its end, or as far as drives and space allow. `walk` looks at the sources once more. */
export async function runCopySession(session: OpenSession, walk: () => Iterable<SourceEntry>): Promise<PrepOutcome> {
  const outcome = new OutcomeBuilder(session);
  try {
    await readyDrives(session);
    if (session.isResumed) outcome.newSinceWalk = (await compareSources(session, walk())).newFiles;

    const copied = await copyFiles(session);
    outcome.take(copied);
    if (copied.isInterrupted) return outcome.build("interrupted");
    refuseLostSources(session, copied);

    await cutFullDrives(session, copied.full, outcome);
    if (outcome.hasFailedDrive) return outcome.build("drives-failed");

    if (session.options.verify) {
      await verifyWritten(session, outcome);
      if (session.signal.aborted) return outcome.build("interrupted");
      if (outcome.hasFailedDrive) return outcome.build("drives-failed");
    }

    await sealDrives(session, outcome);
    if (outcome.hasFailedDrive) return outcome.build("drives-failed");
    await closeDrives(session);
    return finish(session, outcome);
  } catch (error) {
    if (session.signal.aborted && error === session.signal.reason) return outcome.build("interrupted");
    throw error;
  } finally {
    await releaseDrives(session);
  }
}

/** What did not fit keeps the session open for more drives; else it is complete. */
function finish(session: OpenSession, outcome: OutcomeBuilder): PrepOutcome {
  const isShort = unplacedTotals(session).files > 0;
  const built = outcome.build(isShort ? "no-space" : "completed");
  const { files, bytes, exitCode } = built;
  session.events.save();
  session.journal.sessionIs(isShort ? "NoSpace" : "Completed", { files, bytes, exitCode });
  return built;
}
