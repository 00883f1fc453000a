/**
 * Progress of a preparation or verification: bars on a terminal, elsewhere a plain line every few seconds, with `--json`
 * one object a second.
 */
import type { Clock } from "../platform/clock.ts";
import type { Output } from "./output.ts";
import { type BarRegion, createBars } from "./progress-bars.ts";
import { type Progress, RateMeter } from "./rate.ts";
import { safeText } from "./safe-text.ts";
import { formatCount, formatRate, formatSize, formatSpan, percentOf } from "./sizes.ts";

export interface ProgressRow extends Progress {
  /** Drive id, or the name of the sum. */
  name: string;
  /** Shown instead of rate and time left. */
  state?: string | undefined;
}

export interface ProgressReport {
  rows: readonly ProgressRow[];
  total: ProgressRow;
  earlierBytes: number;
  elapsedMs: number;
}

const PLAIN_INTERVAL_MS = 5_000;
const JSON_INTERVAL_MS = 1_000;

export class ProgressView {
  readonly #output: Output;
  readonly #stream: NodeJS.WritableStream;
  readonly #clock: Clock;
  readonly #meters = new Map<string, RateMeter>();
  #bars: BarRegion | undefined;
  #lastShownMs = Number.NEGATIVE_INFINITY;

  constructor(output: Output, stream: NodeJS.WritableStream, clock: Clock) {
    this.#output = output;
    this.#stream = stream;
    this.#clock = clock;
  }

  show(report: ProgressReport): void {
    const total = this.#meter("", report.total, report.elapsedMs, report.earlierBytes);
    for (const row of report.rows) this.#meter(row.name, row, report.elapsedMs, 0);
    const isDone = report.total.bytes >= report.total.totalBytes && report.total.files >= report.total.totalFiles;
    if (this.#output.json) {
      if (!this.#isDue(JSON_INTERVAL_MS) && !isDone) return;
      this.#output.jsonLine("progress", toJson(report, total));
    } else if (this.#output.quiet) {
      return;
    } else if (this.#output.diagnosisTerminal.isInteractive) {
      this.#draw(report);
    } else if (this.#isDue(PLAIN_INTERVAL_MS)) {
      this.#output.diagnosis(`${percentText(report.total)}  ${describeRow(report.total, total)}\n`);
    }
  }

  /** Counting without a known total, as while sources are walked. */
  showCount(what: string, files: number, bytes: number, isDone: boolean): void {
    if (this.#output.quiet && !this.#output.json) return;
    if (!isDone && !this.#isDue(this.#output.json ? JSON_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
    if (this.#output.json) this.#output.jsonLine("walk", { files, bytes, done: isDone });
    else
      this.#output.diagnosis(`${what}: ${formatCount(files)} files, ${formatSize(bytes)}${isDone ? "" : " so far"}\n`);
  }

  close(): void {
    if (this.#bars !== undefined) this.#output.setLiveRegion(undefined);
    this.#bars = undefined;
  }

  #draw(report: ProgressReport): void {
    if (this.#bars === undefined) {
      this.#bars = createBars(this.#stream);
      this.#output.setLiveRegion(this.#bars);
    }
    const rows =
      report.rows.length > 1 ? [...report.rows, report.total] : report.rows.length === 1 ? report.rows : [report.total];
    this.#bars.draw(
      rows.map((row) => ({
        name: safeText(row.name),
        percent: percentOf(row.bytes, row.totalBytes),
        text: describeRow(row, this.#meters.get(row === report.total ? "" : row.name)),
      })),
    );
  }

  #meter(name: string, progress: Progress, elapsedMs: number, earlierBytes: number): RateMeter {
    const meter = this.#meters.get(name) ?? new RateMeter();
    this.#meters.set(name, meter);
    meter.observe(progress, elapsedMs, earlierBytes);
    return meter;
  }

  #isDue(intervalMs: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastShownMs < intervalMs) return false;
    this.#lastShownMs = nowMs;
    return true;
  }
}

function percentText(row: Progress): string {
  return `${String(percentOf(row.bytes, row.totalBytes)).padStart(3)}%`;
}

export function describeRow(row: ProgressRow, meter: RateMeter | undefined): string {
  const files = `${formatCount(Math.min(row.files, row.totalFiles))}/${formatCount(row.totalFiles)} files`;
  const bytes = `${formatSize(Math.min(row.bytes, row.totalBytes))} of ${formatSize(row.totalBytes)}`;
  if (row.state !== undefined) return `${files}  ${bytes}  ${row.state}`;
  if (row.bytes >= row.totalBytes && row.files >= row.totalFiles) return `${files}  ${bytes}  done`;
  const leftMs = meter?.leftMs(row);
  const left = leftMs === undefined ? "time left unknown" : `${formatSpan(leftMs)} left`;
  return `${files}  ${bytes}  ${formatRate(meter?.bytesPerSecond)}  ${left}`;
}

function toJson(report: ProgressReport, meter: RateMeter): object {
  const row = ({ name, ...rest }: ProgressRow): object => ({ driveId: name, ...rest });
  const { files, bytes, totalFiles, totalBytes } = report.total;
  const leftMs = meter.leftMs(report.total);
  return {
    files,
    bytes,
    totalFiles,
    totalBytes,
    earlierBytes: report.earlierBytes,
    elapsedMs: report.elapsedMs,
    bytesPerSecond: meter.bytesPerSecond === undefined ? null : Math.round(meter.bytesPerSecond),
    leftMs: leftMs === undefined ? null : Math.round(leftMs),
    drives: report.rows.map(row),
  };
}
