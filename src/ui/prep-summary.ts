/** What a preparation leaves behind, for people and as the last JSON line. */
import { ERROR_CODES, type ErrorCode } from "../platform/error-codes.ts";
import type { PrepOutcome, SealedDrive, WriteVerification } from "../prep/prep-contract.ts";
import { NOT_ENCRYPTED } from "./plan-text.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatCount, formatSize, formatSpan } from "./sizes.ts";
import type { Style, Terminal } from "./terminal.ts";

const STATES: Readonly<Record<PrepOutcome["state"], { text: string; style: Style }>> = {
  completed: { text: "is complete", style: "green" },
  "already-complete": { text: "is already complete", style: "green" },
  "no-space": { text: "is open: not everything fits on the drives", style: "yellow" },
  aborted: { text: "was aborted", style: "yellow" },
  interrupted: { text: "was interrupted", style: "yellow" },
  "drives-failed": { text: "is open: drives failed", style: "red" },
  "not-confirmed": { text: "was not started: not confirmed", style: "yellow" },
};

export function summaryText(outcome: PrepOutcome, terminal: Terminal): string {
  const state = STATES[outcome.state];
  const amount =
    outcome.state === "aborted" || outcome.state === "not-confirmed"
      ? ""
      : `: ${counted(outcome.files, "file")}, ${formatSize(outcome.bytes)} in ${formatSpan(outcome.elapsedMs)}`;
  const lines = [
    `Session "${safeText(outcome.sessionId)}" ${terminal.paint(state.style, state.text)}${amount}`,
    `Journal: ${safeText(outcome.journal)}`,
    ...(outcome.verification === undefined ? [] : [verificationText(outcome.verification)]),
    ...outcome.drives.flatMap((drive) => ["", ...driveLines(drive, terminal)]),
    ...(outcome.notNeeded.length === 0 ? [] : ["", `Not needed: ${outcome.notNeeded.map(safeText).join(", ")}`]),
    ...notDoneLines(outcome),
    ...nextSteps(outcome),
  ];
  return `${lines.join("\n")}\n`;
}

function driveLines(drive: SealedDrive, terminal: Terminal): string[] {
  return [
    `Drive ${terminal.paint("bold", safeText(drive.driveId))} at ${safeText(drive.place)}: ${counted(drive.blobs, "blob")}, ${formatSize(drive.bytes)}`,
    `  manifest       ${safeText(drive.manifestPath)}`,
    `  manifest hash  ${drive.manifestHash}`,
    `  drive file     ${safeText(drive.driveInfoPath)}`,
    ...(drive.checks === undefined ? [] : [`  encryption     ${safeText(encryptionText(drive.checks))}`]),
    ...(drive.leftBehind === undefined
      ? []
      : [`  ${terminal.paint("yellow", `left in clear  ${safeText(drive.leftBehind)}`)}`]),
    ...(drive.encryption === "mock" ? [`  ${terminal.paint("yellow", NOT_ENCRYPTED)}`] : []),
  ];
}

/** Said this way until a system of Microsoft has opened such a drive. */
function encryptionText(checks: NonNullable<SealedDrive["checks"]>): string {
  const good = checks.filter((check) => check.ok).map(({ tool, did }) => `${tool} (${did})`);
  return good.length === 0
    ? "BitLocker-compatible, checked by this tool alone"
    : `BitLocker-compatible, checked with ${good.join(", ")}`;
}

const READ_METHODS: Readonly<Record<WriteVerification["readMethod"], string>> = {
  direct: "past the page cache",
  buffered: "buffered: perhaps from memory, not from the drive",
  mixed: "partly past the page cache, partly buffered",
};

function verificationText({ files, bytes, rewrittenFiles, readMethod }: WriteVerification): string {
  const again = rewrittenFiles === 0 ? "" : `; ${counted(rewrittenFiles, "file")} had to be written again`;
  return `Read back: ${counted(files, "file")}, ${formatSize(bytes)}, ${READ_METHODS[readMethod]}${again}`;
}

function notDoneLines(outcome: PrepOutcome): string[] {
  const counts = Object.entries(outcome.notDone) as [ErrorCode, number][];
  const lines = counts
    .filter(([, count]) => count > 0)
    .map(
      ([code, count]) =>
        `  ${formatCount(count)} x ${code}: ${ERROR_CODES[code].when} To do: ${ERROR_CODES[code].hint}`,
    );
  if (outcome.notDoneEarlier > 0) {
    lines.push(
      `  ${formatCount(outcome.notDoneEarlier)} x not done by earlier runs of this session. To do: see the events file beside the journal`,
    );
  }
  if (outcome.newSinceWalk > 0) {
    lines.push(
      `  ${formatCount(outcome.newSinceWalk)} x FILE_NEW: ${ERROR_CODES.FILE_NEW.when} To do: ${ERROR_CODES.FILE_NEW.hint}`,
    );
  }
  if (outcome.unplacedFiles > 0) {
    lines.push(
      `  ${formatCount(outcome.unplacedFiles)} x NO_SPACE: ${formatSize(outcome.unplacedBytes)} that fit on no drive. To do: ${ERROR_CODES.NO_SPACE.hint}`,
    );
  }
  return lines.length === 0 ? [] : ["", "Not done:", ...lines];
}

function nextSteps(outcome: PrepOutcome): string[] {
  const journal = quoted(outcome.journal);
  switch (outcome.state) {
    case "completed":
    case "already-complete":
      return outcome.drives.length === 0
        ? []
        : [
            "",
            "Next:",
            // A volume that was closed again cannot be read by its place.
            ...outcome.drives
              .filter((drive) => drive.checks === undefined)
              .map((drive) => `  waimportexport verify ${quoted(drive.place)} --journal ${journal}`),
            outcome.drives.some((drive) => drive.encryption === "mock")
              ? "  this was a rehearsal: drives that are not encrypted cannot be shipped"
              : "  then create the import job with this journal, and ship the drives",
          ];
    case "no-space":
      return [
        "",
        "Next:",
        `  waimportexport prep-import --journal ${journal} --id ${quoted(outcome.sessionId)} --additional-drive-set <csv>`,
      ];
    case "interrupted":
    case "drives-failed":
      return [
        "",
        "Next:",
        `  waimportexport prep-import --journal ${journal} --id ${quoted(outcome.sessionId)} --resume-session`,
      ];
    default:
      return [];
  }
}

function quoted(text: string): string {
  const safe = safeText(text);
  return /[\s#'"$&;()*?]/.test(safe) ? `"${safe}"` : safe;
}

export function summaryData(outcome: PrepOutcome): object {
  return {
    ...outcome,
    drives: outcome.drives.map((drive) => (drive.encryption === "mock" ? { ...drive, notice: NOT_ENCRYPTED } : drive)),
  };
}
