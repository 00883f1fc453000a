/**
 * Where a session keeps what it knows. Everything lies beside the journal; nothing of it goes onto a drive.
 *
 *   <name>.jrn              the journal: what matters, durable, small
 *   <name>.jrn.d/           bulk state of the unfinished session: frozen plan, finished files; no secrets; goes at the end
 *   <name>.events.jsonl     what happened, for people and reports
 *   <name>.jrn.lock         held while a run uses the journal
 *   <DriveId>.xml           one per sealed drive, for the portal
 */
import { dirname, join } from "node:path";

export interface SessionFiles {
  journal: string;
  lock: string;
  events: string;
  /** Directory of the bulk state. */
  state: string;
  /** Commits a plan: written last, replaced atomically. */
  planIndex: string;
  plan(drive: number): string;
  /** Files of planning generation `n` that fit on no drive. */
  unplaced(generation: number): string;
  /** Files that cannot be done whatever the drives are. */
  leftOut: string;
  results(drive: number): string;
  digests(drive: number): string;
  /** Spill area for sorting directories with very many entries. */
  spill: string;
  /** `<DriveId>.xml` lies beside the journal. */
  directory: string;
}

export function sessionFiles(journalPath: string, stateDirectory = `${journalPath}.d`): SessionFiles {
  return {
    journal: journalPath,
    lock: `${journalPath}.lock`,
    events: `${journalPath.replace(/\.jrn$/i, "")}.events.jsonl`,
    state: stateDirectory,
    planIndex: join(stateDirectory, "plan.json"),
    plan: (drive) => join(stateDirectory, `plan-${drive}.bin`),
    unplaced: (generation) => join(stateDirectory, `unplaced-${generation}.bin`),
    leftOut: join(stateDirectory, "left-out.jsonl"),
    results: (drive) => join(stateDirectory, `results-${drive}.bin`),
    digests: (drive) => join(stateDirectory, `digests-${drive}.bin`),
    spill: join(stateDirectory, "spill"),
    directory: dirname(journalPath),
  };
}
