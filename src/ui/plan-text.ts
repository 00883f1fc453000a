/** A plan as a table: what goes on which drive, what does not fit, and how the rows are treated. */
import type { PlannedDrive, PlanSummary } from "../prep/prep-contract.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatCount, formatSize, percentOf } from "./sizes.ts";
import { renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export const NOT_ENCRYPTED = "NOT encrypted; the service will refuse it";

export function planText(plan: PlanSummary, terminal: Terminal): string {
  const used = plan.drives.filter((drive) => drive.needed);
  const lines = [
    `${terminal.paint("bold", `Plan of session "${safeText(plan.sessionId)}"`)}: ${counted(plan.files, "file")}, ${formatSize(plan.bytes)} on ${counted(used.length, "drive")}\n\n`,
    driveTable(plan.drives),
    ...notEncryptedLine(used, terminal),
    ...(plan.rows.length === 0 ? [] : ["\n", rowTable(plan)]),
    ...remarks(plan, terminal),
  ];
  return lines.join("");
}

function driveTable(drives: readonly PlannedDrive[]): string {
  return renderTable(
    [
      { title: "Drive" },
      { title: "Place" },
      { title: "Files", align: "right" },
      { title: "Size", align: "right" },
      { title: "Capacity", align: "right" },
      { title: "Fill", align: "right" },
      { title: "Format" },
      { title: "Encryption" },
    ],
    drives.map((drive) => [
      safeText(drive.driveId),
      safeText(drive.place),
      formatCount(drive.files),
      formatSize(drive.bytes),
      formatSize(drive.capacityBytes),
      drive.needed ? `${percentOf(drive.usedBytes, drive.capacityBytes)}%` : "not needed",
      drive.format && drive.needed ? "yes" : "no",
      encryptionText(drive),
    ]),
  );
}

function encryptionText(drive: PlannedDrive): string {
  if (drive.encryption === "mock") return "none (mock)";
  return drive.willEncrypt && drive.needed ? "BitLocker, will be turned on" : "BitLocker";
}

function notEncryptedLine(drives: readonly PlannedDrive[], terminal: Terminal): string[] {
  const mock = drives.filter((drive) => drive.encryption === "mock");
  if (mock.length === 0) return [];
  return [`\n${terminal.paint("yellow", NOT_ENCRYPTED)}: ${mock.map((drive) => safeText(drive.driveId)).join(", ")}\n`];
}

function rowTable(plan: PlanSummary): string {
  return renderTable(
    [
      { title: "Row", align: "right" },
      { title: "Source" },
      { title: "Destination" },
      { title: "Type" },
      { title: "On a name conflict" },
    ],
    plan.rows.map((row) => [
      String(row.index),
      safeText(row.basePath),
      safeText(row.destination),
      row.blobType,
      row.disposition,
    ]),
  );
}

function remarks(plan: PlanSummary, terminal: Terminal): string[] {
  const lines: string[] = [];
  if (plan.unplacedFiles > 0) {
    const more =
      plan.moreDrivesNeeded > 0
        ? `; ${counted(plan.moreDrivesNeeded, "more drive")} like the largest of these would take the rest`
        : "";
    lines.push(
      `${terminal.paint("yellow", "Does not fit")}: ${counted(plan.unplacedFiles, "file")}, ${formatSize(plan.unplacedBytes)}${more}\n`,
    );
  }
  if (plan.tooLargeFiles > 0) {
    lines.push(`Larger than any of these drives: ${counted(plan.tooLargeFiles, "file")}\n`);
  }
  if (plan.notDone > 0) lines.push(`Cannot be copied: ${counted(plan.notDone, "file")}, named above\n`);
  if (plan.special > 0)
    lines.push(`Left out: ${counted(plan.special, "link, socket or device", "links, sockets and devices")}\n`);
  if (plan.filtered > 0) lines.push(`Left out by filters: ${counted(plan.filtered, "file")}\n`);
  return lines.length === 0 ? [] : ["\n", ...lines];
}

/** The plan as the JSON line carries it: with the notice that a mock drive needs. */
export function planData(plan: PlanSummary): object {
  return {
    ...plan,
    drives: plan.drives.map((drive) => (drive.encryption === "mock" ? { ...drive, notice: NOT_ENCRYPTED } : drive)),
  };
}
