/**
 * The drives of a session: those of its drive set, and those the journal knows, found again by their ids. A drive is what
 * its serial says, not what is at a letter today; another drive at the place of a known one is refused.
 */
import { generateBitLockerKey } from "../bitlocker/recovery-password.ts";
import { type Drive, isUnmounted } from "../drives/drive.ts";
import { checkNoManifest, MANIFEST_NAME, refusalOf } from "../drives/drive-check.ts";
import type { DriveSetRow } from "../drives/driveset-csv.ts";
import type { DriveEncryption } from "../drives/encryption/encryption.ts";
import { findDrives } from "../drives/find-drives.ts";
import { checkFormattable, formatErases } from "../drives/format.ts";
import type { JournalDrive, JournalHistory, ManifestFacts, SessionDrive } from "../journal/session-history.ts";
import { hashFile } from "../manifest/manifest-extension.ts";
import { DamagedError, DriveRefusedError, describeErrno, UsageError } from "../platform/app-error.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { OpenDrive } from "./open-session.ts";
import type { PrepOptions } from "./prep-contract.ts";
import type { PrepPorts } from "./prep-ports.ts";

export interface DriveSearch {
  ports: PrepPorts;
  options: PrepOptions;
  history: JournalHistory;
  /** `/silentmode`: stands for the confirmation to format. */
  silentMode: boolean;
  /** A storage credential will be written into the manifests. */
  hasCredential: boolean;
  /** Nothing may be written, not even the trial file that shows whether a drive takes writes. */
  readOnly: boolean;
  warn(message: string): void;
}

/**
 * Drives named by a drive set. `firstIndex` is the index of the first one among the session's drives; those in `known`
 * are in the session already and are left out.
 */
export async function drivesOfSet(
  search: DriveSearch,
  rows: readonly DriveSetRow[],
  firstIndex: number,
  known: ReadonlySet<string> = new Set(),
): Promise<OpenDrive[]> {
  const { ports, options, history } = search;
  const ids = new Map(rows.flatMap((row) => idOf(row, options)));
  const found = await findDrives(
    ports,
    rows,
    ids,
    (drive) => {
      if (!mayCarryManifest(history, drive.driveId)) checkNoManifest(ports.fs, drive);
    },
    !search.readOnly,
  );
  const drives: OpenDrive[] = [];
  for (const { row, drive } of found) {
    if (known.has(drive.driveId)) continue;
    for (const text of drive.warnings) search.warn(text);
    drives.push(await openSetDrive(search, row, drive, firstIndex + drives.length));
  }
  return drives;
}

/** A manifest of this journal, also of a session whose sealing was cut short. */
function mayCarryManifest({ drives, sessions }: JournalHistory, driveId: string): boolean {
  if (drives.get(driveId)?.manifest !== undefined) return true;
  return sessions.at(-1)?.drives.get(driveId)?.step === "Sealing";
}

function idOf(row: DriveSetRow, options: PrepOptions): [string, string][] {
  const id = options.driveIds.get(row.written) ?? options.driveIds.get(row.place);
  return id === undefined ? [] : [[row.place, id]];
}

async function openSetDrive(search: DriveSearch, row: DriveSetRow, drive: Drive, index: number): Promise<OpenDrive> {
  const { ports, options, history, silentMode } = search;
  const known = history.drives.get(drive.driveId);
  if (known?.isLost === true) {
    throw new DriveRefusedError(
      "DRIVE_WRONG",
      `drive ${drive.driveId} was given up in this journal and cannot be used again`,
    );
  }
  const chosen = await ports.encryption(drive, options.encryption, row.encrypt ? "encrypt" : "use-encrypted");
  checkEncryptionPolicy(search, drive, chosen.kind);
  const format = row.formatOption === "Format" && known?.manifest === undefined;
  if (format && chosen.encryption.formats?.(drive) !== true) checkFormattable({ fs: ports.fs }, drive);
  const knownKey = row.existingKey ?? known?.key;
  const isMade = !row.encrypt || known?.manifest !== undefined;
  const wish = isMade && knownKey !== undefined ? { key: knownKey } : { format };
  const seen = await lookInto(drive, chosen.encryption, wish);
  if (!mayCarryManifest(history, drive.driveId)) checkNoManifest(ports.fs, seen);
  return {
    index,
    record: {
      driveId: drive.driveId,
      place: drive.place,
      encryption: chosen.kind,
      key: knownKey ?? generateBitLockerKey(ports.random),
      step: "Joined",
      encrypt: row.encrypt,
      format,
    },
    drive: seen,
    written: row.written,
    encryption: chosen.encryption,
    formatIsConfirmed:
      !formatErases(drive) || row.silent || silentMode || options.confirmDrives.includes(drive.serial ?? drive.driveId),
  };
}

/** The drive with what its closed volume holds. */
async function lookInto(
  drive: Drive,
  encryption: DriveEncryption,
  wish: { key: string } | { format: boolean },
): Promise<Drive> {
  const inside = await encryption.inspect?.(drive, wish);
  return inside === undefined ? drive : { ...drive, ...inside };
}

function checkEncryptionPolicy(search: DriveSearch, drive: Drive, kind: "bitlocker" | "mock"): void {
  if (kind === "bitlocker") return;
  if (search.options.requireEncryption) {
    throw new DriveRefusedError(
      "ENCRYPTION_REQUIRED",
      `drive ${drive.driveId} at "${drive.place}" would not be encrypted, and --require-encryption was given`,
    );
  }
  if (search.hasCredential && !search.options.allowUnencryptedSecrets) {
    throw new UsageError(
      "UNENCRYPTED_SECRETS",
      `the account key would be written on drive ${drive.driveId} at "${drive.place}", which is not encrypted`,
    );
  }
}

/** Drives that the journal knows from complete sessions, for a later one. Those that are not attached are left out. */
export async function drivesOfJournal(search: DriveSearch, mayBeNone: boolean): Promise<OpenDrive[]> {
  const drives: OpenDrive[] = [];
  for (const known of search.history.drives.values()) {
    if (known.isLost || known.manifest === undefined) continue;
    // Where drives are added, one of them may stand where a shipped one stood.
    const drive = await findAgain(search, known, mayBeNone ? "leave" : "refuse");
    if (drive === undefined) {
      search.warn(
        `drive ${known.driveId} (last seen at "${known.place}") is not attached and gets nothing of this session`,
      );
      continue;
    }
    // That of an image or partition can be read when it is open.
    if (!isUnmounted(drive)) checkManifest(search.ports.fs, drive, known.manifest);
    const record: SessionDrive = {
      driveId: known.driveId,
      place: drive.place,
      encryption: known.encryption,
      key: known.key,
      step: "Joined",
      encrypt: false,
      format: false,
    };
    const open = await openKnownDrive(search, record, drive, drives.length);
    if (open.encryption !== undefined) open.drive = await lookInto(drive, open.encryption, { key: record.key });
    drives.push(open);
  }
  if (drives.length > 0 || mayBeNone) return drives;
  throw new DriveRefusedError("DRIVE_NOT_FOUND", "none of the journal's drives is attached");
}

/** Told now, and not when hours of copying are over. */
export function checkManifest(fs: FileSystem, drive: Drive, expected: ManifestFacts): void {
  const path = joinPath(drive.root, MANIFEST_NAME);
  let found: string;
  try {
    found = hashFile(fs, path).hash;
  } catch (cause) {
    throw new DamagedError("MANIFEST_DAMAGED", `cannot read "${path}": ${describeErrno(cause)}`, { cause });
  }
  if (found === expected.hash) return;
  throw new DamagedError("MANIFEST_DAMAGED", `"${path}" has the hash ${found}, the journal says ${expected.hash}`);
}

/** The drives of an unfinished session, as its journal has them. A sealed one need not be attached again. */
export async function drivesOfSession(
  search: DriveSearch,
  planned: readonly { driveId: string; facts: { files: number } }[],
  records: ReadonlyMap<string, SessionDrive>,
  mayBeMissing: boolean,
): Promise<OpenDrive[]> {
  const drives: OpenDrive[] = [];
  const missing: string[] = [];
  for (const { driveId, facts } of planned) {
    const record = records.get(driveId);
    if (record === undefined) {
      drives.push(notNeeded(driveId, drives.length));
      continue;
    }
    const whenOther = isNeeded(record) ? "refuse" : "leave";
    const drive = record.step === "Lost" ? undefined : await findAgain(search, record, whenOther);
    if (drive === undefined) {
      if (isNeeded(record) && facts.files > 0) missing.push(`${driveId} (last seen at "${record.place}")`);
      drives.push({ index: drives.length, record, formatIsConfirmed: true });
      continue;
    }
    drives.push(await openKnownDrive(search, record, drive, drives.length));
  }
  if (missing.length === 0 || mayBeMissing) return drives;
  throw new DriveRefusedError("DRIVE_NOT_FOUND", `to go on, attach drive ${missing.join(", ")}`, {
    hint: "attach it and run the same command again, or give it up with /AdditionalDriveSet and --give-up-drive <DriveId>",
  });
}

const isNeeded = ({ step }: SessionDrive): boolean => !["Sealed", "NotNeeded", "Lost", "Restored"].includes(step);

function notNeeded(driveId: string, index: number): OpenDrive {
  const record: SessionDrive = {
    driveId,
    place: "",
    encryption: "mock",
    key: "",
    step: "NotNeeded",
    encrypt: false,
    format: false,
  };
  return { index, record, formatIsConfirmed: true };
}

async function openKnownDrive(
  search: DriveSearch,
  record: SessionDrive,
  drive: Drive,
  index: number,
): Promise<OpenDrive> {
  const wish = record.encryption === "mock" ? "mock" : search.options.encryption;
  const { encryption, kind } = await search.ports.encryption(drive, wish, "use-encrypted");
  checkEncryptionPolicy(search, drive, kind);
  record.place = drive.place;
  return { index, record, drive, encryption, formatIsConfirmed: true };
}

/**
 * By id: first where it was last seen, then among all volumes. Undefined when it is not attached. `whenOther`: another
 * drive where a needed one was is a mistake; where a sealed one was, that one may have been shipped.
 */
async function findAgain(
  search: DriveSearch,
  known: Pick<JournalDrive, "driveId" | "place">,
  whenOther: "refuse" | "leave",
): Promise<Drive | undefined> {
  const { ports, options } = search;
  // The last one given: an earlier call may have named another place.
  const override = [...options.driveIds].findLast(([, id]) => id === known.driveId)?.[0];
  const here = await probeQuietly(search, override ?? known.place, override === undefined ? undefined : known.driveId);
  if (here?.driveId === known.driveId) return usable(here);
  const elsewhere = (await ports.probe.list()).find((drive) => drive.driveId === known.driveId);
  if (elsewhere !== undefined) return usable(elsewhere);
  if (here === undefined || whenOther === "leave") return undefined;
  throw new DriveRefusedError(
    "DRIVE_WRONG",
    `at "${known.place}" is drive ${here.driveId}, the journal expects drive ${known.driveId}`,
  );
}

function usable(drive: Drive): Drive {
  const refusal = refusalOf(drive);
  if (refusal !== undefined) throw refusal;
  return drive;
}

async function probeQuietly(search: DriveSearch, place: string, id: string | undefined): Promise<Drive | undefined> {
  try {
    return await search.ports.probe.probe(place, id === undefined ? {} : { idOverride: id });
  } catch (error) {
    if (error instanceof DriveRefusedError && error.code === "DRIVE_NOT_FOUND") return undefined;
    throw error;
  }
}
