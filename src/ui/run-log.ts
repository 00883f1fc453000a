/**
 * The log of one run in the directory of /logdir: `<journal>_<UTC time>_<verb>.log`, one line per event, for people.
 * Secrets are hidden, names are made harmless. A log that cannot be written never stops a preparation.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { describeErrno, UsageError } from "../platform/app-error.ts";
import type { Clock } from "../platform/clock.ts";
import type { PrepEvent, PrepOutcome } from "../prep/prep-contract.ts";
import type { Redaction } from "./output.ts";
import { safeText } from "./safe-text.ts";

export interface RunLog {
  readonly path: string;
  event(event: PrepEvent): void;
  line(text: string): void;
  outcome(outcome: PrepOutcome): void;
  close(): void;
}

export interface RunLogOptions {
  directory: string;
  journalPath: string;
  verb: string;
  clock: Clock;
  redaction: Redaction;
}

/** Progress is logged this often. */
const PROGRESS_INTERVAL_MS = 60_000;

export function openRunLog(options: RunLogOptions): RunLog {
  const journal = basename(options.journalPath, extname(options.journalPath));
  const time = isoSeconds(options.clock).replaceAll(/[-:]/g, "");
  const path = join(options.directory, `${journal}_${time}_${options.verb}.log`);
  let fd: number | undefined = open(options.directory, path);
  let lastProgressMs = Number.NEGATIVE_INFINITY;

  const line = (text: string): void => {
    if (fd === undefined) return;
    try {
      writeSync(fd, `${isoSeconds(options.clock)}  ${safeText(options.redaction.redact(text))}\n`);
    } catch {
      // A full disk under the log: the drives matter more.
      closeQuietly(fd);
      fd = undefined;
    }
  };
  return {
    path,
    line,
    event: (event) => {
      if (event.type === "progress" || event.type === "walk") {
        const nowMs = options.clock.monotonicMs();
        const isDue = nowMs - lastProgressMs >= PROGRESS_INTERVAL_MS || (event.type === "walk" && event.done);
        if (!isDue) return;
        lastProgressMs = nowMs;
      }
      line(eventLine(event));
    },
    outcome: (outcome) => {
      line(
        `outcome: ${outcome.state}, exit code ${outcome.exitCode}, ${outcome.files} files, ${outcome.bytes} bytes, ${Math.round(outcome.elapsedMs)} ms`,
      );
    },
    close: () => {
      if (fd !== undefined) closeQuietly(fd);
      fd = undefined;
    },
  };
}

function open(directory: string, path: string): number {
  try {
    mkdirSync(directory, { recursive: true });
    return openSync(path, "a", 0o600);
  } catch (error) {
    throw new UsageError("USAGE_BAD_VALUE", `cannot write a log in "${directory}": ${describeErrno(error)}`, {
      hint: "give another directory with /logdir",
      cause: error,
    });
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Nothing depends on it.
  }
}

function isoSeconds(clock: Clock): string {
  return `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;
}

function eventLine(event: PrepEvent): string {
  switch (event.type) {
    case "session":
      return `session ${event.sessionId}: ${event.action}, journal ${event.journal}`;
    case "notice":
    case "warning":
      return `${event.type}: ${event.message}${event.code === undefined ? "" : ` [${event.code}]`}`;
    case "walk":
      return `walk: ${event.files} files, ${event.bytes} bytes${event.done ? ", done" : ""}`;
    case "plan":
      return [
        `plan: ${event.plan.files} files, ${event.plan.bytes} bytes, ${event.plan.unplacedFiles} do not fit`,
        ...event.plan.drives.map(
          (drive) =>
            `${drive.driveId} at ${drive.place}: ${drive.files} files, ${drive.bytes} bytes, encryption ${drive.encryption}`,
        ),
      ].join("; ");
    case "drive-state":
      return `drive ${event.driveId}: ${event.state}${event.percent === undefined ? "" : ` ${Math.floor(event.percent)}%`}`;
    case "progress":
      return `progress: ${event.files} of ${event.totalFiles} files, ${event.bytes} of ${event.totalBytes} bytes, ${Math.round(event.elapsedMs)} ms`;
    case "file-not-done":
      return `not done: "${event.sourcePath}": ${event.reason} [${event.code}]`;
    case "drive-failed":
      return `drive ${event.driveId} failed: ${event.reason} [${event.code}]`;
    case "drive-sealed":
      return `drive ${event.drive.driveId} sealed: ${event.drive.blobs} blobs, ${event.drive.bytes} bytes, manifest ${event.drive.manifestPath}, hash ${event.drive.manifestHash}, encryption ${event.drive.encryption}`;
  }
}
