/** Sessions from the call to the drives: new, later, repeated, rolled back, with drives added and given up. */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { readJournalOverview } from "../../src/prep/journal-overview.ts";
import { dyingFileSystem } from "./dying-file-system.ts";
import { type Call, unflushedFileSystem, Workbench } from "./workbench.ts";

let bench: Workbench;
beforeEach(() => {
  bench = new Workbench();
  bench.addDrive("a");
  bench.add("one.txt", "one");
  bench.add("below/two.bin", 70_000);
  bench.writeDataset([{ base: `${bench.source}/`, to: "box/in/" }]);
  bench.writeDriveset(["a"]);
});
afterEach(() => bench.remove());

const CLOSING = "  </Drive>\n</DriveManifest>\n";
const overview = () => readJournalOverview(nodeFileSystem, bench.journal);

/** A second session on the same drives. */
function later(change: Call = {}): Call {
  bench.write("more/three.txt", "three");
  const dataSetPath = bench.writeDataset(
    [{ base: join(bench.path, "more/"), to: "box/more/" }],
    join(bench.path, "second.csv"),
  );
  return { sessionId: "s-2", dataSetPath, ...change };
}

/** Runs until the drive's manifest is about to be renamed into place the `nth` time. */
async function killedWhileSealing(call: Call, when: "before-rename" | "after-rename"): Promise<void> {
  let isDead = false;
  const die = (): void => {
    if (isDead) throw new Error("killed");
  };
  const fs = {
    ...dyingFileSystem(),
    rename: (from: string, to: string) => {
      die();
      const isManifest = to.endsWith("DriveManifest.xml");
      if (isManifest && when === "before-rename") isDead = true;
      die();
      unflushedFileSystem.rename(from, to);
      isDead = isManifest;
      die();
    },
    write: (...args: Parameters<typeof unflushedFileSystem.write>) => {
      die();
      return unflushedFileSystem.write(...args);
    },
    unlink: (path: string) => {
      die();
      unflushedFileSystem.unlink(path);
    },
    rmdir: (path: string) => {
      die();
      unflushedFileSystem.rmdir(path);
    },
  };
  await bench.run(call, { fs }).catch(() => {});
  expect(isDead).toBe(true);
}

describe("a new session", () => {
  it("leaves files, manifest, journal and the drive's own file", async () => {
    const { outcome } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0, files: 2, bytes: 70_003, notNeeded: [] });
    expect([...bench.snapshot("drives/a").keys()]).toEqual([
      "DriveManifest.xml",
      "s-1",
      "s-1/0",
      "s-1/0/below",
      "s-1/0/below/two.bin",
      "s-1/0/one.txt",
    ]);
    expect(bench.read("drives/a/s-1/0/one.txt")).toBe("one");
    const hash = bench.manifestHash("a");
    expect(outcome.drives).toMatchObject([{ driveId: "DRV0", manifestHash: hash, blobs: 2, bytes: 70_003 }]);
    expect(bench.read("DRV0.xml")).toContain(`<ManifestHash>${hash}</ManifestHash>`);
    expect(overview()).toMatchObject({
      drives: [{ driveId: "DRV0", state: "sealed", manifestHash: hash, sessions: ["s-1"] }],
      sessions: [{ id: "s-1", state: "Completed", files: 2, bytes: 70_003 }],
    });
    expect(bench.exists("trip.jrn.d")).toBe(false);
  });

  it("leaves drives alone that it does not need", async () => {
    bench.addDrive("b");
    bench.writeDriveset(["a", "b"]);
    const { outcome } = await bench.run(bench.first());
    expect(outcome.notNeeded).toEqual(["DRV1"]);
    expect(readdirSync(join(bench.path, "drives/b"))).toEqual([]);
    expect(bench.read("trip.jrn")).not.toContain("DRV1/");
    expect(bench.read("trip.jrn")).not.toMatch(/ActivityId: CopySession#s-1\/DRV1/);
  });

  it("that is not confirmed leaves nothing", async () => {
    const { outcome } = await bench.run(bench.first(), { confirm: async () => false });
    expect(outcome).toMatchObject({ state: "not-confirmed", exitCode: 5 });
    expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
    expect(bench.exists("trip.jrn") || bench.exists("trip.jrn.d")).toBe(false);
  });

  it("again, when it is complete: nothing is done, the same exit code comes back", async () => {
    bench.add("bad\u0001name", "x");
    expect((await bench.run(bench.first())).outcome.exitCode).toBe(3);
    const before = bench.snapshot(".");
    for (const call of [bench.first(), { sessionId: "s-1", resumeSession: true }]) {
      const { outcome } = await bench.run(call);
      expect(outcome).toMatchObject({ state: "already-complete", exitCode: 3, files: 2 });
      expect(outcome.drives).toMatchObject([{ driveId: "DRV0", manifestHash: bench.manifestHash("a") }]);
    }
    expect(bench.snapshot(".")).toEqual(before);
  });

  it("of which no file could be read leaves the drive as it was", async () => {
    const open: typeof unflushedFileSystem.open = (path, flags, mode) => {
      if (path.startsWith(bench.source)) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      return unflushedFileSystem.open(path, flags, mode);
    };
    const { outcome } = await bench.run(bench.first(), { fs: { ...unflushedFileSystem, open } });
    expect(outcome).toMatchObject({ state: "completed", exitCode: 3, files: 0, notDone: { FILE_UNREADABLE: 2 } });
    expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
    expect(bench.exists("DRV0.xml")).toBe(false);
  });
});

describe("a later session", () => {
  it("extends the manifest: all of the earlier one but its end is the beginning of the later one", async () => {
    await bench.run(bench.first());
    const first = bench.manifest("a");
    const { outcome } = await bench.run(later());
    expect(outcome).toMatchObject({ state: "completed", files: 1, drives: [{ blobs: 3, bytes: 70_008 }] });
    expect(first.endsWith(CLOSING)).toBe(true);
    expect(bench.manifest("a").startsWith(first.slice(0, -CLOSING.length))).toBe(true);
    expect(bench.manifest("a")).toContain('<BlobList Id="s-2-0">');
    expect(bench.read("DRV0.xml")).toContain(bench.manifestHash("a"));
    expect(overview().drives).toMatchObject([{ sessions: ["s-1", "s-2"], manifestHash: bench.manifestHash("a") }]);
  });

  it("finds the drive at another place by its id", async () => {
    await bench.run(bench.first());
    bench.moveDrive("a", "moved");
    const { outcome } = await bench.run(later());
    expect(outcome.drives).toMatchObject([{ driveId: "DRV0", place: join(bench.path, "drives/moved") }]);
  });

  it("refuses another drive at the place of a known one", async () => {
    await bench.run(bench.first());
    renameSync(join(bench.path, "drives/a"), join(bench.path, "away"));
    bench.addDrive("a");
    await expect(bench.run(later())).rejects.toMatchObject({ code: "DRIVE_WRONG", exitCode: 5 });
  });

  it("uses added drives, also at a place where a shipped one was", async () => {
    await bench.run(bench.first());
    renameSync(join(bench.path, "drives/a"), join(bench.path, "shipped"));
    bench.addDrive("a");
    const { outcome, events } = await bench.run(later({ additionalDriveSetPath: bench.driveset }));
    expect(outcome).toMatchObject({ state: "completed", drives: [{ driveId: "DRV1", blobs: 1 }] });
    expect(events).toContainEqual({ type: "warning", message: expect.stringContaining("DRV0") });
  });

  it("refuses a manifest that was changed since, before anything is copied", async () => {
    await bench.run(bench.first());
    writeFileSync(join(bench.path, "drives/a/DriveManifest.xml"), bench.manifest("a").replace("box/in", "box/im"));
    const before = bench.snapshot("drives");
    await expect(bench.run(later())).rejects.toMatchObject({ code: "MANIFEST_DAMAGED", exitCode: 9 });
    expect(bench.snapshot("drives")).toEqual(before);
    expect(overview().sessions.map(({ id }) => id)).toEqual(["s-1"]);
  });

  it("keeps the account key of the first session; another one is refused", async () => {
    const allow = { options: { allowUnencryptedSecrets: true } };
    await bench.run(bench.first({ storageAccountKey: "first-key==", ...allow }));
    await expect(bench.run(later({ storageAccountKey: "other-key==", ...allow }))).rejects.toMatchObject({
      exitCode: 2,
    });
    expect((await bench.run(later({ storageAccountKey: "first-key==", ...allow }))).outcome.exitCode).toBe(0);
    expect(bench.read("trip.jrn")).not.toContain("other-key");
  });
});

describe("rolling back", () => {
  it("the first session: only what it put there goes", async () => {
    bench.write("drives/a/mine/notes.txt", "mine");
    const controller = new AbortController();
    await bench.run(bench.first(), { signal: controller.signal, onEvent: () => controller.abort() }).catch(() => {});
    expect(overview().sessions).toMatchObject([{ state: "InProgress" }]);
    const { outcome } = await bench.run({ sessionId: "s-1", abortSession: true });
    expect(outcome).toMatchObject({ state: "aborted", exitCode: 0 });
    expect([...bench.snapshot("drives/a").keys()]).toEqual(["mine", "mine/notes.txt"]);
    expect(bench.exists("trip.jrn.d")).toBe(false);
    expect((await bench.run(bench.first())).outcome).toMatchObject({ state: "completed", files: 2 });
  });

  it.each(["before-rename", "after-rename"] as const)(
    "a later session killed %s of the manifest: the one before it is back, byte for byte",
    async (when) => {
      await bench.run(bench.first());
      const before = bench.snapshot("drives");
      const driveInfo = bench.read("DRV0.xml");
      await killedWhileSealing(later(), when);
      await bench.run({ sessionId: "s-2", abortSession: true });
      expect(bench.snapshot("drives")).toEqual(before);
      expect(bench.read("DRV0.xml").split("\n").slice(1)).toEqual(driveInfo.split("\n").slice(1));
      expect(overview().drives).toMatchObject([{ manifestHash: bench.manifestHash("a"), sessions: ["s-1"] }]);
      expect((await bench.run(later())).outcome).toMatchObject({ state: "completed", drives: [{ blobs: 3 }] });
    },
  );

  it("a later session that was killed while it copied leaves the drive usable", async () => {
    await bench.run(bench.first());
    const before = bench.snapshot("drives");
    const call = later();
    const controller = new AbortController();
    const stop = (event: { type: string }): void => {
      if (event.type === "drive-state") controller.abort();
    };
    expect((await bench.run(call, { signal: controller.signal, onEvent: stop })).outcome.state).toBe("interrupted");
    await bench.run({ sessionId: "s-2", abortSession: true });
    expect(bench.snapshot("drives")).toEqual(before);
    expect(overview().drives).toMatchObject([{ manifestHash: bench.manifestHash("a") }]);
    expect((await bench.run(call)).outcome).toMatchObject({ state: "completed", drives: [{ blobs: 3 }] });
  });

  it("a drive that was new in the session is withdrawn with its file", async () => {
    await bench.run(bench.first());
    rmSync(join(bench.path, "drives/a"), { recursive: true });
    bench.addDrive("b");
    bench.writeDriveset(["b"]);
    await killedWhileSealing(later({ additionalDriveSetPath: bench.driveset }), "after-rename");
    await bench.run({ sessionId: "s-2", abortSession: true });
    expect(readdirSync(join(bench.path, "drives/b"))).toEqual([]);
    expect(bench.exists("DRV1.xml")).toBe(false);
    expect(overview().drives.find(({ driveId }) => driveId === "DRV1")).not.toHaveProperty("manifestHash");
  });

  it("needs every drive that was touched", async () => {
    const controller = new AbortController();
    await bench.run(bench.first(), { signal: controller.signal, onEvent: () => controller.abort() }).catch(() => {});
    renameSync(join(bench.path, "drives/a"), join(bench.path, "away"));
    await expect(bench.run({ sessionId: "s-1", abortSession: true })).rejects.toMatchObject({
      code: "DRIVE_NOT_FOUND",
      message: expect.stringContaining("DRV0"),
    });
  });

  it("refuses a manifest that is neither the old nor the new one", async () => {
    await bench.run(bench.first());
    await killedWhileSealing(later(), "after-rename");
    writeFileSync(join(bench.path, "drives/a/DriveManifest.xml"), "something else");
    await expect(bench.run({ sessionId: "s-2", abortSession: true })).rejects.toMatchObject({
      code: "MANIFEST_DAMAGED",
      exitCode: 9,
    });
    expect(bench.manifest("a")).toBe("something else");
  });
});

describe("sealing that was cut short", () => {
  it.each(["before-rename", "after-rename"] as const)("%s: goes on to the same manifest", async (when) => {
    await killedWhileSealing(bench.first(), when);
    expect(bench.read("trip.jrn")).toContain("DriveStep: Sealing");
    const { outcome } = await bench.run(bench.first());
    expect(outcome).toMatchObject({ state: "completed", exitCode: 0, drives: [{ blobs: 2 }] });
    expect(outcome.drives[0]?.manifestHash).toBe(bench.manifestHash("a"));
    expect(readdirSync(join(bench.path, "drives/a")).sort()).toEqual(["DriveManifest.xml", "s-1"]);
  });

  it("refuses a manifest that is neither the old nor the new one", async () => {
    await killedWhileSealing(bench.first(), "after-rename");
    writeFileSync(join(bench.path, "drives/a/DriveManifest.xml"), `${bench.manifest("a")} `);
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "MANIFEST_DAMAGED", exitCode: 9 });
  });
});

describe("resuming", () => {
  async function interrupt(): Promise<void> {
    const controller = new AbortController();
    const stop = (event: { type: string }): void => {
      if (event.type === "drive-state") controller.abort();
    };
    const { outcome } = await bench.run(bench.first(), { signal: controller.signal, onEvent: stop });
    expect(outcome).toMatchObject({ state: "interrupted", exitCode: 130 });
  }

  it("by the same call, by /ResumeSession with and without an id", async () => {
    for (const call of [bench.first(), { sessionId: "s-1", resumeSession: true }, { resumeSession: true }]) {
      bench.remove();
      bench = new Workbench();
      bench.addDrive("a");
      bench.add("one.txt", "one");
      bench.writeDataset([{ base: `${bench.source}/`, to: "box/in/" }]);
      bench.writeDriveset(["a"]);
      await interrupt();
      const again = call.dataSetPath === undefined ? call : bench.first();
      expect((await bench.run(again)).outcome).toMatchObject({ state: "completed", exitCode: 0, files: 1 });
    }
  });

  it("needs neither CSV any more", async () => {
    await interrupt();
    unlinkSync(bench.dataset);
    unlinkSync(bench.driveset);
    expect((await bench.run({ resumeSession: true })).outcome).toMatchObject({ state: "completed", files: 2 });
  });

  it("refuses other inputs and names what differs", async () => {
    await interrupt();
    const excluding = bench.first({ options: { exclude: ["*.tmp"], driveIds: new Map([["/x", "Y"]]) } });
    await expect(bench.run(excluding)).rejects.toMatchObject({
      code: "SESSION_DIFFERS",
      exitCode: 2,
      message: expect.stringMatching(/--exclude differs.*--drive-id differs/),
    });
    bench.writeDataset([{ base: `${bench.source}/`, to: "box/elsewhere/" }]);
    await expect(bench.run(bench.first())).rejects.toMatchObject({
      code: "SESSION_DIFFERS",
      message: expect.stringContaining(`the dataset "${bench.dataset}" has changed`),
    });
  });

  it("finds a drive that was moved, and by --drive-id one whose id is not known there", async () => {
    await interrupt();
    bench.moveDrive("a", "moved");
    expect((await bench.run({ resumeSession: true })).outcome).toMatchObject({ state: "completed" });
  });

  it("--drive-id names the new place; the old one is not looked at", async () => {
    const place = join(bench.path, "drives/a");
    const call = bench.first({ options: { driveIds: new Map([[place, "GIVEN"]]) } });
    const controller = new AbortController();
    const stop = (event: { type: string }): void => {
      if (event.type === "drive-state") controller.abort();
    };
    await bench.run(call, { signal: controller.signal, onEvent: stop });
    bench.moveDrive("a", "moved");
    const stranger = bench.addDrive("a");
    const moved = join(bench.path, "drives/moved");
    const { outcome } = await bench.run({ resumeSession: true, options: { driveIds: new Map([[moved, "GIVEN"]]) } });
    expect(outcome).toMatchObject({ state: "completed", drives: [{ driveId: "GIVEN", place: moved }] });
    expect(readdirSync(stranger)).toEqual([]);
  });

  it("refuses to go on without the drive, and with another at its place", async () => {
    await interrupt();
    renameSync(join(bench.path, "drives/a"), join(bench.path, "away"));
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "DRIVE_NOT_FOUND", exitCode: 5 });
    bench.addDrive("a");
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "DRIVE_WRONG", exitCode: 5 });
    expect(readdirSync(join(bench.path, "drives/a"))).toEqual([]);
  });

  it("stays open while a source directory is away", async () => {
    await interrupt();
    renameSync(bench.source, join(bench.path, "offline"));
    await expect(bench.run(bench.first())).rejects.toMatchObject({
      code: "SOURCE_MISSING",
      message: expect.stringContaining(bench.source),
    });
    renameSync(join(bench.path, "offline"), bench.source);
    expect((await bench.run(bench.first())).outcome).toMatchObject({ state: "completed", files: 2 });
  });

  it("refuses a frozen plan that was damaged; aborting needs none", async () => {
    await interrupt();
    const plan = join(bench.path, "trip.jrn.d/plan-0.bin");
    const bytes = readFileSync(plan);
    bytes[60] = (bytes[60] as number) ^ 1;
    writeFileSync(plan, bytes);
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "STATE_DAMAGED", exitCode: 9 });
    unlinkSync(plan);
    await expect(bench.run(bench.first())).rejects.toMatchObject({ code: "STATE_DAMAGED", exitCode: 9 });
    expect((await bench.run({ sessionId: "s-1", abortSession: true })).outcome.state).toBe("aborted");
  });
});

describe("a drive that is locked since", () => {
  const state = (): string => {
    const [file = ""] = readdirSync(join(bench.path, "state/mock-drives"));
    return join(bench.path, "state/mock-drives", file);
  };

  it.each<[string, Call]>([
    ["resuming", { resumeSession: true }],
    ["rolling back", { sessionId: "s-1", abortSession: true }],
  ])("is unlocked with the journal's key by %s", async (_what, call) => {
    const controller = new AbortController();
    const stop = (event: { type: string; state?: string }): void => {
      if (event.type === "drive-state" && event.state === "ready") controller.abort();
    };
    await bench.run(bench.first(), { signal: controller.signal, onEvent: stop });
    writeFileSync(state(), readFileSync(state(), "utf8").replace('"on"', '"locked"'));
    expect((await bench.run(call)).outcome.exitCode).toBe(0);
    expect(readFileSync(state(), "utf8")).toContain('"on"');
  });
});

describe("a journal", () => {
  it("is readable by its owner only", async () => {
    await bench.run(bench.first());
    for (const name of ["trip.jrn", "DRV0.xml"]) expect(statSync(join(bench.path, name)).mode & 0o777).toBe(0o600);
  });

  it("that does not exist cannot be resumed, aborted or get more drives", async () => {
    for (const call of [
      { sessionId: "s-1", resumeSession: true },
      { sessionId: "s-1", abortSession: true },
      { sessionId: "s-1", additionalDriveSetPath: bench.driveset },
    ]) {
      await expect(bench.run(call)).rejects.toMatchObject({ code: "JOURNAL_MISSING", exitCode: 2 });
    }
  });

  it("keeps its log directory", async () => {
    await bench.run(bench.first({ logDirectory: join(bench.path, "logs") }));
    await expect(bench.run(later({ logDirectory: join(bench.path, "others") }))).rejects.toMatchObject({
      code: "LOGDIR_FIXED",
    });
  });
});
