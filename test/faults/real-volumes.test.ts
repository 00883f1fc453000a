/** Real small volumes that fill up, vanish or die while the built command writes them: the others go on. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMount, mountLoop, mountTmpfs } from "../drives/real-mounts.ts";
import { type CliResult, createWorkspace, jsonLines, type Workspace } from "../e2e/run-cli.ts";

const MIB = 1024 * 1024;
const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const FIRST = [
  "PrepImport",
  "/j:t.jrn",
  "/id:day#1",
  "/InitialDriveSet:v1.csv",
  "/DataSet:d.csv",
  "/silentmode",
  "--json",
];
const AGAIN = ["PrepImport", "/j:t.jrn", "/id:day#1", "/ResumeSession", "--json"];
const ADD = ["PrepImport", "/j:t.jrn", "/id:day#1", "/AdditionalDriveSet:v2.csv", "/silentmode", "--json"];
/** Slow enough to be met in the middle, and both drives busy. */
const SLOWLY = ["--bandwidth-limit", "16MiB", "--distribute", "spread"];
const FILES = 40;

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
  mkdirSync(join(workspace.path, "data"));
  for (let n = 0; n < FILES; n++) {
    mkdirSync(join(workspace.path, "data", String(n)));
    writeFileSync(join(workspace.path, "data", String(n), "f.bin"), Buffer.alloc(MIB - 100, n));
  }
  const header = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
  writeFileSync(join(workspace.path, "d.csv"), `${header}${workspace.path}/data/,box/,BlockBlob,rename,None,None\n`);
});
afterEach(() => workspace.remove());

function writeDriveset(file: string, places: readonly string[]): void {
  const header = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
  const rows = places.map((place) => `${place},AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`);
  writeFileSync(join(workspace.path, file), header + rows.join(""));
}

/** Runs the command; `happening` takes place once, when some files are on the drive at `place`. */
async function runUntil(args: readonly string[], place: string, happening: () => void): Promise<CliResult> {
  let isDue = true;
  return await workspace.run(args, {
    onStart: (child) =>
      child.stdout?.on("data", () => {
        const session = join(place, "day#1", "0");
        if (!isDue || !existsSync(session) || readdirSync(session).length < 3) return;
        isDue = false;
        happening();
      }),
  });
}

/** What is written from now on cannot reach the medium; the file system learns of it when it flushes. */
function loseMostOfTheMedium(image: string): void {
  truncateSync(image, MIB);
  const device = execFileSync("losetup", ["-n", "-O", "NAME", "-j", image], { encoding: "utf8" }).trim();
  execFileSync("losetup", ["-c", device]);
}

const failures = (run: CliResult) => jsonLines(run.stdout).filter(({ type }) => type === "drive-failed");
const summary = (run: CliResult) => jsonLines(run.stdout).at(-1);
const blobsOn = (drive: string): string[] =>
  (readFileSync(join(drive, "DriveManifest.xml"), "utf8").match(/<BlobPath>[^<]*/g) ?? []).sort();

async function expectVerified(drives: readonly string[]): Promise<void> {
  const blobs = drives.flatMap(blobsOn);
  expect(new Set(blobs).size).toBe(FILES);
  expect(blobs.length).toBe(FILES);
  for (const drive of drives) {
    expect((await workspace.run(["verify", drive, "--journal", "t.jrn", "--quiet"])).exitCode).toBe(0);
  }
}

describe.runIf(canMount)("[when volumes can be mounted] while it is written, a drive", () => {
  it("fills up, because somebody else writes on it: the rest goes onto an added one", async () => {
    const full = mountTmpfs(32 * MIB);
    const other = mountTmpfs(48 * MIB);
    writeDriveset("v1.csv", [full, other]);
    const first = await runUntil([...FIRST, ...SLOWLY], full, () => {
      try {
        writeFileSync(join(full, "somebody else's"), Buffer.alloc(32 * MIB));
      } catch {
        // As much as there was.
      }
    });
    expect(first.exitCode).toBe(6);
    expect(summary(first)).toMatchObject({ state: "no-space" });
    expect(failures(first)).toMatchObject([{ code: "NO_SPACE" }]);
    expect(blobsOn(other).length).toBeGreaterThan(FILES / 3);

    const added = mountTmpfs(48 * MIB);
    writeDriveset("v2.csv", [added]);
    expect((await workspace.run(ADD)).exitCode).toBe(0);
    const drives = [full, other, added].filter((drive) => existsSync(join(drive, "DriveManifest.xml")));
    await expectVerified(drives);
  });

  it("is detached: nothing is written below its mount point, and the session goes on when it is back", async () => {
    const { image, mountPoint } = mountLoop(64 * MIB);
    const other = mountTmpfs(64 * MIB);
    writeDriveset("v1.csv", [mountPoint, other]);
    const first = await runUntil([...FIRST, ...SLOWLY], mountPoint, () => execFileSync("umount", ["-l", mountPoint]));
    expect(readdirSync(mountPoint)).toEqual([]);
    expect(first.exitCode).toBe(5);
    expect(summary(first)).toMatchObject({ state: "drives-failed" });
    expect(failures(first)).toMatchObject([{ code: "DRIVE_FAILED", driveId: expect.stringMatching(/^MOCK/) }]);
    expect(readdirSync(join(other, "day#1", "0")).length).toBeGreaterThan(FILES / 3);

    // Without the drive: said which one, nothing done.
    const missing = await workspace.run(AGAIN);
    expect(missing.exitCode).toBe(5);

    execFileSync("mount", ["-o", "loop", image, mountPoint]);
    const again = await workspace.run(AGAIN);
    expect([again.exitCode, summary(again)?.state]).toEqual([0, "completed"]);
    await expectVerified([mountPoint, other]);
  });

  it("dies: it is told, given up, and its files go onto an added one", async () => {
    const { image, mountPoint } = mountLoop(64 * MIB);
    const other = mountTmpfs(96 * MIB);
    writeDriveset("v1.csv", [mountPoint, other]);
    const first = await runUntil([...FIRST, ...SLOWLY], mountPoint, () => loseMostOfTheMedium(image));
    expect(first.exitCode).toBe(5);
    const [failed] = failures(first);
    expect(failed).toMatchObject({ code: "DRIVE_FAILED" });

    const added = mountTmpfs(96 * MIB);
    writeDriveset("v2.csv", [added]);
    const again = await workspace.run([...ADD, "--give-up-drive", String(failed?.driveId)]);
    expect([again.exitCode, summary(again)?.state]).toEqual([0, "completed"]);
    await expectVerified([other, added]);
    expect(existsSync(join(workspace.path, `${failed?.driveId}.xml`))).toBe(false);
    rmSync(image);
  });
});
