/**
 * Datums that hold another datum under a key: AES-256-CCM, 12-byte nonce (time and counter), 16-byte tag, in this order
 * before the ciphertext. A nonce is never used twice with one key: each writer counts on.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { DatumType, encodeDatum } from "./datum.ts";
import { BitLockerFormatError } from "./format-error.ts";

const ALGORITHM = "aes-256-ccm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Hands out nonces for one metadata block. */
export class NonceCounter {
  readonly #time: bigint;
  /** The next one; the block records it. */
  next = 2;

  constructor(time: bigint) {
    this.#time = time;
  }

  take(): Buffer {
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.writeBigUInt64LE(this.#time, 0);
    nonce.writeUInt32LE(this.next, 8);
    this.next += 1;
    return nonce;
  }
}

/** `plain` is zeroed: what is sealed is key material. */
export function sealDatum(role: number, key: Buffer, nonce: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  const ciphertext = cipher.update(plain);
  cipher.final();
  plain.fill(0);
  return encodeDatum(role, DatumType.Sealed, [nonce, cipher.getAuthTag(), ciphertext]);
}

/** The datum inside; the caller zeroes it. Throws "wrong-key" when the tag does not fit. */
export function openDatum(data: Buffer, key: Buffer): Buffer {
  if (data.length <= NONCE_BYTES + TAG_BYTES) throw new BitLockerFormatError("damaged", "a sealed entry is too short");
  const decipher = createDecipheriv(ALGORITHM, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(data.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    // Node checks the tag of CCM within update.
    const plain = decipher.update(data.subarray(NONCE_BYTES + TAG_BYTES));
    decipher.final();
    return plain;
  } catch {
    throw new BitLockerFormatError("wrong-key", "the key does not fit");
  }
}
