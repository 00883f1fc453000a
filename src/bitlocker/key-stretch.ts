/**
 * From the 16 bytes of a recovery key to the key that opens a volume: a fixed number of SHA-256 rounds over one 88-byte
 * record. Takes about a second on purpose, so only `stretch-thread.ts` runs it outside tests.
 */
import * as crypto from "node:crypto";

const ROUNDS = 0x100000;
export const SALT_BYTES = 16;
const INITIAL_AT = 32;
const SALT_AT = 64;
const COUNTER_AT = 80;
const RECORD_BYTES = 88;

/** The 32-byte key; the caller zeroes it. */
export function stretchKey(recoveryKey: Buffer, salt: Buffer, rounds = ROUNDS): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  crypto.createHash("sha256").update(recoveryKey).digest().copy(record, INITIAL_AT);
  salt.copy(record, SALT_AT, 0, SALT_BYTES);
  // One call a round; an object for each costs twice the time.
  const { hash } = crypto;
  for (let round = 0; round < rounds; round++) {
    record.writeUInt32LE(round, COUNTER_AT);
    hash("sha256", record, "buffer").copy(record, 0);
  }
  const key = Buffer.from(record.subarray(0, INITIAL_AT));
  record.fill(0);
  return key;
}
