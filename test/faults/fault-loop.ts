/**
 * One fault at one call of one command, then the same command again until it is done, then the question whether all is
 * as it would have been without the fault. Used by the loops over every call.
 */
import { JournalFile } from "../../src/journal/journal-file.ts";
import { replayHistory } from "../../src/journal/session-history.ts";
import { AppError } from "../../src/platform/app-error.ts";
import { EXIT_CODE_MEANING, type ExitCode } from "../../src/platform/exit-codes.ts";
import type { PrepRequest } from "../../src/prep/prep-contract.ts";
import { CALL_KINDS, type CallKind } from "./fault-file-system.ts";
import { ADD_DRIVES, ADD_SPARE, DRIVES, RESUME, type RunResult, type World } from "./preparation-world.ts";

export interface Scenario {
  name: string;
  /** The machine before the command; made once, every run gets a copy. */
  base: World;
  command: PrepRequest;
}

/** What a finished preparation leaves: all files on the drives, and what the journal says of sessions and drives. */
export interface Finished {
  drives: Map<string, Buffer | string | null>;
  history: string;
}

export interface Tally {
  runs: number;
  injected: number;
  /** Runs whose own outcome the fault did not change: retried, or not noticed. */
  survived: number;
  /** Ended with all drives byte for byte as in the unbroken run. */
  identical: number;
  /** Ended with files that were reported as not done, everything else identical. */
  reported: number;
  /** A drive turned out full; its rest is on the drive that was added. */
  moved: number;
}

export const newTally = (): Tally => ({ runs: 0, injected: 0, survived: 0, identical: 0, reported: 0, moved: 0 });

/** More repetitions than any fault should need. */
const MAX_RUNS = 6;

export class FaultFailure extends Error {}

/** Runs the command unbroken. */
export async function unbroken({ base, command }: Scenario): Promise<{ finished: Finished; calls: World["faults"] }> {
  const world = base.fork();
  const result = await world.run(command);
  if (result.error !== undefined) throw result.error;
  const { faults } = world;
  return { finished: finishedState(world), calls: faults };
}

/** One fault. Returns false when the command ended before the fault was due. */
export async function runWithFault(
  scenario: Scenario,
  expected: Finished,
  arm: (faults: World["faults"]) => void,
  tally: Tally,
): Promise<boolean> {
  const world = scenario.base.fork();
  arm(world.faults);
  const first = await world.run(scenario.command);
  if (world.faults.injected === 0) return false;
  tally.runs += 1;
  tally.injected += 1;
  const wasKilled = world.faults.isDead;
  if (!wasKilled) {
    refuseUncoded(first);
    if (first.error === undefined && world.disk.openHandles > 0)
      throw new FaultFailure(`${world.disk.openHandles} handles were left open`);
    if (first.error === undefined && isOver(first)) tally.survived += 1;
  }
  world.faults.clear();
  const last = await finish(world, scenario.command, first, wasKilled);
  tally.runs += last.runs;
  await refuseMoreWork(world, scenario.command);
  tally[judge(world, expected, last.results)] += 1;
  return true;
}

/** Once more: nothing is left to do, and nothing is done. */
export async function refuseMoreWork(world: World, command: PrepRequest): Promise<void> {
  const { outcome, error } = await world.run(command.abortSession ? command : RESUME);
  if (outcome?.state === (command.abortSession ? "aborted" : "already-complete")) return;
  throw new FaultFailure(`once more: ${outcome?.state ?? String(error)}`);
}

function isOver({ outcome }: RunResult): boolean {
  return outcome !== undefined && ["completed", "already-complete", "aborted"].includes(outcome.state);
}

/** The same command until it says that all is done; a full drive gets company. */
export async function finish(
  world: World,
  command: PrepRequest,
  first: RunResult | undefined,
  wasKilled: boolean,
): Promise<{ results: RunResult[]; runs: number }> {
  const results = first === undefined || wasKilled ? [] : [first];
  let next = command;
  for (let runs = 0; runs <= MAX_RUNS; runs++) {
    const last = results.at(-1);
    if (last !== undefined && isOver(last)) return { results, runs };
    if (last?.outcome?.state === "no-space") next = withMoreDrives(command);
    const result = await world.run(next);
    refuseUncoded(result);
    results.push(result);
  }
  const { outcome, error } = results.at(-1) as RunResult;
  throw new FaultFailure(`still not done after ${MAX_RUNS} repetitions: ${outcome?.state ?? String(error)}`);
}

/** What a person does who is told that there is no room: another drive for the same session. */
function withMoreDrives(command: PrepRequest): PrepRequest {
  const added = command.additionalDriveSetPath === undefined ? ADD_DRIVES : ADD_SPARE;
  return command.sessionId === undefined ? added : { ...added, sessionId: command.sessionId };
}

/** Every outcome has a documented exit code; every refusal is one with a code that is no bug. */
export function refuseUncoded({ outcome, error }: RunResult): void {
  if (outcome !== undefined) {
    const { exitCode } = outcome;
    if (EXIT_CODE_MEANING[exitCode as ExitCode] === undefined || exitCode === 1) {
      throw new FaultFailure(`exit code ${exitCode}`);
    }
    return;
  }
  if (error instanceof AppError && error.code !== "INTERNAL") return;
  throw new FaultFailure(`no coded error: ${(error as Error).stack?.split("\n").slice(0, 9).join("\n")}`, {
    cause: error,
  });
}

export function finishedState(world: World): Finished {
  const drives = new Map<string, Buffer | string | null>();
  for (const place of DRIVES.filter((drive) => world.disk.isThere(drive))) {
    for (const [path, content] of world.disk.tree(place)) drives.set(`${place}/${path}`, content);
  }
  const { records, journal, notices } = JournalFile.open(world.disk, "/trip/trip.jrn");
  journal.close();
  if (notices.length > 0) throw new FaultFailure(`the journal still has a torn tail: ${notices.join()}`);
  const { sessions, drives: known, driveInfos } = replayHistory(records);
  const history = JSON.stringify([
    sessions.map(({ id, state, files, bytes, exitCode, drives: inSession }) => [
      [id, state, files, bytes, exitCode],
      [...inSession.values()].map(({ driveId, step, oldManifest, newManifest }) => [
        driveId,
        step,
        oldManifest,
        newManifest,
      ]),
    ]),
    [...known.values()].map(({ driveId, isLost, manifest, sessions: of }) => [driveId, isLost, manifest, of]),
    [...driveInfos.values()].sort((a, b) => (a.driveId < b.driveId ? -1 : 1)),
  ]);
  return { drives, history };
}

export function judge(
  world: World,
  expected: Finished,
  results: readonly RunResult[],
): "identical" | "reported" | "moved" {
  refuseLitter(world);
  const found = finishedState(world);
  const difference = firstDifference(found.drives, expected.drives);
  if (difference === undefined) {
    if (found.history !== expected.history) {
      throw new FaultFailure(`the journal ends differently:\n${found.history}\n${expected.history}`);
    }
    return "identical";
  }
  const notDone = Math.max(
    ...results.map(({ outcome }) =>
      Object.values(outcome?.notDone ?? {}).reduce((sum, count) => sum + (count ?? 0), 0),
    ),
  );
  if (notDone > 0) {
    if (!results.some(({ outcome }) => outcome?.exitCode === 3))
      throw new FaultFailure("files not done without exit code 3");
    checkReported(found, expected);
    return "reported";
  }
  if (results.some(({ outcome }) => outcome?.state === "no-space")) {
    checkMoved(found, expected);
    return "moved";
  }
  throw new FaultFailure(difference);
}

/** In words; undefined when both are the same. */
export function differenceOf(found: Finished, expected: Finished): string | undefined {
  return (
    firstDifference(found.drives, expected.drives) ??
    (found.history === expected.history ? undefined : `the journal says ${found.history}, not ${expected.history}`)
  );
}

function firstDifference(found: Finished["drives"], expected: Finished["drives"]): string | undefined {
  for (const [path, content] of expected) {
    const there = found.get(path);
    if (there === undefined) return `"${path}" is missing`;
    if (!isSame(there, content)) return `"${path}" differs`;
  }
  for (const path of found.keys()) if (!expected.has(path)) return `"${path}" is too much`;
  return undefined;
}

function isSame(a: Buffer | string | null, b: Buffer | string | null): boolean {
  return Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : a === b;
}

/** Lists of blobs without their drive: what a manifest says of each file. */
function blobsOf(state: Finished): Map<string, string> {
  const blobs = new Map<string, string>();
  for (const [path, content] of state.drives) {
    if (!path.endsWith("/DriveManifest.xml") || !Buffer.isBuffer(content)) continue;
    for (const [blob] of content.toString("utf8").matchAll(/<Blob>[\s\S]*?<\/Blob>/g)) {
      const name = /<BlobPath>(.*?)<\/BlobPath>/.exec(blob)?.[1] ?? "";
      if (blobs.has(name)) throw new FaultFailure(`blob "${name}" is listed twice`);
      blobs.set(name, blob);
      const file = /<FilePath>(.*?)<\/FilePath>/.exec(blob)?.[1]?.replaceAll("\\", "/") ?? "";
      const drive = path.slice(0, path.lastIndexOf("/"));
      if (!Buffer.isBuffer(state.drives.get(drive + file)))
        throw new FaultFailure(`"${drive}${file}" is listed and missing`);
    }
  }
  return blobs;
}

function checkReported(found: Finished, expected: Finished): void {
  const wanted = blobsOf(expected);
  for (const [name, blob] of blobsOf(found)) {
    if (wanted.get(name) !== blob) throw new FaultFailure(`blob "${name}" is listed differently`);
  }
  checkNothingElse(found);
}

function checkMoved(found: Finished, expected: Finished): void {
  const wanted = blobsOf(expected);
  const there = blobsOf(found);
  for (const name of wanted.keys()) if (!there.has(name)) throw new FaultFailure(`blob "${name}" is on no drive`);
  for (const [name, blob] of there) {
    if (wanted.get(name) !== blob) throw new FaultFailure(`blob "${name}" is listed differently`);
  }
  checkNothingElse(found);
}

/** Every file on a drive is a manifest, a side file, or listed. */
function checkNothingElse(state: Finished): void {
  const listed = new Set<string>();
  for (const [path, content] of state.drives) {
    if (!path.endsWith("/DriveManifest.xml") || !Buffer.isBuffer(content)) continue;
    const drive = path.slice(0, path.lastIndexOf("/"));
    listed.add(path);
    for (const [, file] of content.toString("utf8").matchAll(/<FilePath>(.*?)<\/FilePath>/g)) {
      listed.add(drive + (file ?? "").replaceAll("\\", "/"));
    }
    for (const [, file] of content.toString("utf8").matchAll(/<(?:MetadataPath|PropertiesPath)[^>]*>(.*?)</g)) {
      listed.add(drive + (file ?? "").replaceAll("\\", "/"));
    }
  }
  for (const [path, content] of state.drives) {
    if (content !== null && !listed.has(path)) throw new FaultFailure(`"${path}" is on the drive and in no manifest`);
  }
}

/** Once the session is done, only the lock of a dead process may still lie there: the next run takes it over. */
function refuseLitter({ disk }: World): void {
  const left = [...disk.tree("/trip").keys(), ...disk.tree("/state").keys(), ...disk.tree("/tmp").keys()].filter(
    (path) => path.startsWith("trip.jrn.d"),
  );
  if (left.length > 0) throw new FaultFailure(`left behind: ${left.join(", ")}`);
}

export const ERRNOS = ["ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE"] as const;
export type FaultName = (typeof ERRNOS)[number] | "kill" | "kill after" | "short" | "torn" | "slow";

/** What can go wrong with a call of this kind. */
export function faultsOf(kind: CallKind): FaultName[] {
  const faults: FaultName[] = ["kill", ...ERRNOS, "kill after"];
  if (kind === "read") faults.push("short");
  if (kind === "write") faults.push("short", "torn", "slow");
  return faults;
}

/** Arms one fault at call number `n` (from 0) of its kind. */
export function armFault(faults: World["faults"], fault: FaultName, kind: CallKind, n: number): void {
  const builder = faults.on(kind).after(n);
  if (fault === "kill") builder.kill();
  else if (fault === "kill after") builder.killAfter();
  else if (fault === "short") builder.truncate(17);
  else if (fault === "torn") builder.truncateAndKill(17);
  else if (fault === "slow") builder.delay(11_000);
  else builder.fail(fault);
}

/**
 * Every call of every kind of the scenario's command fails once in one of its ways, or with `isFull` in each of them.
 * Collects what went wrong by message.
 */
export async function failEveryCall(
  scenario: Scenario,
  isFull: boolean,
): Promise<{ tally: Tally; failures: Map<string, string[]> }> {
  const { finished, calls } = await unbroken(scenario);
  const tally = newTally();
  const failures = new Map<string, string[]>();
  let turn = 0;
  for (const kind of CALL_KINDS) {
    const possible = faultsOf(kind);
    for (let n = 0; n < (calls.counts.get(kind) ?? 0); n++) {
      turn += 1;
      for (const fault of isFull ? possible : [possible[turn % possible.length] as FaultName]) {
        try {
          await runWithFault(scenario, finished, (faults) => armFault(faults, fault, kind, n), tally);
        } catch (error) {
          if (!(error instanceof FaultFailure)) throw error;
          const where = failures.get(error.message) ?? [];
          where.push(`${fault} at ${kind} ${n}`);
          failures.set(error.message, where);
        }
      }
    }
  }
  return { tally, failures };
}
