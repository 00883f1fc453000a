/**
 * Several MD5 sums (RFC 1321) at once, over messages that arrive in chunks. The caller reads each chunk straight into
 * the lane's buffer, so no byte is moved for hashing. Two implementations pass the same tests: twelve SIMD lanes in
 * WebAssembly (simd-hasher.ts) and node's `createHash` (crypto-hasher.ts).
 *
 * The order of calls: before each `advance`, every lane that `needsInput` and whose message goes on must be fed, and
 * the sum of every message that ended must be taken; `advance` leaves rubbish in lanes at rest.
 */

export type KernelName = "simd" | "crypto";

export const MD5_BYTES = 16;
export const MD5_BLOCK_BYTES = 64;

export interface LaneHasherOptions {
  /** The most one lane takes at a time; a multiple of 64. */
  chunkBytes: number;
  /** Lane buffers begin on a page, as direct reads need; costs a page per lane. */
  pageAligned?: boolean;
  /** Room after the lanes for other use, page-aligned: `scratchOffset`. */
  scratchBytes?: number;
}

export interface LaneHasher {
  readonly kernel: KernelName;
  readonly laneCount: number;
  readonly chunkBytes: number;
  /** Holds all lane buffers and the scratch room. */
  readonly memory: Uint8Array;
  readonly scratchOffset: number;
  readonly scratchBytes: number;
  /** Where in `memory` the chunks of `lane` go. */
  bufferOffset(lane: number): number;
  /** Begins a message in `lane`, whatever was in it. */
  start(lane: number): void;
  /**
   * Takes the `lengthBytes` bytes at `bufferOffset(lane)`. They must stay until `needsInput(lane)`. Only the last chunk
   * of a message may be no multiple of 64; it may be empty. May write up to 128 bytes of padding behind the chunk.
   */
  feed(lane: number, lengthBytes: number, isLast: boolean): void;
  /** Works until at least one lane that was fed has taken all of its chunk. Does nothing when there is none. */
  advance(): void;
  /** The lane has taken all it was fed. */
  needsInput(lane: number): boolean;
  /** Writes the 16 bytes of the sum: after the last chunk was fed and taken. */
  digest(lane: number, target: DataView, offset: number): void;
}
