/**
 * A new session: inputs are read and checked, drives are found, everything is planned and shown; only after the answer
 * the session enters the journal. Until then nothing was written but the plan in the state directory.
 */
import { checkSources } from "../dataset/check-sources.ts";
import { parseDataset } from "../dataset/dataset-csv.ts";
import type { DatasetRow } from "../dataset/dataset-row.ts";
import { compileFilter } from "../dataset/filters.ts";
import { findNestedSources } from "../dataset/nested-sources.ts";
import type { WalkCounters } from "../dataset/walk.ts";
import { planCapacities } from "../drives/capacity.ts";
import { parseDriveset } from "../drives/driveset-csv.ts";
import { formatErases } from "../drives/format.ts";
import { JournalFile } from "../journal/journal-file.ts";
import { type InputProblem, UsageError } from "../platform/app-error.ts";
import type { FlushMethod } from "../platform/volume-flush.ts";
import { type FrozenPlan, type PlanRow, writeFrozenPlan } from "./frozen-plan.ts";
import { attached, type OpenDrive, type OpenSession } from "./open-session.ts";
import { refuseClashes } from "./plan-clashes.ts";
import { type PlanContext, planSources } from "./plan-session.ts";
import { summarisePlan } from "./plan-summary.ts";
import type { PlanSummary } from "./prep-contract.ts";
import {
  clearState,
  excludedFromWalk,
  flushMethodFor,
  lockDrives,
  openEvents,
  type Preparation,
  refuseOverlaps,
  searchFor,
} from "./preparation.ts";
import { drivesOfJournal, drivesOfSet } from "./session-drives.ts";
import { readSessionInputs, type SessionInputs } from "./session-inputs.ts";
import { SessionJournal, startRecords } from "./session-journal.ts";
import { freezeSideFiles } from "./side-files.ts";
import { type SourceWalkOptions, walkSources } from "./walk-sources.ts";

export interface NewSession {
  id: string;
  isFirst: boolean;
  addsDrives: boolean;
}

export interface PlannedSession {
  inputs: SessionInputs;
  drives: OpenDrive[];
  plan: FrozenPlan;
  summary: PlanSummary;
  flushMethod: Promise<FlushMethod>;
}

/** Up to the frozen plan: all that a dry run does too. */
export async function planNewSession(preparation: Preparation, wanted: NewSession): Promise<PlannedSession> {
  const inputs = readInputs(preparation);
  const rows = readRows(preparation, inputs);
  const drives = await findSessionDrives(preparation, wanted, inputs);
  lockDrives(preparation, drives);
  refuseOverlaps(preparation, drives, rows);
  clearState(preparation);
  const flushMethod = startWhatTakesTime(preparation, drives);
  const plan = await freezePlan(preparation, wanted, rows, drives);
  const summary = summarisePlan(plan, drives);
  return { inputs, drives, plan, summary, flushMethod };
}

/** While this thread walks, copy workers start and the way to flush the drives is tried. */
function startWhatTakesTime(preparation: Preparation, drives: readonly OpenDrive[]): Promise<FlushMethod> {
  if (preparation.isDryRun) return Promise.resolve("per-file");
  preparation.ports.copyEngine.warmUp?.();
  const flushMethod = flushMethodFor(preparation, drives);
  // Awaited when the session starts; a plan that fails before has its own error to tell.
  flushMethod.catch(() => {});
  return flushMethod;
}

/** Asks, and enters the session into the journal. */
export async function startSession(
  preparation: Preparation,
  wanted: NewSession,
  { inputs, drives, plan, summary, flushMethod }: PlannedSession,
): Promise<OpenSession | undefined> {
  if (!(await isConfirmed(preparation, drives, summary))) return undefined;
  const { ports, request, files, history } = preparation;
  const started = {
    id: wanted.id,
    nonce: plan.nonce,
    startedAt: new Date(ports.clock.nowMs()).toISOString(),
    inputs: JSON.stringify(inputs),
    dataSetPath: inputs.dataSet.path,
  };
  const records = startRecords(
    started,
    {
      ...(request.logDirectory === undefined ? {} : { logDirectory: request.logDirectory }),
      ...(request.storageAccountKey === undefined ? {} : { storageAccountKey: request.storageAccountKey }),
    },
    drives.filter((open) => (plan.drives[open.index]?.facts.files ?? 0) > 0).map((open) => open.record),
  );
  preparation.mayBeJournaled = true;
  let journal = preparation.journal;
  if (journal === undefined) {
    journal = JournalFile.create(ports.fs, files.journal, records, ports.clock, ports.clientCreator).journal;
    preparation.journal = journal;
  } else for (const record of records) journal.append(record);
  const key = request.storageAccountKey ?? history.storageAccountKey;
  return {
    id: wanted.id,
    nonce: plan.nonce,
    isFirst: wanted.isFirst,
    isResumed: false,
    files,
    journal: new SessionJournal(ports.fs, ports.clock, journal, wanted.id, files.directory),
    plan,
    drives,
    clientCreator: inputs.clientCreator,
    ...(key === undefined ? {} : { storageAccountKey: key }),
    earlierManifests: earlierManifests(preparation),
    options: request.options,
    ports,
    flushMethod: await flushMethod,
    events: openEvents(preparation),
    emit: preparation.emit,
    signal: preparation.signal,
  };
}

function earlierManifests({ history }: Preparation): OpenSession["earlierManifests"] {
  return new Map(
    [...history.drives.values()].flatMap((d) => (d.manifest === undefined ? [] : [[d.driveId, d.manifest]])),
  );
}

function readInputs({ ports, request, history }: Preparation): SessionInputs {
  if (request.dataSetPath === undefined)
    throw new UsageError("USAGE_MISSING_SWITCH", "/DataSet:<dataset.csv> is missing");
  const hasStorageAccountKey = (request.storageAccountKey ?? history.storageAccountKey) !== undefined;
  return readSessionInputs(
    ports.fs,
    { ...request, dataSetPath: request.dataSetPath },
    { clientCreator: ports.clientCreator, hasStorageAccountKey },
  );
}

/** Parses and checks the dataset; everything wrong in it is told at once. */
function readRows({ ports, request, emit }: Preparation, inputs: SessionInputs): DatasetRow[] {
  const { platform, fs } = ports;
  const file = inputs.dataSet.path;
  const { disposition } = request.options;
  const parsed = parseDataset(Buffer.from(inputs.dataSet.content), file, {
    platform,
    ...(disposition === undefined ? {} : { dispositionOverride: disposition }),
  });
  const checked = checkSources(fs, parsed.rows, { file, platform });
  for (const problem of [...parsed.warnings, ...checked.warnings, ...findNestedSources(checked.rows, file, platform)]) {
    emit({ type: "warning", message: describeProblem(problem), facts: { ...problem } });
  }
  return checked.rows;
}

function describeProblem({ file, line, message }: InputProblem): string {
  return line === undefined ? `"${file}": ${message}` : `"${file}" line ${line}: ${message}`;
}

async function findSessionDrives(
  preparation: Preparation,
  wanted: NewSession,
  inputs: SessionInputs,
): Promise<OpenDrive[]> {
  const { request, ports } = preparation;
  const search = searchFor(preparation, request.options, inputs.hasStorageAccountKey);
  const known = wanted.isFirst ? [] : await drivesOfJournal(search, wanted.addsDrives);
  if (inputs.driveSet === undefined) return known;
  const rows = parseDriveset(Buffer.from(inputs.driveSet.content), inputs.driveSet.path, { platform: ports.platform });
  const added = await drivesOfSet(search, rows, known.length);
  const again = added.find((open) => known.some((k) => k.record.driveId === open.record.driveId));
  if (again !== undefined) {
    throw new UsageError("DRIVE_DUPLICATE", `drive ${again.record.driveId} is already a drive of this journal`);
  }
  return [...known, ...added];
}

async function freezePlan(
  preparation: Preparation,
  wanted: NewSession,
  rows: readonly DatasetRow[],
  drives: readonly OpenDrive[],
): Promise<FrozenPlan> {
  const { ports, files, request } = preparation;
  const counters: WalkCounters = { directories: 0, filteredFiles: 0, prunedDirectories: 0 };
  const context = planContext(preparation, drives, 0, 0);
  const walk = walkSources(ports.fs, rows, walkOptions(preparation, drives, counters));
  const { drives: planned, unplaced, counts } = await planSources(context, walk);
  const plan: FrozenPlan = {
    version: 1,
    sessionId: wanted.id,
    nonce: ports.random.bytes(16).toString("hex"),
    generation: 0,
    rows: rows.map((row) => toPlanRow(preparation, row)),
    drives: planned,
    unplaced,
    notDone: counts.notDone as Record<string, number>,
    special: counts.special,
    filtered: counters.filteredFiles,
  };
  refuseClashes(ports.fs, files, plan, request.dataSetPath ?? "");
  writeFrozenPlan(ports.fs, files, plan);
  return plan;
}

function toPlanRow({ ports, files }: Preparation, row: DatasetRow): PlanRow {
  const { index, line, basePath, kind, destination, container, blobType, disposition } = row;
  return {
    index,
    line,
    basePath,
    kind,
    destination,
    container,
    blobType,
    disposition,
    ...freezeSideFiles(ports.fs, files, row),
  };
}

/** How the sources are walked: the same when planning and when looking again on resume. */
export function walkOptions(
  preparation: Preparation,
  drives: readonly OpenDrive[],
  counters?: WalkCounters,
): SourceWalkOptions {
  const { ports, files, request } = preparation;
  const filter = compileFilter(request.options.include, request.options.exclude);
  return {
    platform: ports.platform,
    spillDirectory: files.spill,
    largeBlocks: request.options.largeBlocks,
    excluded: excludedFromWalk(preparation, drives),
    ...(filter === undefined ? {} : { filter }),
    ...(counters === undefined ? {} : { counters }),
    // NTFS counts UTF-16 units, but the file systems that stand in for it here count bytes.
    ...(ports.platform === "posix" ? { maxComponentBytes: 255 } : {}),
  };
}

/** Capacity is read once, here. */
export function planContext(
  preparation: Preparation,
  drives: readonly OpenDrive[],
  firstDrive: number,
  generation: number,
): PlanContext {
  const { ports, files, request, emit, signal } = preparation;
  const { driveCapacity, distribute } = request.options;
  const found = drives.map(attached);
  const capacities = planCapacities(found, (i) => {
    const drive = found[i];
    const names = [drives[i]?.written, drive?.place, drive?.driveId];
    return names.map((name) => driveCapacity.get(name ?? "")).find((limit) => limit !== undefined);
  });
  const targets = found.map((drive, i) => ({
    driveId: drive.driveId,
    place: drive.place,
    clusterBytes: drive.clusterBytes,
    capacityBytes: capacities.drives[i]?.capacityBytes ?? 0,
    pool: capacities.drives[i]?.pool ?? 0,
  }));
  return {
    fs: ports.fs,
    files,
    firstDrive,
    generation,
    targets,
    pools: capacities.pools,
    distribute,
    onEvent: emit,
    signal,
  };
}

async function isConfirmed(
  { confirm, emit }: Preparation,
  drives: readonly OpenDrive[],
  summary: PlanSummary,
): Promise<boolean> {
  emit({ type: "plan", plan: summary });
  if (!(await confirm({ kind: "start", plan: summary }))) return false;
  for (const open of drives) {
    const drive = attached(open);
    if (!open.record.format || open.formatIsConfirmed || summary.drives[open.index]?.needed !== true) continue;
    if (!formatErases(drive)) continue;
    const { driveId, model, sizeBytes, contents, place } = drive;
    const serial = drive.serial ?? driveId;
    if (!(await confirm({ kind: "format", driveId, serial, model, sizeBytes, contents, place }))) return false;
  }
  return true;
}
