/**
 * What a data centre does with a prepared drive: checks the manifest, brings every blob of it into the account, writes the
 * logs. An import that was interrupted goes on where it was; a finished one leaves nothing behind but its blobs and logs.
 */
import { isBlobRequestError, toAppError } from "../blobs/blob-account.ts";
import type { DriveStatus } from "../copy-log/status-codes.ts";
import { CanceledError } from "../platform/app-error.ts";
import { ExitCode } from "../platform/exit-codes.ts";
import { diagnosticsPlace } from "./diagnostics.ts";
import type {
  TransferImportEvent,
  TransferImportReport,
  TransferImportRequest,
  TransferPorts,
} from "./import-contract.ts";
import { ImportRun } from "./import-run.ts";
import { type DriveProblem, isDriveProblem, type OpenedManifest, openManifest } from "./open-manifest.ts";
import { withTransferDirectory } from "./transfer-state.ts";
import { type WrittenLog, writeImportLogs, writeProblemLog } from "./write-logs.ts";

/**
 * Throws AppError NETWORK, ACCESS_REFUSED or CANCELED when it cannot go on; the same call later goes on from there. What
 * is wrong with the drive or with single blobs is told by the report and the logs.
 */
export async function transferImport(
  request: TransferImportRequest,
  ports: TransferPorts,
  onEvent: (event: TransferImportEvent) => void = () => {},
): Promise<TransferImportReport> {
  const startedMs = ports.clock.monotonicMs();
  // Before anything else: a place that cannot take logs would only show at the end.
  diagnosticsPlace(ports.account, request.diagnosticsPath);
  const manifest = openManifest(ports.fs, request);
  try {
    const finished = isDriveProblem(manifest)
      ? await endWithProblem(request, ports, manifest)
      : await importManifest(request, ports, manifest, onEvent);
    for (const log of finished.logs) onEvent({ type: "log", ...log });
    return { ...finished, elapsedMs: Math.round(ports.clock.monotonicMs() - startedMs) };
  } catch (error) {
    if (request.signal?.aborted === true) {
      throw new CanceledError("CANCELED", "the transfer was interrupted", { cause: error });
    }
    if (isBlobRequestError(error)) throw toAppError(error, `cannot go on with the drive at "${request.driveRoot}"`);
    throw error;
  }
}

type Finished = Omit<TransferImportReport, "elapsedMs">;

async function importManifest(
  request: TransferImportRequest,
  ports: TransferPorts,
  manifest: OpenedManifest,
  onEvent: (event: TransferImportEvent) => void,
): Promise<Finished> {
  return inDirectory(request, ports, manifest.hash, async (directory) => {
    const run = new ImportRun(request, ports, manifest, directory, onEvent);
    try {
      await run.importBlobs();
      const driveStatus = run.tally.driveStatus();
      const place = diagnosticsPlace(ports.account, request.diagnosticsPath);
      const logs = await writeImportLogs({ request, ports, place, directory }, manifest, run.state, driveStatus);
      return toReport(request, manifest, run, driveStatus, logs);
    } finally {
      run.state.close();
    }
  });
}

function inDirectory<T>(
  request: TransferImportRequest,
  ports: TransferPorts,
  manifestHash: string,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const { url, onlyContainer = "" } = ports.account;
  const purpose = "the import of this drive into this account";
  return withTransferDirectory(
    ports,
    ["import", manifestHash, url, onlyContainer],
    purpose,
    request.restart === true,
    use,
  );
}

function toReport(
  request: TransferImportRequest,
  manifest: OpenedManifest,
  run: ImportRun,
  driveStatus: DriveStatus,
  logs: readonly WrittenLog[],
): Finished {
  return {
    driveRoot: request.driveRoot,
    driveId: manifest.head.driveId,
    driveStatus,
    manifestHash: manifest.hash,
    isManifestChecked: request.expectedHash !== undefined,
    totalBlobs: manifest.blobs,
    totalBytes: manifest.bytes,
    blobs: run.tally.blobs,
    dispositions: run.tally.dispositions,
    bytesSucceeded: run.tally.bytesSucceeded,
    earlierBlobs: run.earlierBlobs,
    logs,
    exitCode: driveStatus === "CompletedWithErrors" ? ExitCode.SomeFilesNotDone : ExitCode.Done,
  };
}

/** Nothing was sent; the log still tells why. */
async function endWithProblem(
  request: TransferImportRequest,
  ports: TransferPorts,
  problem: DriveProblem,
): Promise<Finished> {
  const { driveStatus, reason, hash = "" } = problem;
  const driveId = problem.driveId ?? request.expectedDriveId ?? "unknown";
  const place = diagnosticsPlace(ports.account, request.diagnosticsPath);
  const logs = await inDirectory(request, ports, `problem ${driveId} ${hash}`, (directory) =>
    writeProblemLog({ request, ports, place, directory }, driveId, driveStatus),
  );
  return {
    driveRoot: request.driveRoot,
    driveId,
    driveStatus,
    reason,
    manifestHash: hash,
    isManifestChecked: request.expectedHash !== undefined,
    totalBlobs: 0,
    totalBytes: 0,
    blobs: {},
    dispositions: {},
    bytesSucceeded: 0,
    earlierBlobs: 0,
    logs,
    exitCode: exitCodeOf(driveStatus),
  };
}

function exitCodeOf(driveStatus: DriveStatus): ExitCode {
  if (driveStatus === "ManifestCorrupted") return ExitCode.VerifyMismatch;
  return driveStatus === "ManifestFormatInvalid" ? ExitCode.Damaged : ExitCode.DriveRefused;
}
