/** All documented forms of the second version's PrepImport, through the built command, in both spellings. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canMount, mountTmpfs } from "../drives/real-mounts.ts";
import { bytesOf } from "../prep/workbench.ts";
import { type CliResult, createWorkspace, jsonLines, type Workspace } from "./run-cli.ts";

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const MIB = 1024 * 1024;

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

const inside = (...names: string[]): string => join(workspace.path, ...names);

function writeFiles(directory: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, bytes] of Object.entries(sizes)) {
    mkdirSync(join(inside(directory), name, ".."), { recursive: true });
    writeFileSync(inside(directory, name), bytesOf(name, bytes));
  }
}

function writeDataset(file: string, source: string, to: string): void {
  const header = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
  writeFileSync(inside(file), `${header}${inside(source)}/,${to},BlockBlob,rename,None,None\n`);
}

function writeDriveset(file: string, places: readonly string[]): void {
  const header = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
  const rows = places.map((place) => `${place},AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`);
  writeFileSync(inside(file), `${header}${rows.join("")}`);
}

function makeDrive(name: string): string {
  mkdirSync(inside(name));
  return inside(name);
}

const manifest = (drive: string): string => readFileSync(join(drive, "DriveManifest.xml"), "utf8");
const summary = ({ stdout }: CliResult): Record<string, unknown> => jsonLines(stdout).at(-1) ?? {};

/** By form: slash spelling, long spelling. */
const SPELLINGS = {
  slash: {
    first: ["PrepImport", "/j:t.jrn", "/id:day#1", "/silentmode", "/InitialDriveSet:v1.csv", "/DataSet:d1.csv"],
    later: ["prepimport", "/J:t.jrn", "/ID:day#2", "/dataset:d2.csv"],
    add: ["PrepImport", "/j:t.jrn", "/id:day#2", "/additionaldriveset:v2.csv"],
    resume: ["PrepImport", "/j:t.jrn", "/id:day#2", "/resumesession"],
    abort: ["PrepImport", "/j:t.jrn", "/id:day#2", "/AbortSession"],
    drives: ["PrepImport", "/j:t.jrn", "/ListDrives"],
    sessions: ["PrepImport", "/j:t.jrn", "/ListCopySessions"],
  },
  long: {
    first: [
      ...["prep-import", "--journal", "t.jrn", "--id", "day#1", "--silent-mode"],
      ...["--initial-drive-set", "v1.csv", "--dataset", "d1.csv"],
    ],
    later: ["prep-import", "--journal=t.jrn", "--id=day#2", "--dataset=d2.csv"],
    add: ["prep-import", "--journal", "t.jrn", "--id", "day#2", "--additional-drive-set", "v2.csv"],
    resume: ["prep-import", "--journal", "t.jrn", "--id", "day#2", "--resume-session"],
    abort: ["prep-import", "--journal", "t.jrn", "--id", "day#2", "--abort-session"],
    drives: ["prep-import", "--journal", "t.jrn", "--list-drives"],
    sessions: ["prep-import", "--journal", "t.jrn", "--list-copy-sessions"],
  },
} as const;

describe.each(Object.entries(SPELLINGS))("in %s spelling", (_name, forms) => {
  beforeEach(() => {
    writeFiles("one", { "a.txt": 5, "deep/b.bin": 70_000 });
    writeFiles("two", { "c.bin": 3 * MIB, "d.bin": 3 * MIB, "e.bin": 3 * MIB });
    writeDataset("d1.csv", "one", "box/one/");
    writeDataset("d2.csv", "two", "box/two/");
    writeDriveset("v1.csv", [makeDrive("drive-1")]);
    writeDriveset("v2.csv", [makeDrive("drive-2")]);
  });
  /** The second session finds room for two of its three files. */
  const cap = (): string[] => ["--drive-capacity", `${inside("drive-1")}=7MiB`];

  it("new session, later session, additional drives, both lists", async () => {
    const first = await workspace.run([...forms.first, "--json"]);
    expect(first.exitCode).toBe(0);
    expect(summary(first)).toMatchObject({ type: "summary", state: "completed", files: 2 });

    const later = await workspace.run([...forms.later, ...cap(), "--json"]);
    expect(later.exitCode).toBe(6);
    expect(summary(later)).toMatchObject({ state: "no-space", files: 2, unplacedFiles: 1 });

    const added = await workspace.run([...forms.add, "--json"]);
    expect(added.exitCode).toBe(0);
    expect(summary(added)).toMatchObject({ state: "completed", files: 3 });
    expect(manifest(inside("drive-1"))).toContain("box/two/d.bin");
    expect(manifest(inside("drive-2"))).toContain("box/two/e.bin");

    const again = await workspace.run([...forms.resume, "--json"]);
    expect([again.exitCode, summary(again).state]).toEqual([0, "already-complete"]);

    const drives = await workspace.run(forms.drives);
    expect(drives.exitCode).toBe(0);
    expect(drives.stdout.match(/MOCK[0-9A-F]{12}/g)).toHaveLength(2);
    const sessions = await workspace.run([...forms.sessions, "--json"]);
    expect(summary(sessions)).toMatchObject({ sessions: [{ id: "day#1" }, { id: "day#2", state: "Completed" }] });

    for (const drive of ["drive-1", "drive-2"]) {
      const verified = await workspace.run(["verify", inside(drive), "--journal", "t.jrn"]);
      expect([drive, verified.exitCode]).toEqual([drive, 0]);
    }
  });

  it("abort puts everything back; then the same id may be used", async () => {
    await workspace.run(forms.first);
    const before = manifest(inside("drive-1"));
    expect((await workspace.run([...forms.later, ...cap()])).exitCode).toBe(6);
    expect(manifest(inside("drive-1"))).not.toBe(before);
    const aborted = await workspace.run([...forms.abort, "--json"]);
    expect([aborted.exitCode, summary(aborted).state]).toEqual([0, "aborted"]);
    expect(manifest(inside("drive-1"))).toBe(before);
    expect(existsSync(inside("drive-1", "day#2"))).toBe(false);
    const later = await workspace.run([...forms.later, "--json"]);
    expect([later.exitCode, summary(later).files]).toEqual([0, 3]);
  });

  it("resume goes on with what was interrupted", async () => {
    await workspace.run(forms.first);
    const stopped = await workspace.run([...forms.later, "--bandwidth-limit", "4MiB"], {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(inside("drive-1", "day#2", "0"))) return;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 5);
      },
    });
    expect(stopped.signal).toBe("SIGKILL");
    const resumed = await workspace.run([...forms.resume, "--json"]);
    expect([resumed.exitCode, summary(resumed).files]).toEqual([0, 3]);
  });
});

describe("refusals", () => {
  beforeEach(() => {
    writeFiles("one", { "a.txt": 5 });
    writeDataset("d1.csv", "one", "box/one/");
    writeDriveset("v1.csv", [makeDrive("drive-1")]);
  });
  const { first, abort } = SPELLINGS.slash;

  it("begin with the original's sentences", async () => {
    await workspace.run(first);
    writeDataset("d1.csv", "one", "box/other/");
    const reused = await workspace.run(first);
    expect(reused.exitCode).toBe(2);
    expect(reused.stderr).toContain(
      "CopySessionId day#1 refers to a previous copy session and cannot be reused for a new copy session.",
    );
    const aborted = await workspace.run(abort.map((arg) => arg.replace("day#2", "day#1")));
    expect(aborted.exitCode).toBe(2);
    expect(aborted.stderr).toContain("The first copy session cannot be resumed or aborted.");
    rmSync(inside("t.jrn"));
    const other = await workspace.run(first);
    expect(other.exitCode).toBe(5);
    expect(other.stderr).toContain("A DriveManifest.xml file exists on the target drive.");
  });

  it("exit codes: 3 files not done, 5 drive missing, 9 damaged", async () => {
    writeFileSync(inside("one", "control\u0001character"), "x");
    expect((await workspace.run(first)).exitCode).toBe(3);
    writeFiles("two", { "b.txt": 1 });
    writeDataset("d2.csv", "two", "box/two/");
    cpSync(inside("drive-1"), inside("away"), { recursive: true });
    rmSync(inside("drive-1"), { recursive: true });
    expect((await workspace.run(SPELLINGS.slash.later)).exitCode).toBe(5);
    cpSync(inside("away"), inside("drive-1"), { recursive: true });
    writeFileSync(inside("drive-1", "DriveManifest.xml"), "x", { flag: "a" });
    const damaged = await workspace.run([...SPELLINGS.slash.later, "--json"]);
    expect(damaged.exitCode).toBe(9);
    expect(summary(damaged)).toMatchObject({ type: "error", code: "MANIFEST_DAMAGED" });
  });
});

it.runIf(canMount)(
  "[when volumes can be mounted] small volumes of different size: no space, then one more",
  async () => {
    const small = mountTmpfs(12 * MIB);
    const larger = mountTmpfs(24 * MIB);
    writeFiles("data", { "a/1": 7 * MIB, "a/2": 7 * MIB, "b/1": 7 * MIB, "b/2": 7 * MIB, "b/3": 7 * MIB, tiny: 10 });
    writeDataset("d1.csv", "data", "box/");
    writeDriveset("v1.csv", [small, larger]);
    const full = await workspace.run([...SPELLINGS.slash.first, "--json"]);
    expect(full.exitCode).toBe(6);
    expect(summary(full)).toMatchObject({ state: "no-space", unplacedFiles: 1 });

    const more = mountTmpfs(16 * MIB);
    writeDriveset("v2.csv", [more]);
    const done = await workspace.run([...SPELLINGS.slash.add.map((arg) => arg.replace("day#2", "day#1")), "--json"]);
    expect([done.exitCode, summary(done).files]).toEqual([0, 6]);
    const blobs = [small, larger, more].flatMap((drive) => manifest(drive).match(/<BlobPath>[^<]*/g) ?? []);
    expect(blobs.map((blob) => blob.slice("<BlobPath>box/".length)).sort()).toEqual([
      "a/1",
      "a/2",
      "b/1",
      "b/2",
      "b/3",
      "tiny",
    ]);
    for (const drive of [small, larger, more]) {
      expect((await workspace.run(["verify", drive, "--journal", "t.jrn", "--quiet"])).exitCode).toBe(0);
    }
  },
);
