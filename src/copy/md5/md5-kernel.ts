/** Chooses how MD5 is computed: the SIMD module when it is built and the engine can run it, else `createHash`. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createCryptoHasher } from "./crypto-hasher.ts";
import type { KernelName, LaneHasher, LaneHasherOptions } from "./lane-hasher.ts";
import { createSimdHasher } from "./simd-hasher.ts";

/** What was asked for: `auto` takes the fastest that works here. */
export type KernelChoice = "auto" | KernelName;

/** Travels to worker threads: a compiled module is shared, not compiled again. */
export interface Md5Kernel {
  name: KernelName;
  module?: WebAssembly.Module;
}

/** Chosen once per run. Throws when `simd` is asked for by name and cannot run. */
export function chooseKernel(choice: KernelChoice = "auto"): Md5Kernel {
  if (choice === "crypto") return { name: "crypto" };
  const path = kernelPath();
  if (path !== undefined) {
    const bytes = readFileSync(path);
    if (WebAssembly.validate(bytes)) return { name: "simd", module: new WebAssembly.Module(bytes) };
  }
  if (choice === "simd") throw new Error("the SIMD kernel for MD5 is not built or cannot run here");
  return { name: "crypto" };
}

export function createHasher(kernel: Md5Kernel, options: LaneHasherOptions): LaneHasher {
  return kernel.module === undefined ? createCryptoHasher(options) : createSimdHasher(kernel.module, options);
}

/** `md5.wasm` lies beside the bundle; when this runs from its TypeScript source, in `dist/` of the same checkout. */
function kernelPath(): string | undefined {
  for (const candidate of ["./md5.wasm", "../../../dist/md5.wasm"]) {
    const path = fileURLToPath(new URL(candidate, import.meta.url));
    if (existsSync(path)) return path;
  }
  return undefined;
}
