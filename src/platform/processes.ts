/**
 * Running other programs. No shell is ever involved, arguments go as they are, and secrets only through `input`: what a
 * program is started with can be read by every user of the machine.
 *
 * A failed run is a result, not an exception: most callers probe whether a program is there and have another way.
 */
import spawn, { type SubprocessError } from "nano-spawn";

export interface RunOptions {
  /** Written to the program's standard input, UTF-8; absent: standard input is empty. */
  input?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Added to the environment; `LC_ALL=C` is always set so that output can be parsed. */
  env?: Readonly<Record<string, string>>;
}

export interface ProcessResult {
  /** -1 when `failure` is set. */
  exitCode: number;
  /** Without the final newline. */
  stdout: string;
  stderr: string;
  /** The program did not end by itself: it is not installed, took too long, was killed, or the caller gave up. */
  failure?: "missing" | "not-startable" | "timed-out" | "killed" | "canceled";
}

export interface ProcessRunner {
  /** On Windows name programs with their `.exe`, so that no command interpreter is needed to find them. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<ProcessResult>;
}

/** Starts real programs. */
export const systemProcessRunner: ProcessRunner = {
  async run(command, args, options = {}) {
    const timer = options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs);
    const signals = [options.signal, timer].filter((signal) => signal !== undefined);
    try {
      const { stdout, stderr } = await spawn(command, [...args], {
        stdin: options.input === undefined ? "ignore" : { string: options.input },
        env: { LC_ALL: "C", ...options.env },
        windowsHide: true,
        ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals), killSignal: "SIGKILL" }),
      });
      return { exitCode: 0, stdout, stderr };
    } catch (error) {
      return toFailedResult(error as SubprocessError, options.signal, timer);
    }
  },
};

function toFailedResult(error: SubprocessError, caller?: AbortSignal, timer?: AbortSignal): ProcessResult {
  const output = { stdout: error.stdout ?? "", stderr: error.stderr ?? "" };
  if (caller?.aborted) return { exitCode: -1, ...output, failure: "canceled" };
  if (timer?.aborted) return { exitCode: -1, ...output, failure: "timed-out" };
  if (error.exitCode !== undefined) return { exitCode: error.exitCode, ...output };
  if (error.signalName !== undefined) return { exitCode: -1, ...output, failure: "killed" };
  const missing = (error.cause as { code?: unknown } | undefined)?.code === "ENOENT";
  return { exitCode: -1, ...output, failure: missing ? "missing" : "not-startable" };
}

/** Why a run did not succeed, in words, for a message; the program's own words where it said any. */
export function describeRun(command: string, result: ProcessResult): string {
  switch (result.failure) {
    case "missing":
      return `${command} is not installed`;
    case "not-startable":
      return `${command} cannot be started`;
    case "timed-out":
      return `${command} took too long`;
    case "killed":
      return `${command} was killed`;
    case "canceled":
      return `${command} was stopped`;
    default: {
      const firstLine = (result.stderr.trim() || result.stdout.trim()).split("\n", 1)[0];
      return firstLine ? `${command} says: ${firstLine}` : `${command} ended with exit code ${result.exitCode}`;
    }
  }
}
