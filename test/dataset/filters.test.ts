import { describe, expect, test } from "vitest";
import { compileFilter } from "../../src/dataset/filters.ts";
import { AppError } from "../../src/platform/app-error.ts";

function filter(include: string[], exclude: string[]) {
  const compiled = compileFilter(include, exclude);
  if (compiled === undefined) throw new Error("no filter");
  return compiled;
}

test("without patterns there is no filter", () => {
  expect(compileFilter([], [])).toBeUndefined();
});

describe("files", () => {
  test.each([
    [["**/*.jpg"], [], "a/b.jpg", true],
    [["**/*.jpg"], [], "b.jpg", true],
    [["**/*.jpg"], [], "b.JPG", false],
    [["*.jpg"], [], "a/b.jpg", false],
    [["**/*.jpg"], ["private/**"], "private/b.jpg", false],
    [[], ["**/.git/**"], "a/.git/config", false],
    [[], ["**/*.tmp"], ".hidden/.x.tmp", false],
    [[], ["**/*.tmp"], "a.tmp.txt", true],
    [["photos/{2023,2024}/**"], [], "photos/2024/a", true],
    [["photos/{2023,2024}/**"], [], "photos/2022/a", false],
    [[], ["!keep/**"], "other/a", false],
    [[], ["!keep/**"], "keep/a", true],
    [["a?.txt"], [], "ab.txt", true],
  ] as const)("include %j exclude %j: %s", (include, exclude, path, accepted) => {
    expect(filter([...include], [...exclude]).acceptsFile(path)).toBe(accepted);
  });
});

describe("pruning", () => {
  test.each([
    [["cache/**"], "cache", true],
    [["cache/**"], "cached", false],
    [["cache/**"], "a/cache", false],
    [["**/node_modules/**"], "node_modules", true],
    [["**/node_modules/**"], "a/node_modules", true],
    [["{a,b}/**"], "b", true],
    [["**"], "a", true],
    [["cache/*"], "cache", false],
    [["cache/**/*.tmp"], "cache", false],
    [["!keep/**"], "other", false],
  ] as const)("%j in %s: %j", (exclude, directory, pruned) => {
    expect(filter([], [...exclude]).excludesAllBelow(directory)).toBe(pruned);
  });

  test("an include never prunes", () => {
    expect(filter(["a/**"], []).excludesAllBelow("b")).toBe(false);
  });
});

test.each(["", "  ", "/abs/**", "C:/x/**", "./a", "dir/", "dir\\name\\x", "[abc", "a".repeat(70_000)])(
  "the pattern %j is refused",
  (pattern) => {
    for (const compile of [() => compileFilter([pattern], []), () => compileFilter([], [pattern])]) {
      let code: string | undefined;
      try {
        compile();
      } catch (error) {
        code = error instanceof AppError ? error.code : String(error);
      }
      expect(code).toBe("FILTER_INVALID");
    }
  },
);
