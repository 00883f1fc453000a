/** Compares text with a file under fixtures/golden; `UPDATE_GOLDEN=1` writes the file instead. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** `path` is relative to the repository. */
export function expectGolden(path: string, actual: string): void {
  const file = join(root, path);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
  }
  expect(actual).toBe(readFileSync(file, "utf8"));
}
