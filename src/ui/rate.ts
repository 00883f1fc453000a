/**
 * Smoothed speed and the time that is left. A plan with many small files is slower in bytes than one with few large ones,
 * so time left is told from work rather than bytes: each file counts as some extra bytes.
 */

/** Opening, closing and recording a file takes about as long as copying this much. */
const FILE_WORK_BYTES = 64 * 1024;
/** After this time an observation weighs 1/e. */
const SMOOTHING_MS = 10_000;
/** Before this much has been seen, a time left would be a guess. */
const STABLE_AFTER_MS = 3_000;

export interface Progress {
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
}

export class RateMeter {
  #last: { atMs: number; bytes: number; work: number } | undefined;
  #observedMs = 0;
  #bytesPerMs = 0;
  #workPerMs = 0;

  /** `earlierBytes` were done by earlier runs: they count as progress, not as speed. */
  observe(progress: Pick<Progress, "files" | "bytes">, atMs: number, earlierBytes = 0): void {
    const bytes = progress.bytes - earlierBytes;
    const work = bytes + progress.files * FILE_WORK_BYTES;
    const last = this.#last;
    if (last === undefined) {
      this.#last = { atMs, bytes, work };
      return;
    }
    const spanMs = atMs - last.atMs;
    if (spanMs <= 0) return;
    this.#observedMs += spanMs;
    // Weighted by time, so that irregular events smooth alike; the first span is taken as it is.
    const weight = this.#observedMs === spanMs ? 1 : 1 - Math.exp(-spanMs / Math.min(SMOOTHING_MS, this.#observedMs));
    this.#bytesPerMs += weight * (Math.max(0, bytes - last.bytes) / spanMs - this.#bytesPerMs);
    this.#workPerMs += weight * (Math.max(0, work - last.work) / spanMs - this.#workPerMs);
    this.#last = { atMs, bytes, work };
  }

  get bytesPerSecond(): number | undefined {
    return this.#observedMs === 0 ? undefined : this.#bytesPerMs * 1000;
  }

  /** Undefined until the speed is stable, and while nothing moves. */
  leftMs(progress: Progress): number | undefined {
    if (this.#observedMs < STABLE_AFTER_MS || this.#workPerMs <= 0) return undefined;
    const bytes = Math.max(0, progress.totalBytes - progress.bytes);
    const files = Math.max(0, progress.totalFiles - progress.files);
    return (bytes + files * FILE_WORK_BYTES) / this.#workPerMs;
  }
}
