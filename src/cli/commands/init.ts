/** `init`: sample CSVs to start from. CSV has no comments, so a third file explains the columns. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeErrno, UsageError } from "../../platform/app-error.ts";
import { ExitCode } from "../../platform/exit-codes.ts";
import { safeText } from "../../ui/safe-text.ts";
import { pathResolver } from "../prep-request.ts";
import { SAMPLE_NOTES, sampleDataSet, sampleDriveSet } from "../sample-files.ts";
import type { CommandFunction } from "../switch-table.ts";

export const init: CommandFunction = async (_switches, [directory = "."], context) => {
  const resolve = pathResolver(context);
  const files = [
    { path: resolve(`${directory}/dataset.csv`), text: sampleDataSet(context.platform) },
    { path: resolve(`${directory}/driveset.csv`), text: sampleDriveSet(context.platform) },
    { path: resolve(`${directory}/csv-columns.txt`), text: SAMPLE_NOTES },
  ];
  refuseExisting(files.map((file) => file.path));
  for (const file of files) writeNew(file.path, file.text);
  const written = files.map((file) => file.path);
  context.output.result("init", { files: written }, () =>
    [
      ...written.map((path) => `wrote ${safeText(path)}`),
      "",
      "Put your paths into both CSV files (csv-columns.txt explains the columns), then run:",
      '  waimportexport plan --journal trip.jrn --id "session#1" --initial-drive-set driveset.csv --dataset dataset.csv',
      "",
    ].join("\n"),
  );
  return ExitCode.Done;
};

function refuseExisting(paths: readonly string[]): void {
  const there = paths.filter((path) => existsSync(path));
  if (there.length === 0) return;
  throw new UsageError("USAGE_CONFLICT", `will not overwrite ${there.map((path) => `"${path}"`).join(", ")}`, {
    hint: "name another directory, as in 'waimportexport init samples'",
  });
}

function writeNew(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    throw new UsageError("USAGE_BAD_VALUE", `cannot write "${path}": ${describeErrno(error)}`, {
      hint: "name a directory that can be written",
      cause: error,
    });
  }
}
