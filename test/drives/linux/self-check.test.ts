/** What is run on a finished volume, what is believed, and what nobody else may read. */
import { describe, expect, test } from "vitest";
import { checkVolume, requireOpened } from "../../../src/drives/linux/self-check.ts";
import type { ProcessResult, RunOptions } from "../../../src/platform/processes.ts";
import { sampleDrive } from "../sample-drive.ts";

const KEY = "000011-000022-000033-000044-000055-000066-000077-000088";
const BDEINFO = "Encryption method : AES-XTS 128-bit\nKey protector 0:\nType : Recovery password\n";
const DISLOCKER = "[INFO] dislocker by Romain Coltel, v0.7.2 (compiled for Linux/x86_64)\nRecovery Key GUID: 'X'";

type Answers = Readonly<Record<string, Partial<ProcessResult>>>;

function runnerOf(answers: Answers) {
  const runs: { line: string; input: string | undefined }[] = [];
  const run = async (command: string, args: readonly string[], { input }: RunOptions = {}): Promise<ProcessResult> => {
    const line = [command, ...args].join(" ");
    runs.push({ line, input });
    const found = Object.entries(answers).find(([start]) => line.startsWith(start));
    if (found === undefined) return { exitCode: -1, stdout: "", stderr: "", failure: "missing" };
    return { exitCode: 0, stdout: "", stderr: "", ...found[1] };
  };
  return { run, runs };
}

const ALL: Answers = {
  "cryptsetup --version": { stdout: "cryptsetup 2.6.1 flags: UDEV" },
  "cryptsetup open": {},
  "bdeinfo -V": { stdout: "bdeinfo 20190102" },
  "bdeinfo --": { exitCode: 1, stdout: BDEINFO, stderr: "Unable to unlock volume." },
  "dislocker-metadata": { stdout: DISLOCKER },
};

describe("the checks", () => {
  test("all three, with their versions", async () => {
    const { run, runs } = runnerOf(ALL);
    expect(await checkVolume({ run }, "/data/disk.img", KEY)).toEqual({
      checks: [
        { tool: "cryptsetup 2.6.1", did: "opened it with the key", ok: true },
        { tool: "bdeinfo 20190102", did: "recognised it", ok: true },
        { tool: "dislocker-metadata 0.7.2", did: "recognised it", ok: true },
      ],
      missing: [],
    });
    expect(runs.filter(({ line }) => line.includes(KEY))).toEqual([]);
    expect(runs.filter(({ input }) => input !== undefined).map(({ line }) => line)).toEqual([
      "cryptsetup open --type bitlk --test-passphrase --key-file - -- /data/disk.img",
    ]);
  });

  test("what is not installed is told by its package", async () => {
    expect(await checkVolume(runnerOf({}), "/data/disk.img", KEY)).toEqual({
      checks: [],
      missing: ["cryptsetup-bin", "libbde-utils", "dislocker"],
    });
  });

  test.each([
    ["cryptsetup open", { exitCode: 1 }, false],
    ["cryptsetup open", { exitCode: 2 }, true],
    ["bdeinfo --", { exitCode: 1, stdout: "" }, false],
    ["dislocker-metadata", { exitCode: 139, stdout: DISLOCKER }, false],
    ["dislocker-metadata", { stdout: "" }, false],
  ])("%s that answers %j counts as failed", async (start, answer, mustNotBeShipped) => {
    const report = await checkVolume(runnerOf({ ...ALL, [start]: answer }), "/data/disk.img", KEY);
    const failed = report.checks.filter((check) => !check.ok);
    expect(failed.map(({ tool }) => tool.split(" ")[0])).toEqual([start.split(" ")[0]]);
    expect(failed[0]?.detail).toMatch(/exit code/);
    const drive = sampleDrive({ kind: "image" });
    if (mustNotBeShipped) expect(() => requireOpened(drive, report)).toThrow("does not open drive");
    else requireOpened(drive, report);
  });
});
