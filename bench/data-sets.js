// The source trees of the benchmarks, made once per medium and kept for all rounds. Sizes and contents are the same in
// every run; contents do not repeat, so that no file system can save space.
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

const MiB = 1024 * 1024;
const FILES_PER_DIRECTORY = 1000;
const pattern = new Uint32Array(MiB / 4);
for (let index = 0, state = 1; index < pattern.length; index++) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  pattern[index] = state;
}
const bytes = new Uint8Array(pattern.buffer);
let stamp = 0;

export const DATA_SETS = {
  "4 x 512 MiB": { sizes: () => Array(4).fill(512 * MiB) },
  "1 GiB mixed": { sizes: mixedSizes },
  "20,000 x 4 KiB": { sizes: () => Array(20_000).fill(4096) },
  "1,000,000 x 1 KiB": { sizes: () => Array(1_000_000).fill(1024) },
  "1 x 4 GiB": { sizes: () => [4096 * MiB] },
};

export function makeDataSet(directory, sizes) {
  let parent = directory;
  for (const [index, size] of sizes.entries()) {
    if (index % FILES_PER_DIRECTORY === 0) {
      parent = join(directory, `d${String(index / FILES_PER_DIRECTORY).padStart(4, "0")}`);
      mkdirSync(parent, { recursive: true });
    }
    writeFile(join(parent, `file${String(index).padStart(7, "0")}.bin`), size);
  }
}

function writeFile(path, size) {
  const fd = openSync(path, "w");
  for (let left = size; left > 0; ) {
    pattern[0] = stamp++;
    left -= writeSync(fd, bytes, 0, Math.min(left, bytes.length));
  }
  closeSync(fd);
}

/** Log-normal: half of the files below 32 KiB, most of the bytes in files above 1 MiB, up to 1 GiB in all. */
function mixedSizes() {
  const random = mulberry32(20_141_101);
  const sizes = [];
  for (let total = 0; total < 1024 * MiB; ) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const size = Math.min(Math.floor(32_768 * Math.exp(2.2 * normal)), 128 * MiB, 1024 * MiB - total);
    sizes.push(size);
    total += size;
  }
  return sizes;
}

function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
