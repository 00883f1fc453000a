import { randomBytes } from "node:crypto";

/** Randomness as a parameter, so that a test can repeat a run bit for bit. */
export interface Random {
  bytes(length: number): Buffer;
}

export const systemRandom: Random = { bytes: (length) => randomBytes(length) };
