/** Renders the events of a verification as they come. Differences are listed by the report at the end. */
import type { Clock } from "../platform/clock.ts";
import type { VerifyEvent } from "../verify/verify-contract.ts";
import type { Output } from "./output.ts";
import { ProgressView } from "./progress-view.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatSize } from "./sizes.ts";

/** Warnings are told one by one up to this many. */
const TOLD_WARNINGS = 20;

export interface VerifyView {
  show(event: VerifyEvent): void;
  close(): void;
}

export function createVerifyView(output: Output, stream: NodeJS.WritableStream, clock: Clock): VerifyView {
  const progress = new ProgressView(output, stream, clock);
  let name = "";
  let warnings = 0;

  const warn = (event: Extract<VerifyEvent, { type: "warning" }>): void => {
    warnings++;
    const { kind, filePath, reason } = event;
    if (output.json || warnings <= TOLD_WARNINGS) {
      output.event({ type: "warning", message: `"${filePath}": ${reason}`, facts: { kind, filePath, reason } });
    } else if (warnings === TOLD_WARNINGS + 1) {
      output.event({ type: "warning", message: "there are more of these; --json tells them all" });
    }
  };

  const show = (event: VerifyEvent): void => {
    switch (event.type) {
      case "manifest":
        name = event.driveId;
        if (output.json) output.jsonLine(event.type, event);
        else if (!output.quiet) {
          const amount = `${counted(event.totalFiles, "file")}, ${formatSize(event.totalBytes)}`;
          output.diagnosis(`verifying drive ${safeText(event.driveId)}: ${amount}\n`);
        }
        break;
      case "progress": {
        const { files, bytes, totalFiles, totalBytes, elapsedMs } = event;
        progress.show({ rows: [], total: { name, files, bytes, totalFiles, totalBytes }, earlierBytes: 0, elapsedMs });
        break;
      }
      case "problem":
        if (output.json) output.jsonLine(event.type, event.problem);
        break;
      case "warning":
        warn(event);
        break;
    }
  };
  return { show, close: () => progress.close() };
}
