/** docs/guarantees.md names a test for each promise: they are there, and hold tests. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const page = new URL("../../docs/guarantees.md", import.meta.url);
const text = readFileSync(page, "utf8");
const links = [...new Set([...text.matchAll(/\]\((\.\.\/[^)#]+)\)/g)].map(([, path]) => path as string))];

describe("docs/guarantees.md", () => {
  it.each(links)("%s is there and holds tests", (path) => {
    const file = new URL(path, page);
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file, "utf8")).toMatch(/\b(it|test|describe|itSurvivesEveryCall)(\.\w+)*\(/);
  });

  it("names a test for every promise", () => {
    const promises = text.split("\n").filter((line) => /^\| [A-Z]/.test(line));
    expect(promises.length).toBeGreaterThan(15);
    for (const line of promises) expect(line).toMatch(/\]\(\.\.\/test\/[^)]+\) ?[^|]*\|$/);
  });
});
