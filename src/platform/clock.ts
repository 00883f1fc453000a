/** Time as a parameter: tests move it, the rest of the code never reads the system clock itself. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. */
  nowMs(): number;
  /** For measuring spans; never goes backwards. Milliseconds from an arbitrary start. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
