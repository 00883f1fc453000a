/** The main job through the built command: streams, confirmation, exit codes, log. What it writes is tested elsewhere. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWorkspace, jsonLines, type Workspace } from "./run-cli.ts";

const DRIVE_HEADER = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
const DATA_HEADER = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const FIRST_SESSION = ["/j:trip.jrn", "/id:day#1", "/InitialDriveSet:drives.csv", "/DataSet:data.csv"];

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
  const source = join(workspace.path, "source");
  mkdirSync(join(source, "below"), { recursive: true });
  mkdirSync(join(workspace.path, "drive"));
  writeFileSync(join(source, "a.txt"), "alpha");
  writeFileSync(join(source, "below", "b.bin"), Buffer.alloc(5_000_000, 7));
  writeFileSync(join(workspace.path, "data.csv"), `${DATA_HEADER}${source}/,box/in/,BlockBlob,rename,None,None\n`);
  useDrive("AlreadyEncrypted", KEY);
});
afterEach(() => workspace.remove());

function useDrive(encryption: string, key: string): void {
  const drive = join(workspace.path, "drive");
  writeFileSync(
    join(workspace.path, "drives.csv"),
    `${DRIVE_HEADER}${drive},AlreadyFormatted,SilentMode,${encryption},${key}\n`,
  );
}

describe("prep-import", () => {
  it("prints results on standard output, all else on standard error", async () => {
    const { exitCode, stdout, stderr } = await workspace.run(["PrepImport", ...FIRST_SESSION]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Session "day#1" is complete: 2 files');
    expect(stdout).toContain("NOT encrypted; the service will refuse it");
    expect(stdout).not.toContain("walking");
    expect(stderr).toContain("Plan of session");
    expect(stdout + stderr).not.toContain("\u001b");
    expect(existsSync(join(workspace.path, "drive", "DriveManifest.xml"))).toBe(true);
  });

  it("with --json prints one object per line and the summary last", async () => {
    const { exitCode, stdout, stderr } = await workspace.run(["PrepImport", ...FIRST_SESSION, "--json"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const lines = jsonLines(stdout);
    for (const line of lines) expect(line).toMatchObject({ type: expect.any(String), version: 1 });
    expect(lines.map((line) => line.type)).toEqual(expect.arrayContaining(["session", "walk", "plan", "drive-sealed"]));
    expect(lines.at(-1)).toMatchObject({
      type: "summary",
      state: "completed",
      exitCode: 0,
      files: 2,
      bytes: 5_000_005,
    });
  });

  it("gives the same manifest in long options", async () => {
    const long = [
      "--journal",
      "trip.jrn",
      "--id",
      "day#1",
      "--initial-drive-set",
      "drives.csv",
      "--dataset",
      "data.csv",
    ];
    const { exitCode } = await workspace.run(["prep-import", ...long, "--quiet"]);
    expect(exitCode).toBe(0);
    expect(readFileSync(join(workspace.path, "drive", "DriveManifest.xml"), "utf8")).toContain("box/in/below/b.bin");
  });

  it("writes a log without keys into /logdir", async () => {
    const { exitCode } = await workspace.run(["PrepImport", ...FIRST_SESSION, "/logdir:logs"]);
    expect(exitCode).toBe(0);
    const [log = "", ...others] = readdirSync(join(workspace.path, "logs"));
    expect(others).toEqual([]);
    expect(log).toMatch(/^trip_\d{8}T\d{6}Z_prep-import\.log$/);
    const text = readFileSync(join(workspace.path, "logs", log), "utf8");
    expect(text).toContain("outcome: completed, exit code 0");
    expect(text).not.toContain(KEY);
  });

  it("never prints a key", async () => {
    const { stdout, stderr } = await workspace.run(["PrepImport", ...FIRST_SESSION, "--json"]);
    expect(stdout + stderr).not.toContain(KEY);
  });
});

describe("where nobody can be asked", () => {
  it("encrypting without /silentmode is refused with exit code 5 and nothing written", async () => {
    useDrive("Encrypt", "");
    const { exitCode, stderr } = await workspace.run(["PrepImport", ...FIRST_SESSION]);
    expect(exitCode).toBe(5);
    expect(stderr).toContain("DRIVE_NOT_CONFIRMED");
    expect(readdirSync(join(workspace.path, "drive"))).toEqual([]);
    expect(existsSync(join(workspace.path, "trip.jrn"))).toBe(false);
  });

  it("/silentmode lets it start", async () => {
    useDrive("Encrypt", "");
    expect((await workspace.run(["PrepImport", ...FIRST_SESSION, "/silentmode"])).exitCode).toBe(0);
  });
});

describe("plan", () => {
  it.each([[["plan", ...FIRST_SESSION]], [["prep-import", ...FIRST_SESSION, "--dry-run"]]])(
    "%j writes nothing",
    async (args) => {
      const { exitCode, stdout } = await workspace.run(args);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('Plan of session "day#1": 2 files');
      expect(stdout).toContain("box/in/");
      expect(readdirSync(join(workspace.path, "drive"))).toEqual([]);
      expect(readdirSync(workspace.path).sort()).toEqual([".state", "data.csv", "drive", "drives.csv", "source"]);
    },
  );

  it("says with exit code 6 what does not fit, in text and as JSON", async () => {
    const args = ["plan", ...FIRST_SESSION, "--drive-capacity", `${join(workspace.path, "drive")}=3MiB`];
    const text = await workspace.run(args);
    expect(text.exitCode).toBe(6);
    expect(text.stdout).toContain("Does not fit: 1 file");
    const json = await workspace.run([...args, "--json"]);
    expect(json.exitCode).toBe(6);
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ type: "plan", unplacedFiles: 1, unplacedBytes: 5_000_000 });
  });
});

describe("signals", () => {
  /** Sends the signal as soon as copying has begun; the limit keeps it going for long enough. */
  const interrupted = (signal: "SIGINT" | "SIGTERM") =>
    workspace.run(["PrepImport", ...FIRST_SESSION, "--bandwidth-limit", "500KiB"], {
      onStart: (child) => {
        child.stderr?.on("data", (text: string) => {
          if (text.includes("Plan of session")) child.kill(signal);
        });
      },
    });

  it.skipIf(process.platform === "win32").each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s stops at a safe point with exit code %i and says how to resume (not on Windows)",
    async (signal, code) => {
      const stopped = await interrupted(signal);
      expect(stopped).toMatchObject({ exitCode: code, signal: null });
      expect(stopped.stderr).toContain("--resume-session");
      const resumed = await workspace.run(["PrepImport", "/j:trip.jrn", "/id:day#1", "/ResumeSession"]);
      expect(resumed.exitCode).toBe(0);
      expect(resumed.stdout).toContain("is complete: 2 files");
    },
  );
});

describe("the journal", () => {
  it("is listed with keys masked, in full when asked", async () => {
    await workspace.run(["PrepImport", ...FIRST_SESSION, "--quiet"]);
    for (const args of [
      ["PrepImport", "/j:trip.jrn", "/ListDrives"],
      ["journal", "show", "trip.jrn"],
    ]) {
      const masked = await workspace.run(args);
      expect(masked.exitCode).toBe(0);
      expect(masked.stdout).toContain("******-000088");
      expect(masked.stdout).not.toContain("000077");
      const full = await workspace.run([...args, "--show-secrets", "--json"]);
      expect(jsonLines(full.stdout)).toMatchObject([{ type: "journal", drives: [{ bitLockerKey: KEY }] }]);
    }
    const sessions = await workspace.run(["PrepImport", "/j:trip.jrn", "/ListCopySessions"]);
    expect(sessions.stdout).toContain("day#1");
  });

  it("that does not exist is exit code 2", async () => {
    expect(await workspace.run(["journal", "show", "none.jrn"])).toMatchObject({ exitCode: 2, stdout: "" });
  });
});

describe("mistakes in the inputs", () => {
  it("are all told at once, with line and column", async () => {
    writeFileSync(
      join(workspace.path, "data.csv"),
      `${DATA_HEADER}relative/,box/,blok,rename,None,None\n/x/,UPPER/,BlockBlob,keep,None,None\n`,
    );
    const { exitCode, stdout } = await workspace.run(["plan", ...FIRST_SESSION, "--json"]);
    expect(exitCode).toBe(2);
    const error = jsonLines(stdout).at(-1);
    expect(error).toMatchObject({ type: "error", code: "DATASET_INVALID" });
    const { problems } = (error as { facts: { problems: { line: number }[] } }).facts;
    expect(new Set(problems.map((problem) => problem.line))).toEqual(new Set([2, 3]));
  });
});
