/**
 * Going on with a session that the journal knows: its plan is taken as frozen; drives are found again by their ids.
 * More drives take what has no drive yet: what never fitted, the tail of a full drive, all of one that was given up.
 */
import { parseDriveset } from "../drives/driveset-csv.ts";
import { driveInfoFileName } from "../journal/drive-info.ts";
import type { SessionRecord } from "../journal/session-history.ts";
import { DriveRefusedError, errnoOf, UsageError } from "../platform/app-error.ts";
import { fsyncDirectory } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import { activeFiles, type FrozenPlan, readFrozenPlan, writeFrozenPlan } from "./frozen-plan.ts";
import { planContext } from "./new-session.ts";
import type { OpenDrive, OpenSession } from "./open-session.ts";
import { planRemaining } from "./plan-session.ts";
import { summarisePlan } from "./plan-summary.ts";
import { flushMethodFor, lockDrives, openEvents, type Preparation, refuseOverlaps, searchFor } from "./preparation.ts";
import { refuseOccupiedDrives } from "./ready-drives.ts";
import { drivesOfSession, drivesOfSet } from "./session-drives.ts";
import { parseSessionInputs, readCsv, withFrozenOptions } from "./session-inputs.ts";
import { SessionJournal } from "./session-journal.ts";

/** `forAbort`: the plan is not needed, and a drive that is not attached is told by the abort itself. */
export async function reopenSession(
  preparation: Preparation,
  record: SessionRecord,
  forAbort: boolean,
): Promise<OpenSession> {
  const { ports, files } = preparation;
  const inputs = parseSessionInputs(record, files.journal);
  preparation.request = { ...preparation.request, options: withFrozenOptions(preparation.request.options, inputs) };
  const { options } = preparation.request;
  const plan = forAbort ? planToAbort(record) : readFrozenPlan(ports.fs, files, record);
  // That a credential may lie on a drive that is not encrypted was allowed when the session began.
  const search = searchFor(preparation, options, false);
  // A drive that is being given up need not be attached; the journal learns of it when its files are planned again.
  const giveUp = new Set(options.giveUpDrives);
  for (const drive of record.drives.values()) if (giveUp.has(drive.driveId)) drive.step = "Lost";
  const drives = await drivesOfSession(search, plan.drives, record.drives, forAbort);
  lockDrives(preparation, drives);
  refuseOverlaps(preparation, drives, plan.rows);
  return openSession(preparation, record, { clientCreator: inputs.clientCreator, plan, drives });
}

/** Rolling back needs the drives only; state that was lost must not stand in its way. */
function planToAbort(record: SessionRecord): FrozenPlan {
  const facts = { files: 1, bytes: 0, lengthBytes: 0, sha256: "", rowOffsets: [] };
  return {
    version: 1,
    sessionId: record.id,
    nonce: record.nonce,
    generation: 0,
    rows: [],
    drives: [...record.drives.values()].map(({ driveId, place }) => ({
      driveId,
      place,
      capacityBytes: 0,
      usedBytes: 0,
      facts,
    })),
    unplaced: { ...facts, files: 0, moreDrivesNeeded: 0, tooLargeFiles: 0 },
    notDone: {},
    special: 0,
    filtered: 0,
  };
}

async function openSession(
  preparation: Preparation,
  record: SessionRecord,
  known: { clientCreator: string; plan: FrozenPlan; drives: OpenDrive[] },
): Promise<OpenSession> {
  const { ports, files, history, journal } = preparation;
  if (journal === undefined) throw new UsageError("JOURNAL_MISSING", `the journal "${files.journal}" does not exist`);
  const key = history.storageAccountKey;
  return {
    id: record.id,
    nonce: record.nonce,
    isFirst: history.sessions.find((s) => s.state !== "Aborted" || s === record) === record,
    isResumed: true,
    files,
    journal: new SessionJournal(ports.fs, ports.clock, journal, record.id, files.directory),
    ...known,
    ...(key === undefined ? {} : { storageAccountKey: key }),
    earlierManifests: manifestsBefore(preparation, record),
    options: preparation.request.options,
    ports,
    flushMethod: await flushMethodFor(preparation, known.drives),
    events: openEvents(preparation),
    emit: preparation.emit,
    signal: preparation.signal,
  };
}

/** What the drives carried when this session began. */
function manifestsBefore({ history }: Preparation, record: SessionRecord): OpenSession["earlierManifests"] {
  const before = new Map<string, NonNullable<OpenDrive["record"]["oldManifest"]>>();
  for (const drive of history.drives.values()) {
    const inSession = record.drives.get(drive.driveId);
    const hasStarted = inSession?.newManifest !== undefined;
    const manifest = hasStarted ? inSession.oldManifest : drive.manifest;
    if (manifest !== undefined) before.set(drive.driveId, manifest);
  }
  return before;
}

/** Drives added to an unfinished session. The same call again, after an interruption, goes on where it was. */
export async function addDrives(preparation: Preparation, session: OpenSession): Promise<OpenSession> {
  const { request, ports } = preparation;
  giveUpDrives(preparation, session);
  const path = request.additionalDriveSetPath;
  if (path === undefined) throw new UsageError("USAGE_MISSING_SWITCH", "/AdditionalDriveSet:<driveset.csv> is missing");
  const csv = readCsv(ports.fs, path);
  const rows = parseDriveset(Buffer.from(csv.content), csv.path, { platform: ports.platform });
  const search = searchFor(preparation, session.options, session.storageAccountKey !== undefined);
  const known = new Set(session.drives.map((open) => open.record.driveId));
  const added = await drivesOfSet(search, rows, session.drives.length, known);
  if (added.length === 0) return session;
  lockDrives(preparation, added);
  refuseOverlaps(preparation, added, session.plan.rows);
  await planOntoAdded(preparation, session, added);
  return {
    ...session,
    drives: [...session.drives, ...added],
    flushMethod: await flushMethodFor(preparation, [...session.drives, ...added]),
  };
}

async function planOntoAdded(preparation: Preparation, session: OpenSession, added: OpenDrive[]): Promise<void> {
  const { ports, files, emit } = preparation;
  const { plan } = session;
  const context = planContext(preparation, added, session.drives.length, plan.generation + 1);
  const part = await planRemaining(context, sourcesWithoutDrive(session));
  const drives = plan.drives.map((drive, index) => {
    const from = firstWithoutDrive(session, index);
    return from === undefined ? drive : { ...drive, supersededFrom: from };
  });
  const next: FrozenPlan = {
    ...plan,
    generation: plan.generation + 1,
    drives: [...drives, ...part.drives],
    unplaced: part.unplaced,
  };
  refuseOccupiedDrives(ports.fs, session.id, { drives: added, plan: next });
  emit({ type: "plan", plan: summarisePlan(next, [...session.drives, ...added]) });
  // Journaled first: a drive of the plan without a record would have no key; a record without a plan does no harm.
  for (const open of added) {
    if ((next.drives[open.index]?.facts.files ?? 0) > 0) session.journal.driveJoins(open.record);
  }
  session.journal.sessionIs("InProgress");
  writeFrozenPlan(ports.fs, files, next);
  session.plan = next;
}

function sourcesWithoutDrive(session: OpenSession): { path: string; from: number; until: number }[] {
  const everything = { from: 0, until: Number.POSITIVE_INFINITY };
  const sources = [{ path: session.files.unplaced(session.plan.generation), ...everything }];
  session.plan.drives.forEach((drive, index) => {
    const from = firstWithoutDrive(session, index);
    if (from !== undefined && from < activeFiles(drive)) {
      sources.push({ path: session.files.plan(index), from, until: activeFiles(drive) });
    }
  });
  return sources;
}

/** From where on a drive's files have no drive any more; undefined when all of its plan counts. */
function firstWithoutDrive(session: OpenSession, index: number): number | undefined {
  const record = session.drives[index]?.record;
  const planned = session.plan.drives[index];
  if (record?.step === "Lost") return 0;
  const cut = record?.cut;
  if (cut === undefined) return planned?.supersededFrom;
  return Math.min(cut, planned?.supersededFrom ?? cut);
}

/** Marks drives as lost: their record is withdrawn, `<DriveId>.xml` is set aside, their files are planned again. */
function giveUpDrives(preparation: Preparation, session: OpenSession): void {
  const { request, ports, files, history } = preparation;
  for (const driveId of request.options.giveUpDrives) {
    const known = session.drives.find((open) => open.record.driveId === driveId);
    if (known === undefined || known.record.step === "NotNeeded") {
      throw new DriveRefusedError(
        "DRIVE_NOT_FOUND",
        `"${driveId}" given to --give-up-drive is no drive of session "${session.id}"`,
      );
    }
    session.journal.driveIsAt(known.record, "Lost");
    const path = joinPath(files.directory, driveInfoFileName(driveId));
    try {
      ports.fs.rename(path, path.replace(/\.xml$/, ".lost"));
      fsyncDirectory(ports.fs, files.directory);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    warnLost(preparation, driveId, history.drives.get(driveId)?.sessions ?? [], session.id);
  }
}

function warnLost(preparation: Preparation, driveId: string, sessions: readonly string[], sessionId: string): void {
  const earlier = sessions.filter((id) => id !== sessionId);
  const rest =
    earlier.length === 0 ? "" : `; what sessions ${earlier.join(", ")} put on it is lost and is not planned again`;
  preparation.emit({ type: "warning", message: `drive ${driveId} is given up and must not be shipped${rest}` });
}
