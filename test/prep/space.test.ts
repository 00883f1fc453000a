/** Drives that are too small: planned so, found so while writing, added, given up. */
import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { readJournalOverview } from "../../src/prep/journal-overview.ts";
import { withSmallDrives } from "./small-drives.ts";
import { type Call, unflushedFileSystem, Workbench } from "./workbench.ts";

const KIB = 1024;

let bench: Workbench;
beforeEach(() => {
  bench = new Workbench();
  bench.addDrive("a", 300 * KIB);
  for (const name of ["1", "2", "3", "4", "5"]) bench.add(`file-${name}`, 100 * KIB);
  bench.writeDataset([{ base: `${bench.source}/`, to: "box/" }]);
  bench.writeDriveset(["a"]);
});
afterEach(() => bench.remove());

const filesOn = (drive: string): string[] =>
  [...bench.snapshot(`drives/${drive}`).keys()].filter((path) => /file-/.test(path)).map((path) => path.slice(-1));
const blobsOf = (drive: string): string[] =>
  [...bench.manifest(drive).matchAll(/<BlobPath>box\/file-(\d)</g)].map((match) => match[1] ?? "");
const overview = () => readJournalOverview(nodeFileSystem, bench.journal);

/** More drives for session s-1. */
function more(names: readonly string[], change: Call = {}): Call {
  const additionalDriveSetPath = bench.writeDriveset(names, undefined, join(bench.path, "more.csv"));
  return { sessionId: "s-1", additionalDriveSetPath, ...change };
}

describe("what does not fit", () => {
  it("leaves the session open; the full drive is sealed and need not come back", async () => {
    const { outcome } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ state: "no-space", exitCode: 6, files: 2, unplacedFiles: 3 });
    expect(outcome.unplacedBytes).toBe(300 * KIB);
    expect(blobsOf("a")).toEqual(["1", "2"]);
    expect(overview().sessions).toMatchObject([{ state: "NoSpace" }]);

    const sealed = bench.manifest("a");
    renameSync(join(bench.path, "drives/a"), join(bench.path, "shipped"));
    bench.freeBytes.clear();
    bench.addDrive("a");
    bench.addDrive("c");
    const rest = await bench.run(more(["a", "c"]));
    expect(rest.outcome).toMatchObject({ state: "completed", exitCode: 0, files: 5, unplacedFiles: 0 });
    expect(rest.outcome.drives.map(({ driveId }) => driveId)).toEqual(["DRV0", "DRV1"]);
    expect(blobsOf("a")).toEqual(["3", "4", "5"]);
    expect(readdirSync(join(bench.path, "drives/c"))).toEqual([]);
    expect(bench.read("shipped/DriveManifest.xml")).toBe(sealed);
    expect(overview().sessions).toMatchObject([{ state: "Completed", files: 5 }]);
  });

  it("the same call again says so again; a new session is refused until then", async () => {
    await bench.run(bench.first());
    expect((await bench.run(bench.first())).outcome).toMatchObject({ state: "no-space", exitCode: 6, files: 2 });
    await expect(bench.run({ sessionId: "s-2", dataSetPath: bench.dataset })).rejects.toMatchObject({
      code: "SESSION_UNFINISHED",
    });
  });

  it("added drives may be too small again", async () => {
    await bench.run(bench.first());
    bench.addDrive("b", 120 * KIB);
    expect((await bench.run(more(["b"]))).outcome).toMatchObject({ state: "no-space", unplacedFiles: 2 });
    bench.addDrive("c");
    expect((await bench.run(more(["c"]))).outcome).toMatchObject({ state: "completed", files: 5 });
    expect([blobsOf("a"), blobsOf("b"), blobsOf("c")]).toEqual([["1", "2"], ["3"], ["4", "5"]]);
  });

  it("files that earlier runs could not do still count in the end", async () => {
    const open: typeof unflushedFileSystem.open = (path, flags, mode) => {
      if (path.endsWith("file-1")) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      return unflushedFileSystem.open(path, flags, mode);
    };
    const first = await bench.run(bench.first(), { fs: { ...unflushedFileSystem, open } });
    expect(first.outcome).toMatchObject({ state: "no-space", exitCode: 6, notDone: { FILE_UNREADABLE: 1 } });
    bench.addDrive("b");
    const { outcome } = await bench.run(more(["b"]));
    expect(outcome).toMatchObject({ state: "completed", exitCode: 3, files: 4, notDoneEarlier: 1 });
    expect((await bench.run({ resumeSession: true })).outcome).toMatchObject({
      state: "already-complete",
      exitCode: 3,
    });
  });

  it("refuses an added drive that holds a directory of the session's name, before the journal knows it", async () => {
    await bench.run(bench.first());
    bench.addDrive("b");
    bench.write("drives/b/S-1/mine.txt", "mine");
    await expect(bench.run(more(["b"]))).rejects.toMatchObject({ code: "DRIVE_HAS_SESSION", exitCode: 5 });
    expect(overview().sessions).toMatchObject([{ state: "NoSpace", drives: ["DRV0"] }]);
  });

  it("no drives are added to a session that is being rolled back", async () => {
    bench.addDrive("b");
    await bench.run(bench.first({ options: { driveCapacity: new Map([[join(bench.path, "drives/a"), 1]]) } }));
    expect(overview().sessions).toMatchObject([{ state: "NoSpace", drives: [] }]);
    expect((await bench.run(more(["b"]))).outcome).toMatchObject({ state: "completed", files: 5 });
  });
});

describe("a drive that is full although the plan says it is not", () => {
  /** The drive takes so much and no more, whatever it claims to have. */
  const liar = (bytes: number) => ({ fs: withSmallDrives(new Map([[join(bench.path, "drives/a"), bytes]])) });

  beforeEach(() => {
    bench.freeBytes.set("a", 10_000 * KIB);
  });

  it("keeps a prefix of its plan with room for the manifest; the rest is planned onto added drives", async () => {
    const { outcome } = await bench.run(bench.first(), liar(450 * KIB));
    expect(outcome).toMatchObject({ state: "no-space", exitCode: 6 });
    const kept = blobsOf("a");
    expect(kept.length).toBeGreaterThan(0);
    expect(["1", "2", "3", "4", "5"].slice(0, kept.length)).toEqual(kept);
    expect(filesOn("a")).toEqual(kept);
    expect(outcome).toMatchObject({ files: kept.length, unplacedFiles: 5 - kept.length });
    bench.addDrive("b");
    expect((await bench.run(more(["b"]))).outcome).toMatchObject({ state: "completed", exitCode: 0, files: 5 });
    expect([...kept, ...blobsOf("b")]).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("cut short between the decision and its doing: the tail goes when the call is repeated", async () => {
    let isDead = false;
    const small = liar(450 * KIB).fs;
    const fs: typeof small = {
      ...small,
      unlink: (path) => {
        // The engine removes what it could not finish; only what follows the decision is meant here.
        if (bench.exists("trip.jrn") && bench.read("trip.jrn").includes("CutPosition")) isDead = true;
        if (isDead) throw new Error("killed");
        small.unlink(path);
      },
    };
    await bench.run(bench.first(), { fs }).catch(() => {});
    expect(isDead).toBe(true);
    expect(bench.read("trip.jrn")).toContain("CutPosition");
    const { outcome } = await bench.run(bench.first(), { fs: small });
    expect(outcome.state).toBe("no-space");
    expect(filesOn("a")).toEqual(blobsOf("a"));
  });

  it("that holds nothing at all is left without a manifest", async () => {
    const { outcome } = await bench.run(bench.first(), liar(50 * KIB));
    expect(outcome).toMatchObject({ state: "no-space", exitCode: 6, files: 0, unplacedFiles: 5, drives: [] });
    expect(bench.exists("drives/a/DriveManifest.xml")).toBe(false);
  });
});

describe("a drive that is given up", () => {
  it("has its files planned again, is withdrawn and cannot be used again", async () => {
    await bench.run(bench.first());
    expect(bench.exists("DRV0.xml")).toBe(true);
    rmSync(join(bench.path, "drives/a"), { recursive: true });
    bench.addDrive("b");
    const call = more(["b"], { options: { giveUpDrives: ["DRV0"] } });
    const { outcome, events } = await bench.run(call);
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0, files: 5, drives: [{ driveId: "DRV1" }] });
    expect(blobsOf("b")).toEqual(["1", "2", "3", "4", "5"]);
    expect([bench.exists("DRV0.xml"), bench.exists("DRV0.lost")]).toEqual([false, true]);
    expect(overview().drives).toMatchObject([
      { driveId: "DRV0", state: "lost" },
      { driveId: "DRV1", state: "sealed" },
    ]);
    expect(events).toContainEqual({ type: "warning", message: expect.stringContaining("DRV0 is given up") });
    expect((await bench.run(call)).outcome.state).toBe("already-complete");
  });

  it("while it was being written: all its files go elsewhere", async () => {
    bench.freeBytes.set("a", 10_000 * KIB);
    const controller = new AbortController();
    const stop = ({ type }: { type: string }): void => {
      if (type === "drive-state") controller.abort();
    };
    await bench.run(bench.first(), { signal: controller.signal, onEvent: stop });
    rmSync(join(bench.path, "drives/a"), { recursive: true });
    bench.addDrive("b");
    const { outcome } = await bench.run(more(["b"], { options: { giveUpDrives: ["DRV0"] } }));
    expect(outcome).toMatchObject({ state: "completed", files: 5, drives: [{ driveId: "DRV1" }] });
  });

  it("after it was cut: its prefix is planned again too", async () => {
    bench.freeBytes.set("a", 10_000 * KIB);
    const small = withSmallDrives(new Map([[join(bench.path, "drives/a"), 450 * KIB]]));
    await bench.run(bench.first(), { fs: small });
    const kept = blobsOf("a").length;
    bench.addDrive("b", (5 - kept) * 110 * KIB);
    expect((await bench.run(more(["b"]), { fs: small })).outcome.state).toBe("completed");
    expect(kept).toBeGreaterThan(0);
    // Too late: the session is complete.
    bench.addDrive("c");
    await expect(bench.run(more(["c"], { options: { giveUpDrives: ["DRV0"] } }), { fs: small })).rejects.toMatchObject({
      exitCode: 2,
    });
  });

  it("after it was cut and its tail taken over by a drive that was too small", async () => {
    bench.freeBytes.set("a", 10_000 * KIB);
    const small = withSmallDrives(new Map([[join(bench.path, "drives/a"), 450 * KIB]]));
    await bench.run(bench.first(), { fs: small });
    const kept = blobsOf("a").length;
    expect(kept).toBeGreaterThan(0);
    bench.addDrive("b", 120 * KIB);
    expect((await bench.run(more(["b"]), { fs: small })).outcome).toMatchObject({ unplacedFiles: 4 - kept });
    rmSync(join(bench.path, "drives/a"), { recursive: true });
    // The only drive named is in the session already: nothing is planned, and nothing is forgotten.
    const giveUp = { options: { giveUpDrives: ["DRV0"] } };
    expect((await bench.run(more(["b"], giveUp))).outcome).toMatchObject({ state: "no-space", unplacedFiles: 4 });
    bench.addDrive("c");
    expect((await bench.run(more(["c"]))).outcome).toMatchObject({ state: "completed", exitCode: 0, files: 5 });
    expect([...blobsOf("b"), ...blobsOf("c")].sort()).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("must be a drive of the session", async () => {
    await bench.run(bench.first());
    bench.addDrive("b");
    await expect(bench.run(more(["b"], { options: { giveUpDrives: ["WRONG"] } }))).rejects.toMatchObject({
      code: "DRIVE_NOT_FOUND",
      message: expect.stringContaining("WRONG"),
    });
  });
});
