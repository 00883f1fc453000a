/**
 * From the rows of a drive set to drives. All refusals of all rows are found before anything is told, so that one look
 * at the shelf mends them all.
 */
import { AppError, DriveRefusedError } from "../platform/app-error.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type Drive, isUnmounted } from "./drive.ts";
import { checkWritable, refusalOf } from "./drive-check.ts";
import { driveIdToFileName } from "./drive-id.ts";
import type { DriveProbe } from "./probe.ts";

/** What this room needs of a row of driveset.csv. */
export interface DriveRow {
  line: number;
  /** As in the file: the name by which options on the command line mean this drive. */
  written: string;
  place: string;
}

export interface FoundDrive<Row extends DriveRow> {
  row: Row;
  drive: Drive;
}

export interface DriveProblem {
  line: number;
  place: string;
  code: ErrorCode;
  message: string;
}

export interface FindDrivesPorts {
  fs: FileSystem;
  probe: DriveProbe;
}

/**
 * The drives of all rows, in their order, or one DriveRefusedError that lists every problem (`facts.problems`).
 *
 * @param driveIds ids the user gave, by the place as written
 * @param check a further refusal of one drive, thrown; for example that it carries another journal's manifest
 * @param writeTest make and remove a file on each drive; false where nothing may be written (plan)
 */
export async function findDrives<Row extends DriveRow>(
  ports: FindDrivesPorts,
  rows: readonly Row[],
  driveIds: ReadonlyMap<string, string> = new Map(),
  check: (drive: Drive, row: Row) => void = () => {},
  writeTest = true,
): Promise<FoundDrive<Row>[]> {
  const problems: (DriveProblem & { error: AppError })[] = [];
  const found: FoundDrive<Row>[] = [];
  const report = (row: Row, error: AppError): void => {
    problems.push({ line: row.line, place: row.written, code: error.code, message: error.message, error });
  };
  for (const row of rows) {
    try {
      const idOverride = driveIds.get(row.written) ?? driveIds.get(row.place);
      const drive = await ports.probe.probe(row.place, idOverride === undefined ? {} : { idOverride });
      const refusal = refusalOf(drive);
      if (refusal !== undefined) throw refusal;
      // An image or partition has no root to write in before its volume is opened.
      if (!isUnmounted(drive) && writeTest) checkWritable(ports.fs, drive);
      check(drive, row);
      found.push({ row, drive });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      report(row, error);
    }
  }
  for (const [index, later] of found.entries()) {
    const duplicate = found.slice(0, index).map((earlier) => duplicateOf(earlier, later));
    const message = duplicate.find((text) => text !== undefined);
    if (message !== undefined) report(later.row, new DriveRefusedError("DRIVE_DUPLICATE", message));
  }
  throwProblems(problems);
  return found;
}

/** Why two rows cannot both be drives of one set. At most a few dozen rows: comparing all pairs costs nothing. */
function duplicateOf(earlier: FoundDrive<DriveRow>, later: FoundDrive<DriveRow>): string | undefined {
  const [a, b] = [earlier.drive, later.drive];
  if (a.root === b.root) return `"${b.place}" is the same place as "${a.place}" in line ${earlier.row.line}`;
  if (isInside(a.root, b.root) || isInside(b.root, a.root)) {
    // A volume mounted below another drive's directory is another volume, but its data would be walked as the other's.
    return `"${b.place}" and "${a.place}" in line ${earlier.row.line} lie one inside the other`;
  }
  // Ids become file names beside the journal, where some file systems do not tell letters apart by case.
  const isSameId = driveIdToFileName(a.driveId).toUpperCase() === driveIdToFileName(b.driveId).toUpperCase();
  return isSameId
    ? `"${b.place}" has the drive id ${b.driveId} as has "${a.place}" in line ${earlier.row.line}`
    : undefined;
}

function isInside(path: string, directory: string): boolean {
  return path.startsWith(/[\\/]$/.test(directory) ? directory : `${directory}${directory.includes("\\") ? "\\" : "/"}`);
}

function throwProblems(problems: readonly (DriveProblem & { error: AppError })[]): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw first.error;
  const byLine = problems.toSorted((a, b) => a.line - b.line);
  const facts = { problems: byLine.map(({ line, place, code, message }) => ({ line, place, code, message })) };
  const sentences = byLine.map((problem) => `line ${problem.line}: ${problem.message}`).join("; ");
  throw new DriveRefusedError(first.code, `${problems.length} problems with the drives: ${sentences}`, { facts });
}
