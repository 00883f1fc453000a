/** Renders the events of a transfer as they come. */
import type { Clock } from "../platform/clock.ts";
import type { TransferExportEvent } from "../transfer/export-contract.ts";
import type { TransferImportEvent } from "../transfer/import-contract.ts";
import type { Output } from "./output.ts";
import { ProgressView } from "./progress-view.ts";
import { safeText } from "./safe-text.ts";
import { counted, formatSize } from "./sizes.ts";

/** Blobs and warnings are told one by one up to this many. */
const TOLD = 20;

export interface TransferView {
  show(event: TransferImportEvent): void;
  showExport(event: TransferExportEvent): void;
  close(): void;
}

type CommonEvent = Extract<
  TransferImportEvent | TransferExportEvent,
  { type: "progress" | "blob" | "log" | "warning" }
>;

export function createTransferView(output: Output, stream: NodeJS.WritableStream, clock: Clock): TransferView {
  const progress = new ProgressView(output, stream, clock);
  let name = "";
  let told = 0;

  const warn = (message: string): void => {
    told++;
    if (output.json || told <= TOLD) output.event({ type: "warning", message });
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
      default:
        showCommon(event);
    }
  };

  const showExport = (event: TransferExportEvent): void => {
    switch (event.type) {
      case "listing":
        progress.showCount("listing", event.blobs, event.bytes, event.isDone);
        break;
      case "plan":
        name = "export";
        if (output.json) output.jsonLine("transfer-plan", event);
        else if (!output.quiet) output.diagnosis(planText(event));
        break;
      default:
        showCommon(event);
    }
  };

  const showCommon = (event: CommonEvent): void => {
    switch (event.type) {
      case "progress": {
        const { blobs: files, bytes, totalBlobs: totalFiles, totalBytes, earlierBytes, elapsedMs } = event;
        progress.show({ rows: [], total: { name, files, bytes, totalFiles, totalBytes }, earlierBytes, elapsedMs });
        break;
      }
      case "blob":
        if (output.json) output.jsonLine("transfer-blob", event);
        else if (event.status !== "Completed") {
          const why = event.reason === undefined ? "" : `: ${event.reason}`;
          warn(`"${event.blobPath}": ${event.status}${why}`);
        }
        break;
      case "log":
        if (output.json) output.jsonLine("transfer-log", event);
        break;
      case "warning":
        warn(event.message);
        break;
    }
  };
  return { show, showExport, close: () => progress.close() };
}

function driveText(event: Extract<TransferImportEvent, { type: "drive" }>): string {
  const amount = `${counted(event.totalBlobs, "blob")}, ${formatSize(event.totalBytes)}`;
  const earlier = event.earlierBlobs === 0 ? "" : `; ${counted(event.earlierBlobs, "blob")} done before`;
  const unchecked = event.isChecked
    ? ""
    : "the manifest itself is not checked: give --journal, --drive-info or --manifest-hash\n";
  return `importing drive ${safeText(event.driveId)}: ${amount}${earlier}\n${unchecked}`;
}

function planText({
  blobs,
  bytes,
  leftOut,
  drives,
  earlierBlobs,
}: Extract<TransferExportEvent, { type: "plan" }>): string {
  const lines = [`exporting ${counted(blobs, "blob")}, ${formatSize(bytes)}`];
  for (const drive of drives) {
    const amount = `${counted(drive.blobs, "blob")}, ${formatSize(drive.bytes)}`;
    lines.push(`  drive ${safeText(drive.driveId)} at ${safeText(drive.root)}: ${amount}`);
  }
  if (leftOut > 0) lines.push(`  on no drive: ${counted(leftOut, "blob")}`);
  if (earlierBlobs > 0) lines.push(`  done before: ${counted(earlierBlobs, "blob")}`);
  return `${lines.join("\n")}\n`;
}
