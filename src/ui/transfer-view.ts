/** Renders the events of a transfer as they come. */
import type { Clock } from "../platform/clock.ts";
import type { TransferImportEvent } from "../transfer/import-contract.ts";
import type { Output } from "./output.ts";
import { ProgressView } from "./progress-view.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatSize } from "./sizes.ts";

/** Blobs and warnings are told one by one up to this many. */
const TOLD = 20;

export interface TransferView {
  show(event: TransferImportEvent): void;
  close(): void;
}

export function createTransferView(output: Output, stream: NodeJS.WritableStream, clock: Clock): TransferView {
  const progress = new ProgressView(output, stream, clock);
  let name = "";
  let told = 0;

  const warn = (message: string, facts: Readonly<Record<string, unknown>>): void => {
    told++;
    if (output.json || told <= TOLD) output.event({ type: "warning", message, facts });
    else if (told === TOLD + 1)
      output.event({ type: "warning", message: "there are more of these; the logs tell them all" });
  };

  const show = (event: TransferImportEvent): void => {
    switch (event.type) {
      case "drive":
        name = event.driveId;
        if (output.json) output.jsonLine("transfer-drive", event);
        else if (!output.quiet) output.diagnosis(driveText(event));
        break;
      case "progress": {
        const { blobs: files, bytes, totalBlobs: totalFiles, totalBytes, earlierBytes, elapsedMs } = event;
        progress.show({ rows: [], total: { name, files, bytes, totalFiles, totalBytes }, earlierBytes, elapsedMs });
        break;
      }
      case "blob": {
        if (output.json) output.jsonLine("transfer-blob", event);
        else if (event.status !== "Completed") {
          const why = event.reason === undefined ? "" : `: ${event.reason}`;
          warn(`"${event.blobPath}": ${event.status}${why}`, {});
        }
        break;
      }
      case "log":
        if (output.json) output.jsonLine("transfer-log", event);
        break;
      case "warning":
        warn(event.message, {});
        break;
    }
  };
  return { show, close: () => progress.close() };
}

function driveText(event: Extract<TransferImportEvent, { type: "drive" }>): string {
  const amount = `${counted(event.totalBlobs, "blob")}, ${formatSize(event.totalBytes)}`;
  const earlier = event.earlierBlobs === 0 ? "" : `; ${counted(event.earlierBlobs, "blob")} done before`;
  const unchecked = event.isChecked
    ? ""
    : "the manifest itself is not checked: give --journal, --drive-info or --manifest-hash\n";
  return `importing drive ${safeText(event.driveId)}: ${amount}${earlier}\n${unchecked}`;
}
