/**
 * Drives whose volume is mounted only while a session works on it: opened before the first file is copied, closed when
 * the drive is sealed. For all others these steps do nothing.
 */
import type { CloseReport } from "../drives/encryption/encryption.ts";
import { describeErrno } from "../platform/app-error.ts";
import { type OpenDrive, type OpenSession, planOf } from "./open-session.ts";
import type { PrepEvent, SealedDrive } from "./prep-contract.ts";
import { checkManifest } from "./session-drives.ts";

/** What its steps report while they take long. */
export function percentTo(session: OpenSession, open: OpenDrive, state: DriveState): (percent: number) => void {
  return (percent) => session.emit({ type: "drive-state", driveId: open.record.driveId, state, percent });
}

type DriveState = Extract<PrepEvent, { type: "drive-state" }>["state"];

/** From now on the drive's root is where its volume is mounted. */
export async function openDrive(session: OpenSession, open: OpenDrive): Promise<void> {
  const { drive, encryption, record } = open;
  if (drive === undefined || encryption?.open === undefined || open.closed !== undefined) return;
  const { root } = await encryption.open(drive, record.key, {
    signal: session.signal,
    plannedBytes: planOf(session, open).usedBytes,
    onPercent: percentTo(session, open, "opening"),
  });
  if (root === drive.root) return;
  open.closed = drive;
  open.drive = { ...drive, root };
  const earlier = session.earlierManifests.get(record.driveId);
  if (earlier !== undefined && record.step === "Joined") checkManifest(session.ports.fs, open.drive, earlier);
}

/** Closes what this session sealed or opened, also when an earlier run of it opened it. */
export async function closeDrives(session: OpenSession): Promise<void> {
  for (const open of session.drives) {
    if (planOf(session, open).facts.files === 0 || open.record.step === "Lost") continue;
    await closeDrive(session, open);
  }
}

export async function closeDrive(session: OpenSession, open: OpenDrive): Promise<void> {
  const drive = open.closed ?? open.drive;
  if (drive === undefined || open.encryption?.close === undefined) return;
  const report = await open.encryption.close(drive, open.record.key, {
    signal: session.signal,
    onPercent: percentTo(session, open, "closing"),
  });
  open.drive = drive;
  delete open.closed;
  tell(session, open, report);
  if (report.checks.length > 0) open.closeReport = report;
}

/** Whatever happened: nothing stays mounted. A failure here is told and changes nothing else. */
export async function releaseDrives(session: OpenSession): Promise<void> {
  for (const open of session.drives) {
    if (open.closed === undefined) continue;
    try {
      await open.encryption?.release?.(open.closed);
      open.drive = open.closed;
      delete open.closed;
    } catch (error) {
      session.emit({ type: "warning", message: `drive ${open.record.driveId} stays open: ${describeErrno(error)}` });
    }
  }
}

function tell(session: OpenSession, open: OpenDrive, { checks, missing, leftBehind }: CloseReport): void {
  const { driveId } = open.record;
  for (const { tool, detail } of checks.filter((check) => !check.ok)) {
    session.emit({ type: "warning", message: `${tool} did not take drive ${driveId}: ${detail ?? "no reason given"}` });
  }
  if (missing.length > 0) {
    const message = `drive ${driveId} can be checked by more programs: install the packages ${missing.join(", ")}`;
    session.emit({ type: "notice", message });
  }
  if (leftBehind !== undefined) {
    const message = `"${leftBehind}" holds the data of drive ${driveId} in clear and could not be removed: remove it yourself`;
    session.emit({ type: "warning", message });
  }
}

/** The drives of a summary with what was found out when they were closed. */
export function withCloseReports(sealed: readonly SealedDrive[], drives: readonly OpenDrive[]): SealedDrive[] {
  return sealed.map((drive) => {
    const report = drives.find((open) => open.record.driveId === drive.driveId)?.closeReport;
    if (report === undefined) return drive;
    const { checks, leftBehind } = report;
    return { ...drive, checks, ...(leftBehind === undefined ? {} : { leftBehind }) };
  });
}
