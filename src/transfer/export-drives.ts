/**
 * What a data centre does for an export: chooses blobs, packs them onto drives, writes files, properties, metadata and a
 * manifest per drive, logs, and the list of what did not fit. An export that was interrupted goes on where it was.
 */
import { isBlobRequestError, toAppError } from "../blobs/blob-account.ts";
import { selectorText } from "../blobs/blob-list.ts";
import { CanceledError, UsageError } from "../platform/app-error.ts";
import { ExitCode } from "../platform/exit-codes.ts";
import { diagnosticsPlace } from "./diagnostics.ts";
import type { TransferExportEvent, TransferExportReport, TransferExportRequest } from "./export-contract.ts";
import { openExportPlan } from "./export-plan.ts";
import { ExportRun } from "./export-run.ts";
import type { TransferPorts } from "./import-contract.ts";
import { MAX_DRIVES } from "./pack-drives.ts";
import { withTransferDirectory } from "./transfer-state.ts";
import { writeExportEnd } from "./write-export.ts";

/**
 * Throws AppError NETWORK, ACCESS_REFUSED or CANCELED when it cannot go on; the same call later goes on from there. What
 * is wrong with single blobs is told by the report and the logs.
 */
export async function transferExport(
  request: TransferExportRequest,
  ports: TransferPorts,
  onEvent: (event: TransferExportEvent) => void = () => {},
): Promise<TransferExportReport> {
  checkDrives(request);
  const place = diagnosticsPlace(ports.account, request.diagnosticsPath);
  const { account } = ports;
  // Not what they have free: an export that goes on finds less.
  const drives = request.drives.map(({ driveId }) => driveId);
  const selectors = request.selectors.map(selectorText);
  const identity = ["export", account.url, account.onlyContainer ?? "", ...drives, "", ...selectors];
  const startedMs = ports.clock.monotonicMs();
  try {
    const use = (directory: string): Promise<TransferExportReport> =>
      exportAll(request, ports, place, directory, onEvent);
    const purpose = "the export from this account onto these drives";
    const report = await withTransferDirectory(ports, identity, purpose, request.restart === true, use);
    for (const log of report.logs) onEvent({ type: "log", ...log });
    return { ...report, elapsedMs: Math.round(ports.clock.monotonicMs() - startedMs) };
  } catch (error) {
    if (request.signal?.aborted === true) {
      throw new CanceledError("CANCELED", "the transfer was interrupted", { cause: error });
    }
    if (isBlobRequestError(error)) throw toAppError(error, "cannot go on with the export");
    throw error;
  }
}

async function exportAll(
  request: TransferExportRequest,
  ports: TransferPorts,
  place: ReturnType<typeof diagnosticsPlace>,
  directory: string,
  onEvent: (event: TransferExportEvent) => void,
): Promise<TransferExportReport> {
  const plan = await openExportPlan(request, ports, directory, onEvent);
  const run = new ExportRun(request, ports, plan, directory, onEvent);
  try {
    await run.exportBlobs();
    const { state, incompleteBlobs } = run;
    const warn = (message: string): void => onEvent({ type: "warning", message });
    const { drives, logs } = await writeExportEnd({ request, ports, place, directory, state, incompleteBlobs, warn });
    const hasErrors = run.incompleteBlobs > 0 || (run.blobs.Completed ?? 0) < run.exportedBlobs;
    return {
      selection: plan.counts,
      totalBlobs: plan.blobs,
      totalBytes: plan.bytes,
      exportedBlobs: run.exportedBlobs,
      exportedBytes: run.exportedBytes,
      incompleteBlobs,
      blobs: run.blobs,
      drives,
      earlierBlobs: run.earlierBlobs,
      logs,
      elapsedMs: 0,
      exitCode: hasErrors ? ExitCode.SomeFilesNotDone : ExitCode.Done,
    };
  } finally {
    run.state.close();
  }
}

function checkDrives({ drives }: TransferExportRequest): void {
  if (drives.length === 0 || drives.length > MAX_DRIVES) {
    throw new UsageError("USAGE_BAD_VALUE", `an export takes 1 to ${MAX_DRIVES} drives, not ${drives.length}`);
  }
  const ids = new Set<string>();
  for (const { driveId } of drives) {
    if (ids.has(driveId)) throw new UsageError("DRIVE_DUPLICATE", `the drive ${driveId} was given twice`);
    ids.add(driveId);
  }
}
