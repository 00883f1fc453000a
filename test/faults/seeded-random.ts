import { createHash } from "node:crypto";
import type { Random } from "../../src/platform/random.ts";

/** Numbers from 0 to 1 that depend on the seed only. */
export function seededRandom(seed: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bf03635) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The `Random` port over a seed. */
export function seededBytes(seed: string): Random {
  let count = 0;
  return {
    bytes: (length) => {
      const parts: Buffer[] = [];
      for (let have = 0; have < length; have += 32)
        parts.push(createHash("sha256").update(`${seed} ${count++}`).digest());
      return Buffer.concat(parts).subarray(0, length);
    },
  };
}
