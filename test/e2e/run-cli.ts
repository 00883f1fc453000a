/** Spawns the built command as a user would, with a private directory for what it keeps about the machine. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const DIST = join(root, "dist");
export const COMMAND = join(root, "bin", "waimportexport.js");

export interface CliResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string;
  /** Called once with the process, to send it signals. */
  onStart?: (child: ReturnType<typeof spawn>) => void;
}

export interface Workspace {
  /** A new temporary directory, its real path. */
  path: string;
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  remove(): void;
}

export function createWorkspace(): Workspace {
  if (!existsSync(join(DIST, "main.js"))) throw new Error("build first: npm run build");
  const path = realpathSync(mkdtempSync(join(tmpdir(), "waimportexport-e2e-")));
  return {
    path,
    run: (args, options = {}) =>
      runCli(args, { cwd: path, ...options, env: { WAIMPORTEXPORT_STATE_DIR: join(path, ".state"), ...options.env } }),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: options.cwd,
      // Colours and prompts must not depend on who runs the tests.
      env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.on("error", reject);
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, ...output }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? "");
    options.onStart?.(child);
  });
}

/** The objects of `--json` output; fails on a line that is none. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
