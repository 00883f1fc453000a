/**
 * Rolling a session back: on every drive of it the manifest of before is put back byte for byte, `\<SessionId>` is
 * removed, and nothing else is touched. May be interrupted and repeated.
 */
import { type DriveInfo, driveInfoFileName } from "../journal/drive-info.ts";
import type { ManifestFacts } from "../journal/session-history.ts";
import { hashFile, restoreOldManifest } from "../manifest/manifest-extension.ts";
import { DamagedError, DriveRefusedError, errnoOf } from "../platform/app-error.ts";
import { fsyncDirectory } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { removeTree } from "../platform/remove-tree.ts";
import { onDrive } from "./failed-calls.ts";
import { attached, flushDrive, manifestPath, type OpenDrive, type OpenSession, sessionRoot } from "./open-session.ts";
import { closeDrive, openDrive, releaseDrives } from "./opened-drives.ts";

export async function abortSession(session: OpenSession): Promise<void> {
  const touched = session.drives.filter(({ record }) => record.step !== "NotNeeded" && record.step !== "Lost");
  const missing = touched.filter((open) => open.drive === undefined && open.record.step !== "Restored");
  if (missing.length > 0) {
    const names = missing.map((open) => `${open.record.driveId} (last seen at "${open.record.place}")`).join(", ");
    throw new DriveRefusedError("DRIVE_NOT_FOUND", `to roll session "${session.id}" back, attach ${names}`);
  }
  session.journal.sessionIs("Aborting");
  for (const open of touched) {
    if (open.record.step === "Restored") continue;
    await restore(session, open);
    if (isSealed(open) && open.record.oldManifest === undefined) withdrawDriveInfo(session, open);
    session.journal.driveIsRestored(open.record, driveInfoBefore(open));
  }
  session.journal.sessionIs("Aborted");
}

async function restore(session: OpenSession, open: OpenDrive): Promise<void> {
  if (await isUntouched(open)) {
    await closeDrive(session, open);
    return;
  }
  try {
    await unlockIfLocked(open);
    await openDrive(session, open);
    onDrive(open, () => restoreDrive(session, open));
    await flushDrive(session, attached(open).root);
    await closeDrive(session, open);
  } finally {
    await releaseDrives(session);
  }
}

/** A volume that this session would have made, and did not get to. */
async function isUntouched({ drive, encryption, record }: OpenDrive): Promise<boolean> {
  if (drive === undefined || encryption?.open === undefined || !record.encrypt) return false;
  return (await encryption.status(drive)).state === "off";
}

function restoreDrive(session: OpenSession, open: OpenDrive): void {
  const { fs } = session.ports;
  const drive = attached(open);
  const path = manifestPath(drive);
  if (isSealed(open)) {
    restoreManifest(fs, path, open.record.oldManifest, open.record.newManifest);
  }
  unlinkIfThere(fs, `${path}.new`);
  removeTree(fs, sessionRoot(session, drive));
  fsyncDirectory(fs, drive.root);
}

function restoreManifest(
  fs: FileSystem,
  path: string,
  old: ManifestFacts | undefined,
  sealed: ManifestFacts | undefined,
): void {
  const found = hashIfThere(fs, path);
  if (found === old?.hash) return;
  if (found !== sealed?.hash) {
    throw new DamagedError(
      "MANIFEST_DAMAGED",
      `"${path}" is neither the manifest of this session nor the one before it`,
    );
  }
  if (old === undefined) {
    fs.unlink(path);
    return;
  }
  unlinkIfThere(fs, `${path}.new`);
  const restored = restoreOldManifest(fs, path, `${path}.new`, old.sizeBytes);
  if (restored.hash !== old.hash) {
    throw new DamagedError("MANIFEST_DAMAGED", `the manifest before this session cannot be made again from "${path}"`);
  }
  fs.rename(`${path}.new`, path);
}

const isSealed = ({ record: { step } }: OpenDrive): boolean => step === "Sealing" || step === "Sealed";

/** A session that began before the machine was restarted finds its drives locked. */
async function unlockIfLocked({ drive, encryption, record }: OpenDrive): Promise<void> {
  if (drive === undefined || encryption === undefined) return;
  const { state } = await encryption.status(drive);
  if (state === "locked") await encryption.unlock(drive, record.key);
}

/** The drive was new in this session: nothing of it is to be handed in. */
function withdrawDriveInfo({ ports, files }: OpenSession, open: OpenDrive): void {
  unlinkIfThere(ports.fs, joinPath(files.directory, driveInfoFileName(open.record.driveId)));
}

function driveInfoBefore(open: OpenDrive): DriveInfo | undefined {
  const old = open.record.step === "Joined" ? undefined : open.record.oldManifest;
  if (old === undefined) return undefined;
  return {
    driveId: open.record.driveId,
    bitLockerKey: open.record.key,
    manifestFile: "\\DriveManifest.xml",
    manifestHash: old.hash,
  };
}

function hashIfThere(fs: FileSystem, path: string): string | undefined {
  try {
    return hashFile(fs, path).hash;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function unlinkIfThere(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
