/** The built command as a user meets it: help, mistakes, exit codes, streams. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkspace, DIST, jsonLines, type Workspace } from "./run-cli.ts";

let workspace: Workspace;
beforeAll(() => {
  workspace = createWorkspace();
});
afterAll(() => workspace.remove());

describe("without work to do", () => {
  it("no arguments: the help on standard error, exit code 2", async () => {
    const { exitCode, stdout, stderr } = await workspace.run([]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("Usage: waimportexport <verb>");
  });

  it.each([["--help"], ["/?"], ["-h"], ["help"], ["/help"]])("%s: the help on standard output", async (arg) => {
    const { exitCode, stdout, stderr } = await workspace.run([arg]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("prep-import");
  });

  it.each([
    [["PrepImport", "/?"]],
    [["prep-import", "--help"]],
    [["help", "PREPIMPORT"]],
    [["PrepImport", "/j:x", "--help"]],
  ])("%j: the help of the verb", async (args) => {
    const { exitCode, stdout } = await workspace.run(args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Usage: waimportexport prep-import");
  });

  it("--version prints the version and nothing else", async () => {
    const { version } = JSON.parse(readFileSync(join(DIST, "..", "package.json"), "utf8")) as { version: string };
    expect(await workspace.run(["--version"])).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
  });
});

it("help with --json is JSON too", async () => {
  const { exitCode, stdout } = await workspace.run(["plan", "--help", "--json"]);
  expect(exitCode).toBe(0);
  expect(jsonLines(stdout)).toMatchObject([{ type: "text", version: 1, text: expect.stringContaining("Usage:") }]);
});

describe("mistakes", () => {
  it.each([
    [["prepinport"], "did you mean 'waimportexport PrepImport'?"],
    [["RepairImport"], "not available in this release yet"],
    [["journal"], "journal show"],
    [["PrepImport", "/Datset:x"], "did you mean /DataSet?"],
    [["plan", "/j:a", "/ListDrives"], "nothing to plan"],
    [["verify"], "<drive>"],
  ])("%j: exit code 2, told on standard error", async (args, text) => {
    const { exitCode, stdout, stderr } = await workspace.run(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(text);
  });

  it("with --json anywhere: one JSON line on standard output", async () => {
    for (const args of [["--json", "nonsense"], ["PrepImport", "/nonsense", "/json"], ["--json"]]) {
      const { exitCode, stdout, stderr } = await workspace.run(args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
      expect(jsonLines(stdout)).toMatchObject([{ type: "error", version: 1, exitCode: 2 }]);
    }
  });
});

describe("init", () => {
  it("writes samples and never overwrites", async () => {
    const first = await workspace.run(["init", "samples"]);
    expect(first.exitCode).toBe(0);
    const dataset = join(workspace.path, "samples", "dataset.csv");
    writeFileSync(dataset, "mine");
    const second = await workspace.run(["init", "samples", "--json"]);
    expect(second.exitCode).toBe(2);
    expect(jsonLines(second.stdout)).toMatchObject([{ type: "error", code: "USAGE_CONFLICT" }]);
    expect(readFileSync(dataset, "utf8")).toBe("mine");
  });
});

it("a reader that leaves ends the command quietly", async () => {
  const { stderr, exitCode } = await workspace.run(["PrepImport", "--help"], {
    onStart: (child) => child.stdout?.destroy(),
  });
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
});

it("help loads nothing but the command line itself", () => {
  // The static imports of the bundle, followed from its entry; what commands need comes through dynamic ones.
  const loaded = new Set<string>();
  const follow = (file: string): void => {
    if (loaded.has(file) || !existsSync(join(DIST, file))) return;
    loaded.add(file);
    const code = readFileSync(join(DIST, file), "utf8");
    for (const match of code.matchAll(/^(?:import|\} from|export \* from)[^;]*?"\.\/([^"]+)";$/gm))
      follow(match[1] ?? "");
  };
  follow("main.js");
  const sources = [...loaded].flatMap((file) => {
    const map = JSON.parse(readFileSync(join(DIST, `${file}.map`), "utf8")) as { sources: string[] };
    return map.sources;
  });
  const packages = new Set(sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []));
  expect([...packages]).toEqual(["commander"]);
  expect(
    sources.filter((source) => /src\/(prep|copy|manifest|journal|dataset|drives|verify|blobs)\//.test(source)),
  ).toEqual([]);
});
