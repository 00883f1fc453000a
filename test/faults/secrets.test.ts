/**
 * Secrets are planted in every place they may enter the command by; then everything it says and leaves is searched for
 * them: both streams, logs, events, the state beside the journal, what child processes are started with. Where a secret
 * has to be kept, the file is for its owner only.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CliResult, createWorkspace, type Workspace } from "../e2e/run-cli.ts";

const ACCOUNT_KEY = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 37 + 11) & 255)).toString("base64");
const SIGNATURE = "c2VjcmV0LXNpZ25hdHVyZS1vZi1hLXNhcw%3D%3D";
const SAS = `sv=2021-08-06&sr=c&sp=rw&se=2030-01-01&sig=${SIGNATURE}`;
const BITLOCKER_KEY = "123222-234333-345444-456555-567666-678777-689788-110011";
const OTHER_KEY = "110022-234333-345444-456555-567666-678777-689788-220011";

/** How a secret may look on its way: whole, percent-encoded, in JSON, a large part of it. */
const SPELLINGS: readonly string[] = [
  ACCOUNT_KEY,
  ACCOUNT_KEY.slice(0, 40),
  ACCOUNT_KEY.slice(-40),
  encodeURIComponent(ACCOUNT_KEY),
  Buffer.from(ACCOUNT_KEY).toString("base64"),
  SIGNATURE,
  decodeURIComponent(SIGNATURE),
  ...[BITLOCKER_KEY, OTHER_KEY].flatMap((key) => [key, key.replaceAll("-", ""), key.slice(0, 20), key.slice(7, 34)]),
];

/** Files that hold secrets by design. */
const KEEPERS = /^(t\.jrn|MOCK[0-9A-F]+\.xml|\.state\/mock-drives\/[^/]+\.json|drive\/DriveManifest\.xml)$/;
/** Written by the test itself. */
const INPUTS = /^(v1|bad|d|bad-data)\.csv$|^key\.txt$|^tools\//;

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
  for (const name of ["data", "drive", "tools"]) mkdirSync(join(workspace.path, name));
  writeFileSync(join(workspace.path, "data", "a.txt"), "a");
  writeDataset("d.csv", `${workspace.path}/data/,box/,BlockBlob,rename,None,None`);
  writeDriveset("v1.csv", `${workspace.path}/drive,AlreadyFormatted,SilentMode,AlreadyEncrypted,${BITLOCKER_KEY}`);
  writeFileSync(join(workspace.path, "key.txt"), `${ACCOUNT_KEY}\n`);
  recordStartedPrograms();
});
afterEach(() => workspace.remove());

function writeDataset(name: string, row: string): void {
  const header = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile";
  writeFileSync(join(workspace.path, name), `${header}\n${row}\n`);
}

function writeDriveset(name: string, row: string): void {
  const header = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey";
  writeFileSync(join(workspace.path, name), `${header}\n${row}\n`);
}

/** Stands before the real programs and writes down their arguments and environment. */
function recordStartedPrograms(): void {
  for (const name of ["sync", "lsblk", "udevadm", "blkid", "cryptsetup"]) {
    const path = join(workspace.path, "tools", name);
    const log = join(workspace.path, "started.txt");
    writeFileSync(path, `#!/bin/sh\n{ echo "$0 $*"; env; } >> "${log}"\nPATH="\${PATH#*:}" exec ${name} "$@"\n`);
    chmodSync(path, 0o755);
  }
}

async function run(args: readonly string[], options: { env?: Record<string, string>; stdin?: string } = {}) {
  const PATH = `${join(workspace.path, "tools")}:${process.env.PATH}`;
  return await workspace.run(args, { ...options, env: { PATH, ...options.env } });
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(workspace.path, join(entry.parentPath, entry.name)));
}

function expectNoSecrets(result: CliResult): void {
  const places = new Map([
    ["standard output", result.stdout],
    ["standard error", result.stderr],
  ]);
  for (const path of filesBelow(workspace.path)) {
    if (KEEPERS.test(path) || INPUTS.test(path)) continue;
    places.set(path, readFileSync(join(workspace.path, path), "latin1"));
  }
  for (const [place, text] of places) {
    const found = SPELLINGS.filter((secret) => text.includes(secret));
    expect({ place, found, text: found.length > 0 ? text : "" }).toEqual({ place, found: [], text: "" });
  }
}

const FIRST = ["PrepImport", "/j:t.jrn", "/id:day#1", "/InitialDriveSet:v1.csv", "/DataSet:d.csv", "/logdir:logs"];
const ALLOW = "--allow-unencrypted-secrets";
const ENV = { WAIMPORTEXPORT_SK: ACCOUNT_KEY };

describe("no secret is told", () => {
  it.each<[string, string[], { env?: Record<string, string>; stdin?: string }, number]>([
    ["/sk as an argument", [...FIRST, `/sk:${ACCOUNT_KEY}`, ALLOW], {}, 0],
    ["/sk as an argument, as JSON", [...FIRST, `/sk:${ACCOUNT_KEY}`, ALLOW, "--json"], {}, 0],
    ["--sk-file", [...FIRST, "--sk-file", "key.txt", ALLOW, "--json"], {}, 0],
    ["standard input", [...FIRST, "--sk-file", "-", ALLOW], { stdin: `${ACCOUNT_KEY}\n` }, 0],
    ["the environment", [...FIRST, ALLOW, "--json"], { env: ENV }, 0],
    ["a run that is refused for its key", [...FIRST, "--json"], { env: ENV }, 2],
    ["a dry run", ["plan", ...FIRST.slice(1), ALLOW, "--json"], { env: ENV }, 0],
    ["a source that is missing", [...FIRST, "/DataSet:bad-data.csv", ALLOW, "--json"], { env: ENV }, 2],
    ["a switch that is not known", [...FIRST, `/skey:${ACCOUNT_KEY}`, "--json"], {}, 2],
    ["a key as a value of another switch", [...FIRST, "--workers", ACCOUNT_KEY, "--json"], {}, 2],
    ["a key as a file name", [...FIRST, "--sk-file", ACCOUNT_KEY, "--json"], {}, 2],
    ["a key in place of a verb", [ACCOUNT_KEY], {}, 2],
    [
      "a SAS of the first version's form",
      ["PrepImport", "/j:t.jrn", "/id:day#1", "/srcdir:/x", "/t:g", `/csas:${SAS}`],
      {},
      2,
    ],
    [
      "a BitLocker key of the first version's form",
      ["PrepImport", "/j:t.jrn", "/id:a#1", "/srcdir:/x", "/t:g", `/bk:${OTHER_KEY}`],
      {},
      2,
    ],
    ["a SAS as a journal", ["journal", "show", `https://a.blob.core.windows.net/c?${SAS}`, "--json"], {}, 2],
    ["a key as a drive", ["verify", OTHER_KEY, "--json"], {}, 5],
  ])("%s", async (_name, args, options, exitCode) => {
    writeDataset("bad-data.csv", `${workspace.path}/none/,box/,BlockBlob,rename,None,None`);
    const result = await run(args, options);
    expect({
      exitCode: result.exitCode,
      stderr: result.exitCode === exitCode ? "" : result.stderr + result.stdout,
    }).toEqual({ exitCode, stderr: "" });
    expectNoSecrets(result);
  });

  it.each([
    ["a key of the wrong length", `,AlreadyFormatted,SilentMode,AlreadyEncrypted,${OTHER_KEY}-110033`],
    ["a key in another column", `,${OTHER_KEY},SilentMode,AlreadyEncrypted,`],
    ["a key as the drive's letter", `${OTHER_KEY},AlreadyFormatted,SilentMode,AlreadyEncrypted,${OTHER_KEY}`],
    ["a key too much", `,AlreadyFormatted,SilentMode,Encrypt,,${OTHER_KEY}`],
  ])("a drive set with %s", async (_name, row) => {
    writeDriveset("bad.csv", row.startsWith(",") ? `${workspace.path}/drive${row}` : row);
    for (const more of [[], ["--json"]]) {
      const result = await run(
        [...FIRST, "/InitialDriveSet:bad.csv", ...more].filter((arg) => arg !== "/InitialDriveSet:v1.csv"),
      );
      expect(result.exitCode).toBe(2);
      expectNoSecrets(result);
    }
  });

  it.each([
    ["a SAS in the destination", `/data/,https://a.blob.core.windows.net/c?${SAS},BlockBlob,rename,None,None`],
    ["a SAS in the type", `/data/,box/,${SAS},rename,None,None`],
    ["an account key in the disposition", `/data/,box/,BlockBlob,${ACCOUNT_KEY},None,None`],
    ["a BitLocker key in the path", `${OTHER_KEY},box/,BlockBlob,rename,None,None`],
  ])("a dataset with %s", async (_name, row) => {
    writeDataset("bad-data.csv", row);
    for (const more of [[], ["--json"]]) {
      const args = FIRST.map((arg) => (arg === "/DataSet:d.csv" ? "/DataSet:bad-data.csv" : arg));
      const result = await run([...args, ...more]);
      expect(result.exitCode).toBe(2);
      expectNoSecrets(result);
    }
  });

  it("everything after a session with a key in its manifest", async () => {
    expect((await run([...FIRST, ALLOW], { env: ENV })).exitCode).toBe(0);
    for (const args of [
      ["PrepImport", "/j:t.jrn", "/ListDrives"],
      ["PrepImport", "/j:t.jrn", "/ListCopySessions", "--json"],
      ["journal", "show", "t.jrn"],
      ["journal", "show", "t.jrn", "--json"],
      ["verify", "drive", "--journal", "t.jrn", "--json"],
      [...FIRST, ALLOW, "--json"],
      ["PrepImport", "/j:t.jrn", "/id:day#1", "/ResumeSession", "--json"],
      ["PrepImport", "/j:t.jrn", "/id:day#1", "/AbortSession", "--json"],
      ["drives", "--json"],
    ]) {
      expectNoSecrets(await run(args));
    }
  });

  it("a damaged journal, manifest and drive file are complained of without what they hold", async () => {
    expect((await run([...FIRST, ALLOW], { env: ENV })).exitCode).toBe(0);
    const [driveInfo = ""] = readdirSync(workspace.path).filter((name) => name.startsWith("MOCK"));
    for (const name of ["t.jrn", driveInfo, "drive/DriveManifest.xml"]) {
      const path = join(workspace.path, name);
      writeFileSync(path, readFileSync(path, "utf8").replace(/DriveId|StorageAccountKey/, "Drive$d"));
    }
    for (const args of [
      ["journal", "show", "t.jrn", "--json"],
      ["verify", "drive", "--drive-info", driveInfo, "--json"],
      ["verify", "drive", "--manifest-hash", "0".repeat(32), "--json"],
      [...FIRST, ALLOW],
    ]) {
      const result = await run(args);
      expect(result.exitCode).not.toBe(0);
      expect(result.exitCode).not.toBe(1);
      expectNoSecrets(result);
    }
  });
});

describe("the search", () => {
  it("would find a secret, in files and in what programs are started with", async () => {
    const result = await run(FIRST, { env: { ...ENV, PLANTED: "" } });
    writeFileSync(join(workspace.path, "leak.txt"), JSON.stringify({ key: ACCOUNT_KEY }));
    expect(() => expectNoSecrets(result)).toThrow("leak.txt");
  });

  it.runIf(process.platform === "linux")("[on Linux] sees programs being started", async () => {
    await run([...FIRST, ALLOW], { env: ENV });
    expect(readFileSync(join(workspace.path, "started.txt"), "utf8")).toMatch(/sync -f -- .*drive/);
  });

  it("sees the state of a session that is not finished", async () => {
    const result = await run([...FIRST, ALLOW, "--drive-capacity", `${workspace.path}/drive=1KiB`], { env: ENV });
    expect(result.exitCode).toBe(6);
    expect(filesBelow(join(workspace.path, "t.jrn.d")).length).toBeGreaterThan(2);
    expectNoSecrets(result);
  });
});

describe("where secrets have to be kept", () => {
  it("files are for their owner only, whatever the umask says", async () => {
    expect((await run([...FIRST, ALLOW], { env: ENV })).exitCode).toBe(0);
    const kept = filesBelow(workspace.path).filter((path) => KEEPERS.test(path));
    expect(kept.length).toBe(4);
    for (const path of kept) {
      expect([path, (statSync(join(workspace.path, path)).mode & 0o777).toString(8)]).toEqual([path, "600"]);
    }
  });

  it("they are shown when that is asked for", async () => {
    expect((await run(FIRST)).exitCode).toBe(0);
    expect((await run(["journal", "show", "t.jrn", "--show-secrets"])).stdout).toContain(BITLOCKER_KEY);
    expect((await run(["journal", "show", "t.jrn"])).stdout).toContain("110011");
  });

  it("a key as a plain argument is warned of", async () => {
    const { stderr } = await run([...FIRST, `/sk:${ACCOUNT_KEY}`, ALLOW]);
    expect(stderr).toContain("visible to others");
  });
});
