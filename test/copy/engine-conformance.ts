/** What every copy engine must do; run by one test file per engine. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CopyEngine, FileNotDone, IoMode } from "../../src/copy/copy-contract.ts";
import { PlanFlag } from "../../src/copy/plan-record.ts";
import { CopyFixture, hex, type RunOutcome, runEngine, SEGMENT_BYTES, segmentDigests } from "./copy-fixture.ts";
import { patternBytes } from "./md5/hash-messages.ts";

const CHUNK = 65_536;
const RANGE = 12 * SEGMENT_BYTES;
const SIZES: Record<string, number> = {
  empty: 0,
  "one-byte": 1,
  "a/4k": 4096,
  "a/chunk-1": CHUNK - 1,
  "a/chunk": CHUNK,
  "a/b/chunk+1": CHUNK + 1,
  "a/b/three segments": 3 * SEGMENT_BYTES,
  "a/b/c/three and a bit": 3 * SEGMENT_BYTES + 17,
  "range-1": RANGE - 1,
  range: RANGE,
  "range+1": RANGE + 1,
  "ü/large ☃": 5 * RANGE + 12_345,
  "ü/larger": 7 * RANGE,
};

export function describeEngine(name: string, engine: () => CopyEngine): void {
  let fixture: CopyFixture;
  beforeEach(() => {
    fixture = new CopyFixture();
  });
  afterEach(() => fixture.remove());

  const expectCopied = (outcome: RunOutcome, relativePath: string, drive = 0, segmentBytes = SEGMENT_BYTES) => {
    const content = fs.readFileSync(fixture.sourcePath(relativePath));
    const done = outcome.done.get(relativePath);
    expect(done?.sizeBytes).toBe(content.length);
    expect(hex(done?.digests)).toBe(segmentDigests(content, segmentBytes));
    expect(done?.mtimeNs).toBe(fs.statSync(fixture.sourcePath(relativePath), { bigint: true }).mtimeNs);
    const target = fixture.targetPath(relativePath, drive);
    expect(fs.readFileSync(target).equals(content)).toBe(true);
    expect(Math.abs(fs.statSync(target).mtimeMs - fs.statSync(fixture.sourcePath(relativePath)).mtimeMs)).toBeLessThan(
      0.01,
    );
  };

  describe(`${name} engine`, () => {
    const modes: [IoMode, "simd" | "crypto"][] = [
      ["parallel", "simd"],
      ["parallel", "crypto"],
      ["sequential", "simd"],
      ["sequential", "crypto"],
    ];
    it.each(modes)("copies and hashes files of all sizes (%s, %s)", async (ioMode, kernel) => {
      for (const [path, sizeBytes] of Object.entries(SIZES)) {
        fixture.write(path, sizeBytes);
        fixture.setMtime(path, 1_234_567_890_123);
        fixture.plan(path);
      }
      const outcome = await runEngine(engine(), fixture, { ioModes: [ioMode], kernel });
      for (const path of Object.keys(SIZES)) expectCopied(outcome, path);
      expect(outcome.order.toSorted()).toEqual(Object.keys(SIZES).toSorted());
      expect(outcome.summary).toMatchObject({ aborted: false, kernel });
      const bytes = Object.values(SIZES).reduce((sum, size) => sum + size, 0);
      expect(outcome.progress).toEqual([{ bytes, files: Object.keys(SIZES).length }]);
    });

    it("copies many small files of several directories", async () => {
      for (let index = 0; index < 500; index++)
        fixture.add(`d${index % 7}/e${index % 3}/f${index}`, (index * 37) % 9000);
      const outcome = await runEngine(engine(), fixture);
      expect(outcome.done.size).toBe(500);
      for (let index = 0; index < 500; index++) expectCopied(outcome, `d${index % 7}/e${index % 3}/f${index}`);
    });

    it("finishes at once when there is nothing to do", async () => {
      const outcome = await runEngine(engine(), fixture);
      expect(outcome.summary.aborted).toBe(false);
      expect(outcome.order).toEqual([]);
    });

    it("hashes without writing", async () => {
      for (const [path, sizeBytes] of Object.entries(SIZES)) fixture.add(path, sizeBytes);
      const outcome = await runEngine(engine(), fixture, { mode: "hash" });
      for (const path of Object.keys(SIZES)) {
        expect(hex(outcome.done.get(path)?.digests)).toBe(segmentDigests(fs.readFileSync(fixture.sourcePath(path))));
      }
      expect(fs.readdirSync(fixture.sessionRoot(0))).toEqual([]);
    });

    it("hashes past the page cache or says that it did not", async () => {
      for (const [path, sizeBytes] of Object.entries({ ...SIZES, "over 1 MiB": 3_333_333 })) {
        fixture.add(path, sizeBytes, 0, { segmentBytes: 4 * 1024 * 1024 });
      }
      const outcome = await runEngine(engine(), fixture, { mode: "hash", directRead: true });
      for (const file of fixture.plans[0] ?? []) {
        const content = fs.readFileSync(fixture.sourcePath(file.relativePath));
        expect(hex(outcome.done.get(file.relativePath)?.digests)).toBe(segmentDigests(content, file.segmentBytes));
      }
      expect(["direct", "buffered", "mixed"]).toContain(outcome.summary.readMethod);
    });

    it("gives the sum of the whole file beside those of its segments when asked", async () => {
      for (const sizeBytes of [0, 10, CHUNK, 3 * RANGE + 5]) {
        fixture.add(`whole-${sizeBytes}`, sizeBytes, 0, { flags: PlanFlag.ContentMd5 });
        fixture.add(`not-${sizeBytes}`, sizeBytes);
      }
      const outcome = await runEngine(engine(), fixture);
      for (const file of fixture.plans[0] ?? []) {
        expectCopied(outcome, file.relativePath);
        const content = fs.readFileSync(fixture.sourcePath(file.relativePath));
        const wanted = file.flags === 0 ? "" : createHash("md5").update(content).digest("hex");
        expect(hex(outcome.done.get(file.relativePath)?.contentMd5)).toBe(wanted);
      }
    });

    it("hashes segments of another size", async () => {
      const segmentBytes = 3 * 1024 * 1024;
      fixture.add("big blocks", 2 * segmentBytes + 99, 0, { segmentBytes });
      expectCopied(await runEngine(engine(), fixture), "big blocks", 0, segmentBytes);
    });

    it("stores a file under another name, and a single-file row from its own place", async () => {
      fixture.add("plain:name", 10, 0, { storedPath: "plain%3Aname" });
      fixture.sourceRoots.push(fixture.sourcePath("x/single.bin"));
      fixture.write("x/single.bin", 20);
      fixture.plan("x/single.bin", 0, { row: 1, flags: PlanFlag.FileRow, storedPath: "single.bin" });
      await runEngine(engine(), fixture);
      expect(fs.statSync(fixture.targetPath("plain%3Aname")).size).toBe(10);
      expect(fs.statSync(fixture.targetPath("single.bin", 0, 1)).size).toBe(20);
    });

    it("keeps the mode of a file", async () => {
      fixture.write("script", 10);
      fs.chmodSync(fixture.sourcePath("script"), 0o750);
      fixture.plan("script");
      await runEngine(engine(), fixture);
      expect(fs.statSync(fixture.targetPath("script")).mode & 0o777).toBe(0o750 & ~process.umask());
    });

    it("writes several drives, in both modes, and flushes each file when asked", async () => {
      const second = fixture.addDrive();
      for (let index = 0; index < 60; index++) fixture.add(`f${index}`, index * 4000, index % 2);
      fixture.add("large", 3 * RANGE + 1, second);
      const ioModes: IoMode[] = ["parallel", "sequential"];
      const outcome = await runEngine(engine(), fixture, { ioModes, flush: "per-file" });
      for (let index = 0; index < 60; index++) expectCopied(outcome, `f${index}`, index % 2);
      expectCopied(outcome, "large", second);
      expect(outcome.progress.map((drive) => drive.files)).toEqual([30, 31]);
    });

    it("replaces what an interrupted run left", async () => {
      fixture.add("partial", 3 * RANGE);
      fixture.add("small", 100);
      fs.mkdirSync(fixture.targetPath("."), { recursive: true });
      fs.writeFileSync(fixture.targetPath("partial"), patternBytes(5 * RANGE, 9));
      fs.writeFileSync(fixture.targetPath("small"), patternBytes(5000, 9));
      const outcome = await runEngine(engine(), fixture);
      expectCopied(outcome, "partial");
      expectCopied(outcome, "small");
    });

    it("copies what is there when a file differs from its plan but holds still", async () => {
      for (const [path, sizeBytes] of [
        ["small", 100],
        ["middle", 2 * CHUNK + 100],
        ["large", RANGE + 100],
      ] as const) {
        fixture.add(path, sizeBytes);
        fixture.add(`${path} shrank`, sizeBytes);
        fixture.write(path, patternBytes(sizeBytes + 50, 77));
        fixture.write(`${path} shrank`, patternBytes(sizeBytes - 90, 78));
      }
      const outcome = await runEngine(engine(), fixture);
      expect(outcome.notDone.size).toBe(0);
      for (const file of fixture.plans[0] ?? []) expectCopied(outcome, file.relativePath);
    });

    it("copies a file that grew when its drive has room, else reports it", async () => {
      const asked: [number, number][] = [];
      for (const path of ["small yes", "small no", "large yes", "large no"]) {
        const sizeBytes = path.startsWith("small") ? 4096 : 2 * RANGE;
        fixture.add(path, sizeBytes);
        fixture.write(path, patternBytes(sizeBytes + 1 + (path.endsWith("yes") ? 0 : 9), 5));
      }
      const allowGrowth = (_drive: number, position: number, extraBytes: number) => {
        asked.push([position, extraBytes]);
        return extraBytes < 10;
      };
      const outcome = await runEngine(engine(), fixture, { allowGrowth });
      expectCopied(outcome, "small yes");
      expectCopied(outcome, "large yes");
      expect([...outcome.notDone.values()].map((file) => file.code)).toEqual(["FILE_GREW", "FILE_GREW"]);
      expect([...outcome.notDone.keys()].toSorted()).toEqual(["large no", "small no"]);
      expect(asked.toSorted((a, b) => a[0] - b[0])).toEqual([
        [0, 1],
        [1, 10],
        [2, 1],
        [3, 10],
      ]);
      expect(fs.existsSync(fixture.targetPath("small no"))).toBe(false);
      expect(fs.existsSync(fixture.targetPath("large no"))).toBe(false);
    });

    it("lets no file grow when nobody is there to ask", async () => {
      fixture.add("grown", 4096);
      fixture.write("grown", 4097);
      const outcome = await runEngine(engine(), fixture);
      expect(outcome.notDone.get("grown")?.code).toBe("FILE_GREW");
    });

    it("reports files that vanished, became something else or cannot be read, and goes on", async () => {
      for (const path of ["gone", "gone-large", "link", "directory", "pipe", "good"]) {
        fixture.add(path, path === "gone-large" ? 2 * RANGE : 100);
      }
      for (const path of ["gone", "gone-large", "link", "directory", "pipe"]) fs.unlinkSync(fixture.sourcePath(path));
      fs.symlinkSync(fixture.sourcePath("good"), fixture.sourcePath("link"));
      fs.mkdirSync(fixture.sourcePath("directory"));
      const { execFileSync } = await import("node:child_process");
      execFileSync("mkfifo", [fixture.sourcePath("pipe")]);
      // Left by an interrupted run: a file that is not done is not on the drive.
      fs.mkdirSync(fixture.targetPath("."), { recursive: true });
      fs.writeFileSync(fixture.targetPath("gone"), "part of it");
      fs.writeFileSync(fixture.targetPath("gone-large"), "part of it");
      const outcome = await runEngine(engine(), fixture);
      const codes = Object.fromEntries([...outcome.notDone].map(([path, file]) => [path, file.code]));
      expect(codes).toEqual({
        gone: "FILE_VANISHED",
        "gone-large": "FILE_VANISHED",
        link: "FILE_CHANGED",
        directory: "FILE_CHANGED",
        pipe: "FILE_CHANGED",
      });
      expect(outcome.notDone.get("gone")).toMatchObject({
        sourcePath: fixture.sourcePath("gone"),
        reason: "no such file or directory",
      } satisfies Partial<FileNotDone>);
      expectCopied(outcome, "good");
      expect(fs.readdirSync(fixture.targetPath("."))).toEqual(["good"]);
    });

    it("stops only the drive whose session root is gone, and does not make it again", async () => {
      const second = fixture.addDrive();
      for (let index = 0; index < 100; index++) fixture.add(`f${index}`, 1000, index % 2);
      fs.rmdirSync(fixture.sessionRoot(0));
      const outcome = await runEngine(engine(), fixture);
      expect([...outcome.failures.keys()]).toEqual([0]);
      expect(outcome.failures.get(0)).toMatchObject({ errno: "ENOENT", kind: "failed", position: 0 });
      expect(outcome.progress[second]?.files).toBe(50);
      expect(fs.existsSync(fixture.sessionRoot(0))).toBe(false);
      expect(outcome.done.size).toBe(50);
    });

    it("refuses links on the way to a target, and as the target", async () => {
      const second = fixture.addDrive();
      fixture.add("sub/file", 100);
      fixture.add("file", 100, second);
      const outside = fixture.sourcePath("outside");
      fs.mkdirSync(outside);
      fs.mkdirSync(fixture.targetPath("."));
      fs.symlinkSync(outside, fixture.targetPath("sub"));
      fs.mkdirSync(fixture.targetPath(".", second));
      fs.symlinkSync(`${outside}/victim`, fixture.targetPath("file", second));
      const outcome = await runEngine(engine(), fixture);
      expect(outcome.failures.get(0)).toMatchObject({ errno: "ENOTDIR", kind: "failed" });
      expect(outcome.failures.get(second)).toMatchObject({ errno: "ELOOP", kind: "failed" });
      expect(fs.readdirSync(outside)).toEqual([]);
    });

    it("stops when the signal fires, leaves no partial file, and reports what was done", async () => {
      for (let index = 0; index < 400; index++) fixture.add(`f${index}`, 2000);
      for (let index = 0; index < 4; index++) fixture.add(`large${index}`, 8 * RANGE);
      const controller = new AbortController();
      const outcome = await runEngine(engine(), fixture, {
        signal: controller.signal,
        onEach: () => controller.abort(),
      });
      expect(outcome.summary.aborted).toBe(true);
      expect(outcome.done.size).toBeGreaterThan(0);
      expect(outcome.done.size).toBeLessThan(404);
      expect(fs.readdirSync(fixture.targetPath(".")).toSorted()).toEqual([...outcome.done.keys()].toSorted());
      for (const path of outcome.done.keys()) expectCopied(outcome, path);
    });

    it("does nothing when the signal has fired before", async () => {
      fixture.add("f", 2000);
      const outcome = await runEngine(engine(), fixture, { signal: AbortSignal.abort() });
      expect(outcome.summary.aborted).toBe(true);
      expect(fs.readdirSync(fixture.sessionRoot(0))).toEqual([]);
    });

    it("passes on what a callback throws, after it stopped", async () => {
      for (let index = 0; index < 200; index++) fixture.add(`f${index}`, 2000);
      const run = runEngine(engine(), fixture, {
        onEach: () => {
          throw new Error("the state cannot be written");
        },
      });
      await expect(run).rejects.toThrow("the state cannot be written");
    });

    it("keeps to a bandwidth limit and still copies all", async () => {
      for (let index = 0; index < 10; index++) fixture.add(`f${index}`, 50_000);
      const outcome = await runEngine(engine(), fixture, { bandwidthLimit: 50_000_000 });
      expect(outcome.done.size).toBe(10);
    });
  });
}
