/** Sources that lie inside other sources: their files are copied twice, which is seldom meant. */
import type { InputProblem } from "../platform/app-error.ts";
import type { Platform } from "./base-path.ts";
import type { DatasetRow } from "./dataset-row.ts";

/** One warning per row that lies inside a directory row. The same source twice counts only with other destinations. */
export function findNestedSources(rows: readonly DatasetRow[], file: string, platform: Platform): InputProblem[] {
  const separator = platform === "win32" ? "\\" : "/";
  const sorted = rows
    .map((row) => {
      const path = platform === "win32" ? row.basePath.toLowerCase() : row.basePath;
      return { row, key: path.endsWith(separator) ? path : path + separator };
    })
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.row.index - b.row.index));
  const warnings: InputProblem[] = [];
  // Directories that contain the current row, outermost first: sorting puts a directory before all that lies in it.
  const open: typeof sorted = [];
  for (const entry of sorted) {
    while (open.length > 0 && !entry.key.startsWith(open.at(-1)?.key ?? "")) open.pop();
    const outer = open.at(-1);
    if (outer !== undefined && !isSameMapping(outer.row, entry.row)) {
      warnings.push({
        file,
        line: entry.row.line,
        column: "BasePath",
        value: entry.row.basePath,
        message: `the source lies inside that of line ${outer.row.line} ("${outer.row.basePath}"): its files are copied twice`,
      });
    }
    if (entry.row.kind === "directory") open.push(entry);
  }
  return warnings.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Twice the same row: every file clashes, which the search for blob path clashes reports as an error. */
function isSameMapping(a: DatasetRow, b: DatasetRow): boolean {
  return a.basePath === b.basePath && a.destination === b.destination;
}
