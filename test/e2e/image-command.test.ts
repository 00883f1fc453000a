/**
 * Drive images through the built command, without any support of the kernel but FUSE: what comes out is opened by
 * programs of others with the key from the journal, and every file is compared. Killed, resumed, extended, rolled back.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateBitLockerKey } from "../../src/bitlocker/recovery-password.ts";
import { createLinuxEncryption } from "../../src/drives/encryption/linux.ts";
import { systemRandom } from "../../src/platform/random.ts";
import {
  dislock,
  HAS_NTFS,
  HAS_READERS,
  imageAt,
  mountsBelow,
  ntfsRead,
  realPorts,
  unmountAll,
} from "../drives/linux/image-tools.ts";
import { type CliOptions, type CliResult, createWorkspace, jsonLines, type Workspace } from "./run-cli.ts";

const DRIVE_HEADER = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
const DATA_HEADER = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
const KEY_PATTERN = /\d{6}(?:-\d{6}){7}/g;

let workspace: Workspace;
let image: string;

beforeEach(() => {
  workspace = createWorkspace();
  image = join(workspace.path, "disk.img");
  writeSource("source", 150);
  writeDataset("data.csv", "source");
  writeDriveset("Format", "Encrypt", "");
});
afterEach(() => {
  unmountAll(workspace.path);
  workspace.remove();
});

function writeSource(name: string, files: number): void {
  const root = join(workspace.path, name);
  fs.mkdirSync(join(root, "below", "Ünïcödé 日本"), { recursive: true });
  fs.writeFileSync(join(root, "empty"), "");
  fs.writeFileSync(join(root, "big.bin"), bytesOf(name, 20_000_003));
  for (let i = 0; i < files; i++) fs.writeFileSync(join(root, "below", `${i}.txt`), bytesOf(`${name} ${i}`, i * 97));
  fs.writeFileSync(join(root, "below", "Ünïcödé 日本", "x.bin"), bytesOf("x", 70_000));
}

function bytesOf(seed: string, length: number): Buffer {
  const bytes = Buffer.alloc(length, createHash("sha512").update(seed).digest());
  for (let at = 0; at + 8 <= length; at += 512) bytes.writeDoubleLE(at, at);
  return bytes;
}

function writeDataset(file: string, source: string): void {
  const row = `${join(workspace.path, source)}/,box/${source}/,BlockBlob,rename,None,None\n`;
  fs.writeFileSync(join(workspace.path, file), DATA_HEADER + row);
}

function writeDriveset(format: string, encryption: string, key: string): void {
  fs.writeFileSync(
    join(workspace.path, "drives.csv"),
    `${DRIVE_HEADER}${image},${format},SilentMode,${encryption},${key}\n`,
  );
}

function prepare(more: readonly string[] = [], options: CliOptions = {}): Promise<CliResult> {
  const journal = more.some((one) => one.startsWith("/j:")) ? [] : ["/j:trip.jrn"];
  const inputs = [...journal, "/id:day#1", "/InitialDriveSet:drives.csv", "/DataSet:data.csv", "/silentmode"];
  return workspace.run(["PrepImport", ...inputs, "--image-size", `${image}=256MiB`, "--json", ...more], options);
}

function later(id: string, dataset: string): Promise<CliResult> {
  return workspace.run(["PrepImport", "/j:trip.jrn", `/id:${id}`, `/DataSet:${dataset}`, "/silentmode", "--json"]);
}

/** Kills the run, as a power cut would, when it prints something that matches. */
function killWhen(pattern: RegExp): CliOptions {
  return {
    onStart: (child) => {
      child.stdout?.on("data", (text: string) => {
        if (pattern.test(text)) child.kill("SIGKILL");
      });
    },
  };
}

function keyOfJournal(): string {
  const keys = new Set(fs.readFileSync(join(workspace.path, "trip.jrn"), "utf8").match(KEY_PATTERN));
  expect(keys.size).toBe(1);
  return [...keys][0] as string;
}

function filesOf(source: string): string[] {
  const root = join(workspace.path, source);
  const entries = fs.readdirSync(root, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => relative(root, join(one.parentPath, one.name)));
}

/** Opened by cryptsetup, libbde and dislocker; each file of each session byte for byte; closed and nothing left. */
function expectPrepared(key: string, sessions: Readonly<Record<string, string>>): void {
  expect(fs.existsSync(`${image}.plain`)).toBe(false);
  expect(fs.existsSync(`${image}.plain.json`)).toBe(false);
  expect(mountsBelow(workspace.path)).toEqual([]);
  const args = ["open", "--type", "bitlk", "--test-passphrase", "--key-file", "-", image];
  expect(spawnSync("cryptsetup", args, { input: key }).status).toBe(0);
  expect(spawnSync("cryptsetup", args, { input: generateBitLockerKey(systemRandom) }).status).not.toBe(0);
  expect(spawnSync("cryptsetup", ["bitlkDump", image], { encoding: "utf8" }).stdout).toContain("aes");
  expect(spawnSync("bdeinfo", ["-r", key, image]).status).toBe(0);
  const plain = join(workspace.path, "opened.img");
  dislock(image, key, plain);
  const manifest = ntfsRead(plain, "DriveManifest.xml");
  expect(fs.readFileSync(driveInfoPath(), "utf8")).toContain(
    createHash("md5").update(manifest).digest("hex").toUpperCase(),
  );
  for (const [id, source] of Object.entries(sessions)) {
    const names = filesOf(source);
    for (const name of names) {
      const onDrive = ntfsRead(plain, `${id}/0/${name}`);
      expect(onDrive.equals(fs.readFileSync(join(workspace.path, source, name))), name).toBe(true);
      expect(manifest.includes(`\\${id}\\0\\${name.replaceAll("/", "\\")}<`), name).toBe(true);
    }
  }
  fs.unlinkSync(plain);
}

function manifestHash(): string | undefined {
  return /\b[0-9A-F]{32}\b/.exec(fs.readFileSync(driveInfoPath(), "utf8"))?.[0];
}

function driveInfoPath(): string {
  const name = fs.readdirSync(workspace.path).find((one) => /^MOCK[0-9A-F]{12}\.xml$/.test(one));
  return join(workspace.path, name ?? "no file of the drive");
}

const REAL = HAS_NTFS && HAS_READERS;
const where = REAL ? "" : " (left out: ntfs-3g, attr, FUSE, cryptsetup, bdeinfo or dislocker is missing)";

describe.skipIf(!REAL)(`prep-import onto a drive image${where}`, () => {
  it("makes an image of 256 MiB that others open with the key from the journal", async () => {
    const { exitCode, stdout, stderr } = await prepare();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(fs.statSync(image).size).toBe(256 * 1024 * 1024);
    const key = keyOfJournal();
    expect(stdout).not.toContain(key.slice(0, 13));
    const summary = jsonLines(stdout).at(-1) as { drives: { checks: { tool: string; ok: boolean }[] }[] };
    expect(summary.drives[0]?.checks.map(({ tool, ok }) => `${tool.split(" ")[0]} ${ok}`)).toEqual([
      "cryptsetup true",
      "bdeinfo true",
      "dislocker-metadata true",
    ]);
    expectPrepared(key, { "day#1": "source" });
  });

  it.each([
    ["while the volume is made", /"state":"encrypting"/],
    ["when it is ready", /"state":"ready"/],
    ["while files are copied", /"type":"progress"/],
    ["when the manifest is written", /"type":"drive-sealed"/],
    ["while the image is encrypted", /"state":"closing","percent":[1-9]/],
  ])("goes on after being killed %s", async (_, pattern) => {
    const killed = await prepare([], killWhen(pattern));
    expect(killed.signal).toBe("SIGKILL");
    const { exitCode, stdout } = await prepare();
    expect({ exitCode, state: jsonLines(stdout).at(-1)?.state }).toEqual({ exitCode: 0, state: "completed" });
    expectPrepared(keyOfJournal(), { "day#1": "source" });
  });

  it("stopped by Ctrl-C it leaves nothing mounted, and goes on", async () => {
    const stopped = await prepare([], {
      onStart: (child) => {
        child.stdout?.on("data", (text: string) => {
          if (/"state":"ready"/.test(text)) child.kill("SIGINT");
        });
      },
    });
    expect(stopped.exitCode).toBe(130);
    expect(mountsBelow(workspace.path)).toEqual([]);
    expect((await prepare()).exitCode).toBe(0);
    expectPrepared(keyOfJournal(), { "day#1": "source" });
  });

  it("takes a later session, and gives it back when that is rolled back", async () => {
    await prepare();
    writeSource("more", 3);
    writeDataset("more.csv", "more");
    expect((await later("day#2", "more.csv")).exitCode).toBe(0);
    expectPrepared(keyOfJournal(), { "day#1": "source", "day#2": "more" });
    const before = manifestHash();
    writeSource("third", 2);
    writeDataset("third.csv", "third");
    const inputs = ["/j:trip.jrn", "/id:day#3", "/DataSet:third.csv", "/silentmode", "--json"];
    await workspace.run(["PrepImport", ...inputs], killWhen(/"state":"closing"/));
    const aborted = await workspace.run(["PrepImport", "/j:trip.jrn", "/id:day#3", "/AbortSession", "--json"]);
    expect(aborted.exitCode).toBe(0);
    expect(manifestHash()).toBe(before);
    expectPrepared(keyOfJournal(), { "day#1": "source", "day#2": "more" });
  });

  it("rolls a first session back that did not get to its end", async () => {
    await prepare([], killWhen(/"type":"progress"/));
    const aborted = await workspace.run(["PrepImport", "/j:trip.jrn", "/id:day#1", "/AbortSession", "--json"]);
    expect(aborted.exitCode).toBe(0);
    expect(mountsBelow(workspace.path)).toEqual([]);
    expect(fs.existsSync(`${image}.plain`)).toBe(false);
  });

  it("uses an image that somebody encrypted, and keeps what is in it", async () => {
    const key = generateBitLockerKey(systemRandom);
    const encryption = createLinuxEncryption(realPorts(workspace.path));
    const drive = imageAt(image, 64 * 1024 * 1024);
    await encryption.encrypt(drive, key, { format: { label: "THEIRS" } });
    const opened = await encryption.open?.(drive, key);
    fs.writeFileSync(join(opened?.root ?? "", "theirs.txt"), "theirs");
    await encryption.close?.(drive, key);

    writeDriveset("AlreadyFormatted", "AlreadyEncrypted", generateBitLockerKey(systemRandom));
    expect((await prepare()).exitCode).toBe(8);
    writeDriveset("AlreadyFormatted", "AlreadyEncrypted", key);
    expect((await prepare()).exitCode).toBe(0);
    expect(keyOfJournal()).toBe(key);
    expectPrepared(key, { "day#1": "source" });
    const plain = join(workspace.path, "opened.img");
    dislock(image, key, plain);
    expect(ntfsRead(plain, "theirs.txt").toString()).toBe("theirs");

    // With another journal its manifest would be lost.
    const other = await prepare(["/j:other.jrn"]);
    expect(other.exitCode).toBe(5);
    expect(other.stdout).toContain("DRIVE_HAS_MANIFEST");
  });

  it("a plan changes nothing; what cannot become a drive is refused before anything is written", async () => {
    const inputs = ["/j:trip.jrn", "/id:day#1", "/InitialDriveSet:drives.csv", "/DataSet:data.csv"];
    const size = ["--image-size", `${image}=256MiB`];
    expect((await workspace.run(["plan", ...inputs, ...size])).exitCode).toBe(0);
    expect(fs.existsSync(image)).toBe(false);
    expect((await workspace.run(["PrepImport", ...inputs, "/silentmode"])).exitCode).toBe(5);
    fs.writeFileSync(image, Buffer.alloc(1024 * 1024));
    expect((await workspace.run(["PrepImport", ...inputs, "/silentmode"])).exitCode).toBe(5);
    fs.truncateSync(image, 64 * 1024 * 1024);
    writeDriveset("AlreadyFormatted", "Encrypt", "");
    expect((await workspace.run(["PrepImport", ...inputs, "/silentmode"])).exitCode).toBe(8);
    expect(fs.existsSync(join(workspace.path, "trip.jrn"))).toBe(false);
  });
});
