/** Programs of the system that work on volumes: where they are, which package has them, how their failures are told. */
import { EncryptionError } from "../../platform/app-error.ts";
import { describeRun, type ProcessResult, type ProcessRunner, type RunOptions } from "../../platform/processes.ts";

/** Package of Debian and Ubuntu; other distributions use the same or a similar name. */
const PACKAGE: Readonly<Record<string, string>> = {
  mkntfs: "ntfs-3g",
  "ntfs-3g": "ntfs-3g",
  setfattr: "attr",
  fusermount3: "fuse3",
  cryptsetup: "cryptsetup-bin",
  bdeinfo: "libbde-utils",
  "dislocker-metadata": "dislocker",
};

/** An ordinary user's search path often leaves these out. */
const SYSTEM_DIRECTORIES = ["/usr/sbin", "/sbin"];

export function packageOf(tool: string): string {
  return PACKAGE[tool] ?? tool;
}

/** Runs a program by its name, wherever it is. */
export async function runTool(
  runner: ProcessRunner,
  tool: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProcessResult> {
  let result = await runner.run(tool, args, options);
  for (const directory of SYSTEM_DIRECTORIES) {
    if (result.failure !== "missing") break;
    result = await runner.run(`${directory}/${tool}`, args, options);
  }
  return result;
}

/** The same for steps that must succeed. `purpose` completes "cannot ...". */
export async function requireTool(
  runner: ProcessRunner,
  purpose: string,
  tool: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProcessResult> {
  const result = await runTool(runner, tool, args, options);
  if (result.exitCode === 0) return result;
  options.signal?.throwIfAborted();
  const hint = result.failure === "missing" ? { hint: `install the package ${packageOf(tool)}` } : {};
  throw new EncryptionError("ENCRYPTION_FAILED", `cannot ${purpose}: ${describeRun(tool, result)}`, hint);
}

/** Which of the programs are not installed. */
export async function missingTools(runner: ProcessRunner, tools: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const tool of tools) {
    const result = await runTool(runner, tool, ["--version"], { timeoutMs: 10_000 });
    if (result.failure === "missing") missing.push(tool);
  }
  return missing;
}
