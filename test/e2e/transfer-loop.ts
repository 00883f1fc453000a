/**
 * A large round trip through the built command and a blob store on disk: prepare, import, export, verify, compare. Fails
 * when a byte differs or when the memory of a transfer grows with its blobs.
 *
 *   --files <count>      small files (default: 100,000)
 *   --large-mib <count>  one large file beside them, in MiB (default: 4,800; together with the small ones 5 GB)
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startStoreProcess } from "../support/azurite-process.ts";

const COMMAND = fileURLToPath(new URL("../../bin/waimportexport.js", import.meta.url));
const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const SAMPLE_MS = 500;
/** How much more a transfer may take at its end than after a quarter of its blobs. */
const MAX_GROWTH_MIB = 64;
const MAX_MIB = 400;

const { values } = parseArgs({ options: { files: { type: "string" }, "large-mib": { type: "string" } } });
const files = Number(values.files ?? 100_000);
const largeMib = Number(values["large-mib"] ?? 4_800);

const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "waie-transfer-")));
const drive = join(root, "drive");
const back = join(root, "back");

function makeSources(): void {
  for (const name of [drive, back, join(root, "store"), join(root, "source")]) fs.mkdirSync(name);
  for (let i = 0; i < files; i++) {
    const folder = join(root, "source", `d${i % 500}`);
    if (i < 500) fs.mkdirSync(folder);
    fs.writeFileSync(join(folder, `f${i}.dat`), Buffer.alloc(100 + (i % 4000), i & 255));
  }
  const fd = fs.openSync(join(root, "source", "large.bin"), "w");
  const mib = Buffer.alloc(1024 * 1024, "large");
  for (let i = 0; i < largeMib; i++) {
    mib.writeUInt32LE(i);
    fs.writeSync(fd, mib);
  }
  fs.closeSync(fd);
  fs.writeFileSync(
    join(root, "data.csv"),
    `BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n${root}/source/,box/,BlockBlob,rename,None,None\n`,
  );
  fs.writeFileSync(
    join(root, "drives.csv"),
    `DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n${drive},AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`,
  );
}

interface RunResult {
  last: Record<string, unknown>;
  /** Resident memory with the share of blobs done, MiB. */
  samples: { share: number; mib: number }[];
  elapsedMs: number;
}

async function run(...args: string[]): Promise<RunResult> {
  const started = performance.now();
  const child = spawn(process.execPath, [COMMAND, ...args, "--json"], {
    cwd: root,
    env: { PATH: process.env.PATH, WAIMPORTEXPORT_STATE_DIR: join(root, "state") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const samples: RunResult["samples"] = [];
  let share = 0;
  let last: Record<string, unknown> = {};
  let carried = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (carried + text).split("\n");
    carried = lines.pop() ?? "";
    for (const line of lines) {
      last = JSON.parse(line) as Record<string, unknown>;
      if (last.type === "progress") share = Number(last.files) / Number(last.totalFiles);
    }
  });
  const timer = setInterval(() => {
    const mib = residentMib(child.pid);
    if (mib !== undefined) samples.push({ share, mib });
  }, SAMPLE_MS);
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(timer);
  if (exitCode !== 0) throw new Error(`${args.slice(0, 2).join(" ")} ended with ${exitCode}: ${JSON.stringify(last)}`);
  return { last, samples, elapsedMs: performance.now() - started };
}

/** Linux only; elsewhere memory is not checked. */
function residentMib(pid: number | undefined): number | undefined {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  } catch {
    return undefined;
  }
}

function checkMemory(what: string, { samples, elapsedMs }: RunResult): void {
  const peak = (from: number, to: number): number =>
    Math.max(0, ...samples.filter(({ share }) => share >= from && share <= to).map(({ mib }) => mib));
  const early = peak(0, 0.25);
  const late = peak(0.75, 1);
  const perSecond = Math.round(files / (elapsedMs / 1000));
  console.log(
    `${what}: ${(elapsedMs / 1000).toFixed(1)} s, ${perSecond} blobs/s, ${early.toFixed(0)} MiB early, ${late.toFixed(0)} MiB late`,
  );
  if (early > 0 && late > early + MAX_GROWTH_MIB) throw new Error(`${what}: memory grows with the blobs`);
  if (late > MAX_MIB) throw new Error(`${what}: ${late} MiB are too much`);
}

function hashOf(path: string): string {
  const hash = createHash("sha256");
  const fd = fs.openSync(path, "r");
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  for (let count = fs.readSync(fd, buffer); count > 0; count = fs.readSync(fd, buffer))
    hash.update(buffer.subarray(0, count));
  fs.closeSync(fd);
  return hash.digest("hex");
}

function compare(): number {
  let compared = 0;
  for (const entry of fs.readdirSync(join(root, "source"), { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const copy = source.replace(join(root, "source"), join(back, "box"));
    if (hashOf(source) !== hashOf(copy)) throw new Error(`"${copy}" differs from "${source}"`);
    compared += 1;
  }
  return compared;
}

try {
  makeSources();
  const store = await startStoreProcess(join(root, "store"));
  fs.writeFileSync(join(root, "account.txt"), store.connectionString);
  const account = ["--connection-string-file", "account.txt"];
  try {
    await run("PrepImport", "/j:trip.jrn", "/id:long", "/InitialDriveSet:drives.csv", "/DataSet:data.csv");
    const imported = await run("transfer", "import", "drive", "/j:trip.jrn", "--log-level", "verbose", ...account);
    checkMemory("import", imported);
    fs.rmSync(drive, { recursive: true });
    const exported = await run("transfer", "export", "--prefix", "/box/", "--drive", "back", ...account);
    checkMemory("export", exported);
    const [report] = exported.last.drives as { manifestFile: string; manifestHash: string }[];
    await run(
      "verify",
      "back",
      "--manifest-file",
      report?.manifestFile ?? "",
      "--manifest-hash",
      report?.manifestHash ?? "",
    );
    console.log(`${compare()} files are the same after prepare, import and export`);
  } finally {
    await store.stop();
  }
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}
