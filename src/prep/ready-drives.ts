/**
 * Making the drives ready: what is known of a drive is journaled, then it is formatted, encrypted or unlocked, and
 * `\<SessionId>` is created. Each step may be repeated after an interruption.
 */
import { isUnmounted } from "../drives/drive.ts";
import { formatDrive } from "../drives/format.ts";
import { DriveRefusedError, errnoOf } from "../platform/app-error.ts";
import { fsyncDirectory } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { onDrive } from "./failed-calls.ts";
import type { FrozenPlan } from "./frozen-plan.ts";
import { attached, isToBeWritten, type OpenDrive, type OpenSession, planOf, sessionRoot } from "./open-session.ts";
import { openDrive, percentTo } from "./opened-drives.ts";

const LABEL = "WAIMPORT";

export async function readyDrives(session: OpenSession): Promise<void> {
  for (const open of session.drives) {
    if (planOf(session, open).facts.files === 0 || open.drive === undefined) continue;
    if (!isToBeWritten(session, open) || open.record.step === "Prepared") await unlock(session, open);
    else await makeReady(session, open);
    if (isToBeWritten(session, open)) onDrive(open, () => refuseReplacedRoot(session, open));
    session.emit({ type: "drive-state", driveId: open.record.driveId, state: "ready" });
    session.signal.throwIfAborted();
  }
}

async function makeReady(session: OpenSession, open: OpenDrive): Promise<void> {
  const drive = attached(open);
  const { ports, journal, signal } = session;
  const formatsItself = open.encryption?.formats?.(drive) === true;
  if (open.record.format && !formatsItself) {
    session.emit({ type: "drive-state", driveId: open.record.driveId, state: "formatting" });
    await formatDrive({ fs: ports.fs }, drive, { label: LABEL, signal });
  }
  if (open.record.encrypt) {
    session.emit({ type: "drive-state", driveId: open.record.driveId, state: "encrypting" });
    await open.encryption?.encrypt(drive, open.record.key, {
      signal,
      plannedBytes: planOf(session, open).usedBytes,
      onPercent: percentTo(session, open, "encrypting"),
      ...(open.record.format && formatsItself ? { format: { label: LABEL } } : {}),
    });
  } else await open.encryption?.adopt(drive, open.record.key);
  await openDrive(session, open);
  onDrive(open, () => makeSessionDirectory(session, open, session.isResumed));
  journal.driveIsAt(open.record, "Prepared");
}

async function unlock(session: OpenSession, open: OpenDrive): Promise<void> {
  if (open.drive === undefined || open.encryption === undefined) return;
  session.emit({ type: "drive-state", driveId: open.record.driveId, state: "unlocking" });
  await open.encryption.unlock(open.drive, open.record.key);
  if (open.record.step !== "Sealed") await openDrive(session, open);
}

/** Created exclusively: what another run or a person put there is never mixed with this session's files. */
function makeSessionDirectory(session: OpenSession, open: OpenDrive, mayExistEmpty: boolean): void {
  const drive = attached(open);
  const { fs } = session.ports;
  const path = sessionRoot(session, drive);
  try {
    fs.mkdir(path, 0o755);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    if (!mayExistEmpty || fs.lstat(path).kind !== "directory" || fs.readdir(path).length > 0)
      throw sessionExists(open, path);
  }
  fsyncDirectory(fs, drive.root);
}

/** A link that somebody put there since would lead everything that is written and removed off the drive. */
function refuseReplacedRoot(session: OpenSession, open: OpenDrive): void {
  const path = sessionRoot(session, attached(open));
  if (session.ports.fs.lstat(path).kind === "directory") return;
  throw new DriveRefusedError("DRIVE_FAILED", `"${path}" on drive ${open.record.driveId} is not a directory any more`);
}

/** Checked for every drive that the plan needs before the session enters the journal. Letter case does not count. */
export function refuseOccupiedDrives(
  fs: FileSystem,
  sessionId: string,
  { drives, plan }: { drives: readonly OpenDrive[]; plan: FrozenPlan },
): void {
  for (const open of drives) {
    const drive = attached(open);
    const { root, rootNames = [] } = drive;
    if ((plan.drives[open.index]?.facts.files ?? 0) === 0) continue;
    const names = isUnmounted(drive) ? rootNames : onDrive(open, () => fs.readdir(root)).map((entry) => entry.name);
    const taken = names.find((name) => name.toLowerCase() === sessionId.toLowerCase());
    if (taken !== undefined) throw sessionExists(open, `${root}/${taken}`);
  }
}

function sessionExists(open: OpenDrive, path: string): DriveRefusedError {
  return new DriveRefusedError(
    "DRIVE_HAS_SESSION",
    `drive ${open.record.driveId} already holds "${path}", which this session would create`,
  );
}
