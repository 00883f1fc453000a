/**
 * Progress of all drives over a run of unknown length in at most 1,000 points: points of one drive keep a distance in
 * time, which doubles whenever the room is used up.
 */

/** [drive id, elapsed milliseconds, bytes, files] */
export type ProgressPoint = readonly [driveId: string, elapsedMs: number, bytes: number, files: number];

const MAX_POINTS = 1_000;
const FIRST_DISTANCE_MS = 1_000;

export class ProgressSamples {
  #points: ProgressPoint[] = [];
  #distanceMs = FIRST_DISTANCE_MS;
  /** By drive: its last kept point, and the newest one, which is always part of the result. */
  readonly #kept = new Map<string, number>();
  readonly #newest = new Map<string, ProgressPoint>();

  get isEmpty(): boolean {
    return this.#newest.size === 0;
  }

  add(driveId: string, elapsedMs: number, bytes: number, files: number): void {
    const point: ProgressPoint = [driveId, elapsedMs, bytes, files];
    this.#newest.set(driveId, point);
    const last = this.#kept.get(driveId);
    if (last !== undefined && elapsedMs - last < this.#distanceMs) return;
    this.#keep(point);
    while (this.#points.length + this.#newest.size > MAX_POINTS && this.#points.length > this.#newest.size)
      this.#thin();
  }

  /** In order of time; the newest of every drive among them. */
  points(): ProgressPoint[] {
    const last = [...this.#newest.values()].filter((point) => this.#kept.get(point[0]) !== point[1]);
    return [...this.#points, ...last].sort((a, b) => a[1] - b[1]);
  }

  #keep(point: ProgressPoint): void {
    this.#points.push(point);
    this.#kept.set(point[0], point[1]);
  }

  #thin(): void {
    this.#distanceMs *= 2;
    const points = this.#points;
    this.#points = [];
    this.#kept.clear();
    for (const point of points) {
      const last = this.#kept.get(point[0]);
      if (last === undefined || point[1] - last >= this.#distanceMs) this.#keep(point);
    }
  }
}
