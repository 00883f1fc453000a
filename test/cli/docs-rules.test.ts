/** docs/rules.md names files for every rule: they must be there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ROWS = readFileSync(join(ROOT, "docs", "rules.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| rule"))
  .map((line) => line.slice(2, -2).split(" | "));

const pathsIn = (cell: string | undefined): string[] =>
  [...(cell ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");

describe("the table of rules", () => {
  it("has rules", () => {
    expect(ROWS.length).toBeGreaterThan(80);
  });

  it.each(ROWS)("%s", (...row) => {
    expect(row).toHaveLength(3);
    const [, sources, tests] = row.map(pathsIn);
    expect(sources?.length).toBeGreaterThan(0);
    expect(tests?.length).toBeGreaterThan(0);
    for (const path of sources ?? []) expect([path, path.startsWith("src/")]).toEqual([path, true]);
    for (const path of tests ?? []) expect([path, /^test\/.*\.test\.ts$/.test(path)]).toEqual([path, true]);
    const missing = [...(sources ?? []), ...(tests ?? [])].filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });
});
