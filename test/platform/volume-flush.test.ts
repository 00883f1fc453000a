import { expect, test } from "vitest";
import { nodeFileSystem } from "../../src/platform/file-system.ts";
import { type ProcessResult, type ProcessRunner, systemProcessRunner } from "../../src/platform/processes.ts";
import { chooseFlush, flushVolume, probeFlush } from "../../src/platform/volume-flush.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

function answering(result: Partial<ProcessResult>): ProcessRunner {
  return { run: async () => ({ exitCode: 0, stdout: "", stderr: "", ...result }) };
}

test.each([
  ["linux", "volume"],
  ["win32", "per-file"],
  ["darwin", "per-file"],
] as const)("on %s: %s", (platform, expected) => {
  expect(chooseFlush(platform)).toBe(expected);
});

test.each([
  { exitCode: -1, failure: "missing" as const },
  { exitCode: 1, stderr: "sync: invalid option -- 'f'" },
])("without a usable sync every file is flushed by itself (%o)", async (result) => {
  expect(await probeFlush(answering(result), "linux", "/")).toBe("per-file");
});

test("a flush that fails fails the drive, with the program's words", async () => {
  const failing = answering({ exitCode: 1, stderr: "sync: error syncing '/d': Input/output error" });
  await expect(flushVolume(failing, nodeFileSystem, temporaryDirectory())).rejects.toMatchObject({
    code: "DRIVE_FAILED",
    message: expect.stringContaining("Input/output error"),
  });
});

test("a drive that is gone fails before anything is run", async () => {
  await expect(flushVolume(answering({}), nodeFileSystem, `${temporaryDirectory()}/gone`)).rejects.toMatchObject({
    code: "DRIVE_FAILED",
  });
});

test.runIf(process.platform === "linux")("works on a real directory (Linux)", async () => {
  const directory = temporaryDirectory();
  expect(await probeFlush(systemProcessRunner, "linux", directory)).toBe("volume");
  await flushVolume(systemProcessRunner, nodeFileSystem, directory);
});
