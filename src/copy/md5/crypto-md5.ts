/** MD5 of one message by node's own means. */
import type { Hash } from "node:crypto";

/** Loaded when first needed: node compiles its crypto modules in each worker anew, about 20 ms that SIMD can do without. */
let crypto: typeof import("node:crypto") | undefined;

export function createMd5(): Hash {
  crypto ??= process.getBuiltinModule("node:crypto");
  return crypto.createHash("md5");
}
