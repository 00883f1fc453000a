/** Two files that would become one blob, found in the plan before it is frozen: all are listed, nothing is written. */
import { readPlanRecord } from "../copy/plan-record.ts";
import { type BlobSource, findBlobPathClashes, groupOverlappingRows } from "../dataset/blob-clashes.ts";
import { InputError, type InputProblem } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { FrozenPlan, PlanRow } from "./frozen-plan.ts";
import { mergePlans, PlanFileReader } from "./plan-files.ts";
import type { SessionFiles } from "./session-files.ts";
import { sourcePath } from "./walk-sources.ts";

/** Every clash is counted; listing a million of them would help nobody. */
const MAX_LISTED = 1000;

/** Throws BLOB_PATH_CLASH. `dataset` is the CSV's path, for the message. */
export function refuseClashes(fs: FileSystem, files: SessionFiles, plan: FrozenPlan, dataset: string): void {
  const problems: InputProblem[] = [];
  let count = 0;
  for (const group of groupOverlappingRows(plan.rows)) {
    const streams = group.map((index) => blobsOfRow(fs, files, plan, plan.rows[index] as PlanRow));
    for (const { blobPath, sources } of findBlobPathClashes(streams)) {
      count += 1;
      if (count > MAX_LISTED) continue;
      const names = sources.map((source) => `"${source}"`).join(" and ");
      problems.push({ file: dataset, value: blobPath, message: `blob "${blobPath}" would be made from ${names}` });
    }
  }
  if (count === 0) return;
  const words = count === 1 ? "one blob path is given twice" : `${count} blob paths are given twice`;
  throw new InputError("BLOB_PATH_CLASH", `${words} in "${dataset}"`, problems, { facts: { clashes: count } });
}

/** The row's blobs over all plan files, in path order: each file is entered where the row begins in it. */
function* blobsOfRow(fs: FileSystem, files: SessionFiles, plan: FrozenPlan, row: PlanRow): Generator<BlobSource> {
  const parts = [
    ...plan.drives.map((drive, index) => ({ path: files.plan(index), facts: drive.facts })),
    { path: files.unplaced(plan.generation), facts: plan.unplaced },
  ];
  const readers = parts.flatMap(({ path, facts }) => {
    const start = facts.rowOffsets.find(([index]) => index === row.index)?.[1];
    return start === undefined ? [] : [new PlanFileReader(fs, path, start)];
  });
  for (const { reader } of mergePlans(readers)) {
    const record = readPlanRecord(reader.buffer, reader.peek());
    if (record.row !== row.index) return;
    const blobPath = row.kind === "file" ? row.destination : row.destination + record.relativePath;
    yield { blobPath, sourcePath: sourcePath(row, record.relativePath) };
  }
}
