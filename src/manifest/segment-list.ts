/**
 * The segments of one file as a manifest lists them, packed: a page blob of 8 TiB has two million, and as objects they
 * would take a third of a gigabyte. The reader fills the same list again for every blob.
 */
import { DIGEST_BYTES, toBase16 } from "./manifest-model.ts";

/** Far above 8 TiB in segments of 4 MiB; bounds the memory that a hostile manifest can ask for. */
const MAX_SEGMENTS = 4 * 1024 * 1024;
const HEX_VALUE = hexValues();

export class SegmentList {
  count = 0;
  #offsets = new Float64Array(16);
  #lengths = new Float64Array(16);
  #digests = new Uint8Array(16 * DIGEST_BYTES);
  /** Block ids, all or none; empty when there are none. */
  readonly ids: string[] = [];

  clear(): void {
    this.count = 0;
    this.ids.length = 0;
  }

  /** Adds a segment; false when `hash` is not 32 hexadecimal digits or there are too many. */
  add(offset: number, length: number, hash: string): boolean {
    if (this.count === MAX_SEGMENTS || hash.length !== 2 * DIGEST_BYTES) return false;
    if (this.count === this.#offsets.length) this.#grow();
    const at = this.count * DIGEST_BYTES;
    for (let index = 0; index < DIGEST_BYTES; index++) {
      const high = HEX_VALUE[hash.charCodeAt(2 * index)] ?? 255;
      const low = HEX_VALUE[hash.charCodeAt(2 * index + 1)] ?? 255;
      if (high === 255 || low === 255) return false;
      this.#digests[at + index] = high * 16 + low;
    }
    this.#offsets[this.count] = offset;
    this.#lengths[this.count] = length;
    this.count += 1;
    return true;
  }

  offset(index: number): number {
    return this.#offsets[index] ?? 0;
  }

  length(index: number): number {
    return this.#lengths[index] ?? 0;
  }

  /** The 16 bytes per segment of all segments in order; a view that the next blob overwrites. */
  get digests(): Uint8Array {
    return this.#digests.subarray(0, this.count * DIGEST_BYTES);
  }

  /** Upper-case Base16. */
  hash(index: number): string {
    return toBase16(this.#digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES));
  }

  #grow(): void {
    this.#offsets = grown(this.#offsets, new Float64Array(this.#offsets.length * 2));
    this.#lengths = grown(this.#lengths, new Float64Array(this.#lengths.length * 2));
    this.#digests = grown(this.#digests, new Uint8Array(this.#digests.length * 2));
  }
}

function grown<T extends Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function hexValues(): Uint8Array {
  const values = new Uint8Array(128).fill(255);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    values[digit.charCodeAt(0)] = value;
    values[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return values;
}
