import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import { acquireLock, type Lock, type LockPorts } from "../../src/platform/file-lock.ts";
import { type FileSystem, nodeFileSystem } from "../../src/platform/file-system.ts";
import { createProcessTable, type ProcessIdentity } from "../../src/platform/process-identity.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const OPTIONS = { breakLock: false, purpose: 'the journal "a.jrn"' };

/** A process of an invented machine; those in `alive` (by `pid/startTime`) still run. */
function ports(identity: Partial<ProcessIdentity> = {}, alive: readonly string[] = [], fs = nodeFileSystem): LockPorts {
  const me = { pid: 100, startTime: "7", bootId: "boot-1", host: "here", machine: "m", ...identity };
  const processes = {
    currentProcess: () => me,
    isAlive: (pid: number, startTime: string) => alive.includes(`${pid}/${startTime}`),
    onExit: () => () => {},
  };
  return { fs, clock: systemClock, random: systemRandom, processes };
}

function lockPath(): string {
  return join(temporaryDirectory(), "a.lock");
}

describe("acquireLock", () => {
  test("writes who holds it, and release removes the file", () => {
    const path = lockPath();
    const lock = acquireLock(ports(), path, OPTIONS);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: 100, startTime: "7", host: "here" });
    lock.release();
    lock.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("refuses while the holder lives, naming it", () => {
    const path = lockPath();
    acquireLock(ports({ pid: 200 }), path, OPTIONS);
    expect(() => acquireLock(ports({}, ["200/7"]), path, { ...OPTIONS, breakLock: true })).toThrow(
      expect.objectContaining({
        code: "LOCKED",
        message: expect.stringMatching(/^the journal "a\.jrn" is locked by process 200 on "here" since \d{4}-.*Z$/),
      }),
    );
  });

  test.each([
    ["the process is gone", { pid: 200 }],
    ["the pid was handed out again", { pid: 200, startTime: "6" }],
    ["the machine was started again since", { pid: 200, bootId: "boot-0" }],
  ])("takes over at once when %s", (_why, former) => {
    const path = lockPath();
    const dead = acquireLock(ports(former), path, OPTIONS);
    const lock = acquireLock(ports({}, "bootId" in former || "startTime" in former ? ["200/7"] : []), path, OPTIONS);
    dead.release();
    expect(JSON.parse(readFileSync(path, "utf8")).pid).toBe(100);
    lock.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("takes away what runs left that were killed while they took over, and nothing that lives", () => {
    const path = lockPath();
    acquireLock(ports({ pid: 200 }), path, OPTIONS);
    const killed = readFileSync(path, "utf8");
    for (const name of ["takeover-0a", "takeover-0a.takeover-0b", "0123456789abcdef0123456789abcdef"]) {
      writeFileSync(`${path}.${name}`, killed);
    }
    writeFileSync(`${path}.takeover-0c`, killed.replace('"pid":200', '"pid":300'));
    writeFileSync(`${path}.note`, "not ours");
    acquireLock(ports({}, ["300/7"]), path, OPTIONS).release();
    expect(readdirSync(dirname(path)).sort()).toEqual(["a.lock.note", "a.lock.takeover-0c"]);
  });

  test.each([{ host: "there" }, { machine: "other container" }])("refuses a lock of another host (%o)", (former) => {
    const path = lockPath();
    acquireLock(ports(former), path, OPTIONS);
    expect(() => acquireLock(ports(), path, OPTIONS)).toThrow(expect.objectContaining({ code: "LOCKED_ELSEWHERE" }));
    acquireLock(ports(), path, { ...OPTIONS, breakLock: true });
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: 100, host: "here", machine: "m" });
  });

  test.each(["", "{", '{"pid":1}', `${"x".repeat(100_000)}`])(
    "a torn lock (%#) is taken over once it is old",
    (text) => {
      const path = lockPath();
      writeFileSync(path, text);
      expect(() => acquireLock(ports(), path, OPTIONS)).toThrow(expect.objectContaining({ code: "LOCKED" }));
      utimesSync(path, 1_000_000, 1_000_000);
      acquireLock(ports(), path, OPTIONS).release();
      expect(readdirSync(dirname(path))).toEqual([]);
    },
  );

  test("says why no lock can be made", () => {
    const path = join(temporaryDirectory(), "missing", "a.lock");
    expect(() => acquireLock(ports(), path, OPTIONS)).toThrow(
      expect.objectContaining({ code: "LOCK_FAILED", message: expect.stringContaining("no such file or directory") }),
    );
  });
});

describe("two takers of one dead lock", () => {
  /** Runs `intrude` before the given call (from 1) of the file system. */
  function intruding(before: number, intrude: () => void): FileSystem {
    let count = 0;
    return new Proxy(nodeFileSystem, {
      get: (target, name: keyof FileSystem) => {
        return (...args: never[]) => {
          if (++count === before) intrude();
          return (target[name] as (...args: never[]) => unknown)(...args);
        };
      },
    });
  }

  /** Lock, or undefined when it was refused as held. */
  function attempt(of: LockPorts, path: string): Lock | undefined {
    try {
      return acquireLock(of, path, OPTIONS);
    } catch (error) {
      expect(error).toMatchObject({ code: "LOCKED" });
      return undefined;
    }
  }

  const alive = ["301/7", "302/7"];

  test.each([true, false])("never both win, whichever call the second one comes before (dead lock: %s)", (hasDead) => {
    let before = 0;
    for (let intruded = true; intruded; ) {
      before++;
      const path = lockPath();
      if (hasDead) acquireLock(ports({ pid: 200 }), path, OPTIONS);
      let second: Lock | undefined;
      intruded = false;
      const fs = intruding(before, () => {
        intruded = true;
        second = attempt(ports({ pid: 302 }, alive), path);
      });
      const first = attempt(ports({ pid: 301 }, alive, fs), path);
      expect([first, second].filter((lock) => lock !== undefined)).toHaveLength(1);
      const holder = JSON.parse(readFileSync(path, "utf8")).pid;
      expect(holder).toBe(first === undefined ? 302 : 301);
      first?.release();
      second?.release();
      expect(readdirSync(dirname(path))).toEqual([]);
    }
    expect(before).toBeGreaterThan(hasDead ? 15 : 5);
  });

  test("a taker that stood still after creating its file notices that it has lost it", () => {
    const path = lockPath();
    const late = { ...systemClock, nowMs: () => systemClock.nowMs() + 3_600_000 };
    let second: Lock | undefined;
    // Call 1 creates the file, call 2 writes into it.
    const fs = intruding(2, () => {
      second = attempt({ ...ports({ pid: 302 }, alive), clock: late }, path);
    });
    const first = attempt(ports({ pid: 301 }, alive, fs), path);
    expect(second).toBeDefined();
    expect(first).toBeUndefined();
    expect(JSON.parse(readFileSync(path, "utf8")).pid).toBe(302);
  });

  test("a taker that died at any call does not block the next one", () => {
    let before = 0;
    for (let died = true; died; ) {
      before++;
      const path = lockPath();
      acquireLock(ports({ pid: 200 }), path, OPTIONS);
      died = false;
      const fs = intruding(before, () => {
        died = true;
        throw new Error("killed");
      });
      // A kill runs no clean-up either: every later call fails, too.
      const dead = new Proxy(fs, {
        get: (target, name: keyof FileSystem) => {
          return (...args: never[]) => {
            if (died) throw new Error("killed");
            return (target[name] as (...args: never[]) => unknown)(...args);
          };
        },
      });
      try {
        acquireLock(ports({ pid: 301 }, [], dead), path, OPTIONS);
      } catch {}
      // A lock file that was created and never written blocks until it is old enough.
      for (const name of readdirSync(dirname(path))) utimesSync(join(dirname(path), name), 1_000_000, 1_000_000);
      acquireLock(ports({ pid: 302 }), path, OPTIONS).release();
      expect(existsSync(path)).toBe(false);
    }
    expect(before).toBeGreaterThan(15);
  });

  test("of several real processes one wins, and its exit gives the lock back", async () => {
    const path = lockPath();
    const own = createProcessTable(process.platform);
    const gone = { ...own, currentProcess: () => ({ ...own.currentProcess(), startTime: "0" }) };
    acquireLock({ ...ports(), processes: gone }, path, OPTIONS);
    const program = join(temporaryDirectory(), "taker.mjs");
    buildSync({
      entryPoints: [join(import.meta.dirname, "file-lock-taker.ts")],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
    });
    const takers = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [program, path], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    const answers = await Promise.all(takers.map(async (taker) => String((await once(taker.stdout, "data"))[0])));
    const exits = takers.map((taker) => once(taker, "exit"));
    expect(answers.toSorted()).toEqual(["LOCKED", "LOCKED", "LOCKED", "won"]);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
    for (const taker of takers) taker.stdin.end();
    await Promise.all(exits);
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});
