/**
 * Ctrl-C and `kill` for commands that keep state: the first asks the command to stop at the next safe point, the second
 * ends the process at once. Commands that keep no state never call this and die as any program does.
 */
import { CanceledError } from "../platform/app-error.ts";
import { ExitCode } from "../platform/exit-codes.ts";
import type { Output } from "../ui/output.ts";

export interface Interruption {
  signal: AbortSignal;
  /** The exit code that the signal stands for; undefined while none came. */
  exitCode: () => ExitCode | undefined;
  /** As if Ctrl-C was pressed; for a question that has taken the key for itself. */
  interrupt: () => void;
  dispose: () => void;
}

/** `beforeExit` puts the terminal right when the second signal ends the process. */
export function watchSignals(onFirst: (name: "SIGINT" | "SIGTERM") => void, beforeExit: () => void): Interruption {
  const controller = new AbortController();
  let code: ExitCode | undefined;
  const stop = (name: "SIGINT" | "SIGTERM"): void => {
    if (code !== undefined) {
      beforeExit();
      process.exit(code);
    }
    code = name === "SIGINT" ? ExitCode.Interrupted : ExitCode.Terminated;
    onFirst(name);
    controller.abort();
  };
  const onInterrupt = (): void => stop("SIGINT");
  const onTerminate = (): void => stop("SIGTERM");
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  return {
    signal: controller.signal,
    exitCode: () => code,
    interrupt: onInterrupt,
    dispose: () => {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
    },
  };
}

/** The exit code of a command that stopped because it was told to; any other error goes on its way. */
export function exitCodeOfStop(error: unknown, interruption: Interruption, output: Output): ExitCode {
  const stoppedBy = interruption.exitCode();
  if (stoppedBy === undefined || !(error instanceof CanceledError)) throw error;
  output.error(error);
  return stoppedBy;
}
