/**
 * A preparation that is killed before any one of its changes to any disk, and then called again: what is on the drives
 * and in the journal's drive records in the end is byte for byte what an unbroken run leaves.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { dyingFileSystem, Killed } from "./dying-file-system.ts";
import { type Call, unflushedFileSystem, Workbench } from "./workbench.ts";

const benches: Workbench[] = [];
afterEach(() => {
  for (const bench of benches.splice(0)) bench.remove();
});

function newBench(): Workbench {
  const bench = new Workbench();
  benches.push(bench);
  bench.addDrive("a", 60_000);
  bench.addDrive("b", 60_000);
  bench.add("one.txt", "one");
  bench.add("empty", "");
  bench.add("deep/er/two.bin", 30_000);
  bench.add("deep/three.bin", 30_000);
  bench.add("zz/four.txt", "four");
  bench.write("meta.xml", '<?xml version="1.0"?><Metadata><a>1</a></Metadata>');
  bench.writeDataset([
    { base: `${bench.source}/`, to: "box/in/", metadata: join(bench.path, "meta.xml") },
    { base: `${bench.source}/one.txt`, to: "box/renamed.txt" },
  ]);
  bench.writeDriveset(["a", "b"]);
  return bench;
}

interface Scenario {
  /** Runs before the one that is killed. */
  before: (bench: Workbench) => Promise<void>;
  call: (bench: Workbench) => Call;
  /** Called again after the kill; the same unless the form differs. */
  again?: (bench: Workbench) => Call;
}

async function firstSession(bench: Workbench): Promise<void> {
  await bench.run(bench.first());
}

async function prepareSecond(bench: Workbench): Promise<void> {
  await firstSession(bench);
  bench.write("more/page.vhd", Buffer.alloc(1024, 3));
  bench.writeDataset(
    [{ base: join(bench.path, "more/"), to: "box/more/", type: "PageBlob" }],
    join(bench.path, "second.csv"),
  );
  bench.write("more/page2.vhd", Buffer.alloc(512, 4));
}

const second = (bench: Workbench): Call => ({ sessionId: "s-2", dataSetPath: join(bench.path, "second.csv") });

async function prepareFull(bench: Workbench): Promise<void> {
  bench.freeBytes.set("b", 10_000);
  const { outcome } = await bench.run(bench.first());
  expect(outcome).toMatchObject({ state: "no-space", exitCode: 6 });
  bench.addDrive("c");
  bench.writeDriveset(["c"], "", join(bench.path, "more-drives.csv"));
}

/** Sealed on one drive, which is gone now; the rest never fitted. */
async function prepareLost(bench: Workbench): Promise<void> {
  await prepareFull(bench);
  bench.write("lost.txt", bench.idOf("a"));
  rmSync(join(bench.path, "drives/a"), { recursive: true });
}

/** The later session's manifest is in place, the journal does not know yet. */
async function prepareHalfSealed(bench: Workbench): Promise<void> {
  await prepareSecond(bench);
  let renamed = false;
  const fs = {
    ...unflushedFileSystem,
    rename: (from: string, to: string) => {
      unflushedFileSystem.rename(from, to);
      renamed ||= to.endsWith("DriveManifest.xml");
    },
    open: (path: string, flags: number, mode?: number) => {
      if (renamed) throw new Killed();
      return unflushedFileSystem.open(path, flags, mode);
    },
    write: (...args: Parameters<typeof unflushedFileSystem.write>) => {
      if (renamed) throw new Killed();
      return unflushedFileSystem.write(...args);
    },
  };
  await bench.run(second(bench), { fs }).catch(() => {});
  expect(renamed).toBe(true);
}

const SCENARIOS: Record<string, Scenario> = {
  "a first session": { before: async () => {}, call: (bench) => bench.first() },
  "a first session, resumed by /ResumeSession": {
    before: async () => {},
    call: (bench) => bench.first(),
    again: () => ({ sessionId: "s-1", resumeSession: true }),
  },
  "a later session": { before: prepareSecond, call: second },
  "additional drives": {
    before: prepareFull,
    call: (bench) => ({ sessionId: "s-1", additionalDriveSetPath: join(bench.path, "more-drives.csv") }),
  },
  "a drive given up": {
    before: prepareLost,
    call: (bench) => ({
      sessionId: "s-1",
      additionalDriveSetPath: join(bench.path, "more-drives.csv"),
      options: { giveUpDrives: [bench.read("lost.txt")] },
    }),
  },
  "rolling back a later session that was being sealed": {
    before: prepareHalfSealed,
    call: () => ({ sessionId: "s-2", abortSession: true }),
  },
};

const WHOLE = JSON.stringify({ exitCode: 0, differs: [] });

describe.each(Object.entries(SCENARIOS))("%s", (_name, scenario) => {
  it.each([
    ["killed before every change", false],
    ["killed in the middle of every write", true],
  ])("%s", async (_label, torn) => {
    const unbroken = newBench();
    await scenario.before(unbroken);
    const counting = dyingFileSystem();
    await unbroken.run(scenario.call(unbroken), { fs: counting });
    const wanted = relevant(unbroken);
    expect(counting.changes()).toBeGreaterThan(20);
    const wrong: object[] = [];
    for (let n = 1; n <= counting.changes(); n++) {
      const bench = newBench();
      await scenario.before(bench);
      // What a dead process would have returned is nobody's business.
      await bench.run(scenario.call(bench), { fs: dyingFileSystem(n, torn) }).catch(() => {});
      const isStarted = /CopySession#[^\n]*\nSessionState: InProgress/.test(
        existsSync(bench.journal) ? bench.read("trip.jrn") : "",
      );
      const again = isStarted && scenario.again !== undefined ? scenario.again(bench) : scenario.call(bench);
      const found = await bench.run(again).then(
        ({ outcome }) => ({ exitCode: outcome.exitCode, differs: differences(relevant(bench), wanted) }),
        (error: unknown) => ({ error: String(error) }),
      );
      if (JSON.stringify(found) !== WHOLE) wrong.push({ change: n, ...found });
      bench.remove();
    }
    expect(wrong).toEqual([]);
  });
});

/** All that must not depend on interruptions: the drives, and what lies beside the journal in the end. */
function relevant(bench: Workbench): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [path, content] of bench.snapshot("drives")) all[path] = content;
  for (const [path, content] of bench.snapshot(".")) {
    const isLeft = /^(DRV[^/]*|\.[^/]*|trip\.[^/]*)$/.test(path) && !["trip.jrn", "trip.events.jsonl"].includes(path);
    if (isLeft) all[path] = content;
  }
  return all;
}

/** Names only: the contents are megabytes. */
function differences(found: Record<string, string>, wanted: Record<string, string>): string[] {
  return Object.keys({ ...found, ...wanted }).filter((name) => found[name] !== wanted[name]);
}
