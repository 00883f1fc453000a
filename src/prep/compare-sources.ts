/**
 * What happened to the sources since the plan was frozen, seen by walking them once more beside the plan: files that
 * are new (not taken, counted), and finished files that have changed (copied again). A finished file that has vanished
 * stays; an unfinished one that vanished or changed is the copy engine's matter.
 */
import { readPlanRecord } from "../copy/plan-record.ts";
import { compareUtf8 } from "../dataset/byte-order.ts";
import { activeFiles } from "./frozen-plan.ts";
import { type OpenSession, planOf } from "./open-session.ts";
import { mergePlans, PlanFileReader } from "./plan-files.ts";
import { ResultsReader, ResultsWriter, resultsSeed } from "./results-file.ts";
import { type SourceEntry, type SourceFile, sourcePath } from "./walk-sources.ts";

const ENTRIES_PER_TURN = 2048;
/** Paths of new files told one by one; beyond that only the count grows. */
const NAMED_NEW_FILES = 1000;
const FORGET_AT_ONCE = 4096;

export interface SourceChanges {
  newFiles: number;
  changedFiles: number;
}

export async function compareSources(session: OpenSession, entries: Iterable<SourceEntry>): Promise<SourceChanges> {
  const planned = plannedOrder(session);
  const changed: number[][] = session.plan.drives.map(() => []);
  const changes: SourceChanges = { newFiles: 0, changedFiles: 0 };
  let turn = 0;
  let due = planned.next();
  try {
    for (const entry of entries) {
      if (++turn % ENTRIES_PER_TURN === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        session.signal.throwIfAborted();
      }
      if (entry.kind !== "file") continue;
      while (due.done !== true && isBefore(due.value, entry)) due = planned.next();
      if (due.done !== true && isSame(due.value, entry)) {
        if (due.value.drive >= 0 && hasChanged(due.value, entry)) {
          const positions = changed[due.value.drive] as number[];
          positions.push(due.value.position);
          changes.changedFiles += 1;
          if (positions.length === FORGET_AT_ONCE) forget(session, due.value.drive, positions.splice(0));
        }
        due = planned.next();
      } else noteNew(session, entry, changes);
    }
  } finally {
    planned.return(undefined);
  }
  changed.forEach((positions, drive) => {
    forget(session, drive, positions);
  });
  return changes;
}

interface PlannedOrder {
  row: number;
  relativePath: string;
  /** Index of the drive on which it is finished, or -1. */
  drive: number;
  position: number;
  sizeBytes: number;
  mtimeNs: bigint;
}

/** Everything that was ever planned, in walk order; finished files with what was copied of them. */
function* plannedOrder(session: OpenSession): Generator<PlannedOrder, undefined> {
  const { fs } = session.ports;
  const drives = session.drives.filter((open) => session.plan.drives[open.index] !== undefined);
  const until = drives.map((open) => activeFiles(planOf(session, open)));
  const readers = drives.map((open) => new PlanFileReader(fs, session.files.plan(open.index)));
  readers.push(new PlanFileReader(fs, session.files.unplaced(session.plan.generation)));
  const results = drives.map(
    (open) => new ResultsReader(fs, resultPaths(session, open.index), seedOf(session, open.index)),
  );
  try {
    for (const { reader, index } of mergePlans(readers, until)) {
      const record = readPlanRecord(reader.buffer, reader.peek());
      const done = results[index]?.next();
      const { row, relativePath, position } = record;
      yield {
        row,
        relativePath,
        position,
        drive: done === undefined ? -1 : (drives[index]?.index ?? -1),
        sizeBytes: done?.sizeBytes ?? record.sizeBytes,
        mtimeNs: done?.mtimeNs ?? record.mtimeNs,
      };
    }
  } finally {
    for (const reader of results) reader.close();
  }
  return undefined;
}

function isBefore(planned: PlannedOrder, entry: SourceFile): boolean {
  if (planned.row !== entry.row) return planned.row < entry.row;
  return compareUtf8(planned.relativePath, entry.relativePath) < 0;
}

function isSame(planned: PlannedOrder, entry: SourceFile): boolean {
  return planned.row === entry.row && planned.relativePath === entry.relativePath;
}

function hasChanged(planned: PlannedOrder, entry: SourceFile): boolean {
  return planned.sizeBytes !== entry.stat.sizeBytes || planned.mtimeNs !== entry.stat.mtimeNs;
}

function noteNew(session: OpenSession, entry: SourceFile, changes: SourceChanges): void {
  changes.newFiles += 1;
  if (changes.newFiles > NAMED_NEW_FILES) return;
  const row = session.plan.rows[entry.row];
  if (row === undefined) return;
  const path = sourcePath(row, entry.relativePath);
  const reason = "it appeared after the session was planned";
  session.events.fileNotDone(path, "FILE_NEW", reason);
  session.emit({ type: "file-not-done", sourcePath: path, code: "FILE_NEW", reason });
}

/** A sealed drive is not opened again: what is on it is what its manifest says. */
function forget(session: OpenSession, drive: number, positions: readonly number[]): void {
  const open = session.drives[drive];
  if (positions.length === 0 || open === undefined || open.record.step === "Sealed" || open.record.step === "Sealing")
    return;
  const writer = new ResultsWriter(session.ports.fs, resultPaths(session, drive), seedOf(session, drive));
  writer.forget(positions);
  writer.close();
}

function resultPaths(session: OpenSession, drive: number): { results: string; digests: string } {
  return { results: session.files.results(drive), digests: session.files.digests(drive) };
}

function seedOf(session: OpenSession, drive: number): number {
  return resultsSeed(session.nonce, session.plan.drives[drive]?.driveId ?? "");
}
