/** The hasher for machines whose WebAssembly has no SIMD: node's `createHash`, one message after another. */
import type { Hash } from "node:crypto";
import { createMd5 } from "./crypto-md5.ts";
import type { LaneHasher, LaneHasherOptions } from "./lane-hasher.ts";

const LANES = 12;
const PAGE_BYTES = 65_536;
const DISK_PAGE_BYTES = 4096;

export function createCryptoHasher(options: LaneHasherOptions): LaneHasher {
  return new CryptoHasher(options);
}

class CryptoHasher implements LaneHasher {
  readonly kernel = "crypto";
  readonly laneCount = LANES;
  readonly chunkBytes: number;
  readonly memory: Uint8Array;
  readonly scratchOffset: number;
  readonly scratchBytes: number;
  readonly #hashes: (Hash | undefined)[] = new Array(LANES).fill(undefined);

  constructor(options: LaneHasherOptions) {
    this.chunkBytes = Math.ceil(options.chunkBytes / DISK_PAGE_BYTES) * DISK_PAGE_BYTES;
    this.scratchOffset = LANES * this.chunkBytes;
    this.scratchBytes = options.scratchBytes ?? 0;
    const sizeBytes = this.scratchOffset + this.scratchBytes;
    // A WebAssembly memory begins on a page, which direct reads need; a Buffer does not.
    this.memory = new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil(sizeBytes / PAGE_BYTES) }).buffer);
  }

  bufferOffset(lane: number): number {
    return lane * this.chunkBytes;
  }

  start(lane: number): void {
    this.#hashes[lane] = createMd5();
  }

  feed(lane: number, lengthBytes: number): void {
    const start = this.bufferOffset(lane);
    this.#hashes[lane]?.update(this.memory.subarray(start, start + lengthBytes));
  }

  advance(): void {
    // `feed` has taken the bytes already.
  }

  needsInput(): boolean {
    return true;
  }

  digest(lane: number, target: DataView, offset: number): void {
    const hash = this.#hashes[lane];
    if (hash === undefined) throw new Error(`no message was started in lane ${lane}`);
    new Uint8Array(target.buffer, target.byteOffset).set(hash.digest(), offset);
    this.#hashes[lane] = undefined;
  }
}
