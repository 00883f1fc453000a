import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createInlineCopyEngine } from "../../src/copy/inline-engine.ts";
import {
  CopyFixture,
  hex,
  type RunOutcome,
  type RunParts,
  runEngine,
  SEGMENT_BYTES,
  segmentDigests,
} from "./copy-fixture.ts";
import { FaultyFileSystem } from "./faulty-file-system.ts";
import { patternBytes } from "./md5/hash-messages.ts";

const RANGE = 12 * SEGMENT_BYTES;
/** One of each way through the loop: one chunk, several segments at once, ranges; and in order. */
const KINDS = [
  { kind: "small", sizeBytes: 5000, ioMode: "parallel" },
  { kind: "middle", sizeBytes: 5 * SEGMENT_BYTES + 100, ioMode: "parallel" },
  { kind: "large", sizeBytes: 4 * RANGE + 100, ioMode: "parallel" },
  { kind: "in order", sizeBytes: 5 * SEGMENT_BYTES + 100, ioMode: "sequential" },
  { kind: "large in order", sizeBytes: 3 * RANGE + 100, ioMode: "sequential" },
] as const;

let fixture: CopyFixture;
let faulty: FaultyFileSystem;
beforeEach(() => {
  fixture = new CopyFixture();
  faulty = new FaultyFileSystem();
});
afterEach(() => {
  fixture.remove();
});

async function run(parts: RunParts = {}): Promise<RunOutcome> {
  const outcome = await runEngine(createInlineCopyEngine(faulty.fileSystem), fixture, parts);
  // Whatever went wrong, no handle is left open.
  expect([...faulty.openHandles.values()]).toEqual([]);
  return outcome;
}

function expectDone(outcome: RunOutcome, relativePath: string, drive = 0): void {
  const content = fs.readFileSync(fixture.sourcePath(relativePath));
  expect(fs.readFileSync(fixture.targetPath(relativePath, drive)).equals(content)).toBe(true);
  expect(hex(outcome.done.get(relativePath)?.digests)).toBe(segmentDigests(content));
}

describe.each(KINDS)("a $kind file", ({ sizeBytes, ioMode }) => {
  const source = "source/victim";
  const target = "drive-0/0/victim";

  const setUp = () => {
    fixture.add("before", 300);
    fixture.add("victim", sizeBytes);
    fixture.add("after", 300);
  };
  const expectOthersDone = (outcome: RunOutcome) => {
    expectDone(outcome, "before");
    expectDone(outcome, "after");
  };

  it("is copied when reads and writes fall short", async () => {
    setUp();
    faulty.shorten("read", source, 4099);
    faulty.shorten("write", target, 3001);
    const outcome = await run({ ioModes: [ioMode] });
    expectDone(outcome, "victim");
  });

  it.each([
    ["open", 0],
    ["read", 0],
    ["read", 3],
    ["fstat", 0],
  ] as const)("is read again after two errors of %s (after %i good ones)", async (call, skip) => {
    setUp();
    faulty.fail(call, source, "EIO", skip, 2);
    expectDone(await run({ ioModes: [ioMode] }), "victim");
  });

  it.each([
    ["open", "EIO", "FILE_UNREADABLE", "input/output error"],
    ["open", "EACCES", "FILE_UNREADABLE", "permission denied"],
    ["read", "EIO", "FILE_UNREADABLE", "input/output error"],
    ["read", "ESTALE", "FILE_UNREADABLE", "network share lost the file"],
    ["fstat", "EIO", "FILE_UNREADABLE", "input/output error"],
  ] as const)("is reported alone when %s of the source keeps failing with %s", async (call, errno, code, reason) => {
    setUp();
    faulty.fail(call, source, errno);
    const outcome = await run({ ioModes: [ioMode] });
    expect(outcome.notDone.get("victim")).toMatchObject({ code, reason, sourcePath: fixture.sourcePath("victim") });
    expect(outcome.failures.size).toBe(0);
    expect(fs.existsSync(fixture.targetPath("victim"))).toBe(false);
    expectOthersDone(outcome);
    expect(outcome.progress).toEqual([{ bytes: 600, files: 2 }]);
  });

  it.each([
    ["open", "ENOSPC", "no-space"],
    ["write", "ENOSPC", "no-space"],
    ["write", "EDQUOT", "no-space"],
    ["write", "EIO", "failed"],
    ["write", "EROFS", "failed"],
    ["write", "ENODEV", "failed"],
    ["futimes", "EIO", "failed"],
    ["fsync", "EIO", "failed"],
    ["close", "ENOSPC", "no-space"],
  ] as const)("stops its drive, and only it, when %s of the target fails with %s", async (call, errno, kind) => {
    setUp();
    const second = fixture.addDrive();
    fixture.add("elsewhere", 400, second);
    faulty.fail(call, target, errno);
    const outcome = await run({ ioModes: [ioMode], flush: "per-file" });
    expect(outcome.failures.get(0)).toMatchObject({ errno, kind, position: 1 });
    expect(outcome.notDone.size).toBe(0);
    expect(outcome.done.has("victim")).toBe(false);
    expect(fs.existsSync(fixture.targetPath("victim"))).toBe(false);
    expectDone(outcome, "before");
    expectDone(outcome, "elsewhere", second);
  });

  it("is copied although the drive knows no times", async () => {
    setUp();
    faulty.fail("futimes", target, "EPERM");
    expectDone(await run({ ioModes: [ioMode] }), "victim");
  });

  it("is copied again when it changes once while it is read", async () => {
    setUp();
    faulty.before("read", source, () => fixture.write("victim", patternBytes(sizeBytes, 99)));
    const outcome = await run({ ioModes: [ioMode] });
    expectDone(outcome, "victim");
    expect(outcome.done.get("victim")?.mtimeNs).toBe(
      fs.statSync(fixture.sourcePath("victim"), { bigint: true }).mtimeNs,
    );
  });

  it("is copied at its new length when it is cut while it is read", async () => {
    setUp();
    faulty.before("read", source, () => fs.truncateSync(fixture.sourcePath("victim"), sizeBytes - 4000));
    const outcome = await run({ ioModes: [ioMode] });
    expectDone(outcome, "victim");
    expect(outcome.done.get("victim")?.sizeBytes).toBe(sizeBytes - 4000);
  });

  it("is reported when it keeps changing", async () => {
    setUp();
    let version = 0;
    faulty.before(
      "fstat",
      source,
      () => {
        fs.utimesSync(fixture.sourcePath("victim"), 1000 + version, 1000 + version);
        version++;
      },
      0,
      Number.POSITIVE_INFINITY,
    );
    const outcome = await run({ ioModes: [ioMode] });
    expect(outcome.notDone.get("victim")).toMatchObject({
      code: "FILE_CHANGED",
      reason: "kept changing while it was read",
    });
    expect(fs.existsSync(fixture.targetPath("victim"))).toBe(false);
    expectOthersDone(outcome);
    expect(version).toBeLessThan(20);
  });

  it("waits for handles when there are none left", async () => {
    setUp();
    faulty.fail("open", source, "EMFILE", 0, 1);
    for (let index = 0; index < 5; index++) fixture.add(`more${index}`, 2 * SEGMENT_BYTES);
    faulty.fail("open", "more3", "EMFILE", 0, 1);
    const outcome = await run({ ioModes: [ioMode] });
    expect(outcome.failures.size).toBe(0);
    for (let index = 0; index < 5; index++) expectDone(outcome, `more${index}`);
  });

  it("leaves nothing behind when the run is aborted at any of its calls", async () => {
    setUp();
    for (const call of ["open", "read", "write", "fstat", "futimes"] as const) {
      for (const skip of [0, 1, 5, 20]) {
        const controller = new AbortController();
        faulty = new FaultyFileSystem();
        faulty.before(call, "victim", () => controller.abort(), skip);
        const outcome = await run({ ioModes: [ioMode], signal: controller.signal });
        const directory = fixture.targetPath(".");
        const left = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
        expect(left.toSorted()).toEqual([...outcome.done.keys()].toSorted());
        for (const path of left) expectDone(outcome, path);
        fs.rmSync(directory, { recursive: true, force: true });
      }
    }
  });
});

describe("a drive in sequential mode", () => {
  it("is written in plan order, each file from its start to its end", async () => {
    const sizes = [100, 5 * SEGMENT_BYTES, 3000, 0, 2 * RANGE + 5, 10, 70_000, SEGMENT_BYTES, 1];
    const names = sizes.map((sizeBytes, index) => fixture.add(`f${index}`, sizeBytes).relativePath);
    await run({ ioModes: ["sequential"] });
    const written = faulty.calls.filter(({ call }) => call === "write") as { path: string; position: number }[];
    const order = written.filter((item, index) => item.path !== written[index - 1]?.path).map((item) => item.path);
    expect(order).toEqual(names.filter((_, index) => sizes[index] !== 0).map((name) => fixture.targetPath(name)));
    for (let index = 1; index < written.length; index++) {
      const [last, next] = [written[index - 1], written[index]];
      if (last?.path === next?.path) expect(next?.position).toBeGreaterThan(last?.position as number);
    }
  });
});

describe("system calls", () => {
  it("are eight per small file, and its directory is made once", async () => {
    for (let index = 0; index < 50; index++) fixture.add(`d/f${index}`, 4096);
    await run();
    const counts = Object.fromEntries(
      (["open", "read", "fstat", "write", "futimes", "close", "mkdir", "lstat"] as const).map((call) => [
        call,
        faulty.count(call),
      ]),
    );
    expect(counts).toEqual({ open: 100, read: 50, fstat: 50, write: 50, futimes: 50, close: 100, mkdir: 2, lstat: 0 });
  });

  it("make a directory again that somebody removed", async () => {
    fixture.add("d/one", 10);
    fixture.add("d/two", 10);
    faulty.before("open", "drive-0/0/d/two", () => fs.rmSync(fixture.targetPath("d"), { recursive: true }));
    const outcome = await run();
    expect(outcome.failures.size).toBe(0);
    expect(fs.readdirSync(fixture.targetPath("d"))).toEqual(["two"]);
  });

  it("replace a read-only file that an interrupted run left", async () => {
    fixture.add("read-only", 10);
    faulty.fail("open", "drive-0/0/read-only", "EACCES", 0, 1);
    const outcome = await run();
    expectDone(outcome, "read-only");
  });

  it("fall back to buffered reads where direct ones are refused, and say so", async () => {
    fixture.add("a", 100);
    fixture.add("b", 3 * SEGMENT_BYTES);
    faulty.fail("open", "source/", "EINVAL", 0, 1);
    const outcome = await run({ mode: "hash", directRead: true });
    expect(outcome.summary.readMethod).toBe("buffered");
    expect(hex(outcome.done.get("b")?.digests)).toBe(segmentDigests(fs.readFileSync(fixture.sourcePath("b"))));
    expect(faulty.count("open")).toBe(3);
  });
});
