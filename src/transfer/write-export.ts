/** The end of an export: one manifest per drive, the logs, and the list of blobs that are on no drive. */
import { constants } from "node:fs";
import { type BlobRef, isBlobRequestError } from "../blobs/blob-account.ts";
import { BLOB_LIST_END, BLOB_LIST_START, blobListLine } from "../blobs/blob-list.ts";
import type { CopyLogWriter } from "../copy-log/copy-log-writer.ts";
import type { DriveStatus } from "../copy-log/status-codes.ts";
import { ExportManifestWriter } from "../manifest/export-manifest-writer.ts";
import type { ManifestSummary } from "../manifest/manifest-model.ts";
import { AppError } from "../platform/app-error.ts";
import { fsyncDirectory, writeAll } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import { blobUri, type DiagnosticsPlace, diagnosticsBlob, uploadFile } from "./diagnostics.ts";
import type {
  ExportDrive,
  ExportedDriveReport,
  TransferExportReport,
  TransferExportRequest,
} from "./export-contract.ts";
import { blobPathOf, type ExportEntry } from "./export-entry.ts";
import { type ExportOutcome, type ExportRecord, toExportedBlob, toExportLogBlob } from "./export-outcome.ts";
import { plannedBlobs } from "./export-plan.ts";
import type { TransferPorts } from "./import-contract.ts";
import { indexResults, type ResultIndex } from "./result-index.ts";
import type { TransferState } from "./transfer-state.ts";
import { writeLog } from "./write-logs.ts";

export interface ExportEnd {
  request: TransferExportRequest;
  ports: TransferPorts;
  place: DiagnosticsPlace;
  directory: string;
  state: TransferState<ExportRecord>;
  incompleteBlobs: number;
  warn: (message: string) => void;
}

type Logs = TransferExportReport["logs"];

interface EndedBlob {
  entry: ExportEntry;
  drive: number | undefined;
  outcome: ExportOutcome;
}

export async function writeExportEnd(end: ExportEnd): Promise<{ drives: ExportedDriveReport[]; logs: Logs }> {
  const index = indexResults(end.ports.fs, end.directory, end.state);
  try {
    const drives: ExportedDriveReport[] = [];
    const logs: Logs[number][] = [];
    for (const [number, drive] of end.request.drives.entries()) {
      const report = writeDriveManifest(end, index, drive, number);
      drives.push(report);
      logs.push(...(await sendDriveFiles(end, index, report, number)));
    }
    logs.push(...(await sendIncompleteList(end, index)));
    return { drives, logs };
  } finally {
    index.remove();
  }
}

/** Nothing is written on a drive that received no blob. */
function writeDriveManifest(
  end: ExportEnd,
  index: ResultIndex,
  drive: ExportDrive,
  number: number,
): ExportedDriveReport {
  const { fs } = end.ports;
  const { driveId, root } = drive;
  const name = `${driveId.replace(/[^A-Za-z0-9._-]/g, "_")}.manifest`;
  let blobs = 0;
  let driveStatus: DriveStatus = "Completed";
  const temporary = joinPath(root, `${name}.new`);
  let fd: number | undefined;
  let summary: ManifestSummary | undefined;
  try {
    let writer: ExportManifestWriter | undefined;
    for (const { entry, outcome } of endedBlobs(end, index, number)) {
      if (outcome.status !== "Completed") driveStatus = "CompletedWithErrors";
      if (!outcome.isOnDrive) continue;
      if (writer === undefined) {
        fd = fs.open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o644);
        writer = new ExportManifestWriter(fs, fd);
        writer.begin(driveId);
      }
      writer.writeBlob(toExportedBlob(entry, outcome));
      blobs += 1;
    }
    summary = writer?.end();
    if (fd !== undefined) fs.fsync(fd);
  } finally {
    if (fd !== undefined) fs.close(fd);
  }
  if (summary === undefined) return { driveId, root, driveStatus, blobs, bytes: 0 };
  fs.rename(temporary, joinPath(root, name));
  fsyncDirectory(fs, root);
  const { hash: manifestHash, bytes } = summary;
  return { driveId, root, driveStatus, manifestFile: `\\${name}`, manifestHash, blobs, bytes };
}

async function sendDriveFiles(
  end: ExportEnd,
  index: ResultIndex,
  report: ExportedDriveReport,
  number: number,
): Promise<Logs[number][]> {
  const { request, ports, directory } = end;
  const logs: Logs[number][] = [];
  const kinds = request.logLevel === "verbose" ? (["verbose", "error"] as const) : (["error"] as const);
  for (const kind of kinds) {
    const path = joinPath(directory, `${kind}.xml`);
    writeLog(ports.fs, path, kind, report.driveId, report.driveStatus, (log) => writeEntries(end, index, number, log));
    logs.push(...(await send(end, report.driveId, kind, path)));
  }
  if (request.backupDriveManifest && report.manifestFile !== undefined) {
    const path = joinPath(report.root, report.manifestFile.slice(1));
    logs.push(...(await send(end, report.driveId, "manifest", path)));
  }
  return logs;
}

function writeEntries(end: ExportEnd, index: ResultIndex, number: number, log: CopyLogWriter): void {
  for (const { entry, outcome } of endedBlobs(end, index, number)) {
    if (outcome.status !== "NotExported") log.blob(toExportLogBlob(entry, outcome));
  }
}

/** In the form of a blob list, so that it can be the choice of the next export. */
async function sendIncompleteList(end: ExportEnd, index: ResultIndex): Promise<Logs[number][]> {
  if (end.incompleteBlobs === 0) return [];
  const path = joinPath(end.directory, "incomplete.xml");
  writeIncompleteList(end, index, path);
  const { incompleteListPath } = end.request;
  if (incompleteListPath !== undefined) writeIncompleteList(end, index, incompleteListPath);
  return send(end, "", "incomplete", path);
}

function writeIncompleteList(end: ExportEnd, index: ResultIndex, path: string): void {
  const { fs } = end.ports;
  const fd = fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    let position = 0;
    const add = (text: string): void => {
      const bytes = Buffer.from(text, "utf8");
      writeAll(fs, fd, bytes, position);
      position += bytes.length;
    };
    add(BLOB_LIST_START);
    for (const { entry, outcome } of endedBlobs(end, index)) {
      if (!outcome.isOnDrive) add(blobListLine(blobPathOf(entry), entry.snapshot));
    }
    add(BLOB_LIST_END);
    fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
}

/** An account that may only be read still gives its blobs. */
async function send(
  end: ExportEnd,
  driveId: string,
  kind: Logs[number]["kind"],
  path: string,
): Promise<Logs[number][]> {
  const { account, clock, fs } = end.ports;
  const ref: BlobRef = diagnosticsBlob(end.place, end.request.jobName, driveId, clock.nowMs(), kind);
  try {
    await uploadFile(account, ref, fs, path);
    return [{ kind, uri: blobUri(account, ref), ...(driveId === "" ? {} : { driveId }) }];
  } catch (error) {
    if (!isBlobRequestError(error, "forbidden", "missing")) throw error;
    end.warn(`the ${kind} log could not be written into the account: ${error.message}`);
    return [];
  }
}

/** Of one drive, or of all and none. */
function* endedBlobs(end: ExportEnd, index: ResultIndex, number?: number): Generator<EndedBlob> {
  for (const { entry, placement } of plannedBlobs(end.ports.fs, end.directory)) {
    if (number !== undefined && placement.drive !== number) continue;
    const offset = index.get(entry.index);
    const outcome = offset === undefined ? undefined : end.state.read(offset).o;
    if (outcome === undefined) throw new AppError("INTERNAL", `blob ${entry.index} has no result`);
    yield { entry, drive: placement.drive, outcome };
  }
}
