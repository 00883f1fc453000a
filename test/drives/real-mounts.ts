/** Real file systems for tests, where the machine lets us mount: Linux, root, loop devices. */
import { execFileSync } from "node:child_process";
import { mkdirSync, realpathSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../platform/temporary-directory.ts";

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Tried out once: containers often say root and may not mount. */
export const canMount = process.platform === "linux" && process.getuid?.() === 0 && canMountLoop();

function canMountLoop(): boolean {
  return works(
    "sh",
    "-c",
    'd=$(mktemp -d) && cd "$d" && truncate -s 2M i && mkfs.ext4 -q i && mkdir m && mount -o loop i m && umount m; r=$?; rm -rf "$d"; exit $r',
  );
}

/** An ext4 image of the given size, mounted; unmounted when the test ends. */
export function mountLoop(sizeBytes: number): { image: string; mountPoint: string } {
  const base = realpathSync(temporaryDirectory());
  const image = join(base, "image");
  const mountPoint = join(base, "mount point");
  writeFileSync(image, "");
  truncateSync(image, sizeBytes);
  mkdirSync(mountPoint);
  execFileSync("mkfs.ext4", ["-q", image]);
  mount(["-o", "loop", image, mountPoint], mountPoint);
  return { image, mountPoint };
}

/** A tmpfs of the given size; unmounted when the test ends. */
export function mountTmpfs(sizeBytes: number): string {
  const mountPoint = realpathSync(temporaryDirectory());
  mount(["-t", "tmpfs", "-o", `size=${sizeBytes}`, "none", mountPoint], mountPoint);
  return mountPoint;
}

/** Another place for something mounted. */
export function mountBind(from: string): string {
  const mountPoint = realpathSync(temporaryDirectory());
  mount(["--bind", from, mountPoint], mountPoint);
  return mountPoint;
}

function mount(args: string[], mountPoint: string): void {
  execFileSync("mount", args);
  onTestFinished(() => void execFileSync("umount", [mountPoint]));
}
