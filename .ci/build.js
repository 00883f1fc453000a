// Builds dist/: the MD5 kernel (AssemblyScript to WebAssembly), the command (one bundle with lazily loaded parts, because
// start-up time is mostly module loading) and the workers. `--if-needed` skips the work when dist/ is newer than src/.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);

function newest(dir) {
  let latest = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return latest;
}

const built = "dist/main.js";
if (process.argv.includes("--if-needed") && existsSync(built)) {
  if (statSync(built).mtimeMs > Math.max(newest("src"), statSync("package.json").mtimeMs)) process.exit(0);
}

rmSync("dist", { recursive: true, force: true });

if (existsSync("src/copy/md5/build.js")) {
  execFileSync(process.execPath, ["src/copy/md5/build.js", "dist/md5.wasm"], { stdio: "inherit" });
}

const { build } = await import("esbuild");
await build({
  entryPoints: {
    main: "src/cli/main.ts",
    ...(existsSync("src/copy/copy-worker.ts") ? { "copy-worker": "src/copy/copy-worker.ts" } : {}),
    "bitlocker-worker": "src/bitlocker/bitlocker-worker.ts",
  },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
  // CommonJS packages call require for node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
