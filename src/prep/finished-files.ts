/** The finished files of one drive in plan order: the plan and the results read side by side, a buffer of each at a time. */
import { type PlannedFile, readPlanRecord } from "../copy/plan-record.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { PlanFileReader } from "./plan-files.ts";
import { type DoneFile, ResultsReader } from "./results-file.ts";

export interface FinishedFile {
  planned: PlannedFile;
  /** Valid until the next step of the iteration. */
  done: DoneFile;
}

/** Up to position `until` of the plan. */
export function* finishedFiles(
  fs: FileSystem,
  paths: { plan: string; results: string; digests: string },
  seed: number,
  until: number,
): Generator<FinishedFile> {
  const plan = new PlanFileReader(fs, paths.plan);
  const results = new ResultsReader(fs, paths, seed);
  try {
    for (let position = 0; position < until; position++) {
      const offset = plan.peek();
      if (offset < 0) return;
      const done = results.next();
      if (done !== undefined) yield { planned: readPlanRecord(plan.buffer, offset), done };
      plan.skip();
    }
  } finally {
    plan.close();
    results.close();
  }
}
