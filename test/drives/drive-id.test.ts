import { expect, test } from "vitest";
import { driveIdToFileName, pathToDriveId, serialToDriveId } from "../../src/drives/drive-id.ts";

test("a serial number loses its blanks", () => {
  expect(serialToDriveId("   WD-WMATV 12 3456\t\0\0")).toBe("WD-WMATV123456");
});

test("a path becomes MOCK and 12 digits of its SHA-256", () => {
  // printf /drives/a | sha256sum
  expect(pathToDriveId("/drives/a")).toBe("MOCK6A57B6D476F8");
  expect(pathToDriveId("/drives/ü")).toMatch(/^MOCK[0-9A-F]{12}$/);
});

test.each([
  ["WD-WMATV123456", "WD-WMATV123456"],
  ["a/b\\c:d e", "a_b_c_d_e"],
  ["ü", "_"],
  ["..", "__"],
])("the id %s is %s in a file name", (driveId, name) => {
  expect(driveIdToFileName(driveId)).toBe(name);
});
