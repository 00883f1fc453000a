/** What a transfer did, for people. */
import type { TransferExportReport } from "../transfer/export-contract.ts";
import type { TransferImportReport } from "../transfer/import-contract.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatCount, formatSize, formatSpan } from "./sizes.ts";
import type { Terminal } from "./terminal.ts";

export function importReportText(report: TransferImportReport, terminal: Terminal): string {
  const { driveStatus, driveId, driveRoot, reason, totalBlobs, bytesSucceeded, totalBytes, logs } = report;
  const color = report.exitCode !== 0 ? "red" : driveStatus === "Completed" ? "green" : "yellow";
  const lines = [
    `Drive ${terminal.paint("bold", safeText(driveId))} at ${safeText(driveRoot)}: ${terminal.paint(color, driveStatus)}`,
  ];
  if (reason !== undefined) lines.push(`  reason    ${safeText(reason)}`);
  if (totalBlobs > 0) {
    lines.push(
      `  blobs     ${countsText(report.blobs)} of ${formatCount(totalBlobs)}`,
      `  names     ${countsText(report.dispositions)}`,
      `  bytes     ${formatSize(bytesSucceeded)} of ${formatSize(totalBytes)}, in ${formatSpan(report.elapsedMs)}`,
    );
  }
  if (report.earlierBlobs > 0) lines.push(`  before    ${counted(report.earlierBlobs, "blob")} done by an earlier run`);
  for (const { kind, uri } of logs) lines.push(`  ${kind.padEnd(9)} ${safeText(uri)}`);
  if (report.exitCode !== 0) {
    lines.push("  next      download a log and run 'waimportexport copy-log explain <log>'");
  }
  return `${lines.join("\n")}\n`;
}

export function exportReportText(report: TransferExportReport, terminal: Terminal): string {
  const { selection, exportedBlobs, totalBlobs, exportedBytes, totalBytes, incompleteBlobs } = report;
  const isWhole = report.exitCode === 0;
  const verdict = terminal.paint(isWhole ? "green" : "red", isWhole ? "is complete" : "left blobs out");
  const lines = [
    `The export ${verdict}: ${formatCount(exportedBlobs)} of ${counted(totalBlobs, "blob")}, ${formatSize(exportedBytes)} of ${formatSize(totalBytes)}, in ${formatSpan(report.elapsedMs)}`,
  ];
  if (selection.duplicate > 0)
    lines.push(`  chosen twice     ${counted(selection.duplicate, "path or prefix", "paths or prefixes")}`);
  if (selection.nonexistent > 0) {
    lines.push(`  chose nothing    ${counted(selection.nonexistent, "path or prefix", "paths or prefixes")}`);
  }
  for (const { driveId, root, manifestFile, manifestHash, blobs, bytes } of report.drives) {
    const id = `Drive ${terminal.paint("bold", safeText(driveId))} at ${safeText(root)}`;
    if (manifestFile === undefined) lines.push(`${id}: not needed`);
    else {
      lines.push(`${id}: ${counted(blobs, "blob")}, ${formatSize(bytes)}`);
      lines.push(`  manifest  ${safeText(manifestFile)}, ${manifestHash ?? ""}`);
    }
  }
  if (report.earlierBlobs > 0) lines.push(`  before    ${counted(report.earlierBlobs, "blob")} done by an earlier run`);
  for (const { kind, uri } of report.logs) lines.push(`  ${kind.padEnd(10)} ${safeText(uri)}`);
  if (incompleteBlobs > 0) lines.push("  next      export the incomplete list with --blob-list onto further drives");
  return `${lines.join("\n")}\n`;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts).map(([code, count]) => `${formatCount(count)} ${code}`);
  return words.length === 0 ? "none" : words.join(", ");
}
