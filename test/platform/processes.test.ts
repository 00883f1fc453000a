import { describe, expect, test } from "vitest";
import { describeRun, systemProcessRunner } from "../../src/platform/processes.ts";

const node = process.execPath;

describe("systemProcessRunner", () => {
  test("returns output and exit code of a program that fails", async () => {
    const script = "process.stdout.write('out\\n'); process.stderr.write('err'); process.exit(3)";
    const result = await systemProcessRunner.run(node, ["-e", script]);
    expect(result).toEqual({ exitCode: 3, stdout: "out", stderr: "err" });
    expect(describeRun("prog", result)).toBe("prog says: err");
  });

  test("hands input over on standard input, not on the command line", async () => {
    const script =
      "process.stdin.pipe(process.stdout); process.stdin.on('end', () => console.log(process.argv.length))";
    const result = await systemProcessRunner.run(node, ["-e", script], { input: "111111-secret\n" });
    expect(result).toMatchObject({ exitCode: 0, stdout: "111111-secret\n1" });
  });

  test("passes shell characters through untouched and sets the C locale", async () => {
    const script = "console.log(process.argv[1], process.env.LC_ALL, process.env.EXTRA)";
    const result = await systemProcessRunner.run(node, ["-e", script, "$(id); `x` *"], { env: { EXTRA: "yes" } });
    expect(result.stdout).toBe("$(id); `x` * C yes");
  });

  test("tells a missing program from one that fails", async () => {
    const result = await systemProcessRunner.run("no-such-program-here", []);
    expect(result).toEqual({ exitCode: -1, stdout: "", stderr: "", failure: "missing" });
    expect(describeRun("no-such-program-here", result)).toBe("no-such-program-here is not installed");
  });

  test("kills a program that takes too long", async () => {
    const result = await systemProcessRunner.run(node, ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: 50 });
    expect(result).toMatchObject({ exitCode: -1, failure: "timed-out" });
  });

  test("stops when the caller gives up", async () => {
    const controller = new AbortController();
    const running = systemProcessRunner.run(node, ["-e", "setInterval(() => {}, 1000)"], {
      signal: controller.signal,
      timeoutMs: 60_000,
    });
    controller.abort();
    expect(await running).toMatchObject({ failure: "canceled" });
  });

  test("survives a program that does not read its input", async () => {
    const result = await systemProcessRunner.run(node, ["-e", "process.exit(0)"], { input: "x".repeat(5_000_000) });
    expect(result.exitCode).toBe(0);
  });
});
