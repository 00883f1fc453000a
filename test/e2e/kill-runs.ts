/**
 * Preparations by the built command that are killed (SIGKILL) after random times and called again until they are
 * complete, compared with one that was left alone. Used by the suite (a few) and by kill-loop.ts (many).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { seededRandom } from "../faults/seeded-random.ts";
import { bytesOf } from "../prep/workbench.ts";
import type { Workspace } from "./run-cli.ts";

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const DRIVES = ["drive-1", "drive-2"];
/** A session that is not complete after so many calls never will be. */
const MAX_CALLS = 200;
const TORN_LOCK_MS = 10_500;

export interface KillPlan {
  /** Small files; sizes from 0 to `smallBytes`. */
  files: number;
  smallBytes: number;
  /** Sizes of the large ones. */
  large: readonly number[];
  /** As `--bandwidth-limit` takes it: stretches the copying, so that kills fall into it. */
  bandwidthLimit: string;
  kills: number;
  seed: number;
}

export interface KillReport {
  kills: number;
  /** Sessions that were brought to their end. */
  sessions: number;
  /** Calls that had to wait for a lock file which a kill had left empty. */
  tornLocks: number;
  /** Calls after which something differed, with what. Empty: all is well. */
  problems: string[];
}

/** `onKill` is told the number of kills so far. */
export async function killRuns(
  workspace: Workspace,
  plan: KillPlan,
  onKill: (kills: number) => void = () => {},
): Promise<KillReport> {
  writeInputs(workspace.path, plan);
  const started = performance.now();
  const unbroken = await workspace.run(firstCall(plan));
  const unbrokenMs = performance.now() - started;
  if (unbroken.exitCode !== 0) throw new Error(`the unbroken run ended with ${unbroken.exitCode}: ${unbroken.stderr}`);
  const wanted = readResult(workspace.path);
  const random = seededRandom(plan.seed);
  const report: KillReport = { kills: 0, sessions: 0, tornLocks: 0, problems: [] };
  while (report.kills < plan.kills && report.problems.length === 0) {
    clear(workspace.path);
    await killUntilComplete(workspace, plan, report, () => random() * unbrokenMs * 1.1, onKill);
    if (report.problems.length > 0) break;
    report.sessions += 1;
    const found = readResult(workspace.path);
    for (const name of Object.keys({ ...wanted, ...found })) {
      if (wanted[name] === found[name]) continue;
      report.problems.push(`after ${report.kills} kills "${name}" differs: ${found[name]?.slice(0, 500)}`);
    }
  }
  return report;
}

async function killUntilComplete(
  workspace: Workspace,
  plan: KillPlan,
  report: KillReport,
  nextDelayMs: () => number,
  onKill: (kills: number) => void,
): Promise<void> {
  for (let call = 0; call < MAX_CALLS; call++) {
    const resumes = call % 2 === 1 && existsSync(join(workspace.path, "kill.jrn"));
    const delayMs = nextDelayMs();
    // The last calls are left alone when there were enough kills.
    const mayKill = report.kills < plan.kills && call < MAX_CALLS - 1;
    const { exitCode, signal, stderr } = await workspace.run(resumes ? resumeCall(plan) : firstCall(plan), {
      onStart: (child) => {
        if (mayKill) setTimeout(() => child.kill("SIGKILL"), delayMs).unref();
      },
    });
    if (signal === "SIGKILL") {
      report.kills += 1;
      onKill(report.kills);
    } else if (exitCode === 0) return;
    else if (exitCode === 7 && stderr.includes("is being taken by another run right now")) {
      // Killed between creating a lock file and writing into it: such a lock counts for ten seconds.
      report.tornLocks += 1;
      await new Promise((resolve) => setTimeout(resolve, TORN_LOCK_MS));
    } else {
      report.problems.push(`after ${report.kills} kills a call ended with ${exitCode ?? signal}: ${stderr}`);
      return;
    }
  }
  report.problems.push(`not complete after ${MAX_CALLS} calls`);
}

function firstCall(plan: KillPlan): string[] {
  return [
    "PrepImport",
    "/j:kill.jrn",
    "/id:kill#1",
    "/InitialDriveSet:drives.csv",
    "/DataSet:data.csv",
    ...options(plan),
  ];
}

function resumeCall({ bandwidthLimit }: KillPlan): string[] {
  return ["PrepImport", "/j:kill.jrn", "/id:kill#1", "/ResumeSession", "--bandwidth-limit", bandwidthLimit, "--quiet"];
}

function options({ bandwidthLimit }: KillPlan): string[] {
  return ["/silentmode", "--distribute", "spread", "--bandwidth-limit", bandwidthLimit, "--quiet"];
}

function writeInputs(path: string, { files, smallBytes, large, seed }: KillPlan): void {
  const random = seededRandom(seed + 1);
  const write = (name: string, bytes: number): void => {
    mkdirSync(join(path, "source", join(name, "..")), { recursive: true });
    writeFileSync(join(path, "source", name), bytesOf(name, bytes));
  };
  for (let n = 0; n < files; n++) write(`d${n % 11}/e${n % 5}/file ${n}.dat`, Math.floor(random() * smallBytes));
  large.forEach((bytes, n) => {
    write(`large/${n}.bin`, bytes);
  });
  writeFileSync(join(path, "meta.xml"), "<Metadata><made>for tests</made></Metadata>");
  const data = "BasePath,DstItemPathOrPrefix,ItemType,Disposition,MetadataFile,PropertiesFile\n";
  writeFileSync(
    join(path, "data.csv"),
    `${data}${path}/source/,box/in/,BlockBlob,rename,${path}/meta.xml,None\n${path}/source/large/0.bin,box/disk.vhd,PageBlob,overwrite,None,None\n`,
  );
  const drives = "DriveLetter,FormatOption,SilentOrPromptOnFormat,Encryption,ExistingBitLockerKey\n";
  const rows = DRIVES.map((drive) => `${join(path, drive)},AlreadyFormatted,SilentMode,AlreadyEncrypted,${KEY}\n`);
  writeFileSync(join(path, "drives.csv"), `${drives}${rows.join("")}`);
  for (const drive of DRIVES) mkdirSync(join(path, drive));
}

function clear(path: string): void {
  for (const name of readdirSync(path)) {
    if (name.startsWith("kill.") || name.endsWith(".xml") || name === ".state") {
      if (name !== "meta.xml") rmSync(join(path, name), { recursive: true, force: true });
    }
  }
  for (const drive of DRIVES) {
    rmSync(join(path, drive), { recursive: true });
    mkdirSync(join(path, drive));
  }
}

/** Manifests, names and sizes of everything on the drives, and what lies beside the journal in the end. */
function readResult(path: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const drive of DRIVES) {
    result[`${drive}/DriveManifest.xml`] = readFileSync(join(path, drive, "DriveManifest.xml"), "utf8");
    for (const entry of readdirSync(join(path, drive), { recursive: true, withFileTypes: true })) {
      const name = join(entry.parentPath, entry.name);
      result[name] = entry.isFile() ? readFileSync(name).toString("latin1").slice(0, 1_000_000) : "directory";
    }
  }
  result["beside the journal"] = readdirSync(path)
    .filter((name) => name !== ".state" && name !== "source" && !DRIVES.includes(name))
    .sort()
    .join(" ");
  return result;
}
