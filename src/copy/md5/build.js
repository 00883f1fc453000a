// Compiles the MD5 kernel: `node src/copy/md5/build.js <out.wasm>`. asc runs in this process, on sources in memory.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import asc from "assemblyscript/asc";
import { kernelSource } from "./generate.js";

const FLAGS = ["-O3", "--enable", "simd", "--runtime", "stub", "--importMemory", "--noAssert"];

const out = process.argv[2];
if (out === undefined) throw new Error("usage: node src/copy/md5/build.js <out.wasm>");
const binary = await compile({ "md5.ts": kernelSource() });
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, binary);

async function compile(sources) {
  let result;
  const { error, stderr } = await asc.main(["md5.ts", "--outFile", "md5.wasm", ...FLAGS], {
    readFile: (name) => sources[name] ?? null,
    writeFile: (name, contents) => {
      if (name === "md5.wasm") result = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || result === undefined) throw new Error(`the MD5 kernel does not compile: ${error}\n${stderr}`);
  return result;
}
