/** The logs of an import and the backup of its manifest: written to files first, then sent to the diagnostics place. */
import { constants } from "node:fs";
import { CopyLogWriter } from "../copy-log/copy-log-writer.ts";
import type { DriveStatus } from "../copy-log/status-codes.ts";
import { AppError } from "../platform/app-error.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { fromOutcomeRecord, toLogBlob } from "./blob-outcome.ts";
import { blobUri, type DiagnosticsPlace, diagnosticsBlob, uploadFile } from "./diagnostics.ts";
import type { ImportRecord } from "./import-context.ts";
import type { LogKind, TransferImportRequest, TransferPorts } from "./import-contract.ts";
import { writeManifestBackup } from "./manifest-backup.ts";
import { manifestBlobs } from "./manifest-blobs.ts";
import type { OpenedManifest } from "./open-manifest.ts";
import { indexResults } from "./result-index.ts";
import type { TransferState } from "./transfer-state.ts";

export interface WrittenLog {
  kind: LogKind;
  uri: string;
}

/** Where the logs of one drive go. */
export interface LogJob {
  request: TransferImportRequest;
  ports: TransferPorts;
  place: DiagnosticsPlace;
  /** Takes the files on their way. */
  directory: string;
}

/** In the order of the manifest, whatever the order in which its blobs ended. */
export async function writeImportLogs(
  job: LogJob,
  manifest: OpenedManifest,
  state: TransferState<ImportRecord>,
  driveStatus: DriveStatus,
): Promise<WrittenLog[]> {
  const { request, ports, directory } = job;
  const { fs } = ports;
  const index = indexResults(fs, directory, state);
  try {
    const kinds: LogKind[] = request.logLevel === "verbose" ? ["verbose", "error"] : ["error"];
    const logs: WrittenLog[] = [];
    for (const kind of kinds) {
      const path = joinPath(directory, `${kind}.xml`);
      writeLog(fs, path, kind === "verbose" ? "verbose" : "error", manifest.head.driveId, driveStatus, (log) => {
        for (const work of manifestBlobs(fs, manifest.path)) {
          const offset = index.get(work.index);
          const record = offset === undefined ? undefined : state.read(offset);
          if (record?.o === undefined) throw new AppError("INTERNAL", `blob ${work.index} has no result`);
          log.blob(toLogBlob(work, fromOutcomeRecord(record.o)));
        }
      });
      logs.push(await send(job, manifest.head.driveId, kind, path));
    }
    if (request.backupDriveManifest) {
      const path = joinPath(directory, "manifest.xml");
      writeManifestBackup(fs, manifest.path, path, manifest.head);
      logs.push(await send(job, manifest.head.driveId, "manifest", path));
    }
    return logs;
  } finally {
    index.remove();
  }
}

/** The log of a drive none of whose blobs were looked at. */
export async function writeProblemLog(job: LogJob, driveId: string, driveStatus: DriveStatus): Promise<WrittenLog[]> {
  const path = joinPath(job.directory, "error.xml");
  writeLog(job.ports.fs, path, "error", driveId, driveStatus, () => {});
  return [await send(job, driveId, "error", path)];
}

export function writeLog(
  fs: FileSystem,
  path: string,
  kind: "error" | "verbose",
  driveId: string,
  driveStatus: DriveStatus,
  writeBlobs: (log: CopyLogWriter) => void,
): void {
  const fd = fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    const log = new CopyLogWriter(fs, fd, kind);
    log.begin(driveId);
    writeBlobs(log);
    log.end(driveStatus);
  } finally {
    fs.close(fd);
  }
}

async function send(
  { request, ports, place }: LogJob,
  driveId: string,
  kind: LogKind,
  path: string,
): Promise<WrittenLog> {
  const { account, clock, fs } = ports;
  const ref = diagnosticsBlob(place, request.jobName, driveId, clock.nowMs(), kind);
  await uploadFile(account, ref, fs, path);
  return { kind, uri: blobUri(account, ref) };
}
