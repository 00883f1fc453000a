/**
 * Twelve MD5 sums at once in WebAssembly SIMD. A lane is one message; lanes are refilled one by one, so messages of
 * different lengths keep all of them busy: each call of the kernel runs as many blocks as the lane with the fewest has
 * left. Lanes without a message run along on whatever lies at the start of the memory; their state is thrown away.
 */
import type { LaneHasher, LaneHasherOptions } from "./lane-hasher.ts";
import { MD5_BLOCK_BYTES } from "./lane-hasher.ts";

const LANES = 12;
const PAGE_BYTES = 65_536;
const DISK_PAGE_BYTES = 4096;
/** Padding: one byte 0x80, zeros, eight bytes of length; at most one block and eight bytes behind the data. */
const PADDING_BYTES = 128;
/** Between the buffers of two lanes, so that twelve lanes in step do not fall into the same sets of the L1 cache. */
const STAGGER_BYTES = 64;
/** Of a lane's four state words, which lie one SIMD vector apart. */
const WORD_STEP = 4;

interface Kernel {
  STATE: WebAssembly.Global;
  POINTERS: WebAssembly.Global;
  compress(blocks: number): void;
}

export function createSimdHasher(module: WebAssembly.Module, options: LaneHasherOptions): LaneHasher {
  const { chunkBytes, pageAligned = false, scratchBytes = 0 } = options;
  const stride = pageAligned ? chunkBytes + DISK_PAGE_BYTES : chunkBytes + PADDING_BYTES + STAGGER_BYTES;
  const scratchOffset = PAGE_BYTES + Math.ceil((LANES * stride) / DISK_PAGE_BYTES) * DISK_PAGE_BYTES;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((scratchOffset + scratchBytes) / PAGE_BYTES) });
  const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernel;
  return new SimdHasher(kernel, memory, chunkBytes, stride, scratchOffset, scratchBytes);
}

class SimdHasher implements LaneHasher {
  readonly kernel = "simd";
  readonly laneCount = LANES;
  readonly memory: Uint8Array;
  readonly #words: Uint32Array;
  readonly #view: DataView;
  readonly #compress: (blocks: number) => void;
  readonly #stateAt: number;
  readonly #pointersAt: number;
  readonly #stride: number;
  readonly #blocksLeft = new Uint32Array(LANES);
  /** Bytes of the lane's message so far; a double, because messages may exceed 4 GiB. */
  readonly #totalBytes = new Float64Array(LANES);

  constructor(
    kernel: Kernel,
    memory: WebAssembly.Memory,
    readonly chunkBytes: number,
    stride: number,
    readonly scratchOffset: number,
    readonly scratchBytes: number,
  ) {
    this.memory = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#compress = kernel.compress;
    this.#stateAt = kernel.STATE.value / 4;
    this.#pointersAt = kernel.POINTERS.value / 4;
    this.#stride = stride;
  }

  bufferOffset(lane: number): number {
    return PAGE_BYTES + lane * this.#stride;
  }

  start(lane: number): void {
    const words = this.#words;
    const at = this.#stateWord(lane);
    words[at] = 0x67452301;
    words[at + WORD_STEP] = 0xefcdab89;
    words[at + 2 * WORD_STEP] = 0x98badcfe;
    words[at + 3 * WORD_STEP] = 0x10325476;
    this.#totalBytes[lane] = 0;
    this.#blocksLeft[lane] = 0;
  }

  feed(lane: number, lengthBytes: number, isLast: boolean): void {
    const start = this.bufferOffset(lane);
    const total = (this.#totalBytes[lane] as number) + lengthBytes;
    this.#totalBytes[lane] = total;
    const fedBytes = isLast ? lengthBytes + this.#pad(start + lengthBytes, total) : lengthBytes;
    this.#blocksLeft[lane] = fedBytes / MD5_BLOCK_BYTES;
    this.#words[this.#pointersAt + lane] = start;
  }

  advance(): void {
    const left = this.#blocksLeft;
    let blocks = 0;
    for (let lane = 0; lane < LANES; lane++) {
      const own = left[lane] as number;
      if (own > 0 && (own < blocks || blocks === 0)) blocks = own;
    }
    if (blocks === 0) return;
    this.#compress(blocks);
    for (let lane = 0; lane < LANES; lane++) {
      const own = left[lane] as number;
      if (own > blocks) {
        left[lane] = own - blocks;
        this.#words[this.#pointersAt + lane] =
          (this.#words[this.#pointersAt + lane] as number) + blocks * MD5_BLOCK_BYTES;
      } else {
        left[lane] = 0;
        // A lane at rest may be run along with any number of blocks: the first buffer is the longest room there is.
        this.#words[this.#pointersAt + lane] = PAGE_BYTES;
      }
    }
  }

  needsInput(lane: number): boolean {
    return this.#blocksLeft[lane] === 0;
  }

  digest(lane: number, target: DataView, offset: number): void {
    const words = this.#words;
    const at = this.#stateWord(lane);
    target.setUint32(offset, words[at] as number, true);
    target.setUint32(offset + 4, words[at + WORD_STEP] as number, true);
    target.setUint32(offset + 8, words[at + 2 * WORD_STEP] as number, true);
    target.setUint32(offset + 12, words[at + 3 * WORD_STEP] as number, true);
  }

  /** Index of the lane's first state word. */
  #stateWord(lane: number): number {
    return this.#stateAt + (lane >> 2) * 16 + (lane & 3);
  }

  /** Writes the padding of a message of `totalBytes` at `at`; returns its length. */
  #pad(at: number, totalBytes: number): number {
    const inBlock = totalBytes % MD5_BLOCK_BYTES;
    const paddingBytes = (inBlock < 56 ? 64 : 128) - inBlock;
    const end = at + paddingBytes;
    this.memory[at] = 0x80;
    this.memory.fill(0, at + 1, end - 8);
    const bits = totalBytes * 8;
    this.#view.setUint32(end - 8, bits % 2 ** 32, true);
    this.#view.setUint32(end - 4, Math.floor(bits / 2 ** 32), true);
    return paddingBytes;
  }
}
