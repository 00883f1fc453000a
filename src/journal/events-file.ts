/**
 * `<name>.events.jsonl` beside the journal: what a report wants to know later about each run, one JSON object per line
 * with `type`, `version` and `time` (docs/formats.md, "Events"). For people, not for recovery: it is written in large
 * pieces, a crash may take its last lines, and when it cannot be written the preparation goes on.
 */
import { constants } from "node:fs";
import { describeErrno } from "../platform/app-error.ts";
import type { Clock } from "../platform/clock.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { ProgressSamples } from "./progress-samples.ts";
import { SlowestFiles } from "./slowest-files.ts";

const EVENTS_VERSION = 1;
const FLUSH_CHARACTERS = 64 * 1024;
const OWNER_ONLY = 0o600;
/** The samples of a run are written first after this time, then each time it has doubled: a crash loses at most half. */
const FIRST_SAMPLES_MS = 60_000;
const SECRET_NAME = /[kK]ey|[sS]ecret|[pP]assword|[tT]oken|[cC]redential|^sas|Sas/;

export type EventFacts = Readonly<Record<string, unknown>>;

export class EventsFile {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  #samples = new ProgressSamples();
  #slowest = new SlowestFiles();
  #startedMs: number;
  #nextSamplesMs = FIRST_SAMPLES_MS;
  #lines = "";
  #fd: number | undefined;
  #problem: string | undefined;

  constructor(fs: FileSystem, path: string, clock: Clock) {
    this.#fs = fs;
    this.path = path;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  /** Why nothing more is written, in words; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  runStarted(facts: EventFacts): void {
    this.#samples = new ProgressSamples();
    this.#slowest = new SlowestFiles();
    this.#startedMs = this.#clock.monotonicMs();
    this.#nextSamplesMs = FIRST_SAMPLES_MS;
    this.event("run-started", facts);
  }

  /** How far a drive is: `bytes` and `files` since its session began. Cheap; call it as often as progress is shown. */
  sample(driveId: string, bytes: number, files: number): void {
    const elapsedMs = this.#elapsedMs();
    this.#samples.add(driveId, elapsedMs, bytes, files);
    if (elapsedMs < this.#nextSamplesMs) return;
    this.#nextSamplesMs = elapsedMs * 2;
    this.#writeSamples();
    this.#flush();
  }

  fileTook(path: string, bytes: number, elapsedMs: number): void {
    this.#slowest.add({ path, bytes, elapsedMs });
  }

  fileNotDone(path: string, code: string, reason: string): void {
    this.event("file-not-done", { path, code, reason });
  }

  /** Anything else. Values under names that sound like a secret are left out. */
  event(type: string, facts: EventFacts): void {
    if (this.#problem !== undefined) return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    this.#lines += `${JSON.stringify({ type, version: EVENTS_VERSION, time, ...withoutSecrets(facts) })}\n`;
    if (this.#lines.length >= FLUSH_CHARACTERS) this.#flush();
  }

  /** Writes the run's samples and slowest files, then its end. */
  runEnded(facts: EventFacts): void {
    this.#writeSamples();
    this.event("slowest-files", { files: this.#slowest.sorted() });
    this.event("run-ended", { elapsedMs: this.#elapsedMs(), ...facts });
    this.#flush();
  }

  /** Writes what is still kept back: no later run will tell it again. */
  save(): void {
    this.#flush();
  }

  close(): void {
    this.#flush();
    if (this.#fd !== undefined) this.#attempt(this.#fd, (fd) => this.#fs.close(fd));
    this.#fd = undefined;
  }

  #elapsedMs(): number {
    return Math.round(this.#clock.monotonicMs() - this.#startedMs);
  }

  #writeSamples(): void {
    if (this.#samples.isEmpty) return;
    this.event("samples", { columns: ["driveId", "elapsedMs", "bytes", "files"], points: this.#samples.points() });
  }

  #flush(): void {
    if (this.#lines === "" || this.#problem !== undefined) return;
    const bytes = Buffer.from(this.#lines, "utf8");
    this.#lines = "";
    try {
      this.#fd ??= this.#openAtLineStart();
      writeAll(this.#fs, this.#fd, bytes, null);
    } catch (error) {
      this.#problem = `cannot write "${this.path}": ${describeErrno(error)}`;
    }
  }

  /** Ends a last line that a crash left unfinished; readers skip it. */
  #openAtLineStart(): number {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
    const fd = this.#fs.open(this.path, flags, OWNER_ONLY);
    try {
      const { sizeBytes } = this.#fs.fstat(fd);
      const last = Buffer.alloc(1);
      if (sizeBytes > 0 && this.#fs.read(fd, last, 0, 1, sizeBytes - 1) === 1 && last[0] !== 0x0a) {
        writeAll(this.#fs, fd, Buffer.from("\n"), null);
      }
      return fd;
    } catch (error) {
      this.#attempt(fd, (open) => this.#fs.close(open));
      throw error;
    }
  }

  #attempt(fd: number, action: (fd: number) => void): void {
    try {
      action(fd);
    } catch (error) {
      this.#problem ??= `cannot write "${this.path}": ${describeErrno(error)}`;
    }
  }
}

/** The lines of an events file that can be read, in order; a torn one is left out. */
export function parseEvents(text: string): Record<string, unknown>[] {
  const events: Record<string, unknown>[] = [];
  for (const line of text.split("\n")) {
    const event = parseLine(line);
    if (event !== undefined) events.push(event);
  }
  return events;
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEvent = typeof value === "object" && value !== null && "type" in value && "version" in value;
    return isEvent ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function withoutSecrets(facts: EventFacts): EventFacts {
  return JSON.parse(
    JSON.stringify(facts, (name: string, value: unknown) => {
      if (typeof value === "bigint") return value.toString();
      return SECRET_NAME.test(name) && typeof value === "string" ? undefined : value;
    }),
  ) as EventFacts;
}
