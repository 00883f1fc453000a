import { describe, expect, test } from "vitest";
import { checkBlobName, checkContainerName } from "../../src/blobs/name-rules.ts";

describe("containers", () => {
  test.each(["abc", "$root", "a-b-c", "123", "0a-9", "a".repeat(63)])("%s is one", (name) => {
    expect(checkContainerName(name)).toBeUndefined();
  });

  test.each(["", "ab", "a".repeat(64), "Abc", "a_b", "-ab", "ab-", "a--b", "ä-b", "$logs", "a.b", "a b"])(
    "%j is none",
    (name) => {
      expect(checkContainerName(name)?.code).toBe("FILE_NAME_INVALID");
    },
  );
});

describe("blob names", () => {
  test.each([
    "a",
    "a b/ü/中.txt",
    "x".repeat(1024),
    "\u{1f600}",
    "\ue000",
    `${"a/".repeat(253)}a`,
    "a.",
    "...",
    "100%",
  ])("%j is one", (name) => {
    expect(checkBlobName(name, "abc")).toBeUndefined();
  });

  test.each([
    ["", "FILE_NAME_INVALID"],
    ["a\u0000b", "FILE_NAME_INVALID"],
    ["a\nb", "FILE_NAME_INVALID"],
    ["a\u007f", "FILE_NAME_INVALID"],
    ["a\u0085", "FILE_NAME_INVALID"],
    ["a\ufffe", "FILE_NAME_INVALID"],
    ["a\uffff", "FILE_NAME_INVALID"],
    ["a\ud800b", "FILE_NAME_INVALID"],
    ["\udc00", "FILE_NAME_INVALID"],
    ["a\\b", "FILE_NAME_INVALID"],
    ["a/../b", "FILE_NAME_INVALID"],
    ["./b", "FILE_NAME_INVALID"],
    ["x".repeat(1025), "FILE_NAME_TOO_LONG"],
    [`${"a/".repeat(254)}a`, "FILE_NAME_TOO_LONG"],
  ])("%j is none: %s", (name, code) => {
    expect(checkBlobName(name, "abc")?.code).toBe(code);
  });

  test("the root container has no folders", () => {
    expect(checkBlobName("a", "$root")).toBeUndefined();
    expect(checkBlobName("a/b", "$root")?.code).toBe("FILE_IN_ROOT_CONTAINER");
  });
});
