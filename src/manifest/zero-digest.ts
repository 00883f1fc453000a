/** MD5 of so many zero bytes: how an empty segment of a page blob is recognised without reading it again. */
import { createHash } from "node:crypto";

const ZEROS = Buffer.alloc(1024 * 1024);
const MAX_KNOWN = 64;
const known = new Map<number, Buffer>();

/** MD5 of `lengthBytes` zeros; computed once per length (a list has two lengths: the segment's and the last one's). */
export function zeroDigest(lengthBytes: number): Buffer {
  const cached = known.get(lengthBytes);
  if (cached !== undefined) return cached;
  const md5 = createHash("md5");
  for (let left = lengthBytes; left > 0; left -= ZEROS.length) {
    md5.update(left >= ZEROS.length ? ZEROS : ZEROS.subarray(0, left));
  }
  const digest = md5.digest();
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(lengthBytes, digest);
  return digest;
}

/** Whether the 16 bytes at `offset` of `digests` are the MD5 of `lengthBytes` zeros. */
export function isZeroDigest(digests: Uint8Array, offset: number, lengthBytes: number): boolean {
  const zero = zeroDigest(lengthBytes);
  for (let index = 0; index < zero.length; index++) {
    if (digests[offset + index] !== zero[index]) return false;
  }
  return true;
}
