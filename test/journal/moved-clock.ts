import type { Clock } from "../../src/platform/clock.ts";

/** A clock that stands until it is moved. Starts at 2026-03-01T10:00:00.000Z. */
export class MovedClock implements Clock {
  #elapsedMs = 0;

  nowMs(): number {
    return Date.UTC(2026, 2, 1, 10) + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  move(byMs: number): void {
    this.#elapsedMs += byMs;
  }
}
