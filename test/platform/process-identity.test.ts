import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createProcessTable } from "../../src/platform/process-identity.ts";

// `ps` is what macOS is asked; Linux has it too, so both ways are tested against the same real processes.
const WAYS: NodeJS.Platform[] = process.platform === "linux" ? ["linux", "darwin"] : [process.platform];

describe.each(WAYS)("process table in the way of %s", (platform) => {
  test("knows itself and tells a pid that was handed out again", () => {
    const table = createProcessTable(platform);
    const me = table.currentProcess();
    expect(me).toMatchObject({ pid: process.pid, host: expect.stringMatching(/./) });
    expect(table.isAlive(me.pid, me.startTime)).toBe(true);
    if (platform !== "win32") expect(table.isAlive(me.pid, "another time")).toBe(false);
    expect(createProcessTable(platform).currentProcess()).toEqual(me);
  });

  test("notices that a process has ended", async () => {
    const table = createProcessTable(platform);
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    expect(table.isAlive(pid, "")).toBe(true);
    child.stdin.end();
    await once(child, "exit");
    expect(table.isAlive(pid, "")).toBe(false);
  });
});

test.runIf(process.platform === "linux")("the boot id is there (Linux)", () => {
  expect(createProcessTable("linux").currentProcess().bootId).toMatch(/^[0-9a-f-]{36}$/);
});

test("on Windows a process that started before the machine did is gone", () => {
  const table = createProcessTable("win32");
  const me = table.currentProcess();
  expect(table.isAlive(process.ppid, "1000")).toBe(false);
  expect(table.isAlive(process.ppid, me.startTime)).toBe(true);
});
