import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSize, requirePairs } from "../../src/cli/amounts.ts";
import { readPrepRequest } from "../../src/cli/prep-request.ts";
import { Switches } from "../../src/cli/switches.ts";
import { AppError } from "../../src/platform/app-error.ts";
import { DEFAULT_PREP_OPTIONS } from "../../src/prep/prep-contract.ts";
import { fakeContext } from "./fake-context.ts";

const switches = (given: Record<string, string | boolean | string[]>): Switches =>
  new Switches(new Map(Object.entries(given)));

describe("readPrepRequest", () => {
  it("has the contract's defaults", () => {
    const request = readPrepRequest(switches({ journal: "a.jrn" }), fakeContext().context);
    expect(request).toEqual({
      journalPath: "/work-dir/a.jrn",
      silentMode: false,
      resumeSession: false,
      abortSession: false,
      options: DEFAULT_PREP_OPTIONS,
    });
  });

  it("makes paths absolute by the system's rules", () => {
    const { context } = fakeContext({ platform: "win32", cwd: "C:\\prep" });
    const request = readPrepRequest(
      switches({ journal: "a.jrn", dataset: "..\\d.csv", logdir: "\\\\nas\\logs" }),
      context,
    );
    expect(request.journalPath).toBe("C:\\prep\\a.jrn");
    expect(request.dataSetPath).toBe("C:\\d.csv");
    expect(request.logDirectory).toBe("\\\\nas\\logs\\");
  });

  it("reads amounts and pairs", () => {
    const { options } = readPrepRequest(
      switches({
        journal: "a",
        "drive-capacity": ["/mnt/a=1.5GiB", "WD=4TB"],
        "drive-id": ["/mnt/a=b=DISK1"],
        workers: "3",
        "bandwidth-limit": "10MB/s",
        include: ["*.jpg"],
      }),
      fakeContext().context,
    );
    expect(options.driveCapacity).toEqual(
      new Map([
        ["/mnt/a", 1_610_612_736],
        ["WD", 4_000_000_000_000],
      ]),
    );
    expect(options.driveIds).toEqual(new Map([["/mnt/a=b", "DISK1"]]));
    expect(options).toMatchObject({ workers: 3, bandwidthLimit: 10_000_000, include: ["*.jpg"] });
  });

  it.each([
    [{ workers: "0" }],
    [{ workers: "two" }],
    [{ "bandwidth-limit": "fast" }],
    [{ "drive-capacity": ["/mnt/a"] }],
    [{ "drive-capacity": ["/mnt/a=much"] }],
    [{ "drive-id": ["=x"] }],
  ])("refuses %j", (given) => {
    expect(() => readPrepRequest(switches({ journal: "a", ...given }), fakeContext().context)).toThrow(AppError);
  });
});

describe("the account key", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "waimportexport-key-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("comes from the environment", () => {
    const { context } = fakeContext({ environment: { WAIMPORTEXPORT_SK: "ENVKEY" } });
    expect(readPrepRequest(switches({ journal: "a" }), context).storageAccountKey).toBe("ENVKEY");
  });

  it("comes from a file, which wins over the environment", () => {
    writeFileSync(join(directory, "key"), "FILEKEY\r\n");
    const { context, stderr } = fakeContext({ environment: { WAIMPORTEXPORT_SK: "ENVKEY" }, cwd: directory });
    expect(readPrepRequest(switches({ journal: "a", "sk-file": "key" }), context).storageAccountKey).toBe("FILEKEY");
    expect(stderr()).toBe("");
  });

  it("as a plain switch is taken with a warning that does not show it", () => {
    const { context, stderr } = fakeContext();
    expect(readPrepRequest(switches({ journal: "a", sk: "PLAINKEY" }), context).storageAccountKey).toBe("PLAINKEY");
    expect(stderr()).toContain("warning:");
    expect(stderr()).not.toContain("PLAINKEY");
  });

  it.each(["", "two\nlines"])("is refused when the file holds %j", (text) => {
    writeFileSync(join(directory, "key"), text);
    const { context } = fakeContext({ cwd: directory });
    expect(() => readPrepRequest(switches({ journal: "a", "sk-file": "key" }), context)).toThrow(
      "does not hold one account key",
    );
  });

  it("a missing file is told in words", () => {
    const { context } = fakeContext({ cwd: directory });
    expect(() => readPrepRequest(switches({ journal: "a", "sk-file": "none" }), context)).toThrow(
      "no such file or directory",
    );
  });
});

describe("amounts", () => {
  it.each([
    ["1048576", 1_048_576],
    ["1KiB", 1024],
    ["1k", 1024],
    ["1kb", 1000],
    ["0.5 MiB", 524_288],
    ["4TB", 4_000_000_000_000],
    ["1.5T", 1_649_267_441_664],
    ["-1", undefined],
    ["1e9", undefined],
    ["1 parsec", undefined],
    ["", undefined],
    ["99999999999TB", undefined],
  ])("%s", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it("one key twice with different values is a conflict", () => {
    expect(() => requirePairs("--drive-id", ["a=1", "a=2"], "")).toThrow("given twice");
    expect(requirePairs("--drive-id", ["a=1", "a=1"], "")).toEqual(new Map([["a", "1"]]));
  });
});
