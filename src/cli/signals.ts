/**
 * Ctrl-C and `kill` for commands that keep state: the first asks the command to stop at the next safe point, the second
 * ends the process at once. Commands that keep no state never call this and die as any program does.
 */
import { ExitCode } from "../platform/exit-codes.ts";

export interface Interruption {
  signal: AbortSignal;
  /** The exit code that the signal stands for; undefined while none came. */
  exitCode: () => ExitCode | undefined;
  dispose: () => void;
}

export function watchSignals(onFirst: (name: "SIGINT" | "SIGTERM") => void): Interruption {
  const controller = new AbortController();
  let code: ExitCode | undefined;
  const stop = (name: "SIGINT" | "SIGTERM"): void => {
    if (code !== undefined) process.exit(code);
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
    dispose: () => {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
    },
  };
}
