/** `verify` through the built command: where the expected hash comes from, streams and exit codes. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorkspace, jsonLines, type Workspace } from "./run-cli.ts";

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";

let workspace: Workspace;
let drive: string;
let sealed: { driveId: string; manifestHash: string; manifestPath: string };

beforeEach(async () => {
  workspace = createWorkspace();
  drive = join(workspace.path, "drive");
  const source = join(workspace.path, "source");
  mkdirSync(drive);
  mkdirSync(source);
  writeFileSync(join(source, "a.txt"), "alpha");
  writeFileSync(join(source, "b.txt"), "beta");
  writeFileSync(join(workspace.path, "data.csv"), `BasePath,DstItemPathOrPrefix,ItemType\n${source}/,box/,BlockBlob\n`);
  writeFileSync(
    join(workspace.path, "drives.csv"),
    `DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n${drive},AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`,
  );
  const args = ["PrepImport", "/j:trip.jrn", "/id:day#1", "/InitialDriveSet:drives.csv", "/DataSet:data.csv", "--json"];
  const summary = jsonLines((await workspace.run(args)).stdout).at(-1) as { drives: (typeof sealed)[] };
  const [first] = summary.drives;
  if (first === undefined) throw new Error("no drive was sealed");
  sealed = first;
});
afterEach(() => workspace.remove());

const verify = (...args: string[]) => workspace.run(["verify", drive, ...args]);

describe("a good drive", () => {
  it.each([
    ["--journal", () => "trip.jrn"],
    ["--drive-info", () => `${sealed.driveId}.xml`],
    ["--manifest-hash", () => sealed.manifestHash.toLowerCase()],
  ])("is as its manifest says by %s", async (name, value) => {
    const { exitCode, stdout } = await verify(name, value(), "--strict");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("is as its manifest says");
    expect(stdout).toContain("2 of 2 good");
  });

  it("without a hash: the manifest itself is not checked, which --strict does not take", async () => {
    const lenient = await verify();
    expect(lenient.exitCode).toBe(0);
    expect(lenient.stdout).toContain("manifest itself not checked");
    expect((await verify("--strict")).exitCode).toBe(4);
  });

  it("is found in the journal wherever it is now", async () => {
    const elsewhere = join(workspace.path, "elsewhere");
    renameSync(drive, elsewhere);
    drive = elsewhere;
    expect((await verify("--journal", "trip.jrn")).exitCode).toBe(0);
  });

  it("leaves nothing on the drive", async () => {
    const before = readdirSync(drive, { recursive: true });
    await verify("--journal", "trip.jrn");
    expect(readdirSync(drive, { recursive: true })).toEqual(before);
  });
});

describe("a drive that differs", () => {
  it("is exit code 4, with the difference on standard output", async () => {
    writeFileSync(join(drive, "day#1", "0", "a.txt"), "alphA");
    const { exitCode, stdout } = await verify("--journal", "trip.jrn");
    expect(exitCode).toBe(4);
    expect(stdout).toContain("differs from its manifest: 1 difference");
    expect(stdout).toContain("\\day#1\\0\\a.txt");
  });

  it("is told as JSON lines, the report last", async () => {
    writeFileSync(join(drive, "day#1", "0", "b.txt"), "bet");
    writeFileSync(join(drive, "stray.txt"), "");
    const { exitCode, stdout, stderr } = await verify("--journal", "trip.jrn", "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: "" });
    const lines = jsonLines(stdout);
    expect(lines.map((line) => line.type)).toEqual(
      expect.arrayContaining(["manifest", "progress", "problem", "warning"]),
    );
    expect(lines.find((line) => line.type === "problem")).toMatchObject({ kind: "shorter", version: 1 });
    expect(lines.at(-1)).toMatchObject({ type: "verification", exitCode: 4, problems: 1, unnamedFiles: 1 });
  });

  it("by its manifest is noticed by every way to give the hash", async () => {
    appendFileSync(sealed.manifestPath, "\n");
    for (const args of [
      ["--journal", "trip.jrn"],
      ["--drive-info", `${sealed.driveId}.xml`],
      ["--manifest-hash", sealed.manifestHash],
    ]) {
      const { exitCode, stdout } = await verify(...args);
      expect(exitCode).toBe(4);
      expect(stdout).toContain("not the expected one");
    }
  });

  it("by the id in its manifest is held against the drive of this place", async () => {
    const manifest = readFileSync(sealed.manifestPath, "utf8");
    writeFileSync(sealed.manifestPath, manifest.replace(sealed.driveId, "OTHERDRIVE"));
    const { exitCode, stdout } = await verify("--journal", "trip.jrn");
    expect(exitCode).toBe(4);
    expect(stdout).toContain("not the expected one");
  });
});

describe("mistakes", () => {
  it.each([
    [["--journal", "trip.jrn", "--manifest-hash", "0".repeat(32)], 2, "both say which hash"],
    [["--manifest-hash", "xyz"], 2, "32 hexadecimal digits"],
    [["--drive-info", "none.xml"], 2, "no such file"],
    [["--journal", "none.jrn"], 2, "does not exist"],
  ])("%j", async (args, code, text) => {
    const { exitCode, stderr } = await verify(...args);
    expect(exitCode).toBe(code);
    expect(stderr).toContain(text);
  });

  it("a directory that is no prepared drive is exit code 5", async () => {
    drive = workspace.path;
    expect((await verify()).exitCode).toBe(5);
    expect((await verify("--journal", "trip.jrn")).exitCode).toBe(5);
  });
});
