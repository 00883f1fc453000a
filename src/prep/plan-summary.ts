/** The frozen plan as it is shown, before the first byte and in `--json`. */
import { activeFiles, type FrozenPlan, type NotDoneCounts } from "./frozen-plan.ts";
import type { OpenDrive } from "./open-session.ts";
import type { PlanSummary } from "./prep-contract.ts";

export function summarisePlan(plan: FrozenPlan, drives: readonly OpenDrive[]): PlanSummary {
  const planned = plan.drives.map((drive, index) => {
    const open = drives[index];
    const files = activeFiles(drive);
    return {
      driveId: drive.driveId,
      place: open?.drive?.place ?? drive.place,
      files,
      bytes: files === 0 ? 0 : drive.facts.bytes,
      capacityBytes: drive.capacityBytes,
      usedBytes: drive.usedBytes,
      format: open?.record.format ?? false,
      encryption: open?.record.encryption ?? "mock",
      willEncrypt: open?.record.encrypt ?? false,
      needed: files > 0,
    };
  });
  const count = (pick: (drive: (typeof planned)[number]) => number): number =>
    planned.reduce((sum, drive) => sum + pick(drive), 0);
  return {
    sessionId: plan.sessionId,
    drives: planned,
    files: count((drive) => drive.files) + plan.unplaced.files,
    bytes: count((drive) => drive.bytes) + plan.unplaced.bytes,
    unplacedFiles: plan.unplaced.files,
    unplacedBytes: plan.unplaced.bytes,
    moreDrivesNeeded: plan.unplaced.moreDrivesNeeded,
    tooLargeFiles: plan.unplaced.tooLargeFiles,
    notDone: sumOf(plan.notDone),
    special: plan.special,
    filtered: plan.filtered,
    rows: plan.rows.map(({ index, basePath, destination, blobType, disposition }) => ({
      index,
      basePath,
      destination,
      blobType,
      disposition,
    })),
  };
}

export function sumOf(counts: NotDoneCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + (count ?? 0), 0);
}
