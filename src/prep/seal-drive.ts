/**
 * Sealing a drive: its manifest is written beside the final name, both hashes are journaled, then it is renamed into
 * place and the drive's record follows. Whatever moment the power goes at, the drive holds exactly the old or exactly the
 * new manifest, and the journal says which of the two it may be.
 */
import { constants } from "node:fs";
import { PlanFlag } from "../copy/plan-record.ts";
import type { ManifestFacts } from "../journal/session-history.ts";
import { copyManifestHead, hashFile } from "../manifest/manifest-extension.ts";
import { ManifestWriter } from "../manifest/manifest-writer.ts";
import { DamagedError, errnoOf } from "../platform/app-error.ts";
import { fsyncDirectory, unlinkQuietly } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { cutDrive } from "./cut-drive.ts";
import { isDriveFailure, isFullDrive, onDrive } from "./failed-calls.ts";
import { finishedFiles } from "./finished-files.ts";
import { activeFiles, type PlanRow } from "./frozen-plan.ts";
import { attached, manifestPath, type OpenDrive, type OpenSession, planOf, sessionRoot } from "./open-session.ts";
import type { SealedDrive } from "./prep-contract.ts";
import type { OutcomeBuilder } from "./prep-outcome.ts";
import { resultsSeed } from "./results-file.ts";
import { sealedDrives } from "./sealed-drive.ts";
import { placeSideFiles } from "./side-files.ts";
import { sourcePath } from "./walk-sources.ts";

/** Seals every drive of the session that is not sealed yet, in order. One that stops working keeps no other from it. */
export async function sealDrives(session: OpenSession, outcome: OutcomeBuilder): Promise<void> {
  for (const open of session.drives) {
    const { step } = open.record;
    if (planOf(session, open).facts.files === 0 || step === "Sealed" || step === "Lost" || step === "NotNeeded")
      continue;
    try {
      const drive = await sealWithRoom(session, open, outcome);
      if (drive === undefined) continue;
      session.events.event("drive-sealed", { ...drive });
      session.emit({ type: "drive-sealed", drive });
    } catch (error) {
      if (!isDriveFailure(error)) throw error;
      outcome.driveFailed(open, error);
    }
  }
}

/** Room for the manifest was planned for; when it is not there after all, files at the end of the plan make way once. */
async function sealWithRoom(
  session: OpenSession,
  open: OpenDrive,
  outcome: OutcomeBuilder,
): Promise<SealedDrive | undefined> {
  try {
    return sealDrive(session, open, outcome);
  } catch (error) {
    // From "Sealing" on the journal has promised this very manifest.
    if (!isFullDrive(error) || open.record.cut !== undefined || open.record.step === "Sealing") throw error;
    unlinkQuietly(session.ports.fs, `${manifestPath(attached(open))}.new`);
    await cutDrive(session, open, activeFiles(planOf(session, open)));
    return sealDrive(session, open, outcome);
  }
}

/** Seals the drive; undefined when nothing of the session came onto it, and then it is left as it was. */
function sealDrive(session: OpenSession, open: OpenDrive, outcome: OutcomeBuilder): SealedDrive | undefined {
  const drive = attached(open);
  const path = manifestPath(drive);
  if (open.record.step !== "Sealing" || isStillOld(session, open, path)) {
    const written = writeManifest(session, open, `${path}.new`, outcome);
    if (open.record.step === "Sealing" && written?.hash !== open.record.newManifest?.hash) throw notAsAnnounced(open);
    if (written === undefined) {
      onDrive(open, () => removeTree(session.ports.fs, sessionRoot(session, drive)));
      session.journal.driveIsAt(open.record, "NotNeeded");
      return undefined;
    }
    if (open.record.step !== "Sealing") session.journal.driveSeals(open.record, oldManifest(session, open), written);
    onDrive(open, () => session.ports.fs.rename(`${path}.new`, path));
  }
  onDrive(open, () => fsyncDirectory(session.ports.fs, drive.root));
  return sealed(session, open);
}

/** What is finished on the drive was known when its sealing began: less of it now means that the state was lost. */
function notAsAnnounced({ record: { driveId, place } }: OpenDrive): DamagedError {
  return new DamagedError(
    "STATE_DAMAGED",
    `what this session knows of drive ${driveId} at "${place}" does not give the manifest that the journal announces`,
  );
}

function sealed(session: OpenSession, open: OpenDrive): SealedDrive | undefined {
  const { record } = open;
  const manifest = record.newManifest as ManifestFacts;
  const info = {
    driveId: record.driveId,
    bitLockerKey: record.key,
    manifestFile: "\\DriveManifest.xml",
    manifestHash: manifest.hash,
  };
  session.journal.driveIsSealed(record, info);
  return sealedDrives([record], session.files.directory)[0];
}

/** After an interrupted sealing: true when the old manifest (or none) is still there, false when the new one is. */
function isStillOld(session: OpenSession, open: OpenDrive, path: string): boolean {
  const found = onDrive(open, () => hashIfThere(session, path));
  if (found === open.record.newManifest?.hash) return false;
  if (found === open.record.oldManifest?.hash) return true;
  throw new DamagedError(
    "MANIFEST_DAMAGED",
    `"${path}" has the hash ${found ?? "of no file"}, which is neither the old nor the new one of the journal`,
  );
}

function hashIfThere(session: OpenSession, path: string): string | undefined {
  try {
    return hashFile(session.ports.fs, path).hash;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf((error as Error).cause) === "ENOENT") return undefined;
    throw error;
  }
}

function oldManifest(session: OpenSession, open: OpenDrive): ManifestFacts | undefined {
  return session.earlierManifests.get(open.record.driveId);
}

/** Writes the manifest whole and durable at `path`; undefined, and no file, when it would list nothing new. */
function writeManifest(
  session: OpenSession,
  open: OpenDrive,
  path: string,
  outcome: OutcomeBuilder,
): ManifestFacts | undefined {
  const { fs } = session.ports;
  const mode = session.storageAccountKey === undefined ? 0o644 : 0o600;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const fd = onDrive(open, () => fs.open(path, flags, mode));
  let isEmpty = true;
  try {
    const write: FileSystem["write"] = (...call) => onDrive(open, () => fs.write(...call));
    const writer = new ManifestWriter({ write }, fd);
    onDrive(open, () => beginManifest(session, open, writer));
    isEmpty = !writeBlobLists(session, open, writer, outcome);
    const summary = writer.end();
    onDrive(open, () => fs.fsync(fd));
    if (!isEmpty) {
      return { hash: summary.hash, sizeBytes: summary.sizeBytes, blobs: summary.blobs, blobBytes: summary.bytes };
    }
  } finally {
    onDrive(open, () => fs.close(fd));
  }
  onDrive(open, () => fs.unlink(path));
  return undefined;
}

function beginManifest(session: OpenSession, open: OpenDrive, writer: ManifestWriter): void {
  const old = oldManifest(session, open);
  if (old !== undefined) {
    copyManifestHead(session.ports.fs, manifestPath(attached(open)), writer, {
      hash: old.hash,
      blobs: old.blobs,
      bytes: old.blobBytes,
    });
    return;
  }
  writer.begin({
    driveId: open.record.driveId,
    ...(session.storageAccountKey === undefined ? {} : { storageAccountKey: session.storageAccountKey }),
    clientCreator: session.clientCreator,
  });
}

/** One list per dataset row that has a blob on this drive, in the order of the dataset. */
function writeBlobLists(
  session: OpenSession,
  open: OpenDrive,
  writer: ManifestWriter,
  outcome: OutcomeBuilder,
): boolean {
  const { files, ports, plan } = session;
  const planned = planOf(session, open);
  const paths = {
    plan: files.plan(open.index),
    results: files.results(open.index),
    digests: files.digests(open.index),
  };
  const until = Math.min(activeFiles(planned), open.record.cut ?? Number.POSITIVE_INFINITY);
  let row: PlanRow | undefined;
  for (const file of finishedFiles(ports.fs, paths, resultsSeed(session.nonce, open.record.driveId), until)) {
    const { planned: record, done } = file;
    const isPage = (record.flags & PlanFlag.PageBlob) !== 0;
    if (isPage && done.sizeBytes % 512 !== 0) {
      reportUnaligned(session, plan.rows[record.row], record.relativePath);
      outcome.leaveOut({ FILE_NOT_PAGE_ALIGNED: 1 });
      continue;
    }
    if (row?.index !== record.row) {
      if (row !== undefined) writer.endBlobList();
      row = plan.rows[record.row] as PlanRow;
      writer.beginBlobList({
        id: `${session.id}-${row.index}`,
        ...placeSideFiles(session, open, row),
      });
    }
    writer.writeBlob({
      blobPath: row.kind === "file" ? row.destination : row.destination + record.relativePath,
      filePath: `\\${session.id}\\${row.index}\\${record.storedPath.replaceAll("/", "\\")}`,
      sizeBytes: done.sizeBytes,
      disposition: row.disposition,
      blobType: isPage ? "page" : "block",
      segmentBytes: record.segmentBytes,
      digests: done.digests,
    });
  }
  if (row !== undefined) writer.endBlobList();
  return row !== undefined;
}

function reportUnaligned(session: OpenSession, row: PlanRow | undefined, relativePath: string): void {
  const path = row === undefined ? relativePath : sourcePath(row, relativePath);
  const reason = "its length changed while it was prepared and is no multiple of 512";
  session.events.fileNotDone(path, "FILE_NOT_PAGE_ALIGNED", reason);
  session.emit({ type: "file-not-done", sourcePath: path, code: "FILE_NOT_PAGE_ALIGNED", reason });
}
