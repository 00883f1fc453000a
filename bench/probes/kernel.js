// One thread's speed of the MD5 kernel, in MB/s: twelve messages of 64 KiB at a time, as in a copy. `kernel <md5.wasm>`.
import { readFileSync } from "node:fs";

const CHUNK_BYTES = 65_536;
const STRIDE_BYTES = CHUNK_BYTES + 192;
const LANES = 12;
const SECONDS = 3;

const memory = new WebAssembly.Memory({ initial: 16 });
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const { POINTERS, compress } = new WebAssembly.Instance(module, { env: { memory } }).exports;
const bytes = new Uint8Array(memory.buffer);
for (let at = CHUNK_BYTES; at < bytes.length; at++) bytes[at] = Math.imul(at, 2_654_435_761) >>> 13;
const pointers = new Uint32Array(memory.buffer, POINTERS.value, LANES);
for (let lane = 0; lane < LANES; lane++) pointers[lane] = CHUNK_BYTES + lane * STRIDE_BYTES;

run(0.5);
process.stdout.write(`${Math.round(run(SECONDS) / 1e6)}\n`);

function run(seconds) {
  const startedMs = performance.now();
  let calls = 0;
  let elapsedMs = 0;
  do {
    compress(CHUNK_BYTES / 64);
    calls++;
    elapsedMs = performance.now() - startedMs;
  } while (elapsedMs < 1000 * seconds);
  return (calls * LANES * CHUNK_BYTES * 1000) / elapsedMs;
}
