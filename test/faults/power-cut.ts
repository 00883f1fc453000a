/**
 * The power goes at a call: what was not flushed is partly lost, everything else of the machine starts anew. Then the
 * journal is asked what it says, and every file that it or the session's state calls finished must be on its drive,
 * byte for byte.
 */
import { createHash } from "node:crypto";
import { JournalFile } from "../../src/journal/journal-file.ts";
import { replayHistory, type SessionRecord } from "../../src/journal/session-history.ts";
import { finishedFiles } from "../../src/prep/finished-files.ts";
import { activeFiles, readFrozenPlan } from "../../src/prep/frozen-plan.ts";
import { resultsSeed } from "../../src/prep/results-file.ts";
import { sessionFiles } from "../../src/prep/session-files.ts";
import { FaultFailure, type Finished, finish, judge, refuseMoreWork, type Scenario, type Tally } from "./fault-loop.ts";
import type { MemoryFileSystem } from "./memory-file-system.ts";
import type { World } from "./preparation-world.ts";
import { seededRandom } from "./seeded-random.ts";

const SEGMENT_BYTES = 4 * 1024 * 1024;

/** Cuts the power before call `n` of the command (counted over all kinds); false when the command ended before. */
export async function runWithPowerCut(
  scenario: Scenario,
  expected: Finished,
  n: number,
  seed: number,
  tally: Tally,
): Promise<boolean> {
  const world = scenario.base.fork();
  world.faults.on("*").after(n).kill();
  await world.run(scenario.command);
  if (!world.faults.isDead) return false;
  tally.runs += 1;
  tally.injected += 1;
  world.cutPower(seededRandom(seed));
  world.faults.clear();
  checkPromises(world);
  const last = await finish(world, scenario.command, undefined, true);
  tally.runs += last.runs;
  await refuseMoreWork(world, scenario.command);
  tally[judge(world, expected, last.results)] += 1;
  return true;
}

/** The journal never names data that is not on the drive. */
export function checkPromises({ disk }: World): void {
  if (!disk.isThere("/trip/trip.jrn")) return;
  const { records, journal } = JournalFile.open(disk, "/trip/trip.jrn");
  journal.close();
  const history = replayHistory(records);
  for (const { driveId, isLost, manifest, place } of history.drives.values()) {
    if (isLost || manifest === undefined || !disk.isThere(place)) continue;
    const last = history.sessions.at(-1)?.drives.get(driveId);
    const isInBetween = last?.step === "Sealing" || history.sessions.at(-1)?.state === "Aborting";
    if (!isInBetween) checkManifest(disk, place, manifest.hash);
  }
  const last = history.sessions.at(-1);
  if (last !== undefined && (last.state === "InProgress" || last.state === "NoSpace")) checkFinishedFiles(disk, last);
}

function checkManifest(disk: MemoryFileSystem, place: string, hash: string): void {
  const path = `${place}/DriveManifest.xml`;
  if (!disk.isThere(path)) throw new FaultFailure(`"${path}" is sealed and missing`);
  const bytes = disk.readFile(path);
  const found = createHash("md5").update(bytes).digest("hex").toUpperCase();
  if (found !== hash) throw new FaultFailure(`"${path}" is sealed and has another hash`);
  for (const [, blob] of bytes.toString("utf8").matchAll(/<Blob>([\s\S]*?)<\/Blob>/g))
    checkBlob(disk, place, blob ?? "");
  for (const [, hashOf, file] of bytes.toString("utf8").matchAll(/<(?:Metadata|Properties)Path Hash="(\w+)">(.*?)</g)) {
    if (md5(disk, place, file ?? "", 0, Number.POSITIVE_INFINITY) !== hashOf) {
      throw new FaultFailure(`side file "${file}" of ${place} is not what its manifest says`);
    }
  }
}

function checkBlob(disk: MemoryFileSystem, place: string, blob: string): void {
  const file = /<FilePath>(.*?)<\/FilePath>/.exec(blob)?.[1] ?? "";
  for (const [, offset, length, hash] of blob.matchAll(/Offset="(\d+)" Length="(\d+)"(?: Id="[^"]*")? Hash="(\w+)"/g)) {
    if (md5(disk, place, file, Number(offset), Number(length)) !== hash) {
      throw new FaultFailure(`"${file}" of ${place} is sealed and is not what its manifest says`);
    }
  }
}

function md5(disk: MemoryFileSystem, place: string, file: string, offset: number, length: number): string {
  const path = place + file.replaceAll("\\", "/");
  if (!disk.isThere(path)) return "none";
  const bytes = disk.readFile(path).subarray(offset, offset + length);
  return createHash("md5").update(bytes).digest("hex").toUpperCase();
}

/** Every file that the results call finished is on the drive with the digests that they have of it. */
function checkFinishedFiles(disk: MemoryFileSystem, session: SessionRecord): void {
  const files = sessionFiles("/trip/trip.jrn");
  const plan = readFrozenPlan(disk, files, session);
  plan.drives.forEach((drive, index) => {
    const record = session.drives.get(drive.driveId);
    if (drive.facts.files > 0 && record === undefined)
      throw new FaultFailure(`${drive.driveId} is planned and has no record`);
    if (record === undefined || record.step === "Lost" || drive.supersededFrom === 0 || !disk.isThere(record.place))
      return;
    const paths = { plan: files.plan(index), results: files.results(index), digests: files.digests(index) };
    const seed = resultsSeed(session.nonce, drive.driveId);
    for (const { planned, done } of finishedFiles(disk, paths, seed, activeFiles(drive))) {
      const path = `${record.place}/${session.id}/${planned.row}/${planned.storedPath}`;
      if (!disk.isThere(path)) throw new FaultFailure(`"${path}" is recorded as finished and missing`);
      const bytes = disk.readFile(path);
      if (bytes.length !== done.sizeBytes)
        throw new FaultFailure(`"${path}" is recorded as finished and has another length`);
      for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
        const digest = createHash("md5")
          .update(bytes.subarray(at, at + SEGMENT_BYTES))
          .digest();
        const recorded = Buffer.from(done.digests).subarray((16 * at) / SEGMENT_BYTES, (16 * at) / SEGMENT_BYTES + 16);
        if (!digest.equals(recorded)) throw new FaultFailure(`"${path}" is recorded as finished and differs`);
      }
    }
  });
}
