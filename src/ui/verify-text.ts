/** What a verification found, for people and as the last JSON line. */
import type { VerifyProblem, VerifyReport } from "../verify/verify-contract.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatCount, formatSize, formatSpan } from "./sizes.ts";
import type { Terminal } from "./terminal.ts";

/** The rest is counted; `--json` tells all. */
const LISTED_PROBLEMS = 100;

export function verificationText(report: VerifyReport, isStrict: boolean, terminal: Terminal): string {
  const listed = report.firstProblems.slice(0, LISTED_PROBLEMS);
  const more = report.problems - listed.length;
  const lines = [
    `Drive ${terminal.paint("bold", safeText(report.driveId))} at ${safeText(report.driveRoot)} ${verdict(report, isStrict, terminal)}`,
    `  manifest  ${report.manifestHash}, ${manifestState(report, terminal)}`,
    `  files     ${formatCount(report.goodFiles)} of ${formatCount(report.totalFiles)} good, ${formatSize(report.goodBytes)}, read in ${formatSpan(report.elapsedMs)}`,
    ...(report.uncheckedFiles === 0
      ? []
      : [`  ${counted(report.uncheckedFiles, "file")} without digests in the manifest: only the length was checked`]),
    ...(report.unnamedFiles === 0
      ? []
      : [`  ${counted(report.unnamedFiles, "file")} on the drive that the manifest does not name`]),
    ...(listed.length === 0 ? [] : ["", "Differences:", ...listed.map(problemLine)]),
    ...(more > 0 ? [`  and ${formatCount(more)} more; --json tells them all`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function verdict(report: VerifyReport, isStrict: boolean, { paint }: Terminal): string {
  if (report.isAborted) return paint("yellow", "was not checked to the end");
  if (report.problems > 0) return paint("red", `differs from its manifest: ${counted(report.problems, "difference")}`);
  if (!isStrict || (report.isManifestChecked && report.uncheckedFiles === 0))
    return paint("green", "is as its manifest says");
  return paint("red", "could not be checked in full, which --strict wants");
}

function manifestState(report: VerifyReport, { paint }: Terminal): string {
  if (!report.isManifestChecked) {
    return `${paint("yellow", "manifest itself not checked")}: give --journal, --drive-info or --manifest-hash`;
  }
  return (report.problemsByKind["manifest-changed"] ?? 0) > 0 ? paint("red", "not the expected one") : "as expected";
}

function problemLine(problem: VerifyProblem): string {
  const place = problem.offset === undefined ? "" : ` at byte ${formatCount(problem.offset)}`;
  const values =
    problem.expected === undefined || problem.actual === undefined
      ? ""
      : ` (expected ${problem.expected}, found ${problem.actual})`;
  return `  ${problem.kind}: ${safeText(problem.filePath)}${place}: ${safeText(problem.reason)}${values}`;
}
