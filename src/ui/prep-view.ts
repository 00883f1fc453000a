/** Renders the events of a preparation as they come. */
import type { Clock } from "../platform/clock.ts";
import type { PrepEvent } from "../prep/prep-contract.ts";
import type { Output } from "./output.ts";
import { planData, planText } from "./plan-text.ts";
import { type ProgressReport, ProgressView } from "./progress-view.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatSize } from "./sizes.ts";

/** Files not done are told one by one up to this many; the summary counts them all, the events file names them all. */
const NAMED_FILES = 20;

export interface PrepView {
  show(event: PrepEvent): void;
  close(): void;
}

/** `planIsResult`: the plan is what was asked for and is printed by the caller on standard output. */
export function createPrepView(
  output: Output,
  stream: NodeJS.WritableStream,
  clock: Clock,
  options: { planIsResult: boolean },
): PrepView {
  const progress = new ProgressView(output, stream, clock);
  let namedFiles = 0;
  const note = (text: string): void => {
    if (!output.quiet) output.diagnosis(`${text}\n`);
  };

  const showForPeople = (event: PrepEvent): void => {
    switch (event.type) {
      case "session":
        note(`${SESSION_ACTIONS[event.action]} session "${safeText(event.sessionId)}" of ${safeText(event.journal)}`);
        break;
      case "plan":
        if (!options.planIsResult && !output.quiet)
          output.diagnosis(`${planText(event.plan, output.diagnosisTerminal)}\n`);
        break;
      case "drive-state":
        note(
          `drive ${safeText(event.driveId)}: ${event.state}${event.percent === undefined ? "" : ` ${Math.floor(event.percent)}%`}`,
        );
        break;
      case "file-not-done":
        namedFiles++;
        if (namedFiles <= NAMED_FILES) {
          output.event({
            type: "warning",
            code: event.code,
            message: `not done: "${event.sourcePath}": ${event.reason}`,
          });
        } else if (namedFiles === NAMED_FILES + 1) {
          output.event({
            type: "warning",
            message: "more files are not done; the events file beside the journal names them all",
          });
        }
        break;
      case "drive-failed":
        output.event({ type: "warning", code: event.code, message: `drive ${event.driveId} failed: ${event.reason}` });
        break;
      case "drive-sealed":
        note(
          `drive ${safeText(event.drive.driveId)}: sealed, ${counted(event.drive.blobs, "blob")}, ${formatSize(event.drive.bytes)}, manifest hash ${event.drive.manifestHash}`,
        );
        break;
    }
  };

  const showAsJson = (event: PrepEvent): void => {
    if (event.type !== "plan") output.jsonLine(event.type, event);
    else if (!options.planIsResult) output.jsonLine("plan", planData(event.plan));
  };

  const show = (event: PrepEvent): void => {
    if (event.type === "walk") progress.showCount("walking the sources", event.files, event.bytes, event.done);
    else if (event.type === "progress") progress.show(toReport(event));
    else if (event.type === "notice" || event.type === "warning") output.event(event);
    else if (output.json) showAsJson(event);
    else showForPeople(event);
  };
  return { show, close: () => progress.close() };
}

function toReport(event: Extract<PrepEvent, { type: "progress" }>): ProgressReport {
  const { files, bytes, totalFiles, totalBytes } = event;
  return {
    rows: event.drives.map(({ driveId, state, ...row }) => ({
      ...row,
      name: driveId,
      state: state === "copying" ? undefined : state,
    })),
    total: { name: "all drives", files, bytes, totalFiles, totalBytes },
    earlierBytes: event.earlierBytes,
    elapsedMs: event.elapsedMs,
  };
}

const SESSION_ACTIONS = {
  new: "starting",
  resume: "resuming",
  "add-drives": "adding drives to",
  abort: "aborting",
} as const;
