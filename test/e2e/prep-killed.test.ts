/** Signals at the built command: kills at random moments, Ctrl-C, a second process on the same journal. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { killRuns } from "./kill-runs.ts";
import { createWorkspace, jsonLines, type Workspace } from "./run-cli.ts";

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const KILLS = Number(process.env.WAIMPORTEXPORT_TEST_KILLS ?? 25);
const SEED = Number(process.env.WAIMPORTEXPORT_TEST_SEED ?? 1);
const CALL = [
  "PrepImport",
  "/j:trip.jrn",
  "/id:day#1",
  "/InitialDriveSet:drives.csv",
  "/DataSet:data.csv",
  "/silentmode",
];
/** 12 MB take a second and a half: long enough to be caught in the middle. */
const SLOWLY = ["--bandwidth-limit", "8MiB"];

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

function writeInputs(): void {
  const { path } = workspace;
  mkdirSync(join(path, "source"));
  mkdirSync(join(path, "drive"));
  for (let n = 0; n < 12; n++) writeFileSync(join(path, "source", `${n}.bin`), Buffer.alloc(1_000_000, n));
  writeFileSync(
    join(path, "data.csv"),
    `BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n${path}/source/,box/,BlockBlob,rename,None,None\n`,
  );
  writeFileSync(
    join(path, "drives.csv"),
    `DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n${path}/drive,AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`,
  );
}

/** Resolves when the session directory is on the drive: then files are being copied. */
async function copying(): Promise<void> {
  while (!existsSync(join(workspace.path, "drive", "day#1", "0")))
    await new Promise((resolve) => setTimeout(resolve, 5));
}

it(`killed ${KILLS} times (seed ${SEED}): drives are as those of an unbroken run`, async () => {
  const report = await killRuns(workspace, {
    files: 60,
    smallBytes: 30_000,
    large: [9 * 1024 * 1024],
    bandwidthLimit: "40MiB",
    kills: KILLS,
    seed: SEED,
  });
  expect(report).toEqual({ ...report, kills: KILLS, problems: [] });
});

describe("told to stop", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("by %s: ends with %d, says how to go on, and does", async (signal, code) => {
    writeInputs();
    const { exitCode, stdout, stderr } = await workspace.run([...CALL, ...SLOWLY], {
      onStart: (child) => void copying().then(() => child.kill(signal)),
    });
    expect(exitCode).toBe(code);
    expect(stderr).toContain("to go on later: waimportexport prep-import");
    expect(stdout).toContain("was interrupted");
    expect(stdout).toContain("--resume-session");
    const again = await workspace.run(["prep-import", "--journal", "trip.jrn", "--id", "day#1", "--resume-session"]);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain("12 files");
    expect(readdirSync(workspace.path)).not.toContain("trip.jrn.d");
  });

  it("while it walks: nothing stays", async () => {
    writeInputs();
    for (let n = 0; n < 20_000; n++) {
      if (n % 1000 === 0) mkdirSync(join(workspace.path, "source", `d${n}`));
      writeFileSync(join(workspace.path, "source", `d${n - (n % 1000)}`, String(n)), "");
    }
    const { exitCode, stderr } = await workspace.run(CALL, {
      onStart: (child) => {
        child.stderr?.on("data", (text: string) => {
          if (text.includes("starting session")) child.kill("SIGINT");
        });
      },
    });
    expect(exitCode).toBe(130);
    expect(stderr).not.toContain("INTERNAL");
    expect(readdirSync(join(workspace.path, "drive"))).toEqual([]);
    expect(readdirSync(workspace.path).filter((name) => name.startsWith("trip"))).toEqual([]);
  });
});

describe("a second process", () => {
  it("on the same journal, or on the same drive, is refused with 7; the first one is not disturbed", async () => {
    writeInputs();
    let second: Promise<Awaited<ReturnType<Workspace["run"]>>[]> | undefined;
    const first = await workspace.run([...CALL, ...SLOWLY], {
      onStart: () => {
        const other = [...CALL.filter((arg) => !/^\/(j|id):/.test(arg)), "/j:other.jrn", "/id:day#2", "--json"];
        second = copying().then(() => Promise.all([workspace.run([...CALL, "--json"]), workspace.run(other)]));
      },
    });
    expect(first.exitCode).toBe(0);
    const [onJournal, onDrive] = (await second) ?? [];
    expect(onJournal?.exitCode).toBe(7);
    expect(jsonLines(onJournal?.stdout ?? "").at(-1)).toMatchObject({ type: "error", code: "LOCKED", exitCode: 7 });
    expect(onDrive?.exitCode).toBe(7);
    expect(existsSync(join(workspace.path, "other.jrn"))).toBe(false);
  });
});
